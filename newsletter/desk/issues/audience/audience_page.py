"""The page “Audience and versions”: recipients by version, story and region, exclusions, and unusual recipients."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypedDict

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from newsletter.common.errors import DomainError
from newsletter.desk.issues.audience.audience_figures import find_audience_figures
from newsletter.desk.issues.audience.audience_summary import AudienceSummary, summarise_audience
from newsletter.desk.issues.audience.edge_cases import EdgeCase, show_edge_cases
from newsletter.desk.issues.audience.reader_groups import count_by_language, draw_topics
from newsletter.desk.issues.checking.finding_locations import MissingPart, list_missing_parts
from newsletter.desk.issues.issue_page import IssuePage
from newsletter.desk.issues.languages.language_gaps import languages_context
from newsletter.desk.preview.person import can_preview_people
from newsletter.desk.sends.local_hours import hours_ahead_context
from newsletter.desk.shell.charts import Point, draw_bars
from newsletter.issue_checks.block_reach import BlockReach, count_block_reach
from newsletter.issue_checks.variant_groups import VariantGroup, find_variant_groups
from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.issues.snapshot.resolve import resolve_complete_content
from newsletter.issues.snapshot.revisions import find_sealed_revision
from newsletter.issues.variants.recipient_groups import GroupVisibility
from newsletter.issues.visible.interests import list_topic_stories
from newsletter.issues.visible.visible_content import filter_visible
from newsletter.models import Issue
from subscribers.desk.count_again import label_counted, make_count_again_url, wants_count
from subscribers.models import Topic

MAX_VARIANTS_SHOWN = 100


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
            people=sum(people for people, story_ids in orders if story.id in story_ids),
            first=sum(people for people, story_ids in orders if story_ids[:1] == [story.id]),
        )
        for story in content.stories
    ]


def _list_shown(content: IssueContent, group: VariantGroup) -> list[int]:
    if group.visible.only_events:
        return []
    return [story.id for story in filter_visible(content, visible=group.visible, only_events_subject="").stories]


class AudienceContext(TypedDict, total=False):
    """The context of desk/issue_audience.html: only ``issue`` and ``missing_parts`` if the mail cannot be made yet.

    ``counted`` says when the audience was counted if that was not for this page.
    """

    issue: Issue
    missing_parts: list[MissingPart]
    audience: AudienceSummary
    region_chart: str
    topic_chart: str
    language_chart: str
    story_reach: list[StoryReach]
    block_reach: list[BlockReach]
    variant_groups: list[VariantGroup]
    more_groups: int
    version_count: int
    edge_cases: list[EdgeCase]
    counted: str
    count_again_url: str
    can_edit: bool
    can_preview_people: bool


class IssueAudience(IssuePage):
    template_name = "desk/issue_audience.html"
    header_icon = "group"
    page_title = gettext_lazy("Audience and versions")

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        now = timezone.now()
        languages = languages_context(self.issue, now=now)
        hours = {} if find_sealed_revision(self.issue) else hours_ahead_context(self.issue, now=now)
        return {**super().get_context_data(**kwargs), **languages, **hours, **self._audience_context()}

    def _audience_context(self) -> AudienceContext:
        issue, now = self.issue, timezone.now()
        try:
            content = resolve_complete_content(issue)
            figure = find_audience_figures(issue, content=content, now=now, again=wants_count(self.request))
        except (DomainError, OSError) as error:
            return {"issue": issue, "missing_parts": list_missing_parts(issue, error)}
        figures = figure.value
        visibility = GroupVisibility(content, groups=figures.groups)
        groups = find_variant_groups(issue, content=content, groups=figures.groups)
        audience = summarise_audience(issue, groups=figures.groups, visibility=visibility, counted=figures.counted)
        bars = [Point(label=region.name, value=region.people) for region in audience.regions if region.people]
        return {
            "issue": issue,
            "audience": audience,
            "counted": label_counted(figure.counted_at) if figure.counted_at else "",
            "count_again_url": make_count_again_url(self.request),
            "region_chart": _draw(bars, title=_("By region")),
            "topic_chart": _draw(draw_topics(figures.topics), title=_("By topic")),
            "language_chart": _draw(count_by_language(content, groups=groups), title=_("By language")),
            "story_reach": count_story_reach(content, groups=groups),
            "block_reach": count_block_reach(content, groups=groups),
            "variant_groups": groups[:MAX_VARIANTS_SHOWN],
            "more_groups": max(len(groups) - MAX_VARIANTS_SHOWN, 0),
            "version_count": len(groups),
            "edge_cases": show_edge_cases(figures.edge_cases),
            "can_edit": self.request.user.has_perm("newsletter.change_issue"),
            "can_preview_people": can_preview_people(self.request.user),
        }


def _draw(bars: Sequence[Point], *, title: str) -> str:
    return draw_bars(bars, title=title, summary="", unit=_("People")) if bars else ""
