"""The organisation's protected terms: added, listed masked, shown one at a time, removed. Kept sealed; no message has one."""

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from newsletter.common.errors import DomainError, NotAllowed, NotReady
from newsletter.common.text import clean_line
from newsletter.issues.protected_terms.encryption import is_sealed_with_newest_key, seal, unseal
from newsletter.models import ProtectedTerm
from newsletter.rendering.text_search.matcher import Matcher, is_short, mask, name_letters

MAX_TERMS = 2000
MAX_TERM_LENGTH = 200
PERMISSION = "newsletter.change_protectedterm"


class BadTerms(DomainError):
    """What was pasted cannot be kept as it is; the message names lines by their number."""


@dataclass(frozen=True)
class AddedTerms:
    """What became of the lines. ``short`` are those found only as they are written."""

    terms: list[ProtectedTerm]
    known: int
    short: int


@dataclass(frozen=True)
class MaskedTerm:
    """A term as the list shows it. ``masked`` is "" where no key of this installation opens it."""

    term: ProtectedTerm
    masked: str
    short: bool


def add_terms(*, lines: str, note: str, by: Any, now: datetime) -> AddedTerms:
    """Keep each line as a term; one that is there already stays as it is. All of them, or none.

    Raises NotAllowed, and BadTerms, which names lines by number and never by what they say.
    """
    require_terms_permission(by)
    terms = _read_lines(lines)
    note = clean_line(note, max_length=200)
    if Matcher(dict(enumerate(terms.values()))).find(note):
        raise BadTerms(_("The note gives a term away. Say why it is here in other words."))
    with transaction.atomic():
        _lock_table()
        known = set(ProtectedTerm.objects.filter(digest__in=list(terms)).values_list("digest", flat=True))
        new = {digest: text for digest, text in terms.items() if digest not in known}
        if ProtectedTerm.objects.count() + len(new) > MAX_TERMS:
            raise BadTerms(
                _("There is room for %(most)s terms. Take out what is no longer needed.") % {"most": MAX_TERMS}
            )
        ProtectedTerm.objects.bulk_create(
            [ProtectedTerm(digest=digest, sealed=seal(text), note=note, made_at=now) for digest, text in new.items()],
            ignore_conflicts=True,
        )
    made = list(ProtectedTerm.objects.filter(digest__in=list(new)))
    return AddedTerms(terms=made, known=len(known), short=sum(map(is_short, new.values())))


def remove_terms(*, ids: Iterable[int], by: Any) -> list[ProtectedTerm]:
    """Take terms off the list. Returns those that were there. Raises NotAllowed."""
    require_terms_permission(by)
    with transaction.atomic():
        gone = list(ProtectedTerm.objects.filter(pk__in=list(ids)).select_for_update())
        ProtectedTerm.objects.filter(pk__in=[term.pk for term in gone]).delete()
    return gone


def reveal_term(*, term: ProtectedTerm, by: Any) -> str:
    """What a term says, for somebody who may know; whoever calls this writes it to the staff log. Raises NotAllowed."""
    require_terms_permission(by)
    text = unseal(term.sealed)
    if text is None:
        raise NotReady(
            _("None of this installation's keys opens this term. Put the old secret key back, or take the term out.")
        )
    return text


def list_terms() -> list[MaskedTerm]:
    """Every term, masked, newest first."""
    listed = []
    for term in ProtectedTerm.objects.order_by("-made_at", "-pk"):
        text = unseal(term.sealed)
        listed.append(MaskedTerm(term, mask(text) if text else "", bool(text) and is_short(text or "")))
    return listed


def reseal_terms() -> int:
    """Seal with the newest key what an old one sealed. Part of what runs by itself; safe to repeat. Returns how many."""
    done = 0
    for term in ProtectedTerm.objects.all():
        if not is_sealed_with_newest_key(term.sealed) and (text := unseal(term.sealed)) is not None:
            done += ProtectedTerm.objects.filter(pk=term.pk, sealed=term.sealed).update(sealed=seal(text))
    return done


def count_unreadable_terms() -> int:
    """How many terms no key of this installation opens."""
    return sum(unseal(sealed) is None for sealed in ProtectedTerm.objects.values_list("sealed", flat=True))


def require_terms_permission(by: Any) -> None:
    if not by.has_perm(PERMISSION):
        raise NotAllowed(
            _("%(by)s may not see protected terms. An administrator can give the role “data”.") % {"by": by}
        )


def _lock_table() -> None:
    """Terms are committed in the order of their ids, by which a send knows what it was searched for."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"LOCK TABLE {ProtectedTerm._meta.db_table} IN SHARE ROW EXCLUSIVE MODE")


def _read_lines(lines: str) -> dict[str, str]:
    """The terms by what names them, in their order."""
    terms: dict[str, str] = {}
    long, empty = [], []
    for number, line in enumerate(lines.splitlines(), 1):
        text = " ".join(line.split())
        if not text:
            continue
        letters = name_letters(text)
        if len(text) > MAX_TERM_LENGTH:
            long.append(number)
        elif len(letters) < 2:
            empty.append(number)
        else:
            terms.setdefault(_digest(letters), text)
    faults = [
        _("%(which)s: longer than %(longest)s characters. One name, number or address a line.")
        % {"which": _describe_lines(long), "longest": MAX_TERM_LENGTH}
        if long
        else "",
        _("%(which)s: too short to look for. A term has two letters or digits at least.")
        % {"which": _describe_lines(empty)}
        if empty
        else "",
    ]
    if any(faults):
        raise BadTerms(" ".join(filter(None, faults)))
    if not terms:
        raise BadTerms(_("Nothing was written. Write one name, number or address a line."))
    return terms


def _describe_lines(numbers: list[int]) -> str:
    shown = ", ".join(map(str, numbers[:5])) + (" …" if len(numbers) > 5 else "")
    return ngettext("Line %(shown)s", "Lines %(shown)s", len(numbers)) % {"shown": shown}


def _digest(letters: str) -> str:
    """Keyed, so that nobody with the database alone can try names; by the key that never changes, so that it stays unique."""
    message = f"protected-term:{letters}".encode()
    return hmac.new(settings.SUBSCRIBERS_ADDRESS_KEY.encode(), message, hashlib.sha256).hexdigest()
