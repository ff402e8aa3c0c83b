"""What the API takes and gives, field by field; the OpenAPI document is made of these. A field that is not here is refused."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator

MAX_PEOPLE_PER_CALL = 1_000
Slugs = list[str]
_MAX_TEXT_LENGTH, _MAX_NOTE_LENGTH = 200, 1_000


def reject_nul(value: Any) -> Any:
    """For texts and lists of texts that the database sees as they are: PostgreSQL takes no NUL character."""
    if any("\x00" in text for text in (value if isinstance(value, list) else [value or ""])):
        raise ValueError("A NUL character cannot be kept; leave it out")
    return value


QueryText = Annotated[str, AfterValidator(reject_nul)]


class RequestModel(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Kept(RequestModel):
    """Its words go into the database as they are, and PostgreSQL keeps no NUL character."""

    @field_validator("*")
    @classmethod
    def _refuse_nul(cls, value: Any) -> Any:
        return reject_nul(value)


class SignUp(Kept):
    """Somebody who asked for a list on a site of yours. They are asked by mail to confirm."""

    email: str = Field(max_length=320)
    list: str = Field(description="The list's slug.", max_length=80)
    wording: str = Field(
        description="The words the person agreed to, kept as proof.", min_length=10, max_length=_MAX_NOTE_LENGTH
    )
    visitor: str = Field(
        "", description="The visitor's IP address. Without it, all sign-ups count as of one home.", max_length=45
    )
    page: str = Field("", description="Where they signed up, such as the page's address.", max_length=150)
    name: str = Field("", max_length=_MAX_TEXT_LENGTH)
    language: str = Field("", description="Such as en or pt-BR.", max_length=16)
    topics: Slugs = Field([], description="Slugs of topics.", max_length=100)
    country: str = Field("", max_length=_MAX_TEXT_LENGTH)
    region: str = Field("", max_length=_MAX_TEXT_LENGTH)
    city: str = Field("", max_length=_MAX_TEXT_LENGTH)


class SignedUp(BaseModel):
    """The same for everybody, whoever they are."""

    answer: str


class PersonChange(RequestModel):
    """What to set. A field that is left out, or null, stays as it is; an empty one is taken away."""

    email: str = Field(max_length=320)
    giving: str | None = Field(None, description="none, donor or monthly.", max_length=40)
    topics: Slugs | None = Field(None, description="Slugs. They replace the topics there are.", max_length=100)
    country: str | None = Field(None, max_length=_MAX_TEXT_LENGTH)
    region: str | None = Field(
        None, description="ISO 3166-2, or a name beside the country.", max_length=_MAX_TEXT_LENGTH
    )
    city: str | None = Field(None, max_length=_MAX_TEXT_LENGTH)
    attributes: dict[str, str] | None = Field(
        None, description="Values by name; an empty value removes one; others stay.", max_length=50
    )


class PeopleChange(RequestModel):
    people: list[PersonChange] = Field(min_length=1, max_length=MAX_PEOPLE_PER_CALL)


class RowAnswer(BaseModel):
    row: int = Field(description="Counted from 0, as in the call.")
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


class Stop(Kept):
    """No more mail of one list, or, without a list, none at all."""

    email: str = Field(max_length=320)
    reason: Literal["unsubscribe", "complaint", "hard", "staff", "legal"] = Field(
        "unsubscribe", description="unsubscribe: the person left and may come back by signing up and confirming."
    )
    list: str | None = Field(None, description="The list's slug; left out: all mail.", max_length=80)
    note: str = Field("", description="Kept with the reason.", max_length=_MAX_NOTE_LENGTH)


class Stopped(BaseModel):
    changed: bool = Field(description="False where mail was stopped for this reason before.")
