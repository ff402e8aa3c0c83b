"""Store one story of a source, in the row that it has under any of its addresses or in a new one."""

from datetime import datetime

from django.db import IntegrityError, transaction

from newsletter.common.messages import Message
from newsletter.content.ingesting.store_rows import create_or_update_row, hash_entry
from newsletter.content.ingesting.story_images import FoundImage, StoryImageFetcher
from newsletter.content.ingesting.story_rows import (
    ListedEntry,
    find_story,
    is_identity_free,
    provides_text,
    record_listing,
)
from newsletter.content.parsing.entries import StoryEntry
from newsletter.models import Source, Story
from subscribers.models import Topic

_BOOKKEEPING_FIELDS = frozenset(
    {"source_sha256", "checked_at", "check_failed", "picture_waiting", "picture_page_etag", "picture_page_modified"}
)


def store_story(listing: ListedEntry, *, pictures: StoryImageFetcher, now: datetime) -> tuple[str, str]:
    """Store the entry. Return "new", "updated" or "unchanged", and the reason for staff if its image is missing, or "".

    The table of addresses refuses a second row of one story. The image is fetched before the transaction begins.
    """
    known, first = find_story(listing)
    try:
        done, failure = _store(listing, known, pictures=pictures, now=now)
    except IntegrityError:
        # Meanwhile another worker stored the same story from another source.
        known, first = find_story(listing)
        if known is None:
            raise
        done, failure = _store(listing, known, pictures=pictures, now=now)
    if known is not None and first:
        record_listing(listing, known)
    return done, failure


def find_topics(source: Source, categories: tuple[str, ...]) -> list[Topic]:
    """Return the source's own topics, and those that the entry's categories name."""
    named = {category.casefold() for category in categories}
    by_category = [
        topic
        for topic in Topic.objects.all()
        if not named.isdisjoint({topic.slug, topic.name.casefold(), *map(str.casefold, topic.names.values())})
    ]
    return list({topic.pk: topic for topic in [*source.topics.all(), *by_category]}.values())


def _store(listing: ListedEntry, known: Story | None, *, pictures: StoryImageFetcher, now: datetime) -> tuple[str, str]:
    source, entry = listing.source, listing.entry
    if known is not None and not provides_text(source, known):
        return _add_topics(source, entry, known), ""
    sha256 = hash_entry(entry)
    same = known is not None and known.source_sha256 == sha256
    if known and same and not known.picture_waiting and (known.picture_id or not entry.picture_url):
        return "unchanged", ""
    found = pictures.find(entry, known)
    had = (known.picture_id, known.picture_waiting) if known else None
    if same and had == (found.picture.pk if found.picture else None, found.waiting):
        return "unchanged", _describe_failure(found)
    return _write(listing, known, found, sha256=sha256, now=now), _describe_failure(found)


def _add_topics(source: Source, entry: StoryEntry, story: Story) -> str:
    """Add the topics of another source that lists the story too. It changes no text."""
    before = story.topics.count()
    story.topics.add(*find_topics(source, entry.categories))
    return "unchanged" if story.topics.count() == before else "updated"


def _write(listing: ListedEntry, known: Story | None, found: FoundImage, *, sha256: str, now: datetime) -> str:
    source, entry = listing.source, listing.entry
    values: dict[str, object] = {
        "url": entry.url,
        "title": entry.title,
        "teaser": entry.teaser,
        "body_html": entry.body_html,
        "author": entry.author[:200],
        "language": (entry.language or source.language)[:12],
        "picture": found.picture,
        "picture_alt": found.alt[:300],
        "picture_waiting": found.waiting,
        "picture_page_etag": found.picture_page_etag[:500],
        "picture_page_modified": found.picture_page_modified[:100],
        "related": [list(pair) for pair in entry.related],
        "pseudonyms": [list(pair) for pair in entry.pseudonyms],
        "published_at": entry.published_at,
        "source_sha256": sha256,
    }
    with transaction.atomic():
        if known is not None and is_identity_free(listing):
            values |= {"source": source, "external_id": entry.external_id[:500]}
        before = _read_content(known)
        story = create_or_update_row(Story, source, entry.external_id[:500], known, values, now)
        topics = story.topics.count()
        story.topics.add(*find_topics(source, entry.categories))
        same = before == _read_content(story) and topics == story.topics.count()
        if known is None:
            record_listing(listing, story)
    return "new" if known is None else "unchanged" if same else "updated"


def _read_content(story: Story | None) -> dict[str, object]:
    """Return the content of a story's row, without our own notes about it."""
    if story is None:
        return {}
    names = (field.attname for field in Story._meta.concrete_fields)
    return {name: getattr(story, name) for name in names if name not in _BOOKKEEPING_FIELDS}


def _describe_failure(found: FoundImage) -> str:
    if not found.failure:
        return ""
    done = (
        Message("could not be had; the one from before is kept")
        if found.picture
        else Message("was left out, the story is in")
    )
    return Message("Its picture %(done)s: %(failure)s", done=done, failure=found.failure)
