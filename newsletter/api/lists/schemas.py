"""Requests and answers of calls about lists, topics and segments."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field, StrictBool

from newsletter.api.calls.fields import LineText, StoredRequestModel

Slug = Annotated[str, Field(max_length=80, pattern=r"^[-a-zA-Z0-9_]*$")]
Rule = Annotated[
    dict[str, object],
    Field(description="A rule as in the organisation's file.", json_schema_extra={"example": {"topic": "events"}}),
]


class ListAnswer(BaseModel):
    slug: str
    name: str
    description: str
    double_opt_in: bool = Field(description="People confirm by mail before they get any.")
    public: bool = Field(description="People can sign up for it and see it.")
    ask_name: bool
    ask_place: bool
    ask_topics: bool
    ask_language: bool
    joined_url: str = Field(description="Your page to which people come from the form.")
    confirmed_url: str = Field(description="Your page to which people come when they have confirmed.")
    archived: bool


class ListChange(StoredRequestModel):
    """New values of a list. A missing field does not change."""

    name: LineText = Field("", min_length=1, max_length=120)
    description: str = Field("", max_length=2_000)
    double_opt_in: StrictBool = Field(True, description="Ask people to confirm by mail.")
    public: StrictBool = Field(True, description="False: subscribers cannot see the list or sign up for it.")
    ask_name: StrictBool = Field(True, description="Its form asks for a first name.")
    ask_place: StrictBool = Field(True, description="Its form asks for a town.")
    ask_topics: StrictBool = Field(True, description="Its form asks what interests people.")
    ask_language: StrictBool = Field(False, description="Its form asks for a language.")
    joined_url: LineText = Field("", max_length=2_000, description="Your page to which people come from the form.")
    confirmed_url: LineText = Field(
        "", max_length=2_000, description="Your page to which people come when they have confirmed."
    )
    archived: StrictBool = Field(
        False, description="Archived: closed to sign-ups. Refused if a publication is sent to it."
    )


class NewList(ListChange):
    slug: Slug = Field("", description="Made from the name if you leave it out. It never changes.")
    name: LineText = Field(min_length=1, max_length=120)
    archived: Literal[False] = False


class PeopleCount(BaseModel):
    """The number of people, of those who may be mailed now, and of those who may not, by reason."""

    candidates: int
    eligible: int
    excluded: dict[str, int]


class TopicAnswer(BaseModel):
    slug: str
    name: str
    names: dict[str, str] = Field(description="Names in other languages, by their codes.")


class TopicChange(StoredRequestModel):
    name: LineText = Field("", min_length=1, max_length=120)
    names: dict[str, Annotated[LineText, Field(min_length=1, max_length=120)]] = Field(
        {}, description="Names in other languages, by their codes.", max_length=100
    )


class NewTopic(TopicChange):
    slug: Slug = Field("", description="Made from the name if you leave it out. It never changes.")
    name: LineText = Field(min_length=1, max_length=120)


class SegmentAnswer(BaseModel):
    slug: str
    name: str
    rule: dict[str, object]
    description: str = Field(description="The rule in words; empty if it is invalid and so selects nobody.")
    archived: bool


class SegmentChange(StoredRequestModel):
    name: LineText = Field("", min_length=1, max_length=120)
    rule: Rule = {}
    archived: StrictBool = Field(False, description="Refused if a publication uses it.")


class NewSegment(SegmentChange):
    slug: Slug = Field("", description="Made from the name if you leave it out. It never changes.")
    name: LineText = Field(min_length=1, max_length=120)
    rule: Rule
    archived: Literal[False] = False


class RuleQuery(StoredRequestModel):
    rule: Rule


class SamplePerson(BaseModel):
    """One of the people, without what names them."""

    id: int
    country: str
    region: str
    city: str
    language: str


class Preview(BaseModel):
    people: int
    exact: bool = Field(description="False: estimated from five thousand people.")
    sample: list[SamplePerson] = Field(description="Up to 20; none if there are fewer than five people.")
