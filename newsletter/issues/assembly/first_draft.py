"""Draft the content of an issue by its publication's rules. It stores nothing."""

from dataclasses import asdict, dataclass, field
from datetime import datetime
from html import escape
from typing import Any

from django.db.models import Max

from newsletter.common.errors import InvariantViolated
from newsletter.common.messages import Message
from newsletter.content.parsing.urls import normalise_url
from newsletter.issues.assembly.digest import NOTHING_SENT, StoryTexts, choose_digest_content, make_digest_subject
from newsletter.issues.assembly.selection import Choice, Reason, choose_appeals, choose_events, has_new_event
from newsletter.issues.assembly.story_candidates import choose_stories
from newsletter.issues.snapshot.drafted_subjects import draft_preheader, fill_subject
from newsletter.models import Issue, Publication, Slot, Source, Story
from newsletter.models.body_blocks import MAX_RELATED_LINKS

_STORY_OVERRIDES: dict[str, object] = {"headline": "", "teaser": "", "picture": None, "link": ""}
NOTHING_NEW = Message("Nothing new: no story and no new event since the last issue was assembled.")


@dataclass(frozen=True)
class Draft:
    """The first content of an issue. ``skip_reason`` says why there is no content; it is empty if there is some."""

    number: int
    choice: Choice
    subject: str = ""
    body: list[tuple[str, object]] = field(default_factory=list)
    skip_reason: str = ""


def make_draft(*, issue: Issue, now: datetime) -> Draft:
    """Draft the issue from the content of now. It is unsaved, or saved and assembled again."""
    make = _draft_digest if issue.kind == Issue.Kind.DIGEST else _draft_issue
    return make(issue, now)


def list_reasons(*, issue: Issue, now: datetime) -> list[Reason]:
    """Return the reason of each candidate, as `make_draft` does, without the texts and the body of a draft."""
    if issue.kind == Issue.Kind.DIGEST:
        choice, _overrides = _choose_digest_content(issue, now)
        return choice.reasons
    return _choose_content(issue, now).reasons


def apply_draft(*, issue: Issue, draft: Draft) -> None:
    """Give the issue the number, texts, body and reasons of the draft. It is not saved."""
    body: Any = draft.body
    issue.number, issue.subject, issue.preheader = draft.number, draft.subject, draft_preheader(draft.choice.stories)
    issue.body, issue.reasons = body, [asdict(reason) for reason in draft.choice.reasons]


def _draft_issue(issue: Issue, now: datetime) -> Draft:
    publication, number = issue.publication, _find_number(issue)
    choice = _choose_content(issue, now)
    if not choice.stories and not has_new_event(
        choice.events, last=_find_last_slot(issue), days_ahead=publication.days_ahead
    ):
        return Draft(number, choice, skip_reason=_explain_nothing_new(publication))
    subject = draft_subject(publication=publication, choice=choice, number=number)
    return Draft(number, choice, subject, draft_body(publication=publication, choice=choice))


def _choose_content(issue: Issue, now: datetime) -> Choice:
    publication, due_at = issue.publication, issue.due_at or now
    stories, story_reasons = choose_stories(issue=issue, now=now)
    events, event_reasons = choose_events(publication=publication, due_at=due_at, now=now)
    appeals, appeal_reasons = choose_appeals(publication=publication, due_at=due_at)
    return Choice(stories, events, appeals, story_reasons + event_reasons + appeal_reasons)


def find_unread_sources(publication: Publication) -> list[str]:
    """Return the names of the sources of a publication that could not be read the last time."""
    chosen = publication.sources.values_list("pk", flat=True)
    failing = Source.objects.filter(enabled=True, failures__gt=0).order_by("name")
    return list((failing.filter(pk__in=chosen) if chosen else failing).values_list("name", flat=True))


def _explain_nothing_new(publication: Publication) -> Message:
    unread = find_unread_sources(publication)
    if not unread:
        return NOTHING_NEW
    return Message(
        "Nothing new was found. These sources could not be read, so there may be news: %(names)s.",
        names=", ".join(unread),
    )


def _draft_digest(issue: Issue, now: datetime) -> Draft:
    slot, number = _get_slot(issue), _find_number(issue)
    choice, overrides = _choose_digest_content(issue, now)
    if not choice.stories:
        return Draft(number, choice, skip_reason=NOTHING_SENT)
    body = draft_body(publication=slot.publication, choice=choice, overrides=overrides)
    return Draft(number, choice, make_digest_subject(slot=slot, choice=choice), body)


