"""What every entry must satisfy, whatever its source: a title, a link that may be followed, a date that can be true."""

import re
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import TypeVar
from urllib.parse import urljoin, urlsplit

from newsletter.common.errors import DomainError
from newsletter.common.messages import Message
from newsletter.content.parsing.entries import SetAside
from newsletter.content.parsing.json_text import has_broken_characters
from newsletter.content.parsing.parser_errors import ENTRY_ERRORS, is_document_over_budget, limit_entry_time
from newsletter.content.parsing.sandbox.cpu_budget import CpuBudgetExceeded
from newsletter.content.parsing.text import TITLE_LENGTH, cut_at_word, tidy

MAX_ENTRIES = 200
_MAX_URL_LENGTH = 2000
_EARLIEST_DATE = datetime(1971, 1, 1, tzinfo=UTC)
_FUTURE = timedelta(hours=24)
_LABEL = 120
BROKEN_CHARACTERS = Message("This entry contains a character that no text may have, so it cannot be used.")
_TOO_HEAVY = Message(
    "It takes more time or memory than an entry may, so it was not read. Ask whoever runs the source to look at it."
)
_HOST = re.compile(r"[\w.\-]+|[0-9a-fA-F:.]+(?:%\w+)?")

Raw = TypeVar("Raw")
Entry = TypeVar("Entry")


class BadEntry(DomainError):
    """One entry cannot go in; the message is the reason for staff."""


_SET_ASIDE: tuple[type[BaseException], ...] = (BadEntry, *ENTRY_ERRORS)


def require_title(title: str) -> str:
    """The title, cut to its limit; BadEntry when there is none."""
    line = tidy(title)
    if not line:
        raise BadEntry("This entry has no title.")
    return cut_at_word(line, TITLE_LENGTH)


def safe_link(link: str, *, base_url: str) -> str:
    """The absolute http(s) form of a link, or "" when it is none or cannot be followed safely."""
    text = "".join(char for char in link.strip() if ord(char) > 32)
    if not text:
        return ""
    try:
        whole = urljoin(base_url, text)
        parts = urlsplit(whole)
        host = parts.hostname
    except ValueError:
        return ""
    named = bool(host) and _HOST.fullmatch(host or "") is not None
    good = parts.scheme in ("http", "https") and named and parts.username is None and len(whole) <= _MAX_URL_LENGTH
    return whole if good else ""


def require_link(link: str, *, base_url: str) -> str:
    """The absolute link of an entry; BadEntry when it is missing, too long, or not a web address."""
    if not link.strip():
        raise BadEntry("This entry has no link.")
    if len(link) > _MAX_URL_LENGTH:
        raise BadEntry("The link of this entry is longer than %(longest_url)s characters.", longest_url=_MAX_URL_LENGTH)
    safe = safe_link(link, base_url=base_url)
    if not safe:
        raise BadEntry(
            "The link of this entry is not a web address that can be used: “%(link)s”.", link=tidy(link)[:80]
        )
    return safe


def normalise_date(moment: datetime | None, *, now: datetime) -> datetime | None:
    """The date in UTC; None when it is absent or a computer's zero date (1970). BadEntry when it lies in the future."""
    if moment is None:
        return None
    there = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    try:
        utc = there.astimezone(UTC)
    except (OverflowError, ValueError):
        return None
    if utc > now + _FUTURE:
        raise BadEntry(
            "This entry is dated in the future (%(utc)s). It is looked at again when that day comes.", utc=utc.date()
        )
    return None if utc < _EARLIEST_DATE else utc


def parse_iso_date(text: str) -> datetime | None:
    """An ISO 8601 date or time as an aware moment, UTC where it names no zone; None when it is not one."""
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def label(*, title: str, link: str, number: int) -> str:
    """How staff find an entry that was set aside: its title, else its link, else its place in the list."""
    return cut_at_word(tidy(title) or tidy(link), _LABEL) or Message("Entry %(number)s", number=number)


def collect(
    raw: Iterable[Raw], *, read: Callable[[Raw], Entry], name: Callable[[Raw, int], str], key: Callable[[Entry], str]
) -> tuple[tuple[Entry, ...], tuple[SetAside, ...]]:
    """Read each entry on its own: what is bad, double, too heavy, or beyond the two hundredth is set aside with its reason."""
    entries: dict[str, Entry] = {}
    aside: list[SetAside] = []
    beyond = heavy = 0
    started = time.process_time()
    for number, one in enumerate(raw, 1):
        if number > MAX_ENTRIES:
            beyond += 1
            continue
        if is_document_over_budget(started):
            heavy += 1
            continue
        try:
            with limit_entry_time():
                entry = _checked(read(one))
                identity = key(entry)
        except _SET_ASIDE as error:
            aside.append(SetAside(entry=_named(name, one, number), reason=_reason(error)))
            continue
        if identity in entries:
            aside.append(
                SetAside(
                    entry=_named(name, one, number),
                    reason=Message("An entry before it has the same identity; the first was used."),
                )
            )
            continue
        entries[identity] = entry
    if beyond:
        aside.append(
            SetAside(
                entry=Message("%(beyond)s more entries", beyond=beyond),
                reason=Message(
                    "Only the first %(most_entries)s entries of a source are used.", most_entries=MAX_ENTRIES
                ),
            )
        )
    if heavy:
        aside.append(SetAside(entry=Message("%(heavy)s more entries", heavy=heavy), reason=_TOO_HEAVY))
    return tuple(entries.values()), tuple(aside)


def _checked(entry: Entry) -> Entry:
    """The entry, if every text in it can be stored; BadEntry for a lone surrogate or a NUL."""
    if has_broken_characters(entry):
        raise BadEntry(BROKEN_CHARACTERS)
    return entry


def _reason(error: BaseException) -> str:
    if isinstance(error, BadEntry):
        return str(error)
    if isinstance(error, CpuBudgetExceeded | MemoryError):
        return _TOO_HEAVY
    return Message(
        "This entry is damaged in a way that stops our reader (%(name)s), so it cannot be used.",
        name=type(error).__name__,
    )


def _named(name: Callable[[Raw, int], str], one: Raw, number: int) -> str:
    """How staff find the entry, also if its own name is what is damaged."""
    try:
        with limit_entry_time():
            found = name(one, number)
    except ENTRY_ERRORS:
        return Message("Entry %(number)s", number=number)
    return found.encode("utf-8", "replace").decode()
