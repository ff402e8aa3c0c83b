"""Search the newest issues of a public archive for words in their titles and texts. Reads only.

The words of a revision never change, so each process keeps them. Only the content that the archive shows now is found: no
withdrawn story, no issue with a protected term. If an event moved, neither its old nor its new place is found.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import unescape
from itertools import islice

import orjson
from django.db.models import TextField
from django.db.models.functions import Cast
from pydantic import JsonValue

from newsletter.common.text import MAX_SEARCH_LENGTH, MAX_SEARCH_WORDS
from newsletter.issues.archive.archived_issues import ArchivedIssue, find_archived_sends, list_archived_issues
from newsletter.issues.snapshot.records.fields import to_json
from newsletter.models import IssueRevision, Publication
from newsletter.rendering.block_schema import FieldSchema
from newsletter.rendering.schemas import load_schemas

MAX_SEARCHED = 500
"""Issues that are searched, the newest ones: those of nearly ten years, if there is one each week."""
MAX_KEPT_CHARACTERS = 20_000_000
"""Characters of texts that a process keeps."""
_READ_AT_ONCE = 20
_TITLES = ("subject", "preheader", "headline")
_SEARCHED = frozenset(
    [
        "button",
        "caption",
        "events",
        "heading",
        "html",
        "label",
        "links",
        "notes",
        "place",
        "stories",
        "story",
        "summary",
        "teaser",
        "text",
        "title",
        "topic",
        "town",
        "translated_location",
        "who",
    ]
)
"""Keys of the content's JSON whose texts a page shows as words, and of the parts that have such keys."""
_KINDS_OF_WORDS = frozenset({"line", "lines", "paragraphs", "rich"})
"""Kinds of fields of a block with a schema that hold words. The others are addresses, choices, numbers and pictures."""
_TAG = re.compile(r"<[^>]*>")
_ACCENTS = re.compile("[\u0300-\u036f]")
_ADDRESS = re.compile(r"(?:https?://|mailto:|tel:)\S+")

_kept_texts: dict[str, str] = {}
"""By the hash of a revision."""


@dataclass(frozen=True)
class FoundPage:
    """One page of the found issues, newest first, with the first issue numbers of the pages before and after it."""

    issues: list[ArchivedIssue]
    newer: int | None
    older: int | None


@dataclass(frozen=True)
class Excess:
    """The size of a query that is too long for a search: `number` of its `unit`, “characters” or “words”."""

    unit: str
    number: int
    limit: int


def find_excess(query: str) -> Excess | None:
    """Return what a query has too much of, None if it can be searched for."""
    if len(query) > MAX_SEARCH_LENGTH:
        return Excess("characters", len(query), MAX_SEARCH_LENGTH)
    words = len(_split_query(query))
    return Excess("words", words, MAX_SEARCH_WORDS) if words > MAX_SEARCH_WORDS else None


def find_page(publication: Publication, *, query: str, first: int | None, length: int, at: datetime) -> FoundPage:
    """Return the issues that show all words of the query now, from the one with the number ``first`` on, or from the newest.

    Issues are read in groups until the page is full, because a withdrawn story may have had the words. No issue is found for
    a query with an excess.
    """
    words = [] if find_excess(query) else _split_query(query)
    matches = _find_matching_issues(publication, words=words)
    start = 0 if first is None else sum(number > first for number in matches)

    def find_some(numbers: list[int], most: int) -> list[ArchivedIssue]:
        groups = (numbers[begin : begin + length + 1] for begin in range(0, len(numbers), length + 1))
        return list(islice((issue for group in groups for issue in _list_shown(publication, group, words, at)), most))

    issues = find_some(matches[start:], length + 1)
    newer = find_some(matches[:start][::-1], length)
    return FoundPage(
        issues=issues[:length],
        newer=newer[-1].send.issue.number if newer else None,
        older=issues[length].send.issue.number if len(issues) > length else None,
    )


def _find_matching_issues(publication: Publication, *, words: Sequence[str]) -> list[int]:
    """Return the numbers of the issues in the archive that were sent with all of these words, the newest one first."""
    if not words:
        return []
    searched = find_archived_sends(publication).select_related(None).filter(revision__isnull=False)
    rows = list(searched.values_list("issue__number", "revision_id", "revision__sha256")[:MAX_SEARCHED])
    texts = _read_texts({pk: sha256 for _, pk, sha256 in rows})
    return [number for number, pk, _ in rows if _has_words(texts[pk], words)]


