"""The schema of the organisation file. An unknown key is an error; a missing key changes nothing."""

from datetime import date, time
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from newsletter.organisation.value_types import (
    Colour,
    Email,
    Every,
    Host,
    Language,
    Line,
    OptionalEmail,
    OptionalLanguage,
    OptionalRegion,
    OptionalUrl,
    Slug,
    SourceKindName,
    SourceUrl,
    StaffText,
    Subject,
    Url,
    VariableName,
)


class Entry(BaseModel):
    """One table of the file. `identity` is the key that names it, "" if there is only one such table."""

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
    text_links: Literal["beneath", "end"] = "beneath"
    postal_address: str = ""
    website: OptionalUrl = ""
    privacy_url: OptionalUrl = ""
    donate_url: OptionalUrl = ""
    donor_portal_url: OptionalUrl = ""
    social: dict[str, Url] = {}
    gift_hosts: list[Host] = []


class ListEntry(Entry):
    slug: Slug
    name: Line = ""
    description: str = ""
    double_opt_in: bool = True
    public: bool = True
    joined_url: OptionalUrl = ""
    confirmed_url: OptionalUrl = ""
    ask: list[Literal["name", "place", "topics", "language"]] = []


class TopicEntry(Entry):
    slug: Slug
    name: Line = ""
    names: dict[Language, Line] = {}


class CaseEntry(Entry):
    slug: Slug
    name: Line = ""


class SegmentEntry(Entry):
    slug: Slug
    name: Line = ""
    rule: dict[str, object] = {}


class SourceEntry(Entry):
    identity: ClassVar[str] = "name"
    name: Line
    kind: SourceKindName = "feed"
    url: SourceUrl = ""
    key_variable: VariableName = ""
    every: Every = ""
    topics: list[str] = []
    region: OptionalRegion = ""
    floating_zone: Line = ""
    language: OptionalLanguage = ""
    enabled: bool = True


class AppealEntry(Entry):
    slug: Slug
    headline: Line = ""
    text: str = ""
    link: Url = ""
    button: Line = ""
    audience: Literal["all", "none", "donor", "monthly"] = Field(default="all", alias="for")
    language: OptionalLanguage = ""
    translation_of: str = ""
    publications: list[str] = []
    first_day: date | None = None
    last_day: date | None = None
    priority: int = Field(default=0, ge=0, le=32_767)
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
    send_at: Literal["slot", "local"] = "slot"
    lead_hours: int = Field(default=0, ge=0, le=24 * 14)
    approval: Literal["approve", "auto"] = "approve"
    another_approves: bool = False
    second_approval_above: int | None = Field(default=None, ge=0)
    clicks: Literal["off", "counts"] = "off"
    stories: int = Field(default=0, ge=0, le=20)
    events: int = Field(default=0, ge=0, le=12)
    radius_km: int = Field(default=0, ge=0, le=1_000)
    days_back: int = Field(default=0, ge=1, le=3_650)
    waiting_days: int = Field(default=90, ge=1, le=3_650)
    days_ahead: int = Field(default=0, ge=1, le=3_650)
    topics: list[str] = []
    interests: Literal["off", "first", "only"] = "off"
    pinned_lead: bool = False
    max_variants: int = Field(default=400, ge=1, le=10_000)
    sources: list[str] = []
    intro: StaffText = ""
    host_url: OptionalUrl = ""
    language: Language = ""
    languages: list[Language] = []
    layout: Literal["letter", "plain", "events_first", "digest", "announcement", "event_notice", "appeal"] = "letter"
    quiet_from: time | None = None
    quiet_until: time | None = None
    stale_hours: int = Field(default=48, ge=0, le=24 * 60)
    people_per_day: int | None = Field(default=None, ge=1)
    warm_up_from: date | None = None
    gmail_pause: bool = True
    canary: Literal["off", "watch", "stop"] = "off"
    canary_minutes: int = Field(default=15, ge=1, le=720)
    canary_silence: Literal["go_on", "pause"] = "go_on"
    account: Line = ""
    second_account: Line = ""
    second_warm_up_from: date | None = None
    priority: Literal["always", "high", "normal", "low"] = "normal"
    monthly_digest: bool = True
    digest_schedule: Line = ""
    consent_required: bool = False
    charitable: bool = True
    archive: Literal["off", "unlisted", "public"] = "off"
    enabled: bool = True


class LimitsEntry(Entry):
    identity: ClassVar[str] = ""
    mails_in_7_days: int = Field(default=0, ge=1, le=100)
    silent_months: int = Field(default=0, ge=6, le=120)
    questions_per_day: int = Field(default=500, ge=1)


class OrganisationFile(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    brand: BrandEntry | None = None
    limits: LimitsEntry | None = None
    lists: list[ListEntry] = Field(default=[], alias="list")
    topics: list[TopicEntry] = Field(default=[], alias="topic")
    cases: list[CaseEntry] = Field(default=[], alias="case")
    segments: list[SegmentEntry] = Field(default=[], alias="segment")
    sources: list[SourceEntry] = Field(default=[], alias="source")
    appeals: list[AppealEntry] = Field(default=[], alias="appeal")
    publications: list[PublicationEntry] = Field(default=[], alias="publication")


ENTRIES: dict[str, type[Entry]] = {
    "brand": BrandEntry,
    "limits": LimitsEntry,
    "list": ListEntry,
    "topic": TopicEntry,
    "case": CaseEntry,
    "segment": SegmentEntry,
    "source": SourceEntry,
    "appeal": AppealEntry,
    "publication": PublicationEntry,
}


def is_single(kind: str) -> bool:
    """Return True if the file has at most one table of this kind."""
    return not ENTRIES[kind].identity
