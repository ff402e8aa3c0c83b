"""The rules that select the people of an issue: its list, its segments, and the people whom its kind names."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypedDict

from django.db.models import QuerySet

from newsletter.issues.variants.event_mentions import find_misinforming_deliveries
from newsletter.issues.variants.mail_budget import find_over_budget
from newsletter.issues.variants.unreached import find_root, find_unreached
from newsletter.issues.welcome.due_people import find_due_steps
from newsletter.models import Delivery, Issue
from subscribers.audience.eligibility import ANY_FREQUENCY, AudienceFilters, eligible
from subscribers.models import Frequency, Segment

FREQUENCIES = {
    Issue.Kind.ISSUE: frozenset({Frequency.EVERY, Frequency.EVENTS}),
    Issue.Kind.DIGEST: frozenset({Frequency.MONTHLY}),
    Issue.Kind.CORRECTION: ANY_FREQUENCY,
    Issue.Kind.WELCOME: ANY_FREQUENCY,
}


def find_audience_segment(issue: Issue) -> Segment | None:
    """Return the segment, an unsaved one if two are combined, or None for the whole list."""
    both = list_audience_segments(issue)
    if len(both) < 2:
        return both[0] if both else None
    return Segment(
        name=" + ".join(segment.name for segment in both), rule={"all": [part.rule for part in both if part.rule]}
    )


def list_audience_segments(issue: Issue) -> list[Segment]:
    """Return the segments whose rules all recipients match: that of the publication, then that of the issue.

    An issue that completes a cancelled send has none: its recipients were chosen for that send.
    """
    if issue.completes_id is not None:
        return []
    return [segment for segment in (issue.publication.segment, issue.segment) if segment is not None]


class NamedAudience(TypedDict):
    """The slugs and the names of a list and of the segments that narrow it."""

    list: str
    list_name: str
    segments: Sequence[str]
    segment_names: Sequence[str]


def name_audience(issue: Issue) -> NamedAudience:
    """Return who the issue is for, as plain data for the receipt."""
    segments = [] if issue.kind == Issue.Kind.CORRECTION else list_audience_segments(issue)
    mailing_list = issue.publication.mailing_list
    return {
        "list": mailing_list.slug,
        "list_name": mailing_list.name,
        "segments": [segment.slug for segment in segments],
        "segment_names": [segment.name for segment in segments],
    }


def make_audience_filters(
    issue: Issue, *, now: datetime, at_once: bool = False, rehearsed: bool = False
) -> AudienceFilters:
    """Return who the issue is for at ``now``, without those who get too many mails by `find_over_budget`.

    A welcome mail that is ``rehearsed`` is for everybody on the list, as if they were new.
    """
    if rehearsed and issue.is_welcome:
        return select_list(issue)
    if issue.is_welcome:
        return {**select_list(issue), "subscriber_ids": find_welcome_ids(issue, now=now, at_once=at_once)}
    return {**select_people(issue), "over_budget": find_over_budget(issue, now=now, at_once=at_once)}


def find_welcome_ids(issue: Issue, *, now: datetime, at_once: bool = False) -> QuerySet[Any, int]:
    """Return the ids of the subscribers who get a welcome mail at ``now``.

    People who may not be mailed, or not yet, are no candidates. They are counted once, when their mail is settled.
    """
    due: QuerySet[Any, Any] = find_due_steps(issue, now=now).order_by().values_list("subscriber_id", flat=True)
    over_budget = find_over_budget(issue, now=now, at_once=at_once)
    waiting: AudienceFilters = {**select_list(issue), "subscriber_ids": due, "over_budget": over_budget}
    return eligible(**waiting, now=now).order_by().values_list("subscriber_id", flat=True)


def select_list(issue: Issue) -> AudienceFilters:
    """Return everybody on the issue's list who may be mailed, with any frequency."""
    return {
        "mailing_list": issue.publication.mailing_list,
        "frequencies": ANY_FREQUENCY,
        "charitable": issue.is_charitable,
    }


def select_people(issue: Issue) -> AudienceFilters:
    """Return who the issue is for, however many mails they get. It may be unsaved."""
    publication = issue.publication
    named_ids = find_named_ids(issue)
    if named_ids is not None:
        kind = find_root(issue).kind
        return {
            "mailing_list": publication.mailing_list,
            "frequencies": FREQUENCIES[Issue.Kind(kind)],
            "charitable": issue.is_charitable,
            "subscriber_ids": named_ids,
        }
    return {
        "mailing_list": publication.mailing_list,
        "segment": find_audience_segment(issue),
        "frequencies": FREQUENCIES[Issue.Kind(issue.kind)],
        "charitable": issue.is_charitable,
    }


def find_named_ids(issue: Issue) -> QuerySet[Delivery, int] | None:
    """Return the ids of the only subscribers whom the issue is for; None if list and segment decide."""
    if issue.completes_id is not None:
        return find_unreached(issue.completes_id).order_by().values_list("subscriber_id", flat=True)
    return _find_misinformed_ids(issue) if issue.kind == Issue.Kind.CORRECTION else None


def _find_misinformed_ids(issue: Issue) -> QuerySet[Delivery, int]:
    """Return the ids of misinformed subscribers: none if another issue announces the change instead."""
    if not hasattr(issue, "correction"):
        return Delivery.objects.none().values_list("subscriber_id", flat=True)
    return find_misinforming_deliveries(issue.correction).order_by().values_list("subscriber_id", flat=True)