def _list_shown(
    publication: Publication, numbers: Sequence[int], words: Sequence[str], at: datetime
) -> Iterator[ArchivedIssue]:
    """List those of these issues that show all of the words now, in the order of ``numbers``."""
    sends = sorted(
        find_archived_sends(publication).filter(issue__number__in=numbers),
        key=lambda send: numbers.index(send.issue.number),
    )
    for issue in list_archived_issues(sends, at=at):
        if _has_words(_fold_content(to_json(issue.content)), words):
            yield issue


def _split_query(query: str) -> list[str]:
    """Return the words of a query. Vowel signs, as Hindi has them, are part of a word though no letters."""
    return "".join(char if unicodedata.category(char)[0] in "LMN" else " " for char in _fold(query)).split()


def _has_words(text: str, words: Sequence[str]) -> bool:
    return all(word in text for word in words)


def _read_texts(hashes: dict[int, str]) -> dict[int, str]:
    """Return the texts of revisions by id. The JSON is enough: records cost more time. Other threads add and remove texts."""
    cached = {pk: _kept_texts.get(sha256) for pk, sha256 in hashes.items()}
    texts = {pk: text for pk, text in cached.items() if text is not None}
    missing = [pk for pk, text in cached.items() if text is None]
    if missing:
        rows = IssueRevision.objects.filter(pk__in=missing).annotate(raw=Cast("content", TextField()))
        for pk, raw in rows.values_list("pk", "raw").iterator(chunk_size=_READ_AT_ONCE):
            texts[pk] = _kept_texts[hashes[pk]] = _fold_content(orjson.loads(raw))
        _forget_oldest()
    return texts


def _forget_oldest() -> None:
    """Keep the texts that were read last. Another thread can forget the same ones."""
    sizes = [(sha256, len(text)) for sha256, text in list(_kept_texts.items())]
    surplus = sum(size for _, size in sizes) - MAX_KEPT_CHARACTERS
    for sha256, size in sizes:
        if surplus <= 0:
            return
        _kept_texts.pop(sha256, None)
        surplus -= size


def _fold_content(content: JsonValue) -> str:
    """Return the folded words of a content's titles and of its blocks for everybody, in its own language."""
    if not isinstance(content, dict):
        return ""
    blocks = content.get("blocks")
    blocks = blocks if isinstance(blocks, list) else []
    everybody = [block for block in blocks if isinstance(block, dict) and not block.get("shown_to")]
    titles = [content.get(name, "") for name in _TITLES]
    return _fold("\n".join([*_list_texts(titles), *(text for block in everybody for text in _list_block_texts(block))]))


def _list_block_texts(block: dict[str, JsonValue]) -> Iterator[str]:
    """List the texts that a block shows. A block with a schema shows nothing if its kind is not installed any more."""
    values, schema = block.get("values"), load_schemas().get(str(block.get("type")))
    if not isinstance(values, dict):
        yield from _list_texts(block)
    elif schema:
        yield from _list_field_texts(values, schema.fields)


def _list_field_texts(values: dict[str, JsonValue], fields: Iterable[FieldSchema]) -> Iterator[str]:
    for field in fields:
        value = values.get(field.name)
        if field.kind in _KINDS_OF_WORDS:
            yield from _list_texts(value)
        elif field.kind == "rows" and isinstance(value, list):
            for row in value:
                if isinstance(row, dict):
                    yield from _list_field_texts(row, field.fields)


def _list_texts(value: JsonValue) -> Iterator[str]:
    match value:
        case str():
            yield _ADDRESS.sub(" ", unescape(_TAG.sub(" ", value)) if "<" in value else value)
        case dict():
            for key, item in value.items():
                if key in _SEARCHED:
                    yield from _list_texts(item)
        case list():
            for item in value:
                yield from _list_texts(item)


def _fold(text: str) -> str:
    """Return the text in lower case and without accents, so that “cafe” finds “Café”."""
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFC", _ACCENTS.sub("", unicodedata.normalize("NFKD", text.casefold())))
