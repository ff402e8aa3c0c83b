"""Rules for every entry of any source: a title, a link that can be followed, a possible date."""

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
    """One entry cannot be used; the message is the reason for staff."""


_SET_ASIDE: tuple[type[BaseException], ...] = (BadEntry, *ENTRY_ERRORS)


def require_title(title: str) -> str:
    """Return the title, cut to its limit. Raises BadEntry if there is none."""
    line = tidy(title)
    if not line:
        raise BadEntry("This entry has no title.")
    return cut_at_word(line, TITLE_LENGTH)


def safe_link(link: str, *, base_url: str) -> str:
    """Return the absolute http(s) form of a link, or "" if there is none or it is unsafe."""
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
    """Return the absolute link of an entry. Raises BadEntry if it is missing, too long, or not a web address."""
    if not link.strip():
        raise BadEntry("This entry has no link.")
    if len(link) > _MAX_URL_LENGTH:
        raise BadEntry("The link of this entry is longer than %(limit)s characters.", limit=_MAX_URL_LENGTH)
    safe = safe_link(link, base_url=base_url)
    if not safe:
        raise BadEntry(
            "The link of this entry is not a web address that can be used: “%(link)s”.", link=tidy(link)[:80]
        )
    return safe


def normalise_date(moment: datetime | None, *, now: datetime) -> datetime | None:
    """Return the date in UTC, or None for no date and for a computer's zero date (1970). Raises BadEntry for a future one."""
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
    """Return an ISO 8601 date or time as an aware moment (UTC if it names no zone), or None for anything else."""
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def label_entry(*, title: str, link: str, number: int) -> str:
    """Return a label by which staff find an entry that was set aside: its title, else its link, else its number."""
    return cut_at_word(tidy(title) or tidy(link), _LABEL) or Message("Entry %(number)s", number=number)


def read_entries(
    raw: Iterable[Raw], *, read: Callable[[Raw], Entry], name: Callable[[Raw, int], str], key: Callable[[Entry], str]
) -> tuple[tuple[Entry, ...], tuple[SetAside, ...]]:
    """Read each entry alone. Set aside, with a reason, any that is bad, repeated, too slow, or beyond the limit of 200."""
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
                    reason=Message("An earlier entry has the same identity; the first one was used."),
                )
            )
            continue
        entries[identity] = entry
    if beyond:
        aside.append(
            SetAside(
                entry=Message("%(beyond)s more entries", beyond=beyond),
                reason=Message("Only the first %(limit)s entries of a source are used.", limit=MAX_ENTRIES),
            )
        )
    if heavy:
        aside.append(SetAside(entry=Message("%(heavy)s more entries", heavy=heavy), reason=_TOO_HEAVY))
    return tuple(entries.values()), tuple(aside)


def set_aside_private(number: int) -> tuple[SetAside, ...]:
    """Return the note about so many entries that are not meant for everybody."""
    if not number:
        return ()
    what = Message("1 private entry") if number == 1 else Message("%(private)s private entries", private=number)
    return (SetAside(what, Message("Entries that are private, drafts or protected by a password are never used.")),)


def _checked(entry: Entry) -> Entry:
    """Return the entry if every text in it can be stored. Raises BadEntry for a lone surrogate or a NUL."""
    if has_broken_characters(entry):
        raise BadEntry(BROKEN_CHARACTERS)
    return entry


def _reason(error: BaseException) -> str:
    if isinstance(error, BadEntry):
        return error.message
    if isinstance(error, CpuBudgetExceeded | MemoryError):
        return _TOO_HEAVY
    return Message(
        "This entry is damaged in a way that stops our reader (%(name)s), so it cannot be used.",
        name=type(error).__name__,
    )


def _named(name: Callable[[Raw, int], str], one: Raw, number: int) -> str:
    """Return the entry's label, even if its own name is damaged."""
    try:
        with limit_entry_time():
            found = name(one, number)
    except ENTRY_ERRORS:
        return Message("Entry %(number)s", number=number)
    return found if isinstance(found, Message) else found.encode("utf-8", "replace").decode()
