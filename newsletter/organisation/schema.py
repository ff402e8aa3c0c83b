"""The schema of the organisation file. An unknown key is an error; a missing key changes nothing."""

from datetime import date, time
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from newsletter.organisation.value_types import (
    Colour,
    Email,
    Every,
    Language,
    Line,
    OptionalEmail,
    OptionalLanguage,
    OptionalRegion,
    OptionalUrl,
    Slug,
    SourceUrl,
    StaffText,
    Subject,
    Url,
)


class Entry(BaseModel):
    """One table of the file. `identity` is the key that names it."""

    model_config = ConfigDict(extra="forbid", strict=True)
    identity: ClassVar[str] = "slug"

    def given(self) -> dict[str, object]:
        """Return the values that the file gives besides the identity, in the order of the fields."""
        fields = type(self).model_fields
        return {name: getattr(self, name) for name in fields if name in self.model_fields_set and name != self.identity}


class BrandEntry(Entry):
    identity: ClassVar[str] = ""
    name: Line = ""
    logo: str = ""
    logo_dark: str = ""
    colour: Colour = ""
    accent: Colour = ""
    background: Colour = ""
    font: Line = ""
    heading_font: Line = ""
    radius: int = Field(default=8, ge=0, le=24)
    masthead: Literal["plain", "band", "rule"] = "plain"
    postal_address: str = ""
    website: OptionalUrl = ""
    privacy_url: OptionalUrl = ""
    donate_url: OptionalUrl = ""
    donor_portal_url: OptionalUrl = ""
    social: dict[str, Url] = {}


class ListEntry(Entry):
    slug: Slug
    name: Line = ""
    description: str = ""
    double_opt_in: bool = True
    public: bool = True
    ask: list[Literal["name", "place", "topics", "language"]] = []


class TopicEntry(Entry):
    slug: Slug
    name: Line = ""
    names: dict[Language, Line] = {}


class SegmentEntry(Entry):
    slug: Slug
    name: Line = ""
    rule: dict[str, object] = {}


class SourceEntry(Entry):
    identity: ClassVar[str] = "name"
    name: Line
    kind: Literal["feed", "wordpress", "page", "calendar", "events"] = "feed"
    url: SourceUrl = ""
    every: Every = ""
    topics: list[str] = []
    region: OptionalRegion = ""
    language: OptionalLanguage = ""
    enabled: bool = True


class AppealEntry(Entry):
    slug: Slug
    headline: Line = ""
    text: str = ""
    link: Url = ""
    button: Line = ""
    audience: Literal["all", "none", "donor", "monthly"] = Field(default="all", alias="for")
    enabled: bool = True


class PublicationEntry(Entry):
    slug: Slug
    name: Line = ""
    mailing_list: str = Field(default="", alias="list")
    segment: str = ""
    from_name: Line = ""
    from_email: Email = ""
    reply_to: OptionalEmail = ""
    subject: Subject = ""
    schedule: Line = ""
    zone: Line = ""
    lead_hours: int = Field(default=0, ge=0, le=24 * 14)
    approval: Literal["approve", "auto"] = "approve"
    another_approves: bool = False
    second_approval_above: int | None = Field(default=None, ge=0)
    clicks: Literal["off", "counts", "readers"] = "off"
    stories: int = Field(default=0, ge=0, le=20)
    events: int = Field(default=0, ge=0, le=12)
    radius_km: int = Field(default=0, ge=0, le=1_000)
    days_back: int = Field(default=0, ge=1, le=3_650)
    waiting_days: int = Field(default=90, ge=1, le=3_650)
    days_ahead: int = Field(default=0, ge=1, le=3_650)
    topics: list[str] = []
    sources: list[str] = []
    intro: StaffText = ""
    host_url: OptionalUrl = ""
    language: Language = ""
    layout: Literal["letter", "digest", "announcement", "event_notice", "appeal"] = "letter"
    quiet_from: time | None = None
    quiet_until: time | None = None
    stale_hours: int = Field(default=48, ge=0, le=24 * 60)
    people_per_day: int | None = Field(default=None, ge=1)
    warm_up_from: date | None = None
    monthly_digest: bool = True
    digest_schedule: Line = ""
    consent_required: bool = False
    archive: Literal["off", "unlisted", "public"] = "off"
    enabled: bool = True


class OrganisationFile(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    brand: BrandEntry | None = None
    lists: list[ListEntry] = Field(default=[], alias="list")
    topics: list[TopicEntry] = Field(default=[], alias="topic")
    segments: list[SegmentEntry] = Field(default=[], alias="segment")
    sources: list[SourceEntry] = Field(default=[], alias="source")
    appeals: list[AppealEntry] = Field(default=[], alias="appeal")
    publications: list[PublicationEntry] = Field(default=[], alias="publication")


ENTRIES: dict[str, type[Entry]] = {
    "brand": BrandEntry,
    "list": ListEntry,
    "topic": TopicEntry,
    "segment": SegmentEntry,
    "source": SourceEntry,
    "appeal": AppealEntry,
    "publication": PublicationEntry,
}
