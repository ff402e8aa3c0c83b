"""The counted audience of an issue: that of its send once there is one, else that of now, kept if it takes long to count."""

from dataclasses import dataclass, field
from datetime import datetime

from django.utils.translation import get_language

from newsletter.desk.issues.audience.edge_cases import find_edge_cases
from newsletter.desk.issues.audience.reader_groups import TopicCount, count_topics
from newsletter.issue_checks.variant_groups import find_variant_groups
from newsletter.issues.approval.approved_audience import describe_audience, hash_audience
from newsletter.issues.snapshot.records.content import IssueContent, hash_content
from newsletter.issues.snapshot.revisions import find_sealed_send
from newsletter.issues.variants.count_recipients import count_final_audience
from newsletter.issues.variants.recipient_groups import RecipientGroup, group_recipients, make_stored_group
from newsletter.models import Issue, Send
from subscribers.audience.count_cache import Figure, recall_or_count
from subscribers.audience.counting import AudienceCount


@dataclass(frozen=True)
class AudienceFigures:
    """``groups`` are the recipients, largest first. ``edge_cases`` are row ids of people with why each is unusual."""

    groups: list[RecipientGroup]
    counted: AudienceCount
    topics: list[TopicCount] = field(default_factory=list)
    edge_cases: list[tuple[int, str]] = field(default_factory=list)


def find_audience_figures(
    issue: Issue, *, content: IssueContent, now: datetime, again: bool = False
) -> Figure[AudienceFigures]:
    """Return the audience that the issue was frozen with, or that of ``now`` with the facts to check before a send."""
    send = find_sealed_send(issue)
    if send and send.recipients:
        return Figure(_read_send(send))
    return recall_or_count(
        f"audience in {get_language()} of issue {issue.pk}, {hash_content(content)} for "
        f"{hash_audience(describe_audience(issue))}",
        lambda: _count(issue, content=content, now=now),
        now=now,
        again=again,
    )


def _read_send(send: Send) -> AudienceFigures:
    rows = send.revision.groups.filter(variant__isnull=False, people__gt=0).order_by("-people", "pk")
    counted = AudienceCount(candidates=send.candidates, eligible=send.recipients, excluded=dict(send.excluded))
    return AudienceFigures(groups=[make_stored_group(row) for row in rows], counted=counted)


def _count(issue: Issue, *, content: IssueContent, now: datetime) -> AudienceFigures:
    grouped = groups, _visibility = group_recipients(issue, content=content, now=now)
    counted = count_final_audience(issue, content=content, now=now, grouped=grouped)
    variants = find_variant_groups(issue, content=content, groups=groups)
    return AudienceFigures(
        groups=groups,
        counted=counted,
        topics=count_topics(issue, content=content, now=now),
        edge_cases=find_edge_cases(issue, content=content, readers=groups, groups=variants, now=now)
        if counted.eligible
        else [],
    )
