"""The interface of a kind of source: the group ``newsletter.sources``."""

from newsletter.common.messages import Message
from newsletter.content.fetching.credentials import Credential
from newsletter.content.fetching.errors import FetchError
from newsletter.content.parsing.documents import Document
from newsletter.content.parsing.entries import EventEntry, Parsed, SetAside, StoryEntry
from newsletter.content.parsing.entry_rules import (
    BadEntry,
    label_entry,
    normalise_date,
    read_entries,
    require_link,
    require_title,
)
from newsletter.content.parsing.markup import plain_text
from newsletter.content.parsing.source_kind import Reading, SourceKind, SourceRequest

__all__ = [
    "BadEntry",
    "Credential",
    "Document",
    "EventEntry",
    "FetchError",
    "Message",
    "Parsed",
    "Reading",
    "SetAside",
    "SourceKind",
    "SourceRequest",
    "StoryEntry",
    "label_entry",
    "normalise_date",
    "plain_text",
    "read_entries",
    "require_link",
    "require_title",
]
