"""Add, list, reveal and remove the organisation's protected terms. They are stored encrypted; no message contains one."""

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.contrib.auth.models import AbstractUser, AnonymousUser
from django.db import connection, transaction

from newsletter.common.errors import BadValue, DomainError, NotAllowed, NotReady
from newsletter.common.messages import Message
from newsletter.common.text import clean_line, require_length
from newsletter.issues.protected_terms.matcher import SEALER
from newsletter.models import ProtectedTerm
from newsletter.rendering.text_search.matcher import Matcher, is_short, mask, name_letters

MAX_TERMS = 2000
MAX_TERM_LENGTH = 200
MAX_NOTE_LENGTH = 200
PERMISSION = "newsletter.change_protectedterm"


class BadTerms(DomainError):
    """The pasted lines cannot be stored. The message names lines by number and never by their text."""


@dataclass(frozen=True)
class AddedTerms:
    """The terms that were added, and how many were known already. ``short`` ones match only their exact text."""

    terms: list[ProtectedTerm]
    known: int
    short: int


@dataclass(frozen=True)
class MaskedTerm:
    """A term as the list shows it. ``masked`` is "" if no key of this installation decrypts it."""

    term: ProtectedTerm
    masked: str
    short: bool


def add_terms(*, lines: str, note: str, by: AbstractUser | AnonymousUser, now: datetime) -> AddedTerms:
    """Store each line as a term, or none of them. A term that is known already does not change.

    Raises NotAllowed, BadTerms, and BadValue if the note cannot be stored.
    """
    require_terms_permission(by)
    terms = _read_lines(lines)
    note = require_length(clean_line(note), limit=MAX_NOTE_LENGTH, name="note")
    if Matcher(dict(enumerate(terms.values()))).find(note):
        raise BadValue("The note contains a term. Give the reason in other words.", name="note")
    with transaction.atomic():
        _lock_table()
        stored = set(ProtectedTerm.objects.filter(digest__in=list(terms)).values_list("digest", flat=True))
        new = {digest: text for digest, text in terms.items() if digest not in stored}
        if ProtectedTerm.objects.count() + len(new) > MAX_TERMS:
            raise BadTerms("The list holds %(limit)s terms. Remove terms that you no longer need.", limit=MAX_TERMS)
        ProtectedTerm.objects.bulk_create(
            [
                ProtectedTerm(digest=digest, sealed=SEALER.seal(text), note=note, made_at=now)
                for digest, text in new.items()
            ],
            ignore_conflicts=True,
        )
    made = list(ProtectedTerm.objects.filter(digest__in=list(new)))
    return AddedTerms(terms=made, known=len(stored), short=sum(map(is_short, new.values())))


def remove_terms(*, ids: Iterable[int], by: AbstractUser | AnonymousUser) -> list[ProtectedTerm]:
    """Remove terms from the list and return those that were on it. Raises NotAllowed."""
    require_terms_permission(by)
    with transaction.atomic():
        removed = list(ProtectedTerm.objects.filter(pk__in=list(ids)).select_for_update())
        ProtectedTerm.objects.filter(pk__in=[term.pk for term in removed]).delete()
    return removed


def reveal_term(*, term: ProtectedTerm, by: AbstractUser | AnonymousUser) -> str:
    """Return a term in clear. The caller must write this to the staff log. Raises NotAllowed and NotReady."""
    require_terms_permission(by)
    text = SEALER.unseal(term.sealed)
    if text is None:
        raise NotReady(
            "None of this installation’s keys decrypts this term. Put the old secret key back, or remove the term."
        )
    return text


def list_terms() -> list[MaskedTerm]:
    """Return every term, masked, newest first."""
    listed = []
    for term in ProtectedTerm.objects.order_by("-made_at", "-pk"):
        text = SEALER.unseal(term.sealed)
        listed.append(MaskedTerm(term, mask(text) if text else "", bool(text) and is_short(text or "")))
    return listed


def reseal_terms() -> int:
    """Encrypt again with the newest key what an old key encrypted. Return how many. Safe to repeat."""
    return SEALER.reseal(ProtectedTerm.objects.all(), "sealed")


def count_unreadable_terms() -> int:
    """Return how many terms no key of this installation decrypts."""
    return sum(SEALER.unseal(sealed) is None for sealed in ProtectedTerm.objects.values_list("sealed", flat=True))


def require_terms_permission(by: AbstractUser | AnonymousUser) -> None:
    if not by.has_perm(PERMISSION):
        raise NotAllowed("%(by)s may not see protected terms. An administrator can give the role “data”.", by=by)


def _lock_table() -> None:
    """Commit terms in the order of their ids: a send stores the newest id that it was searched for."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"LOCK TABLE {ProtectedTerm._meta.db_table} IN SHARE ROW EXCLUSIVE MODE")


def _read_lines(lines: str) -> dict[str, str]:
    """Return the terms by their digest, in their order. Raises BadTerms."""
    terms: dict[str, str] = {}
    too_long, too_short = [], []
    for number, line in enumerate(lines.splitlines(), 1):
        text = " ".join(line.split())
        if not text:
            continue
        letters = name_letters(text)
        if len(text) > MAX_TERM_LENGTH:
            too_long.append(number)
        elif len(letters) < 2:
            too_short.append(number)
        else:
            terms.setdefault(_digest(letters), text)
    problems = []
    if too_long:
        problems.append(
            Message(
                "%(lines)s: longer than %(limit)s characters. Write one name, number or address a line.",
                lines=_describe_lines(too_long),
                limit=MAX_TERM_LENGTH,
            )
        )
    if too_short:
        problems.append(
            Message(
                "%(lines)s: too short to look for. A term needs at least two letters or digits.",
                lines=_describe_lines(too_short),
            )
        )
    if problems:
        raise BadTerms(Message.joined(problems, between=" "))
    if not terms:
        raise BadTerms("Nothing was written. Write one name, number or address a line.")
    return terms


def _describe_lines(numbers: list[int]) -> Message:
    if len(numbers) == 1:
        return Message("Line %(number)s", number=numbers[0])
    first_numbers = ", ".join(map(str, numbers[:5])) + (" …" if len(numbers) > 5 else "")
    return Message("Lines %(numbers)s", numbers=first_numbers)


def _digest(letters: str) -> str:
    """Return a keyed hash: nobody can try names with the database alone. The key never changes, so it stays unique."""
    message = f"protected-term:{letters}".encode()
    return hmac.new(settings.SUBSCRIBERS_ADDRESS_KEY.encode(), message, hashlib.sha256).hexdigest()
