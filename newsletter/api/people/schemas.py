"""Requests and answers of calls about people. The OpenAPI document is made of these classes."""

from typing import Literal

from pydantic import BaseModel, Field

from newsletter.api.calls.fields import LanguageCode, RequestModel, StoredRequestModel
from subscribers.places.search import MAX_TOWN_LENGTH
from subscribers.unsubscribing.suppression import MAX_REASON

MAX_PEOPLE_PER_CALL = 1_000
Slugs = list[str]
_MAX_TEXT_LENGTH, _MAX_NOTE_LENGTH = 200, 1_000
_MIN_WORDING_LENGTH = 10


class SignUp(StoredRequestModel):
    """A sign-up on one of your own sites. The person gets an email to confirm."""

    email: str = Field(max_length=320)
    list: str = Field(description="List's slug.", max_length=80)
    wording: str = Field(
        description="The wording that the person agreed to, kept as proof. "
        f"It has {_MIN_WORDING_LENGTH} to {_MAX_NOTE_LENGTH:,} characters.",
        min_length=_MIN_WORDING_LENGTH,
        max_length=_MAX_NOTE_LENGTH,
    )
    visitor: str = Field(
        "", description="The visitor's IP address. Without it, all sign-ups count as one visitor's.", max_length=45
    )
    page: str = Field("", description="Where they signed up, such as the page's address.", max_length=150)
    name: str = Field("", max_length=_MAX_TEXT_LENGTH)
    language: LanguageCode = ""
    topics: Slugs = Field([], description="Slugs of topics.", max_length=100)
    country: str = Field("", description="A code such as GB, or a name.", max_length=_MAX_TEXT_LENGTH)
    region: str = Field("", description="ISO 3166-2, or a name together with the country.", max_length=_MAX_TEXT_LENGTH)
    city: str = Field("", description="The town.", max_length=MAX_TOWN_LENGTH)


class SignedUp(BaseModel):
    """The answer to a sign-up. It is the same for everybody."""

    answer: str


class PersonChange(RequestModel):
    """Changes to one person. A missing or null field does not change; an empty one is removed."""

    email: str = Field(max_length=320)
    giving: str | None = Field(None, description="none, donor or monthly.", max_length=40)
    topics: Slugs | None = Field(None, description="Slugs. They replace the person's topics.", max_length=100)
    country: str | None = Field(None, max_length=_MAX_TEXT_LENGTH)
    region: str | None = Field(
        None, description="ISO 3166-2, or a name together with the country.", max_length=_MAX_TEXT_LENGTH
    )
    city: str | None = Field(None, max_length=MAX_TOWN_LENGTH)
    attributes: dict[str, str] | None = Field(
        None, description="Values by name. An empty value removes an attribute. Others do not change.", max_length=50
    )


class PeopleChange(RequestModel):
    people: list[PersonChange] = Field(min_length=1, max_length=MAX_PEOPLE_PER_CALL)


class RowAnswer(BaseModel):
    row: int = Field(description="The person's position in the call, counted from 0.")
    result: Literal["changed", "unchanged", "unknown", "refused"]
    why: str = ""


class PeopleChanged(BaseModel):
    changed: int
    unchanged: int
    unknown: int
    refused: int
    rows: list[RowAnswer]


class Address(RequestModel):
    email: str = Field(max_length=320)


class Stop(StoredRequestModel):
    """A request to stop emails from one list, or from all if `list` is missing."""

    email: str = Field(max_length=320)
    reason: Literal["unsubscribe", "complaint", "hard", "staff", "legal"] = Field(
        "unsubscribe", description="unsubscribe: the person can come back by signing up and confirming."
    )
    list: str | None = Field(None, description="List's slug; left out: all mail.", max_length=80)
    note: str = Field("", description="Stored with the reason.", max_length=MAX_REASON)


class Stopped(BaseModel):
    changed: bool = Field(description="False if emails were already stopped for this reason.")
