"""Compare each send of the last week with its providers' counts, once a day. Nothing is sent, and no delivery changes."""

import logging
from collections.abc import Collection, Mapping
from dataclasses import asdict
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef

from newsletter.common.errors import InvariantViolated
from newsletter.feedback.comparing.account_shares import AccountShare, list_shares
from newsletter.feedback.comparing.compare_counts import (
    COUNTED_AFTER,
    OwnCounts,
    Result,
    compare_counts,
    find_day,
    find_oldest_end,
)
from newsletter.feedback.comparing.own_counts import (
    count_own,
    find_people,
    find_uncertain_people,
    keep_own_records,
    list_sends,
)
from newsletter.models import CountComparison, Send
from newsletter.providers.base.errors import CountsFailure, IssueCountsError
from newsletter.providers.base.issue_counts import MAX_NAMED_PEOPLE, CountsReader, Figure, IssueCounts

log = logging.getLogger(__name__)
FIRST_COMPARED_AFTER = timedelta(hours=1)
RETRY_AFTER = timedelta(hours=1)
MAX_WAIT = timedelta(hours=24)
ENDED_STATES = (Send.State.SUBMITTED, Send.State.CANCELLED)
MAX_QUESTIONS = 5
"""A run stops after this number of counts, so that a provider gets few requests at a time."""


def compare_due_sends(*, counters: Mapping[str, CountsReader], now: datetime) -> int:
    """Compare the sends that are due today, each account's mails by themselves. Return how often a provider was asked.

    ``counters`` read the counts of the accounts, by name. If two processes call this at once, one of them asks. A day without
    an answer is tried again an hour later.
    """
    if not counters:
        return 0
    questions = 0
    done = _list_done(now=now)
    for send in _find_due_sends(now=now):
        if questions >= MAX_QUESTIONS:
            break
        if send.pk not in done:
            questions += _compare_send(send, counters=counters, now=now)
    return questions


def _list_done(*, now: datetime) -> set[int]:
    """Return the sends that have a row of today for each of their accounts, none of which is to be tried again."""
    today = CountComparison.objects.filter(day=find_day(now))
    again = today.filter(retry_at__lte=now).values("send")
    return set(today.exclude(send__in=again).values_list("send", flat=True))


def _compare_send(send: Send, *, counters: Mapping[str, CountsReader], now: datetime) -> int:
    """Compare the mails of each account that is due. Return how many providers were asked.

    All rows of the day are made together, before any provider is asked: a send with one has them all.
    """
    shares = [share for share in list_shares(send) if share.obstacle is None and share.name in counters]
    with transaction.atomic():
        rows = [_claim(send, account=share.name, now=now) for share in shares]
    claimed = [(share, row) for share, row in zip(shares, rows, strict=True) if row is not None]
    return sum(_compare_share(row, share, counter=counters[share.name], now=now) for share, row in claimed)


def _find_due_sends(*, now: datetime) -> list[Send]:
    """Return the newest ended send of each issue that has none under way."""
    ended = Send.objects.filter(
        state__in=ENDED_STATES,
        ended_at__gte=find_oldest_end(now=now),
        ended_at__lte=now - FIRST_COMPARED_AFTER,
        started_at__isnull=False,
        recipients__gt=0,
        purged_at__isnull=True,
    )
    sends_of_issue = Send.objects.filter(issue=OuterRef("issue"))
    newer = sends_of_issue.filter(pk__gt=OuterRef("pk"), started_at__isnull=False, recipients__gt=0)
    due = ended.exclude(Exists(newer)).exclude(Exists(sends_of_issue.exclude(state__in=ENDED_STATES)))
    return list(due.select_related("issue").order_by("pk"))


def _compare_share(row: CountComparison, share: AccountShare, *, counter: CountsReader, now: datetime) -> bool:
    """Compare the mails of one account. Return False if its provider was not asked."""
    sends = list_sends(row.send)
    try:
        ours = count_own(sends, share=share)
    except InvariantViolated as error:
        log.error("%s", error)
        _save_bad_receipt(row, now=now)
        return False
    _compare(row, sends, ours, share=share, counter=counter, now=now)
    return True


def _claim(send: Send, *, account: str, now: datetime) -> CountComparison | None:
    """Return today's row, which records “no answer” until there is one. Return None if another process made it."""
    row, is_new = CountComparison.objects.get_or_create(
        send=send,
        account=account,
        day=find_day(now),
        defaults={
            "compared_at": now,
            "retry_at": now + RETRY_AFTER,
            "result": Result.UNAVAILABLE,
            "failure": CountsFailure.NO_ANSWER,
        },
    )
    again = CountComparison.objects.filter(pk=row.pk, retry_at__lte=now)
    return row if is_new or again.update(retry_at=now + RETRY_AFTER) else None


