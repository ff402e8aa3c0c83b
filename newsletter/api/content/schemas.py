"""Requests and answers of calls about stories, events, appeals and sources."""

from datetime import date, datetime
from typing import Annotated, Literal

from django.db.models import Manager
from pydantic import AwareDatetime, BaseModel, BeforeValidator, Field, StrictBool

from newsletter.api.calls.fields import LanguageCode, LineText, StoredRequestModel
from newsletter.common.translation import translate
from newsletter.models import Publication
from newsletter.models.content.stories import MAX_TEXT_LENGTH
from subscribers.models import Topic

Slugs = Annotated[list[str], Field(description="Slugs of topics.", max_length=100)]
Url = Annotated[str, Field(max_length=2_000)]
Language = Annotated[LanguageCode, Field(max_length=12)]
Moment = Annotated[AwareDatetime, Field(description="With an offset, such as 2026-12-03T19:00:00+00:00.")]


def _list_slugs(rows: Manager[Topic] | Manager[Publication]) -> list[str]:
    return sorted(row.slug for row in rows.all())


def _is_known(value: object) -> bool:
    return value is not None


SlugsOfRows = Annotated[list[str], BeforeValidator(_list_slugs)]
"""The slugs of a row's topics or publications."""


class StoryAnswer(BaseModel):
    id: int
    title: str
    teaser: str
    url: str = Field(description="The page with the whole story; empty if it has none.")
    text: str = Field(description="The whole story, if it has no page.")
    language: str
    topics: list[str]
    case: str = Field(description="Slug of the case that it belongs to; empty: none.")
    translation_of: int | None = Field(description="Id of the story that it is a translation of.")
    source: int | None = Field(description="Null: written here.")
    published_at: datetime | None
    embargo_until: datetime | None
    consent_needed: bool = Field(description="It is about a person. Staff record the consent in the desk.")
    withdrawn: bool
    edited_fields: list[str] = Field(description="Written here, so that its source does not overwrite them.")


class StoryChange(StoredRequestModel):
    """New values of a story. A missing field does not change. What protects people is changed in the desk."""

    title: LineText = Field("", min_length=1, max_length=300)
    teaser: str = Field("", max_length=5_000)
    url: Url = ""
    text: str = Field("", description="Only for a story without a page.", max_length=MAX_TEXT_LENGTH)
    language: Language = ""
    topics: Slugs = []
    case: str = Field("", description="Slug of the case that it belongs to; empty: none.", max_length=80)
    translation_of: int | None = Field(None, description="Id of the story that it is a translation of.", ge=1, lt=2**63)
    published_at: AwareDatetime | None = Field(None, description="With an offset. Null: not known.")


class NewStory(StoryChange):
    title: LineText = Field(min_length=1, max_length=300)
    consent_needed: StrictBool = Field(
        False, description="It is about a person: no issue takes it before staff record consent."
    )
    embargo_until: AwareDatetime | None = Field(None, description="It is not shown anywhere before.")


class CaseAnswer(BaseModel):
    slug: str
    name: str
    stories: int = Field(description="How many stories belong to it.")


class CaseChange(StoredRequestModel):
    name: LineText = Field("", min_length=1, max_length=120)


class NewCase(CaseChange):
    slug: str = Field(
        "",
        description="Made from the name if you leave it out. It never changes.",
        max_length=80,
        pattern=r"^[-a-zA-Z0-9_]*$",
    )
    name: LineText = Field(min_length=1, max_length=120)


class EventAnswer(BaseModel):
    id: int
    title: str
    summary: str
    url: str
    starts_at: datetime
    ends_at: datetime | None
    zone: str
    place_text: str
    town: str
    region: str
    country: str
    located: Annotated[bool, BeforeValidator(_is_known)] = Field(
        validation_alias="latitude",
        description="False: we do not know where it is, so it is near nobody. Staff are asked.",
    )
    online: bool
    cancelled: bool
    language: str
    source: int | None = Field(validation_alias="source_id")
    edited_fields: list[str]


