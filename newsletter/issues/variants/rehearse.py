"""Rehearse a send: who would get an issue now, in numbers by version, language, topic and zone. Nothing is stored or sent."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count

from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.issues.snapshot.resolve import resolve_complete_content
from newsletter.issues.variants.count_recipients import count_people
from newsletter.issues.variants.reader_zones import add_up_zones
from newsletter.issues.variants.recipient_groups import RecipientGroup, count_groups, find_recipients, limit_groups
from newsletter.issues.visible.variant_labels import describe_visible
from newsletter.models import Issue
from subscribers.models import Topic


@dataclass(frozen=True)
class RehearsedVersion:
    """One mail and how many people would get it. ``label`` says who they are, in the current language."""

    key: str
    label: str
    language: str
    people: int


@dataclass(frozen=True)
class Rehearsal:
    """Numbers of people. Candidates are recipients and excluded; versions, languages and zones add up to recipients.

    ``topics`` counts those who may be mailed by the slugs that they chose, in each of them, and by "" if they chose none.
    """

    candidates: int
    recipients: int
    excluded: Mapping[str, int]
    versions: list[RehearsedVersion]
    languages: Mapping[str, int]
    topics: Mapping[str, int]
    zones: Mapping[str, int]


def rehearse_send(issue: Issue, *, now: datetime) -> Rehearsal:
    """Return who would get the issue at ``now``. Raises what `resolve_complete_content` raises.

    Recipients are added up from their groups, which one statement counts, so the numbers agree while people join and leave.
    """
    content = resolve_complete_content(issue)
    counted = count_people(issue, now=now, rehearsed=True)
    by_zone = count_groups(issue, content=content, now=now, with_zones=True)
    groups, visibility = limit_groups(_add_up_groups(by_zone), content=content, rehearsed=issue.is_welcome)
    labels: dict[str, tuple[str, str]] = {}
    people: Counter[str] = Counter()
    empty: Counter[str] = Counter()
    languages: Counter[str] = Counter()
    for group in groups:
        visible = visibility.choose(group)
        if visible.is_empty:
            empty[visible.empty_reason] += group.people
            continue
        language = visible.language or content.publication.language
        labels.setdefault(visible.key, (describe_visible(visible), language))
        people[visible.key] += group.people
        languages[language] += group.people
    recipients, excluded = people.total(), {**counted.excluded, **empty}
    return Rehearsal(
        candidates=recipients + sum(excluded.values()),
        recipients=recipients,
        excluded=excluded,
        versions=[
            RehearsedVersion(key=key, label=labels[key][0], language=labels[key][1], people=number)
            for key, number in people.most_common()
        ],
        languages=dict(languages.most_common()),
        topics=_count_topics(issue, content=content, now=now, everybody=recipients + empty.total()),
        zones=dict(add_up_zones(by_zone, content=content).most_common()),
    )


def _add_up_groups(by_zone: Iterable[tuple[str, RecipientGroup]]) -> list[RecipientGroup]:
    people: Counter[RecipientGroup] = Counter()
    for _zone, group in by_zone:
        people[group._replace(people=0)] += group.people
    return [group._replace(people=number) for group, number in people.items()]


def _count_topics(issue: Issue, *, content: IssueContent, now: datetime, everybody: int) -> dict[str, int]:
    slugs = dict(Topic.objects.order_by("slug").values_list("pk", "slug"))
    if not slugs:
        return {"": everybody}
    recipients = find_recipients(issue, content=content, now=now)
    chosen = recipients.filter(subscriber__topics__in=list(slugs)).values_list("subscriber__topics")
    people = dict(chosen.annotate(people=Count("pk")))
    none = recipients.exclude(subscriber__topics__in=list(slugs)).count()
    return {**{slug: people[topic] for topic, slug in slugs.items() if topic in people}, "": none}
