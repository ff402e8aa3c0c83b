"""The blocks of a welcome mail that a rule fills each time: the best story of the last month, the next event.

Only stories of issues that were sent are chosen, so staff saw them before.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q, Sum
from wagtail.blocks import StructValue

from newsletter.issues.snapshot.consent_rules import EMAIL, find_display_restriction, make_consent_record
from newsletter.issues.snapshot.records.blocks import Block, EventsBlock, LeadStoryBlock
from newsletter.issues.snapshot.resolve_blocks import resolve_event
from newsletter.issues.snapshot.resolve_stories import LEAD_FORMAT, IssueContext, make_page_end, resolve_story
from newsletter.issues.snapshot.show_rules import resolve_show_rules
from newsletter.models import EventNotice, Issue, LinkClicks, Publication, Send

BEST_STORY, NEXT_EVENT = "best_story", "next_event"
FILLED_BLOCKS = (BEST_STORY, NEXT_EVENT)
STORY_PERIOD = timedelta(days=31)
MAX_STORIES_TO_CHOOSE = 6
_MAX_EVENTS = 200


def fill_block(
    kind: str, value: StructValue, *, issue: Issue, key: str, context: IssueContext, now: datetime
) -> list[Block]:
    """Return the block with the rule's current choice, and the blocks that readers see instead, or []."""
    blocks: Iterable[LeadStoryBlock | EventsBlock]
    if kind == BEST_STORY:
        blocks = _fill_best_story(issue, key=key, context=context, now=now)
    else:
        blocks = _fill_next_event(issue.publication, heading=value["heading"], key=key, now=now)
    rules = resolve_show_rules(value.get("show_to"))
    return [replace(block, shown_to=rules) if rules else block for block in blocks]


def iterate_sent_stories(publication: Publication, *, since: datetime) -> Iterator[tuple[Issue, Any, bool]]:
    """Yield (issue, story block value, whether it led) of every issue sent since then, newest first."""
    sent = Send.objects.filter(started_at__gte=since).exclude(state=Send.State.CANCELLED).values("issue")
    issues = publication.issues.filter(
        pk__in=sent, kind=Issue.Kind.ISSUE, state__in=[Issue.State.SENDING, Issue.State.SENT]
    )
    for issue in issues.order_by("-number"):
        for child in issue.body:
            if child.block_type == "lead_story" and child.value["story"]:
                yield issue, child.value, True
            elif child.block_type == "stories":
                yield from ((issue, value, False) for value in child.value["stories"] if value["story"])


def _fill_best_story(issue: Issue, *, key: str, context: IssueContext, now: datetime) -> Iterator[LeadStoryBlock]:
    """Choose the stories with the most clicks where clicks are counted, then a lead story, then the newest.

    Each mail of a welcome begins with another one: the second mail with the second best. Readers who had it see the next.
    """
    publication = issue.publication
    values: dict[int, tuple[Any, bool]] = {}
    for _issue, value, led in iterate_sent_stories(publication, since=now - STORY_PERIOD):
        story = value["story"]
        consent = make_consent_record(story)
        if not find_display_restriction(consent, channel=EMAIL, at=now, required=publication.consent_required):
            values.setdefault(story.same_as_id or story.pk, (value, led))
    clicks = _count_clicks(publication, since=now - STORY_PERIOD)
    best = sorted(values.values(), key=lambda candidate: (-count_clicks_on(candidate[0], clicks), not candidate[1]))
    rank = _count_earlier_best_stories(issue)
    for place, (value, _led) in enumerate([*best[rank:], *best[:rank]][:MAX_STORIES_TO_CHOOSE]):
        story = resolve_story(value, format_name=LEAD_FORMAT, context=context)
        if story:
            yield LeadStoryBlock(
                key=f"{key}-{place + 1}" if place else key,
                story=story,
                by_rule=True,
                instead_of=key if place else "",
                needed=issue.number > 1,
            )


def _count_clicks(publication: Publication, *, since: datetime) -> dict[str, int]:
    """Return the number of people's clicks on each address in the publication's issues; {} if none are counted."""
    clicks = LinkClicks.objects.filter(issue__publication=publication, day__gte=since.date())
    return dict(clicks.values_list("url").annotate(Sum("people")))


def count_clicks_on(value: StructValue, clicks: Mapping[str, int]) -> int:
    """Return the clicks on the page that a story's headline leads to. Its page in our archive has an address in each issue."""
    story = value["story"]
    if page := value["link"] or story.url:
        return clicks.get(page, 0)
    end = make_page_end(story.pk)
    return sum(people for url, people in clicks.items() if url.endswith(end))


def _count_earlier_best_stories(issue: Issue) -> int:
    earlier = issue.publication.issues.filter(kind=Issue.Kind.WELCOME, number__lt=issue.number, on_since__isnull=False)
    return sum(1 for earlier_issue in earlier for block in earlier_issue.body if block.block_type == BEST_STORY)


def _fill_next_event(publication: Publication, *, heading: str, key: str, now: datetime) -> list[EventsBlock]:
    """Choose the events that the publication's issues would announce: each reader sees the next one near them."""
    if not publication.events:
        return []
    ahead = EventNotice.objects.filter(
        starts_at__gt=now, starts_at__lte=now + timedelta(days=publication.days_ahead), cancelled=False
    )
    sources = list(publication.sources.values_list("pk", flat=True))
    if sources:
        ahead = ahead.filter(Q(source__in=sources) | Q(source__isnull=True))
    located = ahead.filter(Q(online=True) | Q(latitude__isnull=False) | ~Q(region=""))
    events = tuple(resolve_event(event) for event in located.order_by("starts_at", "pk")[:_MAX_EVENTS])
    return [EventsBlock(key=key, heading=heading, events=events, by_rule=True)] if events else []
