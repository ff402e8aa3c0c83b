"""The recipients of an issue that can still change, by the choices that change their mail: topics and language."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from django.db.models import Count
from django.utils.translation import gettext as _

from newsletter.common.translation import language_label
from newsletter.desk.shell.charts import Point
from newsletter.issue_checks.variant_groups import VariantGroup
from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.issues.variants.recipient_groups import find_recipients
from newsletter.issues.visible.interests import list_topic_stories
from newsletter.models import Issue
from subscribers.models import Topic

TopicCount = tuple[int | None, int]
"""The id of a topic, None for people who chose none, and a number of people."""


def count_topics(issue: Issue, *, content: IssueContent, now: datetime) -> list[TopicCount]:
    """Return how many recipients chose each topic that counts, and how many chose none; [] if topics decide nothing.

    People who chose several topics count in each of them.
    """
    if not list_topic_stories(content):
        return []
    topic_ids = content.publication.topic_ids or list(Topic.objects.values_list("pk", flat=True))
    recipients = find_recipients(issue, content=content, now=now)
    chosen = recipients.filter(subscriber__topics__in=topic_ids).values_list("subscriber__topics")
    people = dict(chosen.annotate(people=Count("pk")))
    none = recipients.exclude(subscriber__topics__in=topic_ids).count()
    return [*((topic, people.get(topic, 0)) for topic in topic_ids), (None, none)]


def draw_topics(counted: Sequence[TopicCount]) -> list[Point]:
    """Return the counts as bars, topics by name."""
    people = dict(counted)
    names = Topic.objects.filter(pk__in=[topic for topic in people if topic]).order_by("name").values_list("pk", "name")
    by_topic = [Point(label=name, value=people[topic]) for topic, name in names]
    return [*by_topic, Point(label=_("Chose no topic"), value=people[None])] if people else []


def count_by_language(content: IssueContent, *, groups: Sequence[VariantGroup]) -> list[Point]:
    """Return how many recipients get the issue in each language; [] if it is in one."""
    if not content.versions:
        return []
    people: Counter[str] = Counter()
    for group in groups:
        people[group.visible.language] += group.people
    return [Point(label=language_label(code).capitalize(), value=number) for code, number in people.most_common()]
