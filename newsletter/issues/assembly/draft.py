"""Write the first draft of an issue from a choice of content: subject, preheader and blocks."""

from collections.abc import Mapping
from html import escape
from typing import Any

from newsletter.content.parsing.urls import normalise_url
from newsletter.issues.assembly.selection import Choice
from newsletter.issues.snapshot.drafted_subjects import fill_subject
from newsletter.models import Publication, Story
from newsletter.models.body_blocks import MAX_RELATED_LINKS

StoryTexts = Mapping[str, Any]
"""A story's value in an issue's body: the story and this issue's own texts for it."""
_STORY_OVERRIDES: dict[str, object] = {"headline": "", "teaser": "", "picture": None, "link": ""}


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
        others = [_story_choice(story, overrides) for story in choice.stories[1:]]
        body.append(("stories", {"heading": "", "stories": others}))
    if choice.events or publication.host_url:
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
    named = [
        (str(title), str(url))
        for story in stories
        for title, url in story.related
        if normalise_url(str(url)) not in inside and not has_pseudonym_mark(str(title))
    ]
    if named:
        return list(dict.fromkeys(named))[:MAX_RELATED_LINKS]
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
    own = overrides.get(story.pk, {})
    return {"story": story, **{name: own.get(name) or blank for name, blank in _STORY_OVERRIDES.items()}}
