"""Marks addresses that must not be mailed, and lifts the mark with a reason. The list is ours and authoritative."""

from datetime import datetime

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from newsletter.common.errors import DomainError
from newsletter.common.messages import Message
from subscribers.consent_events import record_consent_event
from subscribers.models import (
    Confirmation,
    ConsentEvent,
    EndReason,
    MailingList,
    Reason,
    Scope,
    Subscriber,
    Subscription,
    Suppression,
)
from subscribers.unsubscribing.suppression_journal import JournalEntry, journal_after_commit

REASONS_REMOVED_BY_CONFIRMING = (Reason.UNSUBSCRIBE, Reason.COMPLAINT, Reason.ERASURE)
_REASONS_ONLY_THE_PERSON_REMOVES = (Reason.UNSUBSCRIBE, Reason.ERASURE)


class CannotRemoveSuppression(DomainError):
    """A suppression that staff may not lift, or not without a reason."""


@transaction.atomic
def suppress(
    *,
    address_hash: bytes,
    reason: Reason,
    now: datetime,
    mailing_list: MailingList | None = None,
    note: str = "",
    by: str = "",
) -> bool:
    """Forbids mail of one list, or of all when `mailing_list` is None. True when it was not forbidden so before.

    A complaint also ends every open subscription, so that only a fresh request brings mail back.
    """
    made = write_suppression(address_hash=address_hash, reason=reason, now=now, mailing_list=mailing_list, note=note)
    if not made:
        return False
    subscriber = Subscriber.objects.filter(address_hash=address_hash).first()
    if subscriber is not None and reason == Reason.COMPLAINT:
        end_subscriptions(subscriber=subscriber, reason=EndReason.COMPLAINT, now=now)
    record_consent_event(
        kind=ConsentEvent.Kind.SUPPRESSED,
        subscriber=subscriber,
        address_hash=address_hash,
        mailing_list=mailing_list,
        now=now,
        by=by,
        data={"reason": str(reason)},
    )
    return True


def write_suppression(
    *, address_hash: bytes, reason: Reason, now: datetime, mailing_list: MailingList | None, note: str = ""
) -> bool:
    """Writes the row and nothing else. True when it was not there; two at once make one."""
    _, made = Suppression.objects.get_or_create(
        address_hash=address_hash,
        scope=Scope.ALL if mailing_list is None else Scope.LIST,
        mailing_list=mailing_list,
        reason=reason,
        lifted_at=None,
        defaults={"at": now, "note": note},
    )
    if made:
        journal_after_commit([JournalEntry(address_hash, mailing_list.pk if mailing_list else None, str(reason), now)])
    return made


def end_subscriptions(
    *, subscriber: Subscriber, reason: EndReason, now: datetime, mailing_list: MailingList | None = None
) -> int:
    """Ends the open subscription to one list, or to all, and drops confirmation mails not yet sent. How many ended."""
    chosen = Q() if mailing_list is None else Q(mailing_list=mailing_list)
    Confirmation.objects.filter(chosen, subscriber=subscriber, sent_at__isnull=True).delete()
    return Subscription.objects.filter(chosen, subscriber=subscriber).open().update(ended_at=now, end_reason=reason)


@transaction.atomic
def remove_suppression(*, suppression: Suppression, by: str, reason: str, now: datetime) -> None:
    """Allow mail again, with a reason. Raise `CannotRemoveSuppression` without one, or if only the person may do it."""
    if not reason.strip():
        raise CannotRemoveSuppression(_("Write why mail to this address may start again. The reason is kept as proof."))
    if not can_staff_remove(suppression):
        raise CannotRemoveSuppression(
            _("This person asked not to be mailed. Only they can undo it, by signing up again and confirming by mail.")
        )
    if not _remove(Q(pk=suppression.pk), by=by, reason=reason, now=now):
        raise CannotRemoveSuppression(_("This was lifted already. Nothing was changed."))
    record_consent_event(
        kind=ConsentEvent.Kind.LIFTED,
        subscriber=Subscriber.objects.filter(address_hash=bytes(suppression.address_hash)).first(),
        address_hash=bytes(suppression.address_hash),
        mailing_list=suppression.mailing_list,
        now=now,
        by=by,
        wording=reason,
        data={"reason": suppression.reason},
    )


def can_staff_remove(suppression: Suppression) -> bool:
    """False for what people said themselves: only they undo that, by signing up again and confirming by mail."""
    return suppression.reason not in _REASONS_ONLY_THE_PERSON_REMOVES


def remove_own_suppressions(*, address_hash: bytes, mailing_list: MailingList, now: datetime) -> int:
    """The person confirmed by mail that they want this list: what they themselves had set is lifted. How many were."""
    own = Q(address_hash=address_hash, reason__in=REASONS_REMOVED_BY_CONFIRMING)
    covering = Q(scope=Scope.ALL) | Q(mailing_list=mailing_list)
    return _remove(own & covering, by="", reason=Message("confirmed a fresh request by mail"), now=now)


def is_signup_blocked(*, address_hash: bytes, mailing_list: MailingList) -> bool:
    """Whether something other than the person's own wish forbids mail of this list to the address."""
    covering = Suppression.objects.covering(mailing_list).filter(address_hash=address_hash)
    return covering.exclude(reason__in=REASONS_REMOVED_BY_CONFIRMING).exists()


def is_suppressed(*, address_hash: bytes, mailing_list: MailingList) -> bool:
    """Whether mail of this list to the address is forbidden, for whatever reason."""
    return Suppression.objects.covering(mailing_list).filter(address_hash=address_hash).exists()


def _remove(which: Q, *, by: str, reason: str, now: datetime) -> int:
    rows = list(Suppression.objects.live().filter(which))
    lifted = Suppression.objects.live().filter(which, pk__in=[row.pk for row in rows])
    journal_after_commit(
        JournalEntry(bytes(row.address_hash), row.mailing_list_id, row.reason, now, lifted=True) for row in rows
    )
    return lifted.update(lifted_at=now, lifted_by=by, lifted_reason=reason)
