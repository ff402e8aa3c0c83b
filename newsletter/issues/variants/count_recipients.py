"""Count the recipients of an issue, and those who are excluded by reason."""

from collections import Counter
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.issues.variants.audience_rules import find_named_ids, make_audience_filters
from newsletter.issues.variants.recipient_groups import GroupVisibility, RecipientGroup, group_recipients
from newsletter.models import Issue
from subscribers.audience.counting import AudienceCount, count_audience
from subscribers.audience.eligibility import candidates
from subscribers.audience.kept_counts import count_or_recall

NOT_ON_LIST = "not_on_the_list"


def count_people(issue: Issue, *, now: datetime, at_once: bool = False, rehearsed: bool = False) -> AudienceCount:
    """Count candidates, eligible and excluded by reason. People without an event near them still count as eligible.

    A welcome mail that is ``rehearsed`` is for everybody on the list, as if they were new.
    """

    def select(at: datetime) -> QuerySet[Any]:
        return candidates(**make_audience_filters(issue, now=at, at_once=at_once, rehearsed=rehearsed), now=at)

    def count() -> AudienceCount:
        filters = make_audience_filters(issue, now=now, at_once=at_once, rehearsed=rehearsed)
        counted = count_audience(**filters, now=now)
        return add_unsubscribed_to_exclusions(issue, counted=counted)

    return count_or_recall("people", select, count, now=now)


def add_unsubscribed_to_exclusions(issue: Issue, *, counted: AudienceCount) -> AudienceCount:
    """Count everybody whom the issue names as candidates, and those no longer on the list as excluded.

    A correction names who was misinformed; an issue that completes a cancelled send names who was not reached.
    """
    named_ids = find_named_ids(issue)
    if named_ids is None:
        return counted
    people = named_ids.distinct().count()
    unsubscribed = people - counted.candidates
    excluded = {**counted.excluded, **({NOT_ON_LIST: unsubscribed} if unsubscribed else {})}
    return replace(counted, candidates=people, excluded=excluded)


def count_final_audience(
    issue: Issue,
    *,
    content: IssueContent,
    now: datetime,
    at_once: bool = False,
    grouped: "tuple[list[RecipientGroup], GroupVisibility] | None" = None,
) -> AudienceCount:
    """Count as `count_people` does, but exclude people for whom the issue has nothing that they asked for.

    ``grouped`` is what `group_recipients` returned for the same arguments, if the caller has it.
    """
    counted = count_people(issue, now=now, at_once=at_once)
    groups, visibility = grouped or group_recipients(issue, content=content, now=now, at_once=at_once)
    empty: Counter[str] = Counter()
    for group in groups:
        if reason := visibility.choose(group).empty_reason:
            empty[reason] += group.people
    eligible = max(counted.eligible - empty.total(), 0)  # on a page, the two may have been counted at different times
    return replace(counted, eligible=eligible, excluded={**counted.excluded, **empty})
