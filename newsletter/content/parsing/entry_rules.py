"""Rules for every entry of any source: readable in time, with a title, a link and a possible date, not protected."""

import re
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from newsletter.common.errors import DomainError
from newsletter.common.messages import Message
from newsletter.content.parsing.cpu_budget import (
    ENTRY_ERRORS,
    CpuBudgetExceeded,
    is_document_over_budget,
    limit_entry_time,
)
from newsletter.content.parsing.entries import SetAside
from newsletter.content.parsing.json_text import has_broken_characters
from newsletter.content.parsing.text import TITLE_LENGTH, cut_at_word, tidy
from newsletter.content.parsing.urls import MAX_URL_LENGTH, safe_link

MAX_ENTRIES = 200
_EARLIEST_DATE = datetime(1971, 1, 1, tzinfo=UTC)
_MAX_FUTURE = timedelta(hours=24)
_MAX_LABEL_LENGTH = 120
BROKEN_CHARACTERS = Message("This entry contains an invalid character, so it was skipped.")
_TOO_LARGE_TO_READ = Message(
    "This entry takes too long or too much memory to read, so it was skipped. Ask the people who run the source to shorten it."
)

Raw = TypeVar("Raw")
Entry = TypeVar("Entry")
# Only the form itself: many themes carry its class in the styles of every page.
_PASSWORD_FORM = re.compile(
    r"<form\b[^>]{0,1000}(?:action=postpass|post-password-form)|<input\b[^>]{0,1000}\bname\s*=\s*[\"']?post_password\b",
    re.IGNORECASE,
)
_PROTECTED_TITLES = re.compile(
    r"^(?:protected|geschützt|gesch&#252;tzt|protégé|protegido|protegida|protetto|protetta|beveiligd|beschermd|skyddad|"
    r"beskyttet|chroniony|zabezpieczone|защищено)\s*:",
    re.IGNORECASE,
)
_PROTECTED_NOTES = re.compile(
    r"^\s*(?:there is no excerpt because this is a protected post"
    r"|es gibt keine kurzfassung, da dies ein geschützter beitrag ist"
    r"|il n.y a pas d.extrait, car cette publication est protégée"
    r"|no hay extracto porque es una entrada protegida)",
    re.IGNORECASE,
)
PROTECTED_REASON = Message("This post is protected by a password, so it is not for a newsletter.")


class BadEntry(DomainError):
    """One entry cannot be used; the message is the reason for staff."""


_SET_ASIDE: tuple[type[BaseException], ...] = (BadEntry, *ENTRY_ERRORS)


def require_title(title: str) -> str:
    """Return the title, cut to its limit. Raises BadEntry if there is none."""
    line = tidy(title)
    if not line:
        raise BadEntry("This entry has no title.")
    return cut_at_word(line, TITLE_LENGTH)


def require_link(link: str, *, base_url: str) -> str:
    """Return the absolute link of an entry. Raises BadEntry if it is missing, too long, or not a web address."""
    if not link.strip():
        raise BadEntry("This entry has no link.")
    if len(link) > MAX_URL_LENGTH:
        raise BadEntry("The link of this entry is longer than %(limit)s characters.", limit=MAX_URL_LENGTH)
    safe = safe_link(link, base_url=base_url)
    if not safe:
        raise BadEntry("The link of this entry cannot be used as a web address: “%(link)s”.", link=tidy(link)[:80])
    return safe


def normalise_date(moment: datetime | None, *, now: datetime) -> datetime | None:
    """Return the date in UTC, or None for no date and for a computer's zero date (1970). Raises BadEntry for a future one."""
    if moment is None:
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    try:
        in_utc = aware.astimezone(UTC)
    except (OverflowError, ValueError):
        return None
    if in_utc > now + _MAX_FUTURE:
        raise BadEntry(
            "This entry is dated in the future (%(day)s). It will be read again on that day.", day=in_utc.date()
        )
    return None if in_utc < _EARLIEST_DATE else in_utc


def label_entry(*, title: str, link: str, number: int) -> str:
    """Return a label by which staff find an entry that was set aside: its title, else its link, else its number."""
    return cut_at_word(tidy(title) or tidy(link), _MAX_LABEL_LENGTH) or Message("Entry %(number)s", number=number)


