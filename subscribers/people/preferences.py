"""Save the choices of a person on their preference page: topics, language, location, lists, frequency and pause."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, Max, OuterRef, Q, QuerySet

from subscribers.consent.signup import SignupRequest, SignupResult, request_subscription
from subscribers.consent_events import record_preferences
from subscribers.links.signed_links import LinkTarget
from subscribers.models import (
    EndReason,
    Frequency,
    MailingList,
    Reason,
    Subscriber,
    SubscriberLocation,
    Subscription,
    Suppression,
    Topic,
)
from subscribers.models.subscriptions import NOT_CONFIRMED
from subscribers.unsubscribing.suppression import is_suppressed
from subscribers.unsubscribing.unsubscribe import unsubscribe_from_list

RADII_KM = (10, 25, 50, 80, 150, 300)
PAUSE_LENGTHS = {30: timedelta(days=30), 90: timedelta(days=90)}


@transaction.atomic
def save_preferences(
    *,
    subscriber: Subscriber,
    topics: Iterable[Topic],
    language: str,
    place: SubscriberLocation | None,
    now: datetime,
    radius_km: int | None = None,
    by: str = "",
) -> bool:
    """Replace topics, language, location and radius. Return True, and record it, if something changed.

    A `radius_km` of None means the publication's default. `by` names the member of staff who did it for the person.
    """
    chosen = set(topics)
    before = set(subscriber.topics.all())
    same_place = subscriber.place_id == (place.pk if place else None) and subscriber.radius_km == radius_km
    if same_place and subscriber.language == language and chosen == before:
        return False
    subscriber.language, subscriber.place, subscriber.radius_km = language, place, radius_km
    subscriber.save(update_fields=["language", "place", "radius_km"])
    subscriber.topics.set(chosen)
    record_preferences(
        subscriber,
        {"topics": sorted(topic.slug for topic in chosen), "language": language, "radius_km": radius_km},
        now=now,
        by=by,
    )
    return True


@transaction.atomic
def set_frequencies(
    *, subscriber: Subscriber, frequencies: Mapping[MailingList, Frequency], now: datetime, by: str = ""
) -> bool:
    """Set how often each list may write, from the next issue on. Return True if something changed."""
    changed = {}
    for mailing_list, frequency in frequencies.items():
        subscription = Subscription.objects.filter(subscriber=subscriber, mailing_list=mailing_list).open()
        if subscription.exclude(frequency=frequency).update(frequency=frequency):
            changed[mailing_list.slug] = str(frequency)
    if changed:
        record_preferences(subscriber, {"frequency": changed}, now=now, by=by)
    return bool(changed)


@transaction.atomic
def pause_mail(*, subscriber: Subscriber, days: int, now: datetime, by: str = "") -> datetime | None:
    """Pause all mail for 30 or 90 days, or end the pause if `days` is 0. Return the end of the pause."""
    until = now + PAUSE_LENGTHS[days] if days else None
    rows = Subscription.objects.filter(subscriber=subscriber).open()
    if until is not None or rows.filter(paused_until__gt=now).exists():
        rows.update(paused_until=until)
        data = {"paused_until": until.isoformat() if until else None}
        record_preferences(subscriber, data, now=now, by=by)
    return until


def paused_until(subscriber: Subscriber, *, now: datetime) -> datetime | None:
    """Return the latest end of the current pauses, or None without a pause."""
    rows = Subscription.objects.filter(subscriber=subscriber, paused_until__gt=now).open()
    return rows.order_by("-paused_until").values_list("paused_until", flat=True).first()


def choose_lists(
    *,
    subscriber: Subscriber,
    offered: Iterable[MailingList],
    chosen: Iterable[MailingList],
    wording: str,
    now: datetime,
    through: LinkTarget | None = None,
) -> list[MailingList]:
    """Subscribe to and unsubscribe from lists among those offered. Return the lists that wait for a confirmation by mail.

    A running pause of the person also applies to the new lists, because their page says that nothing is sent. `through` is
    the link that led here. Unsubscribing from its own list is counted for the mailing that carried it.
    """
    list_ids = {mailing_list.pk for mailing_list in chosen}
    on = {mailing_list.pk for mailing_list in find_subscribed_lists(subscriber)}
    pause = paused_until(subscriber, now=now)
    waiting = []
    for mailing_list in offered:
        if mailing_list.pk in list_ids and mailing_list.pk not in on:
            outcome = request_subscription(
                SignupRequest(email=subscriber.email, mailing_list=mailing_list, wording=wording, source="preferences"),
                now=now,
            )
            if outcome in (SignupResult.ASKED, SignupResult.WAITING):
                waiting.append(mailing_list)
            new = Subscription.objects.filter(
                subscriber=subscriber, mailing_list=mailing_list, paused_until__isnull=True
            )
            new.open().update(paused_until=pause)
        elif mailing_list.pk in on and mailing_list.pk not in list_ids:
            of_link = through is not None and through.public_id == mailing_list.public_id
            unsubscribe_from_list(
                subscriber=subscriber,
                mailing_list=mailing_list,
                now=now,
                source="preferences",
                mailing=through.mailing if through and of_link else 0,
            )
    return waiting


def find_subscribed_lists(subscriber: Subscriber) -> list[MailingList]:
    """Return the lists that the person asked for and has not left, confirmed or not."""
    address_hash = bytes(subscriber.address_hash)
    rows = Subscription.objects.filter(subscriber=subscriber).open().select_related("mailing_list")
    return [
        row.mailing_list
        for row in rows.order_by("mailing_list__name")
        if not is_suppressed(address_hash=address_hash, mailing_list=row.mailing_list)
    ]


def find_left_private_lists(subscriber: Subscriber) -> QuerySet[MailingList]:
    """Return the private lists that the person was on and left by themselves. They have no sign-up page to return by.

    A return that was never confirmed does not count. Nobody returns after a complaint, or if others have blocked the mail.
    """
    never_back = NOT_CONFIRMED & Q(end_reason__in=[EndReason.EXPIRED, EndReason.UNSUBSCRIBE])
    rows = Subscription.objects.filter(subscriber=subscriber).exclude(never_back | Q(end_reason=EndReason.MERGED))
    newest = rows.order_by().values("mailing_list").annotate(newest=Max("pk")).values("newest")
    left = Subscription.objects.filter(pk__in=newest, end_reason=EndReason.UNSUBSCRIBE)
    blocked = Suppression.objects.covering(OuterRef("pk")).exclude(reason=Reason.UNSUBSCRIBE)
    return MailingList.objects.filter(
        ~Exists(blocked.filter(address_hash=bytes(subscriber.address_hash))),
        public=False,
        archived=False,
        pk__in=left.values("mailing_list"),
    )
