"""Decides when a confirmation mail is due and what its link is. It sends nothing; a sender picks the due rows up."""

from datetime import datetime, timedelta

from django.db.models import Exists, Max, OuterRef, Q, QuerySet

from subscribers.consent.throttle import CONFIRMATION_INTERVAL, use_confirmation_quota
from subscribers.links.signed_links import LIFETIMES, Purpose, make_link
from subscribers.models import Basis, Confirmation, MailingList, Subscriber, Subscription, Suppression
from subscribers.unsubscribing.suppression import REASONS_REMOVED_BY_CONFIRMING

MAX_UNCONFIRMED_REQUESTS = 3


def queue_confirmation(*, subscriber: Subscriber, mailing_list: MailingList, now: datetime) -> bool:
    """Leaves a confirmation mail to be sent; False, and silence, when this mailbox was asked enough.

    At most one in 24 hours and three until it confirms something, so that nobody can be bombed with them; all
    spellings of one mailbox count as one.
    """
    asked = Confirmation.objects.filter(subscriber=subscriber)
    confirmed = Subscription.objects.filter(subscriber=subscriber).aggregate(last=Max("confirmed_at"))["last"]
    if confirmed is not None:
        asked = asked.filter(requested_at__gt=confirmed)
    times = list(asked.order_by("-requested_at").values_list("requested_at", flat=True)[:MAX_UNCONFIRMED_REQUESTS])
    if len(times) >= MAX_UNCONFIRMED_REQUESTS or (times and now - times[0] < CONFIRMATION_INTERVAL):
        return False
    due = Confirmation.objects.due().filter(subscriber=subscriber, mailing_list=mailing_list)
    if due.exists():
        return False
    if not use_confirmation_quota(subscriber.email, now=now):
        return False
    _, made = Confirmation.objects.get_or_create(
        subscriber=subscriber, mailing_list=mailing_list, sent_at=None, defaults={"requested_at": now}
    )
    return made


def list_due_confirmations(*, now: datetime) -> QuerySet[Confirmation]:
    """The mails to send now, oldest first: still asked for, not too old, to addresses that may get them."""
    waiting = Subscription.objects.open().filter(
        subscriber=OuterRef("subscriber"),
        mailing_list=OuterRef("mailing_list"),
        basis=Basis.DOUBLE_OPT_IN,
        confirmed_at__isnull=True,
    )
    blocked = (
        Suppression.objects.live()
        .filter(
            Q(mailing_list__isnull=True) | Q(mailing_list=OuterRef("mailing_list")),
            address_hash=OuterRef("subscriber__address_hash"),
        )
        .exclude(reason__in=REASONS_REMOVED_BY_CONFIRMING)
    )
    lifetime = LIFETIMES[Purpose.CONFIRM] or timedelta.max
    return (
        Confirmation.objects.due()
        .filter(Exists(waiting), ~Exists(blocked), requested_at__gt=now - lifetime)
        .select_related("subscriber", "mailing_list")
    )


def mark_sent(*, confirmation: Confirmation, now: datetime) -> bool:
    """Claims the row before the mail is handed over. False when somebody else has it: then do not send."""
    return Confirmation.objects.filter(pk=confirmation.pk, sent_at__isnull=True).update(sent_at=now) == 1


def make_confirmation_url(*, confirmation: Confirmation, now: datetime) -> str:
    """The link that the mail carries; good for seven days from `now`."""
    return make_link(
        purpose=Purpose.CONFIRM,
        subscriber_uuid=confirmation.subscriber.uuid,
        list_public_id=confirmation.mailing_list.public_id,
        now=now,
    )