def read_entries(
    raw_entries: Iterable[Raw],
    *,
    parse: Callable[[Raw], Entry],
    label: Callable[[Raw, int], str],
    identify: Callable[[Entry], str],
    identify_raw: Callable[[Raw], str] | None = None,
) -> tuple[tuple[Entry, ...], tuple[SetAside, ...]]:
    """Parse each entry by itself. Set aside, with a reason, those that are bad, repeated, too slow, or beyond the limit of 200.

    ``label`` names an entry for staff, from its raw form and its number. ``identify`` returns its identity, which is unique.
    ``identify_raw`` returns the identity of an entry that cannot be used, or "".
    """
    entries: dict[str, Entry] = {}
    aside: list[SetAside] = []
    skipped = over_budget = 0
    started = time.process_time()
    for number, raw in enumerate(raw_entries, 1):
        if number > MAX_ENTRIES:
            skipped += 1
            continue
        if is_document_over_budget(started):
            over_budget += 1
            continue
        try:
            with limit_entry_time():
                entry = _refuse_broken_characters(parse(raw))
                identity = identify(entry)
        except _SET_ASIDE as error:
            external_id = _identify_raw(identify_raw, raw)
            aside.append(SetAside(_make_label(label, raw, number), _explain(error), external_id=external_id))
            continue
        if identity in entries:
            aside.append(
                SetAside(
                    entry=_make_label(label, raw, number),
                    reason=Message("An earlier entry has the same id or address. Only the first was used."),
                )
            )
            continue
        entries[identity] = entry
    return tuple(entries.values()), (*aside, *_note_unread_entries(skipped=skipped, over_budget=over_budget))


def _note_unread_entries(*, skipped: int, over_budget: int) -> Iterator[SetAside]:
    """Yield the notes about the entries that were not read: those beyond the limit, and those without time."""
    if skipped:
        yield SetAside(
            entry=Message("%(number)s more entries", number=skipped),
            reason=Message("Only the first %(limit)s entries of a source are used.", limit=MAX_ENTRIES),
        )
    if over_budget:
        yield SetAside(entry=Message("%(number)s more entries", number=over_budget), reason=_TOO_LARGE_TO_READ)


def set_aside_private(number: int) -> tuple[SetAside, ...]:
    """Return the note about this number of entries that are not meant for everybody."""
    if not number:
        return ()
    label = Message("1 private entry") if number == 1 else Message("%(private)s private entries", private=number)
    return (SetAside(label, Message("Entries that are private, drafts or protected by a password are never used.")),)


def _refuse_broken_characters(entry: Entry) -> Entry:
    """Return the entry if every text in it can be stored. Raises BadEntry for a lone surrogate or a NUL."""
    if has_broken_characters(entry):
        raise BadEntry(BROKEN_CHARACTERS)
    return entry


def _explain(error: BaseException) -> str:
    if isinstance(error, BadEntry):
        return error.message
    if isinstance(error, CpuBudgetExceeded | MemoryError):
        return _TOO_LARGE_TO_READ
    return Message(
        "This entry is damaged and cannot be read (%(name)s), so it was skipped. Ask the people who run the source "
        "to correct it.",
        name=type(error).__name__,
    )


def _identify_raw(identify: Callable[[Raw], str] | None, raw: Raw) -> str:
    try:
        with limit_entry_time():
            return identify(raw) if identify is not None else ""
    except ENTRY_ERRORS:
        return ""


def _make_label(label: Callable[[Raw, int], str], raw: Raw, number: int) -> str:
    """Return the entry's label, or its number if the label cannot be read."""
    try:
        with limit_entry_time():
            text = label(raw, number)
    except ENTRY_ERRORS:
        return Message("Entry %(number)s", number=number)
    return text if isinstance(text, Message) else text.encode("utf-8", "replace").decode()


def has_password_form(html: str) -> bool:
    """Return True if the HTML contains the form in which WordPress asks for a post's password."""
    return bool(_PASSWORD_FORM.search(html))


def is_protected_entry(*, title: str, text: str, html: str) -> bool:
    """Return True if a feed's entry is a protected post, by its form, its note, or the prefix of its title."""
    return has_password_form(html) or bool(_PROTECTED_NOTES.match(text)) or bool(_PROTECTED_TITLES.match(title.strip()))
