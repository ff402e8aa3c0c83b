"""The limit of mails that one person gets in 7 days, over all publications.

Every issue, digest, correction and welcome mail counts. A correction is never left out, nor an issue of a publication that
is always sent, nor the first welcome mail: somebody just asked for it. An issue leaves room for the planned issues of
publications with a higher priority.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import reduce
from itertools import takewhile
from operator import or_

from django.db.models import Case, Count, Exists, Expression, IntegerField, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.functions import Coalesce
from django.db.models.lookups import GreaterThanOrEqual

from newsletter.common.errors import BadRule, BadSchedule
from newsletter.common.schedule import check_schedule, due_after
from newsletter.issues.variants.group_keys import find_got
from newsletter.models import Batch, Delivery, Issue, MailLimits, Publication, Send, Slot
from subscribers.models import Frequency, Segment, Subscriber, Subscription
from subscribers.segments.compile import compile_rule

PERIOD = timedelta(days=7) - timedelta(hours=12)
"""Half a day less than a week, so that a weekly issue that leaves earlier in the day than the last one counts once."""
MONTH = timedelta(days=30)
_RANKS = {priority: rank for rank, priority in enumerate(Publication.Priority.values)}
_STARTED_OR_OVER = (Issue.State.SENDING, Issue.State.SENT, Issue.State.CANCELLED)


def find_over_budget(issue: Issue, *, now: datetime, at_once: bool = False) -> Q | None:
    """Return the condition of the subscriptions whose people would get too many mails with this issue; None if no limit holds.

    It counts at the time at which the issue is due, or at ``now`` if the send goes ``at_once`` or was started so. In each
    7 days that begin or end then, the mails that a person got, this one, and those of publications with a higher priority
    are at most the limit.
    """
    limit = MailLimits.objects.values_list("mails_in_7_days", flat=True).first()
    if (
        limit is None
        or issue.kind == Issue.Kind.CORRECTION
        or (issue.is_welcome and issue.number == 1)
        or issue.publication.priority == Publication.Priority.ALWAYS
    ):
        return None
    started = issue.sends.exclude(state=Send.State.CANCELLED).filter(local_time="")
    sent_at = now if at_once or started.exists() else max(now, issue.due_at or now)
    planned = _find_more_important(issue, now=now, sent_at=sent_at)
    ends = sorted({sent_at, *(time for time, _ in planned if time > sent_at)})
    return reduce(or_, (_is_over(issue, limit=limit, end=end, planned=planned) for end in ends))


def estimate_mails_a_month(person: Subscriber, now: datetime) -> int:
    """Return about how many mails a person gets in a month, by the schedules. Mails only about events are not counted."""
    subscriptions = Subscription.objects.filter(subscriber=person).open().mailable()
    frequencies = dict(subscriptions.values_list("mailing_list_id", "frequency"))
    publications = Publication.objects.filter(enabled=True, mailing_list__in=frequencies).select_related("segment")
    mails = 0
    for publication in publications:
        frequency = frequencies[publication.mailing_list_id]
        if publication.segment is not None and not is_in_segment(person, publication.segment):
            continue
        if frequency == Frequency.EVERY:
            mails += len(find_planned_times(publication, now=now, until=now + MONTH))
        elif frequency == Frequency.MONTHLY and publication.monthly_digest:
            mails += 1
    limit = MailLimits.objects.values_list("mails_in_7_days", flat=True).first()
    return mails if limit is None else min(mails, limit * MONTH.days // 7)


def find_planned_times(publication: Publication, *, now: datetime, until: datetime) -> list[datetime]:
    """Return the times up to ``until``, in order: of issues not yet sent, of slots to fill, and of the schedule.

    An issue that is late but may still be sent is planned for ``now``. Digests are left out, and so are schedules that
    cannot be read.
    """
    issues = publication.issues.filter(
        kind=Issue.Kind.ISSUE, due_at__gt=now - Issue.GRACE_PERIOD, due_at__lte=until
    ).exclude(state__in=_STARTED_OR_OVER)
    times = [max(due_at, now) for due_at in issues.values_list("due_at", flat=True) if due_at]
    slots = publication.slots.filter(kind=Slot.Kind.ISSUE, due_at__gt=now, due_at__lte=until)
    times += slots.filter(state=Slot.State.DUE, issue__isnull=True).values_list("due_at", flat=True)
    used = set(slots.values_list("due_at", flat=True))
    times += [due for due in _list_dues(publication, now=now, until=until) if due not in used]
    return sorted(times)


def _list_dues(publication: Publication, *, now: datetime, until: datetime) -> list[datetime]:
    try:
        schedule = check_schedule(schedule=publication.schedule, zone=publication.zone)
    except BadSchedule:
        return []
    dues = due_after(now, schedule=schedule, zone=publication.zone)
    return [due.at for due in takewhile(lambda due: due.at <= until, dues)]


def is_in_segment(person: Subscriber, segment: Segment) -> bool:
    """Return True if the segment's rule selects the person. A rule that cannot be used selects nobody."""
    members = _find_members(segment)
    return members is not None and members.filter(pk=person.pk).exists()


