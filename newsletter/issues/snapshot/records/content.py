"""An issue's content: everything that any of its mails can show. People approve the hash of its canonical JSON."""

from dataclasses import dataclass
from typing import Annotated

import orjson
from pydantic import Field, JsonValue, TypeAdapter

from newsletter.common.errors import DomainError
from newsletter.issues.snapshot.records.blocks import Block, list_events, list_stories
from newsletter.issues.snapshot.records.events import EventRecord
from newsletter.issues.snapshot.records.fields import to_json
from newsletter.issues.snapshot.records.publication import BrandRecord, IssueRecord, PublicationRecord
from newsletter.issues.snapshot.records.stories import StoryRecord

SCHEMA_VERSION = 1


class UnknownContentVersion(DomainError):
    """The content was written by a newer version of the software."""


@dataclass(frozen=True, slots=True)
class IssueContent:
    """The content of an issue at one moment. Version 1 of its JSON has no key for the version, so old hashes hold."""

    issue: IssueRecord
    subject: str
    preheader: str
    publication: PublicationRecord
    brand: BrandRecord
    blocks: tuple[Block, ...]
    layout: str = "letter"
    headline: str = ""
    schema_version: Annotated[int, Field(exclude_if=lambda version: version == 1)] = SCHEMA_VERSION

    @property
    def stories(self) -> list[StoryRecord]:
        """Every story of the content, in the order of its blocks."""
        return [story for block in self.blocks for story in list_stories(block)]

    @property
    def events(self) -> list[EventRecord]:
        """Every event of the blocks, in their order."""
        return [event for block in self.blocks for event in list_events(block)]

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
