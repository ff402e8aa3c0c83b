"""Merge two subscribers who are the same person. Subscriptions, consent, choices, replies, mails and old links stay."""

from datetime import datetime
from math import inf

from django.db import transaction
from django.db.models.query import QuerySet

from subscribers.confirmation_quota import delete_unsent_requests, move_confirmation_quota
from subscribers.consent_events import record_consent_event
from subscribers.models import (
    CaseFollow,
    Confirmation,
    ConsentEvent,
    EndReason,
    FormerIdentity,
    Giving,
    MailedLink,
    Subscriber,
    SubscriberAttribute,
    Subscription,
)
from subscribers.outbound_events import rename_person
from subscribers.people.mailed_links import delete_unsent_links
from subscribers.people.publishing_hooks import get_publishing_hooks
from subscribers.people.replies import move_replies
from subscribers.unsubscribing.suppression_journal import AddressChange, journal_after_commit

_GIVING_ORDER = [Giving.NONE, Giving.DONOR, Giving.MONTHLY]
_FIELDS_FILLED_FROM_ABSORBED = ("name", "place_id", "radius_km", "language", "timezone", "source")


@transaction.atomic
def merge_people(*, keep: Subscriber, absorb: Subscriber, now: datetime, new_email: str = "") -> None:
    """Merge `absorb` into `keep` and delete it. The choices of `keep` win. The caller moves `keep` to ``new_email`` next.

    Of two open subscriptions to one list, one stays open: the mailable one, else the one that lasts longer, else the
    older one. Links made for `absorb` lead to `keep` from now on. Of those that work once, only an erasure still works.
    """
    for field in _FIELDS_FILLED_FROM_ABSORBED:
        if not getattr(keep, field):
            setattr(keep, field, getattr(absorb, field))
    keep.giving = max(keep.giving, absorb.giving, key=lambda giving: _GIVING_ORDER.index(Giving(giving)))
    keep.created_at = min(keep.created_at, absorb.created_at)
    keep.save()
    keep.topics.add(*absorb.topics.all())
    followed = CaseFollow.objects.filter(subscriber=keep).values("case")
    CaseFollow.objects.filter(subscriber=absorb).exclude(case__in=list(followed.values_list("case", flat=True))).update(
        subscriber=keep
    )
    move_replies(keep=keep, absorb=absorb)
    _move_unsent_confirmations(keep=keep, absorb=absorb, email=new_email or keep.email)
    _end_duplicate_subscriptions(keep=keep, absorb=absorb, now=now)
    Subscription.objects.filter(subscriber=absorb).update(subscriber=keep)
    kept_keys = SubscriberAttribute.objects.filter(subscriber=keep).values("key")
    SubscriberAttribute.objects.filter(subscriber=absorb).exclude(
        key__in=list(kept_keys.values_list("key", flat=True))
    ).update(subscriber=keep)
    # The log is append-only. Only the owner of its rows changes here, not their content.
    QuerySet(ConsentEvent).filter(subscriber=absorb).update(subscriber=keep)
    FormerIdentity.objects.filter(subscriber=absorb).update(subscriber=keep)
    _move_erasure_links(keep=keep, absorb=absorb)
    rename_person(old=absorb.pk, new=keep.pk)
    FormerIdentity.objects.create(uuid=absorb.uuid, subscriber=keep, at=now)
    into = {} if new_email else {"into": bytes(keep.address_hash).hex()}
    record_consent_event(
        ConsentEvent(
            kind=ConsentEvent.Kind.MERGED,
            subscriber=keep,
            address_hash=bytes(absorb.address_hash),
            at=now,
            data={"absorbed": absorb.pk, **into},
        )
    )
    if not new_email:  # else the caller writes that `keep` moved to the address of `absorb`
        journal_after_commit([AddressChange(bytes(absorb.address_hash), bytes(keep.address_hash), now)])
    get_publishing_hooks().reassign_mails(keep=keep, absorb=absorb)
    delete_unsent_links(MailedLink.objects.filter(subscriber=absorb))
    absorb.delete()


def _move_unsent_confirmations(*, keep: Subscriber, absorb: Subscriber, email: str) -> None:
    """Send the mails that ask `absorb` to confirm to `keep` at `email`, within the quota of this mailbox.

    Of two about one list, one stays.
    """
    list_ids = set(Confirmation.objects.unsent().filter(subscriber=keep).values_list("mailing_list", flat=True))
    for request in delete_unsent_requests(Confirmation.objects.filter(subscriber=absorb)):
        if request.mailing_list_id not in list_ids and move_confirmation_quota(email, used_at=request.requested_at):
            Confirmation.objects.create(
                subscriber=keep, mailing_list_id=request.mailing_list_id, requested_at=request.requested_at
            )


def _move_erasure_links(*, keep: Subscriber, absorb: Subscriber) -> None:
    """Let `absorb` still ask for their erasure. Of two unsent mails, one stays."""
    links = MailedLink.objects.filter(kind=MailedLink.Kind.ERASE)
    if links.unsent().filter(subscriber=keep).exists():
        links.unsent().filter(subscriber=absorb).delete()
    links.filter(subscriber=absorb).update(subscriber=keep)


def _end_duplicate_subscriptions(*, keep: Subscriber, absorb: Subscriber, now: datetime) -> None:
    absorbed = {
        subscription.mailing_list_id: subscription
        for subscription in Subscription.objects.filter(subscriber=absorb).open()
    }
    for ours in Subscription.objects.filter(subscriber=keep, mailing_list_id__in=absorbed).open():
        duplicate = absorbed[ours.mailing_list_id]
        better = min(ours, duplicate, key=_rank)
        worse = duplicate if better is ours else ours
        Subscription.objects.filter(pk=better.pk).update(frequency=ours.frequency, paused_until=ours.paused_until)
        Subscription.objects.filter(pk=worse.pk).update(ended_at=now, end_reason=EndReason.MERGED)


def _rank(subscription: Subscription) -> tuple[bool, float, datetime]:
    mailable = Subscription.objects.filter(pk=subscription.pk).mailable().exists()
    lasts = subscription.expires_at.timestamp() if subscription.expires_at else inf
    return not mailable, -lasts, subscription.requested_at