def _find_members(segment: Segment) -> QuerySet[Subscriber] | None:
    """Return the people in the segment, or None if its rule cannot be used, so that nothing is sent to it.

    A rule about who was sent an issue ends 90 days after the issue.
    """
    try:
        return Subscriber.objects.filter(compile_rule(segment.rule))
    except BadRule:
        return None


def _find_more_important(issue: Issue, *, now: datetime, sent_at: datetime) -> list[tuple[datetime, Publication]]:
    rank = _RANKS[issue.publication.priority]
    higher = Publication.objects.filter(enabled=True, priority__in=[name for name in _RANKS if _RANKS[name] < rank])
    publications = higher.exclude(pk=issue.publication_id).select_related("segment")
    return [
        (time, publication)
        for publication in publications
        for time in find_planned_times(publication, now=now, until=sent_at + PERIOD)
    ]


def _is_over(issue: Issue, *, limit: int, end: datetime, planned: Iterable[tuple[datetime, Publication]]) -> Q:
    """Return the condition of people for whom the 7 days up to ``end`` have no room for this issue."""
    room_kept = [_gets(publication) for time, publication in planned if end - PERIOD < time <= end]
    mails = reduce(lambda total, expression: total + expression, room_kept, _count_got(issue, since=end - PERIOD))
    return Q(GreaterThanOrEqual(mails, limit))


def _count_got(issue: Issue, *, since: datetime) -> Expression:
    """Return the number of mails that a person got after ``since`` or is still to get, for a row of a subscription."""
    recent = Send.objects.filter(Q(ended_at__isnull=True) | Q(ended_at__gt=since), recipients__gt=0)
    recent = recent.exclude(issue=issue).exclude(issue=issue.completes_id)
    when = Q(batch__settled_at__gt=since) | Q(batch__state__in=Batch.OPEN_STATES)
    deliveries = Delivery.objects.filter(when, subscriber_id=OuterRef("subscriber_id"), batch__send__in=recent)
    counted = find_got(deliveries).order_by().values("subscriber_id").annotate(mails=Count("pk"))
    return Coalesce(Subquery(counted.values("mails")), Value(0), output_field=IntegerField())


def _gets(publication: Publication) -> Expression:
    """Return 1 if the person gets the publication's issues, else 0, for a row of a subscription."""
    people = Subscription.objects.filter(subscriber=OuterRef("subscriber_id"), mailing_list=publication.mailing_list_id)
    people = people.open().mailable().filter(frequency=Frequency.EVERY)
    if publication.segment is not None:
        members = _find_members(publication.segment)
        if members is None:
            return Value(0)
        people = people.filter(subscriber__in=members.values("pk"))
    return Case(When(Exists(people), then=Value(1)), default=Value(0), output_field=IntegerField())
