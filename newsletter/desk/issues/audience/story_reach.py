"""Count the recipients of each story of an issue, if not everybody gets the same stories in the same order."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from newsletter.issue_checks.variant_groups import VariantGroup
from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.issues.visible.interests import list_topic_stories
from newsletter.issues.visible.visible_content import filter_visible
from subscribers.models import Topic


@dataclass(frozen=True)
class StoryReach:
    """A story, the names of the topics that decide about it, its recipients, and how many of them get it first."""

    title: str
    topics: str
    people: int
    first: int


def count_story_reach(content: IssueContent, *, groups: Sequence[VariantGroup]) -> list[StoryReach]:
    """Return the stories in the order of the issue. Return none if everybody gets the same ones in this order."""
    deciding = {story.id for story in list_topic_stories(content)}
    if not deciding and not any(group.visible.hidden for group in groups):
        return []
    names = dict(Topic.objects.values_list("pk", "name"))
    orders = [(group.people, _list_shown(content, group)) for group in groups]
    return [
        StoryReach(
            title=story.title,
            topics=", ".join(names[topic] for topic in story.topic_ids if topic in names)
            if story.id in deciding
            else _("For everybody"),
            people=sum(people for people, shown in orders if story.id in shown),
            first=sum(people for people, shown in orders if shown[:1] == [story.id]),
        )
        for story in content.stories
    ]


def _list_shown(content: IssueContent, group: VariantGroup) -> list[int]:
    if group.visible.only_events:
        return []
    return [story.id for story in filter_visible(content, visible=group.visible, only_events_subject="").stories]
