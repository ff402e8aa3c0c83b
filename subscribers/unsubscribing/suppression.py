"""The suppression list: which addresses must not be mailed, and how a suppression is removed with a reason."""

from datetime import datetime

from django.db import transaction
from django.db.models import Q, QuerySet

from newsletter.common.errors import DomainError
from newsletter.common.messages import Message
from subscribers.confirmation_quota import delete_unsent_requests
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
from subscribers.person_locks import lock_people
from subscribers.unsubscribing.suppression_journal import JournalEntry, journal_after_commit

MAX_REASON = 1_000
"""The limit of a reason that staff or the API give to stop or allow emails."""
REASONS_REMOVED_BY_CONFIRMING = (Reason.UNSUBSCRIBE, Reason.COMPLAINT, Reason.ERASURE)
_REASONS_ONLY_THE_PERSON_REMOVES = (Reason.UNSUBSCRIBE, Reason.ERASURE)


class CannotRemoveSuppression(DomainError):
    """Staff may not remove this suppression, or gave no reason."""


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
    """Suppress an address for one list, or for all mail if `mailing_list` is None. Return False if it already was.

    Return True too if only an import had suppressed it: from now on, undoing the import does not remove the suppression.

    A complaint also ends every open subscription, so that only a new request starts mail again.
    """
    subscriber = _lock_person(address_hash)
    created = write_suppression(address_hash=address_hash, reason=reason, now=now, mailing_list=mailing_list, note=note)
    if not created:
        return False
    if subscriber is not None and reason == Reason.COMPLAINT:
        end_subscriptions(subscriber=subscriber, reason=EndReason.COMPLAINT, now=now)
    record_consent_event(
        ConsentEvent(
            kind=ConsentEvent.Kind.SUPPRESSED,
            subscriber=subscriber,
            address_hash=address_hash,
            mailing_list=mailing_list,
            at=now,
            by=by,
            data={"reason": str(reason)},
        )
    )
    return True


def write_suppression(
    *, address_hash: bytes, reason: Reason, now: datetime, mailing_list: MailingList | None, note: str = ""
) -> bool:
    """Write only the row. Return True if it is new, or was an import's only; two calls at once make one row.

    A row of an import is detached from it, so that undoing the import cannot remove a later request.
    """
    row, created = Suppression.objects.get_or_create(
        address_hash=address_hash,
        scope=Scope.ALL if mailing_list is None else Scope.LIST,
        mailing_list=mailing_list,
        reason=reason,
        removed_at=None,
        defaults={"at": now, "note": note},
    )
    if not created:
        return bool(Suppression.objects.filter(pk=row.pk, import_batch__isnull=False).update(import_batch=None))
    journal_after_commit([JournalEntry(address_hash, mailing_list.pk if mailing_list else None, str(reason), now)])
    return True


def end_subscriptions(
    *, subscriber: Subscriber, reason: EndReason, now: datetime, mailing_list: MailingList | None = None
) -> int:
    """End the open subscription to one list, or to all lists. Return how many ended. The caller has locked the person.

    Confirmation mails not yet sent are deleted.
    """
    chosen = Q() if mailing_list is None else Q(mailing_list=mailing_list)
    delete_unsent_requests(Confirmation.objects.filter(chosen, subscriber=subscriber))
    return Subscription.objects.filter(chosen, subscriber=subscriber).open().update(ended_at=now, end_reason=reason)


