"""An issue's content: everything that any of its mails can show. People approve the hash of its canonical JSON."""

import hashlib
from dataclasses import dataclass
from typing import Annotated

import orjson
from pydantic import Field, JsonValue, TypeAdapter

from newsletter.common.errors import DomainError
from newsletter.issues.snapshot.records.blocks import Block, list_events, list_stories
from newsletter.issues.snapshot.records.events import EventRecord
from newsletter.issues.snapshot.records.fields import OMIT_NONE, Moment, PictureRecord, to_json
from newsletter.issues.snapshot.records.stories import StoryRecord

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

    ``consent_required``: only stories with a consent are shown, even if a story needs none. ``interests``: how the topics of
    readers count (``off``, ``only``, ``first``), and ``topic_ids`` which of them: all if it is empty. The lead story is for
    everybody if ``pinned_lead``. ``languages`` are the further languages in which an issue can have texts.
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


SCHEMA_VERSION = 1
MAX_STORIES, MAX_RULE_SETS, MAX_CASES = 60, 40, 20
"""Numbers of 64 bits say which stories a reader had, which rules they meet and which cases they follow.

No issue with more is approved. Beyond the limits, nobody sees a block with further rules, or a further case as followed.
"""


class UnknownContentVersion(DomainError):
    """The content was written by a newer version of the software."""


def name_row(kind: str, row: int) -> str:
    """Return the name of a story, event or appeal among the parts of a content. No block has such a key."""
    return f"{kind}:{row}"


@dataclass(frozen=True, slots=True)
class SubjectChoice:
    """A subject with its preheader. An empty preheader is the issue's own."""

    subject: str
    preheader: str = ""


@dataclass(frozen=True, slots=True)
class SubjectTestRecord:
    """``subjects`` has those from the second on. ``share_percent`` of the readers get one of them or the first, by ``seed``."""

    subjects: tuple[SubjectChoice, ...]
    share_percent: int
    wait_hours: int
    seed: int

    @property
    def number_of_subjects(self) -> int:
        return 1 + len(self.subjects)


@dataclass(frozen=True, slots=True)
class IssueContent:
    """The content of an issue at one moment. Version 1 of its JSON has no key for the version, so old hashes hold.

    ``versions`` are the same content in other languages: the same blocks, stories and events with the same ids, each text
    translated if it has a translation. Such a version names the language that it is ``translated_from``, and the language of
    each part that is ``untranslated``: of a block by its key, or of a row by `name_row`.
    """

    issue: IssueRecord
    subject: str
    preheader: str
    publication: PublicationRecord
    brand: BrandRecord
    blocks: tuple[Block, ...]
    layout: str = "letter"
    headline: str = ""
    versions: Annotated[tuple["IssueContent", ...], Field(exclude_if=lambda versions: not versions)] = ()
    subject_test: Annotated[SubjectTestRecord | None, OMIT_NONE] = None
    translated_from: Annotated[str, Field(exclude_if=lambda language: not language)] = ""
    untranslated: Annotated[tuple[tuple[str, str], ...], Field(exclude_if=lambda parts: not parts)] = ()
    schema_version: Annotated[int, Field(exclude_if=lambda version: version == 1)] = SCHEMA_VERSION

    @property
    def stories(self) -> list[StoryRecord]:
        """Every story of the content, in the order of its blocks."""
        return [story for block in self.blocks for story in list_stories(block)]

    @property
    def events(self) -> list[EventRecord]:
        """Every event of the blocks, in their order."""
        return [event for block in self.blocks for event in list_events(block)]

    @property
    def all_versions(self) -> tuple["IssueContent", ...]:
        """The content itself and its versions in other languages."""
        return (self, *self.versions)

    @property
    def all_blocks(self) -> list[Block]:
        """The blocks of every version. A block has the same key in each."""
        return [block for version in self.all_versions for block in version.blocks]

    @property
    def story_rows(self) -> set[int]:
        """The ids of the stories and of their translations."""
        translations = {story.translation_id for version in self.versions for story in version.stories}
        return {story.id for story in self.stories} | {row for row in translations if row is not None}

    def in_language(self, language: str) -> "IssueContent":
        """Return the version in this language, or the content itself if there is none."""
        return next((version for version in self.versions if version.publication.language == language), self)

    def find_language(self, part: str) -> str:
        """Return the language of a part that is not in the content's own language, "" for any other."""
        return dict(self.untranslated).get(part, "")

    def to_json(self) -> dict[str, JsonValue]:
        """Return what `IssueRevision.content` keeps."""
        return to_json(self)

    def to_bytes(self) -> bytes:
        """Return the canonical JSON, of which the hash is taken: UTF-8, sorted keys, no spaces."""
        return orjson.dumps(self.to_json(), option=orjson.OPT_SORT_KEYS)

    @classmethod
    def from_json(cls, data: object) -> "IssueContent":
        """Return the content that `to_json` wrote.

        Raises UnknownContentVersion, and pydantic's ValidationError if the data is no content of an issue.
        """
        version = data.get("schema_version", 1) if isinstance(data, dict) else 1
        if version != SCHEMA_VERSION:
            raise UnknownContentVersion(
                "The content of this issue has format %(version)s, which this version of the newsletter cannot read. "
                "Update the newsletter.",
                version=str(version),
            )
        return _ADAPTER.validate_python(data)


_ADAPTER = TypeAdapter(IssueContent)


def hash_content(content: IssueContent) -> str:
    """Return the sha256 of the content's canonical JSON, in hexadecimal. It names a revision."""
    return hashlib.sha256(content.to_bytes()).hexdigest()
