"""Decide if a line's person is subscribed, by a column with a status or columns with yes or no.

Every program writes this differently. A “no” in any column wins. A value that is not understood refuses the line. So does an
empty cell in a column for agreement, unless another column says that the person is subscribed.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta

from newsletter.common.messages import Message
from newsletter.common.text import fold_name
from subscribers.importing.reading.parsed_rows import ImportTerms, RefusalKind, RowKind
from subscribers.importing.reading.translated_values import NEVER_SUBSCRIBED, NO, STATUS, UNCLEAR, YES

STATUS_FIELD = "status"
SUBSCRIBED, AGREED, OPTED_OUT, ON_HOLD = "subscribed", "agreed", "opted_out", "on_hold"
YES_NO_FIELDS = (SUBSCRIBED, AGREED, OPTED_OUT, ON_HOLD)
"""The fields whose columns say yes or no. Several columns may have one of them."""

_STATUS: dict[str, RowKind] = {
    **STATUS,
    **dict.fromkeys(("", "subscribed", "enabled", "active", "confirmed", "opted in", "yes"), RowKind.JOIN),
    **dict.fromkeys(
        ("regular", "premium", "gifted", "trialed", "churning", "unpaid", "past_due"), RowKind.JOIN
    ),  # Buttondown
    **dict.fromkeys(
        (
            "unsubscribed",
            "unsubscribe",
            "opted out",
            "opted-out",
            "opt out",
            "opt-out",
            "left",
            "cancelled",
            "canceled",
        ),
        RowKind.UNSUBSCRIBED_LIST,
    ),
    **dict.fromkeys(
        ("blocklisted", "blacklisted", "blocked", "left everything", "suppressed"), RowKind.UNSUBSCRIBED_ALL
    ),
    **dict.fromkeys(("cleaned", "bounced", "bounce", "hard bounce", "hard bounced", "invalid"), RowKind.BOUNCED),
    **dict.fromkeys(("bouncing", "previous bounce", "undeliverable", "unreachable"), RowKind.BOUNCED),
    **dict.fromkeys(("complained", "complaint", "spam", "reported as spam", "abuse"), RowKind.COMPLAINED),
    **dict.fromkeys(("spam complaint", "previous spam complaint", "junk"), RowKind.COMPLAINED),
}
_NEVER_SUBSCRIBED = {
    *("pending", "unconfirmed", "unactivated", "non-subscribed", "nonsubscribed", "transactional", "disabled"),
    *("archived", "deleted", "removed", "spammy", "inactive", "never subscribed", "never_subscribed", "no"),
    *NEVER_SUBSCRIBED,
}
_SPAM_WORDS = ("spam", "abuse", "complain")
_YES = {"yes", "y", "true", "t", "1", "1.0", "on", "x", "✓", "✔", "☑", *YES}
NO_WORDS = {"no", "n", "false", "f", "0", "0.0", "off", "✗", "✘", "☒", *NO}
_DIGITS = {"0", "0.0", "1", "1.0"}  # as a status, they mean something else in each program
_DATE = re.compile(r"\d{4}[-/.]\d|\d{1,2}[-/.]\d{1,2}[-/.]\d{4}")  # when it happened: yes
_NULL_DATE = re.compile(r"0000-00-00|00([/.-])00\1(0000|00)")  # MySQL and other databases
_NULLS = {"null", "none", "nil", "n/a", "#n/a", "-", "--", "–", "—", "\\n"}
_HOLD_BY_PERSON = {"2", "on hold opt out", "opt out"}  # CiviCRM
_HOLD_BY_BOUNCE = {"on hold bounce", "bounce", "bounced", "hard", "hard bounce"}
_BY_SEVERITY = (RowKind.COMPLAINED, RowKind.UNSUBSCRIBED_ALL, RowKind.BOUNCED, RowKind.UNSUBSCRIBED_LIST)

Refusal = tuple[RefusalKind, str]
SOFT_OPT_IN_SINCE = date(2026, 2, 5)
MAX_IMPLIED_CONSENT = timedelta(days=731)
LIST_TERMS = ("asked_on", "expires_on", "mail_frequency", "paused_until")
"""The format of the column of a file of all lists: `events asked_on=2026-01-31 mail_frequency=monthly; weekly`."""
_NEVER_AGREED = Message("This person did not agree to mail in the old system, so they cannot be imported.")
_NO_ANSWER = Message(
    "The cell that says if this person agreed to mail is empty, so the line was not imported. Write yes if you can prove that "
    "they agreed, or choose another field for its column."
)


def find_state(
    status: str, answers: Mapping[str, Iterable[str]], *, file_kind: str = RowKind.JOIN
) -> tuple[str, Refusal | None]:
    """Return the `RowKind` of the line, or why it is refused.

    ``answers`` are the values of the columns of each of `YES_NO_FIELDS` that the file has. ``file_kind`` is the kind of the
    file: a line of a file of unsubscribed people is never refused. It can only add a more serious reason.
    """
    kinds = {file_kind}
    refusals: list[Refusal] = []
    for kind, refusal in _read_line(status, answers):
        kinds.add(kind)
        refusals += [refusal] if refusal else []
    suppressed = next((kind for kind in _BY_SEVERITY if kind in kinds), None)
    if suppressed:
        return suppressed, None
    unknown = next((refusal for refusal in refusals if refusal[0] is RefusalKind.UNKNOWN_STATUS), None)
    return RowKind.JOIN, unknown or next(iter(refusals), None)


def _read_line(status: str, answers: Mapping[str, Iterable[str]]) -> Iterator[tuple[str, Refusal | None]]:
    if status.strip():
        yield _read_status(status)
    filled = {field: list(filter(is_filled, values)) for field, values in answers.items()}
    # What the old program counts as subscribed needs no second answer. It often records only some of them.
    is_subscribed = is_subscribed_status(status) or bool(filled.get(SUBSCRIBED))
    for field, texts in filled.items():
        if not texts and field in (SUBSCRIBED, AGREED) and not is_subscribed:
            yield RowKind.JOIN, (RefusalKind.NOT_SUBSCRIBED, _NO_ANSWER)
        for text in texts:
            yield _read_answer(field, text)


def is_subscribed_status(text: str) -> bool:
    word = fold_name(text.strip())
    return word in _YES - _DIGITS or (bool(word) and _STATUS.get(word) == RowKind.JOIN)


def says_not_subscribed(text: str) -> bool:
    """Return True for the status of somebody who is, or may be, not subscribed. A plain “no” does not count."""
    word = fold_name(text.strip())
    kind = _STATUS.get(word, RowKind.JOIN)
    return word not in NO_WORDS and (word in _NEVER_SUBSCRIBED or word in UNCLEAR or kind != RowKind.JOIN)


def is_no(text: str) -> bool:
    return fold_name(text.strip()) in NO_WORDS


def is_yes(text: str) -> bool:
    """Return True for a yes, and for the date on which something happened."""
    return fold_name(text.strip()) in _YES or is_date(text)


def is_date(text: str) -> bool:
    """Return True for a text that begins with a date in numbers, even if its day and month are not certain."""
    return _DATE.match(text.strip()) is not None and is_filled(text)


def is_filled(text: str) -> bool:
    """Return True unless the text is empty, or what databases write for no value or no date."""
    text = text.strip()
    return bool(text) and text.lower() not in _NULLS and not _NULL_DATE.match(text)


def apply_unsubscribe_reason(kind: str, because: str) -> str:
    """Return a complaint if the reason for unsubscribing was spam."""
    if kind in (RowKind.UNSUBSCRIBED_LIST, RowKind.UNSUBSCRIBED_ALL) and any(
        word in because.lower() for word in _SPAM_WORDS
    ):
        return RowKind.COMPLAINED
    return kind


def _read_status(text: str) -> tuple[str, Refusal | None]:
    status = fold_name(text.strip())
    kind = RowKind.JOIN if status in _YES - _DIGITS else _STATUS.get(status)
    if kind is not None:
        return kind, None
    if status in _NEVER_SUBSCRIBED or status in NO_WORDS - _DIGITS:
        return RowKind.JOIN, (RefusalKind.NOT_SUBSCRIBED, _explain_never_subscribed(text.strip()))
    return RowKind.JOIN, (
        RefusalKind.UNKNOWN_STATUS,
        Message(
            "The status “%(status)s” is unknown, so the line was not imported. Write subscribed, unsubscribed or bounced.",
            status=text.strip()[:40],
        ),
    )


def _read_answer(field: str, text: str) -> tuple[str, Refusal | None]:
    answer = fold_name(text.strip())
    if field == ON_HOLD and answer in _HOLD_BY_PERSON:
        return RowKind.UNSUBSCRIBED_ALL, None
    if answer in NO_WORDS:
        return _when_no(field)
    if is_yes(text) or (field == ON_HOLD and answer in _HOLD_BY_BOUNCE):
        return {OPTED_OUT: RowKind.UNSUBSCRIBED_ALL, ON_HOLD: RowKind.BOUNCED}.get(field, RowKind.JOIN), None
    return RowKind.JOIN, (
        RefusalKind.UNKNOWN_STATUS,
        Message(
            "“%(text)s” says neither yes nor no, so the line was not imported. Correct it, or choose another field for its "
            "column.",
            text=text.strip()[:40],
        ),
    )


def _when_no(field: str) -> tuple[str, Refusal | None]:
    if field == SUBSCRIBED:
        return RowKind.UNSUBSCRIBED_LIST, None
    if field == AGREED:
        return RowKind.JOIN, (RefusalKind.NOT_SUBSCRIBED, _NEVER_AGREED)
    return RowKind.JOIN, None


def _explain_never_subscribed(status: str) -> str:
    return Message(
        "The status is “%(status)s”: this person was not subscribed in the old system, so they cannot be imported.",
        status=status[:40],
    )


def check_soft_opt_in(asked_on: datetime | None, *, terms: ImportTerms) -> tuple[RefusalKind, Message] | None:
    """Return a refusal if the charitable soft opt-in does not cover somebody who signed up at this time."""
    day = asked_on.date() if asked_on else terms.collected_on
    if day is None:
        return RefusalKind.NO_DAY, Message(
            "This line has no sign-up date. The charitable soft opt-in requires one: add it to the line, or enter "
            "the earliest date for all."
        )
    if day < SOFT_OPT_IN_SINCE:
        return RefusalKind.TOO_EARLY, Message(
            "This person signed up on %(day)s. The charitable soft opt-in covers only people who signed up on or "
            "after 2026-02-05. Ask them for consent instead.",
            day=day.isoformat(),
        )
    return None


def check_expiry(expires_on: date | None, *, today: date) -> tuple[RefusalKind, Message] | None:
    """Return a refusal if implied consent that ends on this day is not acceptable."""
    if expires_on is None:
        return RefusalKind.NO_EXPIRY, Message(
            "This line has no expiry date. Implied consent requires one: add it to the line, or enter one date for all."
        )
    day = expires_on.isoformat()
    if expires_on < today:
        return RefusalKind.IMPLIED_CONSENT_EXPIRED, Message(
            "The implied consent of this person expired on %(day)s. Ask them for consent instead.", day=day
        )
    if expires_on > today + MAX_IMPLIED_CONSENT:
        return RefusalKind.TOO_LONG, Message(
            "Implied consent lasts two years at most, and %(day)s is later. Correct the date.", day=day
        )
    return None


def write_each_list(lists: Iterable[tuple[str, Mapping[str, str]]]) -> str:
    """Write the slug of each list with its terms. Empty terms are left out."""
    return "; ".join(
        " ".join([slug, *(f"{term}={terms[term]}" for term in LIST_TERMS if terms.get(term))]) for slug, terms in lists
    )


def read_each_list(text: str, *, slug: str) -> dict[str, str] | None:
    """Return the terms of one list, or None if it is not among them."""
    for part in text.split(";"):
        words = part.split()
        if words and words[0] == slug:
            values = dict(word.partition("=")[::2] for word in words[1:])
            return {term: values.get(term, "") for term in LIST_TERMS}
    return None
