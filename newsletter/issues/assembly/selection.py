"""Which stories, events and appeals an issue starts from, and why each candidate is in or out."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import F, Prefetch, Q

from newsletter.common.messages import Message
from newsletter.issues.snapshot.consent_rules import EMAIL, find_display_restriction, make_consent_record
from newsletter.models import Appeal, EventNotice, Issue, PlacedStory, Publication, Source, Story

MAX_CANDIDATES = 200
STALE_SOURCE_AGE = timedelta(days=8)


@dataclass(frozen=True)
class Reason:
    """Why one candidate is in or out, in words for staff. ``kind`` is story, event or appeal."""

    kind: str
    id: int
    title: str
    chosen: bool
    why: str


@dataclass(frozen=True)
class Choice:
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
    """Candidates for the issue due at ``due_at``; ``new_since`` is when the one before was assembled, None for the first.

    ``exclude_issue`` is the issue to assemble again: that its stories stand in it is nothing against them.
    """
    stories, story_reasons = choose_stories(
        publication=publication, new_since=new_since, due_at=due_at, now=now, exclude_issue=exclude_issue
    )
    events, event_reasons = choose_events(publication=publication, due_at=due_at, now=now)
    appeals, appeal_reasons = choose_appeals()
    return Choice(stories, events, appeals, story_reasons + event_reasons + appeal_reasons)


def choose_appeals() -> tuple[list[Appeal], list[Reason]]:
    """Every appeal in use; each reader sees the first that is for people like them."""
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
    """As many as the publication's rule says; every recent candidate has a reason.

    Newest first, and those without a date after all that have one: nobody knows how old they are.
    """
    oldest = due_at - timedelta(days=publication.days_back)
    sources = set(publication.sources.values_list("pk", flat=True))
    wanted = {topic.pk for topic in publication.topics.all()}
    placed = PlacedStory.objects.filter(publication=publication, kind=Issue.Kind.ISSUE).select_related("issue")
    if exclude_issue is not None:
        placed = placed.exclude(issue=exclude_issue)
    candidates = (
        Story.objects.published_or_seen_since(oldest)
        .filter(same_as__isnull=True)
        .select_related("source", "picture")
        .prefetch_related("topics", "origins__source", Prefetch("placed", queryset=placed, to_attr="placed_here"))
        .order_by(F("published_at").desc(nulls_last=True), F("published_or_seen_at").desc(), "-pk")[:MAX_CANDIDATES]
    )
    chosen: list[Story] = []
    reasons: list[Reason] = []
    for story in candidates:
        against = _find_exclusion_reason(story, publication, sources, wanted, new_since, now)
        if not against:
            required = publication.consent_required
            consent = make_consent_record(story)
            against = find_display_restriction(consent, channel=EMAIL, at=due_at, required=required) or ""
        if not against and len(chosen) >= publication.stories:
            against = Message("no room: the issue takes %(stories)s", stories=publication.stories)
        if against:
            reasons.append(
                Reason("story", story.pk, story.title, False, Message("left out: %(against)s", against=against))
            )
            continue
        topics = ", ".join(topic.name for topic in story.topics.all() if not wanted or topic.pk in wanted)
        chosen.append(story)
        why = (
            Message("newest") if story.published_at else Message("no date at the source, so after those that have one")
        )
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
        return Message("was there for an earlier issue, which had no room for it")
    return ""


def choose_events(
    *, publication: Publication, due_at: datetime, now: datetime
) -> tuple[list[EventNotice], list[Reason]]:
    """Everything ahead that a reader somewhere may see: the next date of each event, by date."""
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
        against = _find_event_exclusion_reason(event, seen, now)
        if against:
            reasons.append(
                Reason("event", event.pk, str(event), False, Message("left out: %(against)s", against=against))
            )
            continue
        seen.add((event.title, event.place_text))
        chosen.append(event)
        where = (
            Message("online, for everybody")
            if event.online
            else event.town or event.region or Message("its place is not known")
        )
        reasons.append(Reason("event", event.pk, str(event), True, Message("ahead; %(where)s", where=where)))
    return chosen, reasons


def find_event_exclusion_reason(event: EventNotice, *, publication: Publication, due_at: datetime) -> str:
    """Why the rules did not even look at an event, in words for staff; "" where they would have."""
    if event.starts_at <= due_at:
        return Message("it begins before the issue goes out")
    if event.starts_at > due_at + timedelta(days=publication.days_ahead):
        return Message("too far ahead: the issue looks %(days_ahead)s days ahead", days_ahead=publication.days_ahead)
    sources = set(publication.sources.values_list("pk", flat=True))
    if sources and event.source_id is not None and event.source_id not in sources:
        return Message("its source is not one of this publication's")
    return ""


def has_new_event(events: list[EventNotice], *, since: datetime | None) -> bool:
    """Whether any of these was not known, at any date, when the issue before was assembled."""
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
        note = event.note or Message(Message("give it a place or mark it as online"))
        return Message(Message("its place is not known: %(note)s"), note=note)
    return ""


def _find_stale_reason(source: Source | None, now: datetime) -> str:
    """Why what a source gave can no longer be trusted, or "". A source that staff switched off is theirs to judge."""
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
