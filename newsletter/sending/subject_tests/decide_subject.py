"""Decide a subject test, once: the people who wait get the chosen subject. Part of the sweep; safe to repeat.

It sends nothing. `newsletter.sending.settling.release_local_hours` opens the batches that waited and checks their content again.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import partial

from django.contrib.auth.models import AnonymousUser, User
from django.db import transaction
from django.db.models import Exists, F, Max, OuterRef, Q, QuerySet

from newsletter.common.database.compiled_query import find_rows
from newsletter.common.errors import InvariantViolated, NotAllowed, WrongState
from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.issues.variants.recipient_groups import GROUP_KEY
from newsletter.issues.variants.subject_assignment import FIRST, WAITS
from newsletter.models import Batch, ReaderGroup, Send, SubjectTest
from newsletter.sending.limits.each_send import act_on_each
from newsletter.sending.limits.running_sends import find_running_sends
from newsletter.sending.limits.step_work import acts_on
from newsletter.sending.subject_tests.chi_squared import Cases
from newsletter.sending.subject_tests.measure_subjects import judge_subjects

_UNDER_WAY = (Send.State.SUBMITTING, Send.State.PAUSED, Send.State.NEEDS_ATTENTION)


@acts_on(sends=Q(state=Send.State.SUBMITTING))
def decide_due_tests(*, now: datetime) -> list[SubjectTest]:
    """Decide the tests whose time is over. Return them."""
    sends = find_rows(_find_undecided, now=now)
    failure = "The subject test of send %s was not decided"
    decided = act_on_each(sends, partial(_decide_if_due, now=now), failure=failure)
    return [send.issue.subject_test for send, is_decided in decided if is_decided]


def _find_undecided(now: datetime) -> QuerySet[Send]:
    waiting = Batch.objects.filter(send=OuterRef("pk"), waits=True)
    sends = find_running_sends(now=now).filter(Exists(waiting)).select_related("revision", "issue__subject_test")
    return sends.order_by("pk")


def decide_by_staff(*, send: Send, subject: int, by: User | AnonymousUser, now: datetime) -> None:
    """Give the people who wait this subject, by its number from 1, before the time is over.

    Raises NotAllowed; WrongState if it is decided, the send has ended, or there is no such subject.
    """
    if not by.has_perm("newsletter.send_issue"):
        raise NotAllowed("%(by)s may not choose a subject. An administrator can give the role “approver”.", by=by)
    if not _decide(send, now=now, subject=subject):
        raise WrongState("Nobody waits for this decision any more. Reload the page to see the result.")


def find_decision_time(send: Send, *, test: SubjectTest) -> datetime | None:
    """Return when the test is decided, or None while mails with its subjects still have to be handed over."""
    tested = send.batches.filter(waits=False)
    if send.started_at is None or tested.filter(state__in=Batch.OPEN_STATES).exists():
        return None
    last = tested.aggregate(at=Max("settled_at"))["at"] or send.started_at
    return last + timedelta(hours=test.wait_hours)


def _decide_if_due(send: Send, *, now: datetime) -> bool:
    return _is_due(send, now=now) and _decide(send, now=now)


def _is_due(send: Send, *, now: datetime) -> bool:
    at = find_decision_time(send, test=send.issue.subject_test)
    return at is not None and at <= now


@transaction.atomic
def _decide(send: Send, *, now: datetime, subject: int | None = None) -> bool:
    """Store the decision and give the waiting batches its mails. Return False if the test is already decided."""
    locked = Send.objects.select_for_update(of=("self",)).select_related("revision").get(pk=send.pk)
    test = SubjectTest.objects.select_for_update(of=("self",)).filter(issue=send.issue_id).first()
    if test is None or locked.revision is None or locked.state not in _UNDER_WAY or test.decided_at is not None:
        return False
    if subject is not None and not FIRST <= subject <= test.number_of_subjects:
        raise WrongState("This test has no such subject. Reload the page.")
    winner, outcome, measure, cases = judge_subjects(
        locked, test=test, content=IssueContent.from_json(locked.revision.content)
    )
    if subject is not None:
        winner, outcome = subject, SubjectTest.Outcome.BY_STAFF
    _open_waiting_batches(locked, winner=winner, now=now)
    SubjectTest.objects.filter(pk=test.pk).update(
        decided_at=now, winner=winner, outcome=outcome, measure=measure, results=_make_results(cases)
    )
    return True


def _open_waiting_batches(send: Send, *, winner: int, now: datetime) -> None:
    """Give each waiting batch the mail of the same group with the chosen subject. Its hour has come now."""
    last_part = send.batches.aggregate(part=Max("part"))["part"] or 0
    for waiting, chosen in _map_variants(send, winner=winner).items():
        send.batches.filter(waits=True, variant=waiting).update(
            waits=False, variant=chosen, part=F("part") + last_part + 1, due_at=now
        )
    if send.batches.filter(waits=True).exists():
        raise InvariantViolated(
            "Some people of %(send)s wait for a subject that was not prepared for them. Nothing was changed. This is a defect: "
            "report it.",
            send=send,
        )


def _map_variants(send: Send, *, winner: int) -> dict[int, int]:
    """Map each waiting mail to the mail with the chosen subject, and move the counts of people."""
    groups = ReaderGroup.objects.filter(revision=send.revision_id, variant__isnull=False)
    by_group = {_make_key(group): group for group in groups.filter(arm=winner)}
    variants: dict[int, int] = {}
    changed: list[ReaderGroup] = []
    for group in groups.filter(arm=WAITS):
        chosen = by_group.get(_make_key(group))
        if group.variant_id is None or chosen is None or chosen.variant_id is None:
            continue
        variants[group.variant_id] = chosen.variant_id
        chosen.people, group.people = chosen.people + group.people, 0
        changed += [chosen, group]
    ReaderGroup.objects.bulk_update(changed, ["people"], batch_size=500)
    return variants


def _make_key(group: ReaderGroup) -> tuple[object, ...]:
    return tuple(getattr(group, name) for name in GROUP_KEY if name != "arm")


def _make_results(cases: Sequence[Cases]) -> Iterable[dict[str, int]]:
    return [{"people": case.people, "responses": case.responses} for case in cases]
