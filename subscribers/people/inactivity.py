"""Ask inactive people once if they still want mail, and stop mailing those who do not answer.

A person is silent who did none of these since a given day: join, confirm, save their choices, change their address, reply. An
import counts too, because nothing is known from before. Clicks are never counted by person.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils.timezone import localdate, localtime

from subscribers.consent_events import ACTIVE_KINDS, record_preferences
from subscribers.models import ConsentEvent, MailingList, Reply, StayQuestion, Subscriber, Subscription, Suppression
from subscribers.people.publishing_hooks import get_publishing_hooks
from subscribers.person_locks import lock_people

MAX_MONTHS = 1200
ANSWER_TIME = timedelta(days=30)
"""How long a person has for an answer."""
_REPEAT_TIME = timedelta(days=1)
"""How long after an act of a person a save of the same choices is no new one."""


@dataclass(frozen=True)
class SilenceCount:
    """The number of people who are silent and not asked yet, who have not answered yet, and who rest."""

    silent: int
    waiting: int
    resting: int


def subtract_months(now: datetime, months: int) -> datetime:
    """Return the same day some months before; the last day of the month if it has no such day."""
    years, month = divmod(now.year * 12 + now.month - 1 - months, 12)
    for day in range(now.day, now.day - 4, -1):
        try:
            return now.replace(year=years, month=month + 1, day=day)
        except ValueError:
            continue
    raise AssertionError(f"no month is shorter than 28 days: {now}")


def find_silent_people(*, since: datetime, now: datetime) -> QuerySet[Subscriber]:
    """Return the people who can be asked, did nothing since then, and neither got the question nor answered it since.

    A person can be asked if they get mail of a list that has a sender.
    """
    of_person = {"address_hash": OuterRef("address_hash")}
    acted = ConsentEvent.objects.filter(**of_person, kind__in=ACTIVE_KINDS, by="", at__gte=since)
    imported = ConsentEvent.objects.filter(**of_person, kind=ConsentEvent.Kind.IMPORTED, at__gte=since)
    joined = Subscription.objects.mailable().filter(subscriber=OuterRef("pk"), requested_at__gte=since)
    getting = _list_askable().filter(Q(paused_until__isnull=True) | Q(paused_until__lte=now), subscriber=OuterRef("pk"))
    questions = StayQuestion.objects.filter(
        Q(answered_at__isnull=True, sent_at__isnull=False) | Q(answered_at__gte=since), subscriber=OuterRef("pk")
    )
    return Subscriber.objects.filter(
        ~Exists(questions),
        ~Exists(acted),
        ~Exists(_replies_since(since, person="pk")),
        ~Exists(imported),
        ~Exists(joined),
        Exists(getting),
        created_at__lt=since,
    ).order_by("pk")


def count_silence(*, since: datetime, now: datetime) -> SilenceCount:
    """Count without changing anything."""
    rests = Q(resting_since__isnull=False)
    questions = StayQuestion.objects.open().aggregate(
        waiting=Count("pk", filter=~rests & Q(sent_at__isnull=False)), resting=Count("pk", filter=rests)
    )
    return SilenceCount(silent=find_silent_people(since=since, now=now).count(), **questions)


@transaction.atomic
def ask_silent_people(*, since: datetime, per_day: int, now: datetime) -> int:
    """Queue the question for silent people, up to the limit of one day. Return how many were queued now."""
    midnight = localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    left = per_day - StayQuestion.objects.filter(asked_at__gte=midnight).count()
    queued = StayQuestion.objects.open().filter(subscriber=OuterRef("pk"))
    silent = find_silent_people(since=since, now=now).filter(~Exists(queued))
    ids = list(silent.values_list("pk", flat=True)[: max(left, 0)])
    lock_people(Subscriber.objects.filter(pk__in=ids).only("pk"))
    rows = [
        StayQuestion(subscriber=person, mailing_list=mailing_list, asked_at=now)
        for person in silent.filter(pk__in=ids)
        if (mailing_list := _find_oldest_list(person))
    ]
    return len(StayQuestion.objects.bulk_create(rows, ignore_conflicts=True))


def answer_by_replies(*, since: datetime, now: datetime) -> int:
    """Count a reply since this day, recorded late, as an answer: the person was not silent. Return how many rest no longer."""
    replied = Exists(_replies_since(since, person="subscriber"))
    return StayQuestion.objects.open().filter(replied).update(answered_at=now)


def rest_unanswered(*, now: datetime) -> int:
    """Stop the mail of people whose time for an answer is over: they rest. Return how many.

    If their question may be lost, count it as answered: no answer says nothing then.
    """
    over = StayQuestion.objects.open().filter(sent_at__lte=now - ANSWER_TIME, resting_since__isnull=True)
    over.maybe_lost().update(answered_at=now)
    return over.update(resting_since=now)


def list_due_questions(*, now: datetime) -> QuerySet[StayQuestion]:
    """Return the questions to mail, oldest first: their list has a sender, and its mail may still go to the person."""
    getting = _list_askable().filter(subscriber=OuterRef("subscriber"), mailing_list=OuterRef("mailing_list"))
    due = StayQuestion.objects.filter(StayQuestion.due_by(now), Exists(getting))
    return due.select_related("subscriber", "mailing_list").order_by("asked_at", "pk")


def forget_unsendable_questions(*, now: datetime) -> int:
    """Delete the unsent questions that cannot be mailed, so that the next round asks about another list. Return how many."""
    sendable = list_due_questions(now=now).order_by().values("pk")
    return StayQuestion.objects.open().filter(sent_at__isnull=True).exclude(pk__in=sendable).delete()[0]


def forget_unsent_questions() -> int:
    """Delete the questions that were not mailed. Return how many."""
    return StayQuestion.objects.open().filter(sent_at__isnull=True).delete()[0]


def close_question(question: StayQuestion, *, now: datetime) -> None:
    """Count a question as answered that may have reached nobody: no answer says nothing then."""
    StayQuestion.objects.open().filter(pk=question.pk).update(answered_at=now)


def close_open_questions(*, now: datetime) -> None:
    """Count each open question as answered: after a restore, the answers since the backup are missing.

    Nobody's mail is paused for that, and nobody is asked again soon.
    """
    StayQuestion.objects.open().filter(resting_since__isnull=True).update(answered_at=now)


@transaction.atomic
def stay(*, subscriber: Subscriber, wording: str, now: datetime) -> None:
    """Record that a person still wants their mail. They rest no longer."""
    record_preferences(subscriber, {"stays": True}, now=now, wording=wording)


@transaction.atomic
def record_save(subscriber: Subscriber, *, wording: str, now: datetime) -> None:
    """Record that a person saved their choices. Without an open question, record nothing if they acted in the last day.

    An act may leave the question open: to leave one list by the button of a mail program says nothing about the others.
    """
    is_asked = StayQuestion.objects.open().filter(subscriber=subscriber).exists()
    acts = ConsentEvent.objects.filter(address_hash=subscriber.address_hash, kind__in=ACTIVE_KINDS, by="")
    if is_asked or not acts.filter(at__gt=now - _REPEAT_TIME).exists():
        stay(subscriber=subscriber, wording=wording, now=now)


def is_asked_to_stay(subscriber: Subscriber) -> bool:
    """Return True if a person was asked if they still want mail, and has not answered."""
    return StayQuestion.objects.open().filter(subscriber=subscriber, sent_at__isnull=False).exists()


def find_resting_since(subscriber: Subscriber) -> datetime | None:
    """Return since when a person rests; None if they do not."""
    return StayQuestion.objects.resting().filter(subscriber=subscriber).values_list("resting_since", flat=True).first()


def _replies_since(since: datetime, *, person: str) -> QuerySet[Reply]:
    return Reply.objects.filter(subscriber=OuterRef(person), replied_on__gte=localdate(since))


def _list_askable() -> QuerySet[Subscription]:
    """Return the subscriptions about which a question can be mailed: mailable, of a list with a sender, not suppressed.

    To leave one list says nothing about the others.
    """
    covering = Suppression.objects.covering(OuterRef("mailing_list")).filter(
        address_hash=OuterRef("subscriber__address_hash")
    )
    return Subscription.objects.mailable().filter(
        ~Exists(covering), mailing_list__in=get_publishing_hooks().lists_with_sender()
    )


def _find_oldest_list(person: Subscriber) -> MailingList | None:
    rows = _list_askable().filter(subscriber=person).select_related("mailing_list")
    first = rows.order_by("requested_at", "pk").first()
    return first.mailing_list if first else None