@transaction.atomic
def remove_suppression(*, suppression: Suppression, by: str, reason: str, now: datetime) -> None:
    """Allow mail to the address again.

    Raises:
        CannotRemoveSuppression: The reason is empty, only the person may do it, or it was removed already.
    """
    if not reason.strip():
        raise CannotRemoveSuppression("Write why mail to this address may start again. The reason is kept as proof.")
    if not can_staff_remove(suppression):
        raise CannotRemoveSuppression(
            "This person asked not to be mailed. Only they can undo it, by signing up again and confirming by mail."
        )
    subscriber = _lock_person(bytes(suppression.address_hash))
    if not _remove(Q(pk=suppression.pk), by=by, reason=reason, now=now):
        raise CannotRemoveSuppression("This suppression was removed already. Nothing was changed.")
    record_consent_event(
        ConsentEvent(
            kind=ConsentEvent.Kind.SUPPRESSION_REMOVED,
            subscriber=subscriber,
            address_hash=bytes(suppression.address_hash),
            mailing_list=suppression.mailing_list,
            at=now,
            by=by,
            wording=reason,
            data={"reason": suppression.reason},
        )
    )


def can_staff_remove(suppression: Suppression) -> bool:
    """Return False for people's own requests. Only they undo those, by signing up again and confirming."""
    return suppression.reason not in _REASONS_ONLY_THE_PERSON_REMOVES


def remove_own_suppressions(*, address_hash: bytes, mailing_list: MailingList, now: datetime) -> int:
    """Remove the person's own suppressions after they confirmed this list by mail. Return how many."""
    own = Q(address_hash=address_hash, reason__in=REASONS_REMOVED_BY_CONFIRMING)
    covering = Q(scope=Scope.ALL) | Q(mailing_list=mailing_list)
    return _remove(own & covering, by="", reason=Message("confirmed a fresh request by mail"), now=now)


def remove_recent_unsubscribe(
    *, address_hash: bytes, mailing_list: MailingList | None, since: datetime, reason: str, now: datetime
) -> int:
    """Remove the suppression that an unsubscribe added at or after `since`, of one list or of all mail. Earlier ones stay."""
    recent = Q(address_hash=address_hash, reason=Reason.UNSUBSCRIBE, mailing_list=mailing_list, at__gte=since)
    return _remove(recent, by="", reason=reason, now=now)


def is_signup_blocked(*, address_hash: bytes, mailing_list: MailingList) -> bool:
    """Return True if mail of this list is forbidden for a reason other than the person's own request."""
    covering = Suppression.objects.covering(mailing_list).filter(address_hash=address_hash)
    return covering.exclude(reason__in=REASONS_REMOVED_BY_CONFIRMING).exists()


def is_all_mail_blocked(*, address_hash: bytes) -> bool:
    """Return True if all mail is forbidden for a reason other than the person's own request."""
    everything = Suppression.objects.live().filter(address_hash=address_hash, scope=Scope.ALL)
    return everything.exclude(reason__in=REASONS_REMOVED_BY_CONFIRMING).exists()


def list_own_suppressions(*, address_hash: bytes) -> QuerySet[Suppression]:
    """Return the suppressions that the person asked for. Undoing an import removes what only a file says."""
    live = Suppression.objects.live().filter(address_hash=address_hash, reason=Reason.UNSUBSCRIBE)
    return live.filter(import_batch__isnull=True)


def has_left_all_mail(*, address_hash: bytes) -> bool:
    """Return True if the person unsubscribed from all mail."""
    return list_own_suppressions(address_hash=address_hash).filter(scope=Scope.ALL).exists()


def is_suppressed(*, address_hash: bytes, mailing_list: MailingList) -> bool:
    """Return True if mail of this list to the address is forbidden for any reason."""
    return Suppression.objects.covering(mailing_list).filter(address_hash=address_hash).exists()


def _lock_person(address_hash: bytes) -> Subscriber | None:
    """Lock and return the person with this address, before their rows are written."""
    return next(iter(lock_people(Subscriber.objects.filter(address_hash=address_hash))), None)


def _remove(which: Q, *, by: str, reason: str, now: datetime) -> int:
    rows = list(Suppression.objects.live().filter(which))
    removed = Suppression.objects.live().filter(which, pk__in=[row.pk for row in rows])
    journal_after_commit(
        JournalEntry(bytes(row.address_hash), row.mailing_list_id, row.reason, now, removed=True) for row in rows
    )
    return removed.update(removed_at=now, removed_by=by, removal_reason=reason)
