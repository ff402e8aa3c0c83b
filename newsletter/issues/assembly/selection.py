"""Choose the stories, events and appeals of an issue, and give each candidate its reason."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import F, Prefetch, Q

from newsletter.common.messages import Message
from newsletter.issues.snapshot.consent_rules import EMAIL, find_display_restriction, make_consent_record
from newsletter.models import Appeal, EventNotice, Issue, Publication, Source, Story, StoryPlacement

MAX_CANDIDATES = 200
STALE_SOURCE_AGE = timedelta(days=8)


@dataclass(frozen=True)
class Reason:
    """The reason why a candidate is chosen or not, for staff. ``kind`` is story, event or appeal."""

    kind: str
    id: int
    title: str
    chosen: bool
    why: str


@dataclass(frozen=True)
class Choice:
    """The chosen content of an issue, with the reasons of all candidates."""

    stories: list[Story]
    events: list[EventNotice]
    appeals: list[Appeal]
    reasons: list[Reason]


def choose_content(
    *,
    publication: Publication,
    new_since: datetime | None,
    due_at: datetime,
    now: datetime,
    exclude_issue: Issue | None = None,
) -> Choice:
    """Choose content for the issue due at ``due_at``. ``new_since`` is when the last issue was assembled, None for the first.

    ``exclude_issue`` is the issue to assemble again: its own stories may be chosen again.
    """
    stories, story_reasons = choose_stories(
        publication=publication, new_since=new_since, due_at=due_at, now=now, exclude_issue=exclude_issue
    )
    events, event_reasons = choose_events(publication=publication, due_at=due_at, now=now)
    appeals, appeal_reasons = choose_appeals()
    return Choice(stories, events, appeals, story_reasons + event_reasons + appeal_reasons)


def choose_appeals() -> tuple[list[Appeal], list[Reason]]:
    """Return every enabled appeal. Each recipient sees the first that is for them."""
    appeals = list(Appeal.objects.filter(enabled=True))
    return appeals, [
        Reason(
            "appeal",
            appeal.pk,
            appeal.headline,
            True,
            Message("shown to: %(appeal)s", appeal=appeal.get_audience_display().lower()),
        )
        for appeal in appeals
    ]


def choose_stories(
    *,
    publication: Publication,
    new_since: datetime | None,
    due_at: datetime,
    now: datetime,
    exclude_issue: Issue | None = None,
) -> tuple[list[Story], list[Reason]]:
    """Choose as many stories as the publication's rule says, newest first. Every recent candidate has a reason.

    Stories without a date come last, because nobody knows how old they are.
    """
    oldest = due_at - timedelta(days=publication.days_back)
    sources = set(publication.sources.values_list("pk", flat=True))
    wanted = {topic.pk for topic in publication.topics.all()}
    placed = StoryPlacement.objects.filter(publication=publication, kind=Issue.Kind.ISSUE).select_related("issue")
    if exclude_issue is not None:
        placed = placed.exclude(issue=exclude_issue)
    candidates = (
        Story.objects.published_or_seen_since(oldest)
        .filter(same_as__isnull=True)
        .select_related("source", "picture")
        .prefetch_related("topics", "origins__source", Prefetch("placements", queryset=placed, to_attr="placed_here"))
        .order_by(F("published_at").desc(nulls_last=True), F("published_or_seen_at").desc(), "-pk")[:MAX_CANDIDATES]
    )
    chosen: list[Story] = []
    reasons: list[Reason] = []
    for story in candidates:
        exclusion = _find_exclusion_reason(story, publication, sources, wanted, new_since, now)
        if not exclusion:
            required = publication.consent_required
            consent = make_consent_record(story)
            exclusion = find_display_restriction(consent, channel=EMAIL, at=due_at, required=required) or ""
        if not exclusion and len(chosen) >= publication.stories:
            exclusion = Message("the issue holds %(stories)s stories at most", stories=publication.stories)
        if exclusion:
            reasons.append(
                Reason("story", story.pk, story.title, False, Message("left out: %(reason)s", reason=exclusion))
            )
            continue
        topics = ", ".join(topic.name for topic in story.topics.all() if not wanted or topic.pk in wanted)
        chosen.append(story)
        why = Message("newest") if story.published_at else Message("no date at its source, so after the others")
        if topics:
            why = Message("%(why)s, topic %(topics)s", why=why, topics=topics)
        reasons.append(Reason("story", story.pk, story.title, True, why))
    return chosen, reasons


def _find_exclusion_reason(
    story: Story,
    publication: Publication,
    sources: set[int],
    wanted: set[int],
    new_since: datetime | None,
    now: datetime,
) -> str:
    already = getattr(story, "placed_here", [])
    published_or_seen_at: datetime = getattr(story, "published_or_seen_at")  # noqa: B009 - an annotation, unknown to the model's type
    if already:
        return Message("already in No. %(number)s", number=already[0].issue.number)
    listed_by: list[Source | None] = [origin.source for origin in story.origins.all()]
    listed_by = listed_by or [story.source]
    if sources and story.source_id is not None and sources.isdisjoint(source.pk for source in listed_by if source):
        return Message("its source is not one of this publication's")
    if stale := min((_find_stale_reason(source, now) for source in listed_by), default=""):
        return stale
    if wanted and not wanted & {topic.pk for topic in story.topics.all()}:
        return Message("none of this publication's topics")
    if story.language and story.language.split("-")[0] != publication.language.split("-")[0]:
        return Message("written in another language (%(language)s)", language=story.language)
    if published_or_seen_at > now:
        return Message("dated in the future")
    if new_since and max(published_or_seen_at, story.seen_at) < new_since:
        return Message("was a candidate for an earlier issue that was full")
    return ""


def choose_events(
    *, publication: Publication, due_at: datetime, now: datetime
) -> tuple[list[EventNotice], list[Reason]]:
    """Choose the next date of each coming event, by date."""
    sources = list(publication.sources.values_list("pk", flat=True))
    ahead = EventNotice.objects.filter(
        starts_at__gt=due_at, starts_at__lte=due_at + timedelta(days=publication.days_ahead)
    )
    if sources:
        ahead = ahead.filter(Q(source__in=sources) | Q(source__isnull=True))
    chosen: list[EventNotice] = []
    reasons: list[Reason] = []
    seen: set[tuple[str, str]] = set()
    for event in ahead.select_related("source").order_by("starts_at", "pk")[:MAX_CANDIDATES]:
        exclusion = _find_event_exclusion_reason(event, seen, now)
        if exclusion:
            reasons.append(
                Reason("event", event.pk, str(event), False, Message("left out: %(reason)s", reason=exclusion))
            )
            continue
        seen.add((event.title, event.place_text))
        chosen.append(event)
        location = (
            Message("online, for everybody")
            if event.online
            else event.town or event.region or Message("its location is not known")
        )
        reasons.append(
            Reason("event", event.pk, str(event), True, Message("coming up; %(location)s", location=location))
        )
    return chosen, reasons


def find_event_exclusion_reason(event: EventNotice, *, publication: Publication, due_at: datetime) -> str:
    """Return why an event was no candidate at all, for staff; "" if it was one."""
    if event.starts_at <= due_at:
        return Message("it begins before the issue goes out")
    if event.starts_at > due_at + timedelta(days=publication.days_ahead):
        return Message(
            "too far ahead: the issue covers the next %(days_ahead)s days", days_ahead=publication.days_ahead
        )
    sources = set(publication.sources.values_list("pk", flat=True))
    if sources and event.source_id is not None and event.source_id not in sources:
        return Message("its source is not one of this publication's")
    return ""


def has_new_event(events: list[EventNotice], *, since: datetime | None) -> bool:
    """Return True if one of these events was unknown when the last issue was assembled."""
    if since is None:
        return bool(events)
    known = set(EventNotice.objects.filter(seen_at__lt=since).values_list("title", "place_text"))
    return any((event.title, event.place_text) not in known for event in events)


def _find_event_exclusion_reason(event: EventNotice, seen: set[tuple[str, str]], now: datetime) -> str:
    if event.cancelled:
        return Message("cancelled")
    if stale := _find_stale_reason(event.source, now):
        return stale
    if (event.title, event.place_text) in seen:
        return Message("a later date of an event that is in")
    if not event.online and event.latitude is None and not event.region:
        note = event.note or Message("give it a location or mark it as online")
        return Message("its location is not known: %(note)s", note=note)
    return ""


def _find_stale_reason(source: Source | None, now: datetime) -> str:
    """Return why the content of a source is out of date, or "". A disabled source is left for staff to judge."""
    if (
        source is None
        or not source.enabled
        or source.last_success_at is None
        or source.last_success_at >= now - STALE_SOURCE_AGE
    ):
        return ""
    return Message(
        "its source has not been readable since %(last_success_at)s", last_success_at=source.last_success_at.date()
    )
