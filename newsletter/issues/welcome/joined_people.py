"""Update the rows of a welcome when people join, unsubscribe, pause or change their address.

Each function may run at any time, in any number of processes at once.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from django.db.models import BinaryField, Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce, Substr

from newsletter.issues.welcome.due_people import find_late_steps, find_steps_after_failure
from newsletter.models import Delivery, Issue, WelcomeStep
from subscribers.audience.eligibility import list_contactable
from subscribers.models import FormerIdentity, MailingList, Subscriber

_JOINED_SINCE = timedelta(days=30)
"""How long after they joined people are still entered, if the scheduler did not run."""
_BATCH_ROWS = 1000
_HASH_BYTES = 16


def find_welcome_mails() -> QuerySet[Issue]:
    """Return the welcome mails that are turned on, paused ones too, in the order in which they were."""
    turned_on = Issue.objects.filter(kind=Issue.Kind.WELCOME, on_since__isnull=False)
    related = ("publication__brand", "publication__mailing_list", "publication__segment")
    return turned_on.select_related(*related).order_by("on_since", "pk")


def enter_new_people(*, issue: Issue, now: datetime) -> int:
    """Enter everybody who joined the list since this mail was turned on. Return how many are new.

    People who were imported did not ask for anything just now, so they get no welcome. The database allows one row a
    step and address, so that somebody who leaves and joins again, or whose list has another welcome, gets no second one.
    """
    joined = list(_find_new_people(issue, now=now).values_list("subscriber_id", "hash_part", "joined_at"))
    made = WelcomeStep.objects.bulk_create(
        (
            WelcomeStep(
                issue=issue,
                mailing_list_id=issue.publication.mailing_list_id,
                step=issue.number,
                subscriber_id=subscriber,
                address_hash=bytes(address_hash),
                joined_at=joined_at,
            )
            for subscriber, address_hash, joined_at in joined
        ),
        batch_size=_BATCH_ROWS,
        ignore_conflicts=True,
    )
    return len(made)


def stop_for_people(*, now: datetime) -> None:
    """Stop the welcome of everybody who paused, unsubscribed, changed their address, or was missed by an earlier mail.

    They do not go on with it later, except those who undo an unsubscribe.
    """
    waiting = WelcomeStep.objects.filter(state=WelcomeStep.State.WAITING)
    if not waiting.exists():
        return
    for mailing_list in MailingList.objects.filter(pk__in=waiting.values("mailing_list").distinct()):
        _stop_for_people_of(mailing_list, now=now)
    _settle(find_steps_after_failure(), code=WelcomeStep.Code.EARLIER_STEP, now=now)


def resume_for_person(person: Subscriber, lists: Collection[MailingList], since: datetime) -> None:
    """Resume the welcomes of these lists for a person who undid their unsubscribe, if they stopped since then.

    A mail that was skipped in a call stays skipped: its issue has a delivery for the address already.
    """
    handed_over = Delivery.objects.filter(issue=OuterRef("issue"), address_hash=OuterRef("address_hash"), proof=False)
    stopped = WelcomeStep.objects.filter(
        ~Exists(handed_over),
        subscriber_id=person.pk,
        mailing_list__in=lists,
        state=WelcomeStep.State.NOT_SENT,
        code=WelcomeStep.Code.UNSUBSCRIBED,
        settled_at__gte=since,
        issue__on_since__isnull=False,
    )
    stopped.update(state=WelcomeStep.State.WAITING, code=WelcomeStep.Code.NONE, settled_at=None)


def stop_late_steps(*, issue: Issue, now: datetime) -> None:
    """Give up the mail for those for whom it is too late. The later mails still reach them."""
    _settle(find_late_steps(issue, now=now), code=WelcomeStep.Code.TOO_LATE, now=now)


def stop_steps(*, issue: Issue, now: datetime) -> None:
    """Give up the mail for everybody who waits for it, because staff turned it off."""
    waiting = issue.welcome_steps.filter(state=WelcomeStep.State.WAITING)
    _settle(waiting, code=WelcomeStep.Code.TURNED_OFF, now=now)


def forget_old_people(*, now: datetime, retention: timedelta) -> int:
    """Remove the person from rows that were settled before then. The keyed hash stays, so that nobody is welcomed twice."""
    return WelcomeStep.objects.filter(settled_at__lt=now - retention, subscriber_id__isnull=False).update(
        subscriber_id=None
    )


def _find_new_people(issue: Issue, *, now: datetime) -> QuerySet[Any]:
    publication, since = issue.publication, max(issue.on_since or now, now - _JOINED_SINCE)
    earlier_steps = WelcomeStep.objects.filter(
        Q(step=issue.number) | ~Q(issue__publication=publication), mailing_list=publication.mailing_list_id
    )
    same = Q(subscriber_id=OuterRef("subscriber_id")) | Q(address_hash=OuterRef("hash_part"))
    merged = FormerIdentity.objects.filter(subscriber=OuterRef("subscriber"), at__gte=OuterRef("joined_at"))
    people = list_contactable(mailing_list=publication.mailing_list, segment=publication.segment, now=now)
    annotated: QuerySet[Any] = people.annotate(
        joined_at=Coalesce("confirmed_at", "requested_at"),
        hash_part=_shorten_hash("subscriber__address_hash"),
    )
    confirmed = Q(confirmed_at__gte=since, confirmed_at__lte=now)
    at_once = Q(confirmed_at__isnull=True, import_batch__isnull=True, requested_at__gte=since, requested_at__lte=now)
    return annotated.filter(confirmed | at_once, ~Exists(earlier_steps.filter(same)), ~Exists(merged))


def _shorten_hash(field: str) -> Substr:
    return Substr(field, 1, _HASH_BYTES, output_field=BinaryField())


def _stop_for_people_of(mailing_list: MailingList, *, now: datetime) -> None:
    waiting = WelcomeStep.objects.filter(mailing_list=mailing_list, state=WelcomeStep.State.WAITING)
    people = list_contactable(mailing_list=mailing_list, now=now)
    moved = Subscriber.objects.annotate(hash_part=_shorten_hash("address_hash")).filter(
        ~Q(hash_part=OuterRef("address_hash")), pk=OuterRef("subscriber_id")
    )
    _settle(
        waiting.exclude(subscriber_id__in=people.values("subscriber_id")), code=WelcomeStep.Code.UNSUBSCRIBED, now=now
    )
    paused = people.filter(paused_until__gt=now).values("subscriber_id")
    _settle(waiting.filter(subscriber_id__in=paused), code=WelcomeStep.Code.PAUSED, now=now)
    _settle(waiting.filter(Exists(moved)), code=WelcomeStep.Code.MOVED, now=now)


def _settle(rows: QuerySet[WelcomeStep], *, code: WelcomeStep.Code, now: datetime) -> None:
    rows.update(state=WelcomeStep.State.NOT_SENT, code=code, settled_at=now)
