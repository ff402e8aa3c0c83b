"""Requests and answers of calls about single people. No answer holds an address that the caller did not send."""

from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, Field

from newsletter.api.calls.fields import StoredRequestModel
from subscribers.places.search import MAX_TOWN_LENGTH
from subscribers.unsubscribing.suppression import MAX_REASON

MAX_TEXT_LENGTH = 200


class SubscriptionAnswer(BaseModel):
    list: str
    basis: str
    requested_at: datetime
    confirmed_at: datetime | None
    frequency: str
    paused_until: datetime | None


class PersonAnswer(BaseModel):
    """A person, with the open subscriptions to lists that the key may use. `people/find` returns these fields and more."""

    id: int
    email_hint: str = Field(
        description="Such as j•••@e•••.org. An export holds whole addresses, after a second person agreed."
    )
    name: str
    country: str
    region: str
    city: str
    radius_km: int | None
    language: str
    giving: str
    timezone: str
    topics: list[str]
    attributes: dict[str, str]
    source: str
    created_at: datetime
    subscriptions: list[SubscriptionAnswer]


class PersonValues(StoredRequestModel):
    """New values of a person. A missing field does not change; an empty one is removed."""

    name: str | None = Field(None, max_length=MAX_TEXT_LENGTH)
    giving: str | None = Field(None, description="none, donor or monthly.", max_length=40)
    topics: list[str] | None = Field(None, description="Slugs. They replace the person's topics.", max_length=100)
    country: str | None = Field(
        None, description="Country, region and city are set together.", max_length=MAX_TEXT_LENGTH
    )
    region: str | None = Field(None, max_length=MAX_TEXT_LENGTH)
    city: str | None = Field(None, max_length=MAX_TOWN_LENGTH)
    attributes: dict[str, str] | None = Field(None, description="An empty value removes one.", max_length=50)


class NewReply(StoredRequestModel):
    """A person's reply to our mail, without its text."""

    replied_on: date = Field(description="The day, such as 2026-03-31.")
    issue: int | None = Field(
        None, description="The id of the issue, if known. It was sent to them in the last 90 days."
    )


class ReplyAnswer(BaseModel):
    """The reply as it is on record, and whether it ended the person's silence after “Do you still want our emails?”."""

    replied_on: date
    issue: int | None
    recorded_at: datetime
    ended_rest: bool


class NewPerson(StoredRequestModel):
    """One person to add, as a row of an import file."""

    email: str = Field(max_length=320)
    name: str = Field("", max_length=MAX_TEXT_LENGTH)
    country: str = Field("", description="A code such as GB, or a name.", max_length=MAX_TEXT_LENGTH)
    region: str = Field("", description="ISO 3166-2, or a name together with the country.", max_length=MAX_TEXT_LENGTH)
    city: str = Field("", description="The town.", max_length=MAX_TOWN_LENGTH)
    postcode: str = Field("", description="Finds the town; not stored.", max_length=40)
    language: str = Field("", description="Such as en or pt-BR.", max_length=16)
    topics: list[str] = Field([], description="Slugs or names of topics.", max_length=100)
    giving: str = Field("", description="none, donor or monthly.", max_length=40)
    timezone: str = Field("", description="Such as Europe/London, if the location has no time zone.", max_length=64)
    source: str = Field("", description="Where the person came from, for segments.", max_length=120)
    asked_on: date | None = Field(None, description="When they asked for the mail.")
    attributes: dict[str, str] = Field({}, description="Your own values by name, for segments.", max_length=50)


class Terms(StoredRequestModel):
    """Why the people may be mailed. It is stored with each subscription as proof."""

    list: str = Field(description="List's slug.", max_length=80)
    basis: Literal["consent", "soft_opt_in", "legitimate_interest", "contract"] = Field(
        description="Why they may be mailed."
    )
    evidence: str = Field(
        description="What proves it, such as “ticked the box on our donation form of 2026”.",
        min_length=3,
        max_length=1_000,
    )
    confirm: bool = Field(False, description="Ask each person by mail first.")


class PersonToAdd(NewPerson, Terms):
    """A person and why they may be mailed."""


class AddedPerson(BaseModel):
    outcome: Literal["new", "updated", "unchanged", "waiting", "suppressed"] = Field(
        description="new: on the list, or with `confirm` asked by mail. waiting: not confirmed yet. suppressed: they "
        "unsubscribed, complained or the address is dead; nothing was added."
    )
    notes: list[str] = Field(
        description="What was left out, such as an unknown town, or that nobody was asked because of recent confirmation mails."
    )
    id: int | None = Field(description="The person's id, unless suppressed.")
    import_id: int | None = Field(description="The import that can be undone.")


class RefusedLine(BaseModel):
    line: int = Field(description="Counted from 1.")
    why: str


class AddedPeople(BaseModel):
    """Numbers of lines, which add up to ``rows``, and the first 100 refused ones."""

    rows: int
    new: int
    updated: int
    unchanged: int
    waiting: int
    suppressed: int
    repeated: int
    refused: int
    lines: list[RefusedLine]
    import_id: int | None


class Merge(StoredRequestModel):
    absorb: int = Field(description="The id of the same person's other record, which is deleted.", ge=1, lt=2**63)
    reason: str = Field(description="Why they are one person; for the staff log.", min_length=3, max_length=1_000)


class SuppressionAnswer(BaseModel):
    """A suppression, without the address. `person` is null if nobody here has it."""

    id: int
    person: int | None
    scope: Literal["all", "list"]
    list: str | None
    reason: str
    at: datetime
    note: str
    removed_at: datetime | None
    can_be_lifted: bool = Field(description="False for people's own requests: they sign up again themselves.")


class Lift(StoredRequestModel):
    reason: str = Field(
        description="Why mail may start again. It is kept as proof.", min_length=3, max_length=MAX_REASON
    )
