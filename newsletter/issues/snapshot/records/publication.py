"""The records of an issue itself, its publication and its brand."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from newsletter.issues.snapshot.records.events import EventRecord
from newsletter.issues.snapshot.records.fields import OMIT_NONE, Moment, PictureRecord

CORRECTION, WELCOME = "correction", "welcome"
DEFAULT_MAX_VARIANTS = 400


@dataclass(frozen=True, slots=True)
class AnnouncedEvent:
    """The event that a correction announces, as it is now, and the fingerprint that the correction was written for."""

    fingerprint: Annotated[str, Field(alias="facts")]
    event: EventRecord


@dataclass(frozen=True, slots=True)
class IssueRecord:
    """``due_at`` is when the issue is sent, or was made if no time is planned. Only a correction ``announces``.

    ``filled`` names the blocks that a rule fills, each with its kind and the block before it: an approval names these rules.
    """

    kind: str
    reference: str
    public_id: str
    due_at: Moment
    announces: Annotated[AnnouncedEvent | None, OMIT_NONE] = None
    filled: Annotated[tuple[str, ...], Field(exclude_if=lambda filled: not filled)] = ()

    @property
    def is_correction(self) -> bool:
        return self.kind == CORRECTION

    @property
    def is_welcome(self) -> bool:
        return self.kind == WELCOME


@dataclass(frozen=True, slots=True)
class PublicationRecord:
    """The rules of a publication. ``max_events`` and ``radius_km`` (kilometres) limit the events that a reader sees.

    ``consent_required``: no story is shown without a consent, whatever the story says of itself.
    ``interests``: how the topics of readers count (``off``, ``only``, ``first``), and ``topic_ids`` which of them: all if it is
    empty. The lead story is for everybody if ``pinned_lead``. ``languages`` are those beside its own in which an issue can
    have texts.
    """

    slug: str
    name: str
    language: str
    from_name: str
    from_email: str
    reply_to: str
    list_name: str
    list_id: str
    max_events: Annotated[int, Field(alias="events")]
    radius_km: int
    host_url: str
    zone: str
    consent_required: bool
    clicks: Annotated[str, Field(exclude_if=lambda choice: choice == "off")] = "off"
    interests: Annotated[str, Field(exclude_if=lambda choice: choice == "off")] = "off"
    topic_ids: Annotated[tuple[int, ...], Field(exclude_if=lambda topics: not topics)] = ()
    pinned_lead: Annotated[bool, Field(exclude_if=lambda pinned: not pinned)] = False
    languages: Annotated[tuple[str, ...], Field(exclude_if=lambda languages: not languages)] = ()
    max_variants: Annotated[int, Field(exclude_if=lambda limit: limit == DEFAULT_MAX_VARIANTS)] = DEFAULT_MAX_VARIANTS


@dataclass(frozen=True, slots=True)
class BrandRecord:
    """The organisation's appearance. ``social`` is (network, url) pairs; ``gift_hosts`` are those of its donation pages."""

    name: str
    logo: PictureRecord | None
    logo_dark: PictureRecord | None
    colour: str
    accent: str
    background: str
    font: str
    heading_font: str
    radius: int
    masthead: str
    icons_url: str
    postal_address: str
    website: str
    donate_url: str
    donor_portal_url: str
    social: tuple[tuple[str, str], ...]
    gift_hosts: Annotated[tuple[str, ...], Field(exclude_if=lambda hosts: not hosts)] = ()
    text_links: Annotated[str, Field(exclude_if=lambda choice: choice == "beneath")] = "beneath"