class EventChange(StoredRequestModel):
    """New values of an event. Readers of an issue that announced it get a correction, as after an edit in the desk."""

    title: LineText = Field("", min_length=1, max_length=300)
    summary: str = Field("", max_length=5_000)
    url: Url = ""
    starts_at: Moment = Field(None, validate_default=False)  # type: ignore[assignment]  # missing: unchanged
    ends_at: AwareDatetime | None = Field(None, description="With an offset. Null: not known.")
    place_text: LineText = Field("", description="The address, as readers see it.", max_length=300)
    town: LineText = Field("", description="Readers near this town see the event.", max_length=120)
    country: str = Field("", description="Its code, such as GB.", max_length=2)
    online: StrictBool = Field(False, description="It takes place online.")
    cancelled: StrictBool = Field(False, description="It does not take place.")


class NewEvent(EventChange):
    title: LineText = Field(min_length=1, max_length=300)
    starts_at: Moment
    zone: str = Field("", description="Such as Europe/London; else that of its town.", max_length=60)
    language: Language = ""


class AppealAnswer(BaseModel):
    slug: str
    headline: str
    text: str
    link: str
    button: str
    audience: str
    language: str
    publications: SlugsOfRows = Field(description="Slugs; none: all.")
    first_day: date | None
    last_day: date | None
    priority: int
    enabled: bool


class AppealChange(StoredRequestModel):
    headline: LineText = Field("", min_length=1, max_length=200)
    text: str = Field("", max_length=5_000)
    link: Url = Field("", description="The address that the button opens.", min_length=1)
    button: LineText = Field("", description="The words on the button.", min_length=1, max_length=60)
    audience: Literal["all", "none", "donor", "monthly"] = Field(
        "all", description="The giving status of the people who see it; all: everybody."
    )
    language: Language = ""
    publications: list[str] = Field([], description="Slugs; none: all.", max_length=100)
    first_day: date | None = Field(None, description="No issue before this day shows it.")
    last_day: date | None = Field(None, description="No issue after this day shows it.")
    priority: int = Field(0, description="Of those that fit, a reader sees the highest number.", ge=0, le=32_767)
    enabled: StrictBool = Field(True, description="False: no issue shows it.")


class NewAppeal(AppealChange):
    slug: str = Field(
        "",
        description="Made from the headline if you leave it out. It never changes.",
        max_length=50,
        pattern=r"^[-a-zA-Z0-9_]*$",
    )
    headline: LineText = Field(min_length=1, max_length=200)
    link: Url = Field(description="The address that the button opens.", min_length=1)
    button: LineText = Field(description="The words on the button.", min_length=1, max_length=60)


class SourceAnswer(BaseModel):
    id: int
    name: str
    kind: str
    url: str
    enabled: bool
    every_minutes: int
    language: str
    region: str
    floating_zone: str
    topics: SlugsOfRows
    has_key: Annotated[bool, BeforeValidator(bool)] = Field(
        validation_alias="sealed_key", description="The key itself is never shown."
    )
    looked_at: datetime | None
    last_success_at: datetime | None
    failures: int
    error: Annotated[str, BeforeValidator(translate)]


class SourceChange(StoredRequestModel):
    """New values of a source. A missing field does not change."""

    name: LineText = Field("", min_length=1, max_length=120)
    url: Url = Field("", min_length=1, description="Its address, or that of the site.")
    kind: str = Field("", description="Such as feed or calendar; empty: found from the address.", max_length=40)
    key: str | None = Field(
        None, description="The key that its interface asks for. Empty removes it. It is never shown.", max_length=500
    )
    every_minutes: int = Field(30, description="How often it is read, in minutes.", ge=5, le=525_600)
    language: Language = ""
    region: str = Field("", description="ISO 3166-2: where events without a location are.", max_length=10)
    floating_zone: str = Field(
        "",
        description="Such as Europe/London: the zone of times without one. Empty: staff are asked about each event.",
        max_length=60,
    )
    topics: Slugs = []
    enabled: StrictBool = Field(True, description="Out of use, it is saved without being read.")


class NewSource(SourceChange):
    name: LineText = Field(min_length=1, max_length=120)
    url: Url = Field(min_length=1, description="Its address, or that of the site.")


class SetAsideAnswer(BaseModel):
    entry: str
    reason: str


class ReadingAnswer(BaseModel):
    """The result of reading a source, as of `newsletter ingest --json`."""

    new: int
    updated: int
    unchanged: int
    cancelled: int
    set_aside: list[SetAsideAnswer]
    error: str = Field(description="Why it could not be read; empty if it was.")
