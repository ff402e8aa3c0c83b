"""One language version of a content, with the parts that have no translation."""

from dataclasses import dataclass, field

from newsletter.issues.snapshot.own_texts import OwnText
from newsletter.issues.snapshot.records.content import IssueContent


@dataclass(frozen=True)
class Gap:
    """A part of a content that has no translation. ``block`` is the key of its block, "" for a field of the issue."""

    block: str
    field: str
    text: str


@dataclass
class LanguageVersion:
    """A content in one language, the parts that have no translation, and the number of those that have one.

    ``alts`` are the picture descriptions of its translated stories. ``untranslated`` are the languages of the
    parts that stay in another one.
    """

    language: str
    content: IssueContent
    texts: list[tuple[OwnText, str]] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    translated: int = 0
    alts: set[str] = field(default_factory=set)
    untranslated: dict[str, str] = field(default_factory=dict)