def _find_last_failure(row: CountComparison, *, now: datetime) -> str | None:
    """Return how the last question about this send and account failed, "" if it was answered, None if it is the first."""
    if row.compared_at < now:
        return row.failure
    earlier = CountComparison.objects.filter(send=row.send, account=row.account, day__lt=row.day)
    return earlier.order_by("-day").values_list("failure", flat=True).first()


def _compare(
    row: CountComparison,
    sends: Collection[Send],
    ours: OwnCounts,
    *,
    share: AccountShare,
    counter: CountsReader,
    now: datetime,
) -> None:
    send = row.send
    since = min(compared.started_at for compared in sends if compared.started_at)
    age = now - (send.ended_at or now)
    try:
        provider_counts = _ask(counter, issue=send.issue.public_id, since=since, ours=ours)
    except IssueCountsError as error:
        if error.failure != _find_last_failure(row, now=now):
            log.warning("%s is not compared: %s It is logged again if the reason changes.", send, error)
        _save_failure(row, error, age=age, now=now)
        return
    comparison = compare_counts(ours, provider_counts, age=age)
    deliveries: list[int] = []
    if comparison.figure is not None and age >= COUNTED_AFTER:
        deliveries = _name_people(
            sends,
            share=share,
            counter=counter,
            figure=comparison.figure,
            result=comparison.result,
            since=since,
            size=ours,
        )
    CountComparison.objects.filter(pk=row.pk).update(
        compared_at=now,
        retry_at=None,
        result=comparison.result,
        figure=comparison.figure or "",
        failure="",
        **asdict(ours),
        **_describe_provider_counts(provider_counts, accepted=comparison.provider_accepted),
        deliveries=deliveries,
    )


def _ask(counter: CountsReader, *, issue: str, since: datetime, ours: OwnCounts) -> IssueCounts:
    """Return the provider's counts. If it accepted nothing of the issue, it need not know the issue's name."""
    try:
        return counter.count_issue(issue=issue, since=since)
    except IssueCountsError as error:
        if error.failure is CountsFailure.UNKNOWN_ISSUE and not ours.accepted:
            return IssueCounts(accepted=0)
        raise


def _describe_provider_counts(counts: IssueCounts, *, accepted: int) -> dict[str, int | None]:
    return {
        "provider_accepted": accepted,
        "provider_delivered": counts.delivered,
        "provider_bounced": counts.bounced,
        "provider_complained": counts.complained,
    }


def _save_failure(row: CountComparison, error: IssueCountsError, *, age: timedelta, now: datetime) -> None:
    wait = timedelta(seconds=error.retry_after or 0)
    is_early = error.failure is CountsFailure.UNKNOWN_ISSUE and age < COUNTED_AFTER
    CountComparison.objects.filter(pk=row.pk).update(
        compared_at=now,
        retry_at=now + min(max(wait, RETRY_AFTER), MAX_WAIT),
        result=Result.NOT_COUNTED_YET if is_early else Result.UNAVAILABLE,
        failure=error.failure,
    )


def _save_bad_receipt(row: CountComparison, *, now: datetime) -> None:
    """Log that our own numbers are wrong. Without ``retry_at`` they are looked at, and logged, once a day."""
    CountComparison.objects.filter(pk=row.pk).update(
        compared_at=now, retry_at=None, result=Result.UNAVAILABLE, failure=CountsFailure.BAD_RECEIPT
    )


def _name_people(
    sends: Collection[Send],
    *,
    share: AccountShare,
    counter: CountsReader,
    figure: Figure,
    result: Result,
    since: datetime,
    size: OwnCounts,
) -> list[int]:
    """Return the ids of some deliveries that one side has and the other has not; none without a complete list."""
    if getattr(size, figure) > MAX_NAMED_PEOPLE:
        return []
    issue = next(iter(sends)).issue.public_id
    try:
        records = counter.list_records(issue=issue, figure=figure, since=since)
    except IssueCountsError as error:
        log.warning("The people of %s are not named: %s", issue, error)
        return []
    if records is None or not records.complete:
        return []
    there = keep_own_records(dict(records.batches), sends=sends, share=share)
    here = find_people(sends, share=share, figure=figure)
    if result == Result.MORE_AT_PROVIDER:
        uncertain = find_uncertain_people(sends, share=share) if figure is Figure.ACCEPTED else set()
        deliveries = there - here - uncertain
    else:
        deliveries = here - there
    return sorted(deliveries)[: CountComparison.MAX_DELIVERIES]