def _choose_digest_content(issue: Issue, now: datetime) -> tuple[Choice, dict[int, StoryTexts]]:
    return choose_digest_content(slot=_get_slot(issue), now=now, exclude_issue=issue if issue.pk else None)


def _get_slot(issue: Issue) -> Slot:
    """Return the slot of a digest, which always has one."""
    if issue.slot is None:
        raise InvariantViolated("A digest needs a slot.")
    return issue.slot


def _find_last_slot(issue: Issue) -> Slot | None:
    """Return the other slot that was assembled or skipped last; None if there was none."""
    other_slots = issue.publication.slots.filter(kind=issue.kind, assembled_at__isnull=False)
    if issue.slot_id is not None:
        other_slots = other_slots.exclude(pk=issue.slot_id)
    return other_slots.order_by("-assembled_at", "-pk").first()


def _find_number(issue: Issue) -> int:
    return issue.number if issue.pk else next_number(publication=issue.publication, kind=issue.kind)


def next_number(*, publication: Publication, kind: str) -> int:
    """Return the next number of this kind of issue. If another process takes the number first, the database refuses this one."""
    return (publication.issues.filter(kind=kind).aggregate(last=Max("number"))["last"] or 0) + 1


def draft_subject(*, publication: Publication, choice: Choice, number: int) -> str:
    """Return the publication's subject with its fields filled in."""
    lead = choice.stories[0].title if choice.stories else publication.name
    return fill_subject(publication.subject, lead=lead, publication=publication.name, number=number)


def draft_body(
    *, publication: Publication, choice: Choice, overrides: dict[int, StoryTexts] | None = None
) -> list[tuple[str, object]]:
    """Return (block type, value) pairs for the issue's body.

    ``overrides`` are the texts that staff gave a story elsewhere, by the story's id.
    """
    overrides = overrides or {}
    body: list[tuple[str, object]] = []
    if publication.intro:
        body.append(("note", {"heading": "", "text": paragraphs(publication.intro)}))
    if choice.stories:
        body.append(("lead_story", _story_choice(choice.stories[0], overrides)))
    if len(choice.stories) > 1:
        further_stories = [_story_choice(story, overrides) for story in choice.stories[1:]]
        body.append(("stories", {"heading": "", "stories": further_stories}))
    if publication.events and (choice.events or publication.host_url):
        body.append(("events", {"heading": "", "events": choice.events}))
    if choice.appeals:
        body.append(("appeal", {"appeals": choice.appeals}))
    related = find_related(choice.stories)
    if related:
        body.append(("related", {"heading": "", "links": [{"title": title, "url": url} for title, url in related]}))
    return body


def find_related(stories: list[Story]) -> list[tuple[str, str]]:
    """Return (title, URL) of related stories: those that the sources name, else recent ones that share a topic.

    The issue's own stories are left out.
    """
    inside = {normalise_url(story.address) for story in stories}
    candidates = [
        (str(title), str(url))
        for story in stories
        for title, url in story.related
        if normalise_url(str(url)) not in inside and not has_pseudonym_mark(str(title))
    ]
    if candidates:
        return list(dict.fromkeys(candidates))[:MAX_RELATED_LINKS]
    topics = {topic.pk for story in stories for topic in story.topics.all()}
    languages = {story.language for story in stories}
    shared = (
        Story.objects.showable()
        .filter(topics__in=topics, language__in=languages, embargo_until__isnull=True)
        .exclude(url__in=["", *(story.url for story in stories)])
        .distinct()
    )
    return [
        (story.title, story.url) for story in shared[: MAX_RELATED_LINKS * 2] if not has_pseudonym_mark(story.title)
    ][:MAX_RELATED_LINKS]


def has_pseudonym_mark(title: str) -> bool:
    """Return True if a title has the mark of a pseudonym, whose note a bare link cannot show."""
    return "*" in title


def paragraphs(text: str) -> str:
    """Return plain text as rich text. A blank line starts a paragraph."""
    parts = [part.strip() for part in text.replace("\r\n", "\n").split("\n\n") if part.strip()]
    return "".join(f"<p>{escape(part, quote=False)}</p>".replace("\n", "<br/>") for part in parts)


def _story_choice(story: Story, overrides: dict[int, StoryTexts]) -> dict[str, object]:
    texts = overrides.get(story.pk, {})
    return {"story": story, **{name: texts.get(name) or blank for name, blank in _STORY_OVERRIDES.items()}}
