"""Choose the stories of an issue. A story is a candidate until it was in an issue, waited too long, or staff said no."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Case, Exists, F, IntegerField, Min, OuterRef, Prefetch, Q, Value, When

from newsletter.common.messages import Message, describe_days
from newsletter.issues.assembly.selection import MAX_CANDIDATES, Reason, find_other_version, find_stale_reason
from newsletter.issues.snapshot.consent_rules import EMAIL, find_display_restriction, make_consent_record
from newsletter.issues.snapshot.placements import find_released_placements
from newsletter.models import Issue, Publication, Source, Story, StoryPlacement, StoryRefusal


@dataclass(frozen=True)
class _Rules:
    """The rules of one choice. ``begins_at`` is when the publication's first issue was due; ``own`` are the issue's stories.

    ``placed_versions`` are the placements of stories in other issues by the original, for stories in several languages.
    """

    publication: Publication
    sources: set[int]
    topics: set[int]
    begins_at: datetime
    due_at: datetime
    now: datetime
    own: set[int]
    placed_versions: dict[int, list[StoryPlacement]] = field(default_factory=dict)


def choose_stories(*, issue: Issue, now: datetime) -> tuple[list[Story], list[Reason]]:
    """Choose as many stories as the publication's rule says, newest first. Every recent candidate has a reason.

    Stories without a date come last, because nobody knows how old they are. If the issue is saved, its own stories may
    be chosen again.
    """
    publication, due_at = issue.publication, issue.due_at or now
    rules = _Rules(
        publication=publication,
        sources=set(publication.sources.values_list("pk", flat=True)),
        topics={topic.pk for topic in publication.topics.all()},
        begins_at=_find_beginning(publication, default=due_at),
        due_at=due_at,
        now=now,
        own=set(issue.placements.values_list("story", flat=True)) if issue.pk else set(),
    )
    chosen: list[Story] = []
    reasons: list[Reason] = []
    for story in _list_candidates(rules, issue):
        exclusion = _find_exclusion_reason(story, rules)
        if not exclusion:
            required = publication.consent_required
            consent = make_consent_record(story)
            exclusion = find_display_restriction(consent, channel=EMAIL, at=due_at, required=required) or ""
        if not exclusion and len(chosen) >= publication.stories:
            exclusion = Message(
                "waits for the next issue: the limit of stories in this one is %(limit)s", limit=publication.stories
            )
        if exclusion:
            why = Message("left out: %(reason)s", reason=exclusion)
            other_issue = story.placed_here[0].issue_id if story.placed_here else 0
            reasons.append(Reason("story", story.pk, story.title, False, why, other_issue))
            continue
        topics = ", ".join(topic.name for topic in story.topics.all() if not rules.topics or topic.pk in rules.topics)
        chosen.append(story)
        why = Message("newest") if story.published_at else Message("no date at its source, so after the others")
        if topics:
            why = Message("%(why)s, topic %(topics)s", why=why, topics=topics)
        reasons.append(Reason("story", story.pk, story.title, True, why))
    return chosen, reasons


def _find_beginning(publication: Publication, *, default: datetime) -> datetime:
    """Return when the first issue was due, so that stories that were too old for it stay so."""
    first: datetime | None = publication.slots.filter(kind=Issue.Kind.ISSUE, assembled_at__isnull=False).aggregate(
        first=Min("due_at")
    )["first"]
    return min(first, default) if first else default


def _list_candidates(rules: _Rules, issue: Issue) -> list[Story]:
    """Return the stories to look at: those that may be chosen first, then those with another reason; newest first."""
    publication = rules.publication
    placed = StoryPlacement.objects.filter(publication=publication, kind=Issue.Kind.ISSUE)
    placed = placed.exclude(pk__in=find_released_placements(now=rules.now))
    if issue.pk:
        placed = placed.exclude(issue=issue)
    refused = StoryRefusal.objects.filter(Q(publication=publication) | Q(publication__isnull=True))
    versions = placed.filter(Q(story__translation_of__isnull=False) | Q(story__translations__isnull=False))
    for placement in versions.select_related("issue", "story").distinct():
        rules.placed_versions.setdefault(placement.story.translation_of_id or placement.story_id, []).append(placement)
    later = Q(Exists(placed.filter(story=OuterRef("pk")))) | Q(Exists(refused.filter(story=OuterRef("pk"))))
    if rules.topics:
        topics = Story.topics.through.objects.filter(topic__in=rules.topics)
        later |= ~Q(Exists(topics.filter(story=OuterRef("pk"))))
    days = publication.days_back + publication.waiting_days
    return list(
        Story.objects.published_or_seen_since(rules.due_at - timedelta(days=days))
        .filter(same_as__isnull=True)
        .annotate(later=Case(When(later, then=Value(1)), default=Value(0), output_field=IntegerField()))
        .select_related("source", "picture", "translation_of")
        .prefetch_related(
            "topics",
            "translations",
            "origins__source",
            Prefetch("placements", queryset=placed.select_related("issue"), to_attr="placed_here"),
            Prefetch("refusals", queryset=refused, to_attr="refused_here"),
        )
        .order_by("later", F("published_at").desc(nulls_last=True), F("published_or_seen_at").desc(), "-pk")[
            :MAX_CANDIDATES
        ]
    )


def _find_exclusion_reason(story: Story, rules: _Rules) -> str:
    already = [*getattr(story, "placed_here", []), *rules.placed_versions.get(story.translation_of_id or story.pk, [])]
    if already:
        other_issue: Issue = already[0].issue
        if other_issue.state in Issue.UNAPPROVED_STATES:
            return Message("already in No. %(number)s (a draft, not sent yet)", number=other_issue.number)
        return Message("already in No. %(number)s", number=other_issue.number)
    if getattr(story, "refused_here", []):
        return Message("staff marked it “Do not use”")
    listed_by: list[Source | None] = [origin.source for origin in story.origins.all()]
    listed_by = listed_by or [story.source]
    sources = {source.pk for source in listed_by if source}
    if rules.sources and story.source_id is not None and rules.sources.isdisjoint(sources):
        return Message("this publication does not use its source")
    if stale := min((find_stale_reason(source, rules.now) for source in listed_by), default=""):
        return stale
    if rules.topics and not rules.topics & {topic.pk for topic in story.topics.all()}:
        return Message("none of this publication’s topics")
    if version := find_other_version(story, publication=rules.publication):
        return version
    if story.language and story.language.split("-")[0] != rules.publication.language.split("-")[0]:
        return Message("written in another language (%(language)s)", language=story.language)
    return _find_age_reason(story, rules)


def _find_age_reason(story: Story, rules: _Rules) -> str:
    """Return why the story is too old or too new. A story that is in the issue already grows no older."""
    dated_at: datetime = getattr(story, "published_or_seen_at")  # noqa: B009 - an annotation, unknown to the model's type
    if dated_at > rules.now:
        return Message("dated in the future")
    if story.pk in rules.own:
        return ""
    first_at = max(dated_at, story.seen_at, rules.begins_at)
    days_back, waiting_days = rules.publication.days_back, rules.publication.waiting_days
    if dated_at < first_at - timedelta(days=days_back):
        return Message("too old: it was more than %(days)s old when it was new here", days=describe_days(days_back))
    if rules.due_at > first_at + timedelta(days=waiting_days):
        return Message("too old: it has waited for more than %(days)s", days=describe_days(waiting_days))
    return ""
