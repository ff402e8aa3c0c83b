"""Count the responses to each subject of a test, without rows about readers, and choose the subject for the others."""

from collections.abc import Sequence
from typing import NamedTuple

from django.db.models import Q, QuerySet, Sum

from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.issues.variants.mail_links import OFF
from newsletter.issues.variants.subject_assignment import FIRST
from newsletter.issues.variants.subject_test_rules import MIN_PEOPLE
from newsletter.models import Batch, Delivery, DeliveryException, LinkClicks, ReaderGroup, Send, SubjectTest
from newsletter.sending.subject_tests.chi_squared import Cases, find_different_pairs
from subscribers.models import CountedUnsubscribe, Reply

SIGNIFICANCE = 0.05
_NOT_MAILED = (DeliveryException.State.REJECTED, DeliveryException.State.SKIPPED)


class Decision(NamedTuple):
    """The number of the subject that the others get, why, and the responses that decided, by ``measure``."""

    winner: int
    outcome: SubjectTest.Outcome
    measure: SubjectTest.Measure
    cases: list[Cases]


def counts_clicks(content: IssueContent) -> bool:
    """Return True if clicks decide, because the publication counted them when the issue was approved."""
    return content.publication.clicks != OFF


def judge_subjects(send: Send, *, test: SubjectTest, content: IssueContent) -> Decision:
    """Decide by clicks where they are counted, else by replies, else by unsubscribes and complaints.

    With two measures, chance alone has two chances to make a difference. So each gets half of the 5 % (Bonferroni).
    """
    if counts_clicks(content):
        return _judge(send, test=test, measure=SubjectTest.Measure.CLICKS, significance=SIGNIFICANCE)
    by_replies = _judge(send, test=test, measure=SubjectTest.Measure.REPLIES, significance=SIGNIFICANCE / 2)
    if by_replies.outcome in (SubjectTest.Outcome.BETTER, SubjectTest.Outcome.SOME_WORSE):
        return by_replies
    return _judge(send, test=test, measure=SubjectTest.Measure.LEAVING, significance=SIGNIFICANCE / 2)


def _judge(send: Send, *, test: SubjectTest, measure: SubjectTest.Measure, significance: float) -> Decision:
    cases = _measure_subjects(send, test=test, measure=measure)
    winner, outcome = choose_subject(cases, measure=measure, significance=significance)
    return Decision(winner, outcome, measure, cases)


def _measure_subjects(send: Send, *, test: SubjectTest, measure: SubjectTest.Measure) -> list[Cases]:
    """Return, for each subject, the people whose mail was accepted and how many of them responded."""
    count = _COUNTS[measure]
    cases = []
    for arm in range(FIRST, FIRST + test.number_of_subjects):
        batches = _find_batches(send, arm=arm)
        people = _count_accepted(batches)
        cases.append(Cases(people, min(count(send, arm, batches), people)))
    return cases


def choose_subject(
    cases: Sequence[Cases], *, measure: str, significance: float = SIGNIFICANCE
) -> tuple[int, SubjectTest.Outcome]:
    """Return the number of the subject that the others get, and why.

    Every two subjects are compared. The others get the first subject that was not clearly worse than another one.
    """
    if min(case.people for case in cases) < MIN_PEOPLE:
        return FIRST, SubjectTest.Outcome.TOO_FEW
    pairs = find_different_pairs(cases, significance=significance)
    find_worse = max if measure == SubjectTest.Measure.LEAVING else min
    worse = {find_worse(pair, key=lambda number: cases[number].rate) for pair in pairs}
    remaining = [number for number in range(len(cases)) if number not in worse]
    if not worse:
        return FIRST, SubjectTest.Outcome.NO_DIFFERENCE
    return FIRST + remaining[0], SubjectTest.Outcome.BETTER if len(remaining) == 1 else SubjectTest.Outcome.SOME_WORSE


def _find_batches(send: Send, *, arm: int) -> QuerySet[Batch]:
    variants = ReaderGroup.objects.filter(revision=send.revision_id, arm=arm).values("variant")
    return send.batches.filter(variant__in=variants).order_by()


def _count_accepted(batches: QuerySet[Batch]) -> int:
    accepted = batches.filter(state__in=[Batch.State.ACCEPTED, Batch.State.PARTIAL])
    without = DeliveryException.objects.filter(delivery__batch__in=accepted, state__in=_NOT_MAILED).count()
    return int(accepted.aggregate(people=Sum("size"))["people"] or 0) - without


def _count_clicks(send: Send, arm: int, _batches: QuerySet[Batch]) -> int:
    """Return people's clicks on the link that was followed most: a person who follows three links counts once.

    Somebody who follows the link again after an hour, or with another device, counts again.
    """
    rows = LinkClicks.objects.filter(issue=send.issue_id, arm=arm).values("link").annotate(clicks=Sum("people"))
    return max((row["clicks"] for row in rows), default=0)


def _count_unsubscribes(send: Send, _arm: int, batches: QuerySet[Batch]) -> int:
    """Return how many people unsubscribed by a link of their mail or at the provider, or complained."""
    deliveries = Delivery.objects.filter(batch__in=batches).order_by()
    reported = DeliveryException.objects.filter(
        Q(unsubscribed_at__isnull=False) | Q(complained_at__isnull=False), delivery__in=deliveries
    )
    by_link = CountedUnsubscribe.objects.filter(mailing=send.pk, subscriber_id__in=deliveries.values("subscriber_id"))
    subscribers = {
        *reported.values_list("delivery__subscriber_id", flat=True),
        *by_link.values_list("subscriber_id", flat=True),
    }
    return len(subscribers)


def _count_replies(send: Send, _arm: int, batches: QuerySet[Batch]) -> int:
    """Return how many people replied to the issue."""
    people = Delivery.objects.filter(batch__in=batches).order_by().values("subscriber_id")
    return Reply.objects.filter(issue=send.issue_id, subscriber__in=people).count()


_COUNTS = {
    SubjectTest.Measure.CLICKS: _count_clicks,
    SubjectTest.Measure.REPLIES: _count_replies,
    SubjectTest.Measure.LEAVING: _count_unsubscribes,
}
