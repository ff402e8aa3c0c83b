"""Store one story in one row, even if several sources list it or its address is written differently."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from django.db import IntegrityError, transaction

from newsletter.common.messages import Message
from newsletter.content.images.library import add_story_image
from newsletter.content.ingesting.source_visibility import DESK_ID_PREFIX
from newsletter.content.ingesting.story_images import FoundImage, StoryImageFetcher
from newsletter.content.parsing.entries import StoryEntry, hash_entry
from newsletter.content.parsing.urls import hash_url, is_story_page
from newsletter.models import Source, Story, StoryAddress, StoryOrigin
from newsletter.outbound.publishing_facts import report_story
from subscribers.models import Case, EventKind, Topic

_BOOKKEEPING_FIELDS = frozenset(
    {"source_sha256", "checked_at", "check_failed", "picture_waiting", "picture_page_etag", "picture_page_modified"}
)
_MIN_MATCH_LENGTH = 15
"""Minimum length of a title that may match a part of a longer one."""


def find_shared_addresses(entries: Iterable[StoryEntry]) -> frozenset[str]:
    """Return the addresses, as hashes, that several entries of one reading share: they are the page of none of them."""
    counted = Counter(name for entry in entries for name in hash_addresses(entry))
    return frozenset(name for name, times in counted.items() if times > 1)


def hash_addresses(entry: StoryEntry) -> dict[str, str]:
    """Return every address that is the entry's own page, by hash: its link and its other addresses."""
    urls = [url for url in (entry.url, *entry.addresses) if _is_address(url)]
    return {hash_url(url): url for url in reversed(urls) if is_story_page(url)}


@dataclass(frozen=True)
class ListedEntry:
    """One entry of one reading of a source.

    ``named`` are the identities of all its entries; ``shared`` is the result of ``find_shared_addresses``.
    """

    source: Source
    entry: StoryEntry
    named: frozenset[str] = frozenset()
    shared: frozenset[str] = frozenset()

    @property
    def identity(self) -> str:
        return self.entry.external_id[:500]

    def page(self) -> str:
        """Return the hash of the address where the entry's page was found. The page may name another address."""
        found_at = self.entry.addresses[:1] if self.source.kind == Source.Kind.PAGE else ()
        return hash_url(next(iter(found_at), self.entry.url))

    def addresses(self) -> dict[str, str]:
        return {name: url for name, url in hash_addresses(self.entry).items() if name not in self.shared}


def find_story(listing: ListedEntry) -> tuple[Story | None, bool]:
    """Return the row of the entry's story, and True if this source lists it under this identity for the first time.

    Two entries of one reading are two stories, even with one address. An address alone joins entries of two sources
    only if it is this entry's own page. Otherwise the titles or dates must match too.
    """
    source = listing.source
    origins = StoryOrigin.objects.filter(source=source, external_id=listing.identity)
    origin = origins.select_related("story__source").first()
    if origin is not None:
        return origin.story, False
    own = Story.objects.filter(source=source, external_id=listing.identity, same_as__isnull=True).first()
    if own is not None:
        return own, True
    addresses = StoryAddress.objects.filter(sha256__in=listing.addresses()).select_related("story__source")
    for address in addresses.order_by("story_id"):
        here = set(address.story.origins.filter(source=source).values_list("external_id", flat=True))
        if not here.isdisjoint(listing.named):
            continue
        certain = not here and address.sha256 == listing.page()
        if certain or _is_same_story(listing.entry, address.story):
            return address.story, True
    return None, True


def _is_same_story(entry: StoryEntry, story: Story) -> bool:
    """Return True if the title or the moment of publication is the same. One title may add the name of a site."""
    if entry.published_at is not None and entry.published_at == story.published_at:
        return True
    ours, theirs = _normalise_title(entry.title), _normalise_title(story.title)
    shorter, longer = sorted((ours, theirs), key=len)
    return bool(shorter) and (ours == theirs or (len(shorter) >= _MIN_MATCH_LENGTH and f" {shorter} " in f" {longer} "))


def _normalise_title(title: str) -> str:
    return " ".join(re.findall(r"\w+", title.casefold()))


def is_identity_free(listing: ListedEntry) -> bool:
    """Return True if no merged row still has the entry's identity."""
    rows = Story.objects.filter(source=listing.source, external_id=listing.identity)
    return not rows.filter(same_as__isnull=False).exists()


def record_listing(listing: ListedEntry, story: Story) -> None:
    """Record that this source lists the story, and its addresses. Raises IntegrityError if another row has one of them by now.

    An address of another story stays with that story.
    """
    StoryOrigin.objects.get_or_create(source=listing.source, external_id=listing.identity, defaults={"story": story})
    record_addresses(story, listing.addresses())


def record_addresses(story: Story, addresses: dict[str, str]) -> None:
    """Record these addresses, by hash, as the story's, except those of another story."""
    stored = set(StoryAddress.objects.filter(sha256__in=addresses).values_list("sha256", flat=True))
    StoryAddress.objects.bulk_create(
        StoryAddress(story=story, sha256=name, address=url[:2000])
        for name, url in addresses.items()
        if name not in stored
    )


def provides_text(source: Source, story: Story) -> bool:
    """Return True if this source provides the story's text: it listed it first, or no other source does any more."""
    if story.external_id.startswith(DESK_ID_PREFIX):
        return False
    return story.source is None or story.source_id == source.pk or not story.source.enabled


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return False


def store_story(listing: ListedEntry, *, pictures: StoryImageFetcher, now: datetime) -> tuple[str, str]:
    """Store the entry. Return "new", "updated" or "unchanged", and the reason for staff if its image is missing, or "".

    The table of addresses refuses a second row of one story. The image is fetched before the transaction begins.
    """
    story, first = find_story(listing)
    try:
        done, failure = _store(listing, story, pictures=pictures, now=now)
    except IntegrityError:
        # Another worker has just stored the same story from another source.
        story, first = find_story(listing)
        if story is None:
            raise
        done, failure = _store(listing, story, pictures=pictures, now=now)
    if story is not None and first:
        record_listing(listing, story)
    return done, failure


def find_topics(source: Source, categories: tuple[str, ...]) -> list[Topic]:
    """Return the source's own topics, and those that the entry's categories name."""
    names = {category.casefold() for category in categories}
    by_category = [
        topic
        for topic in Topic.objects.all()
        if not names.isdisjoint({topic.slug, topic.name.casefold(), *map(str.casefold, topic.names.values())})
    ]
    return list({topic.pk: topic for topic in [*source.topics.all(), *by_category]}.values())


def find_case(categories: tuple[str, ...]) -> Case | None:
    """Return the first case that the entry's categories name."""
    names = {category.casefold() for category in categories}
    return next((case for case in Case.objects.all() if not names.isdisjoint({case.slug, case.name.casefold()})), None)


def _store(listing: ListedEntry, story: Story | None, *, pictures: StoryImageFetcher, now: datetime) -> tuple[str, str]:
    source, entry = listing.source, listing.entry
    if story is not None and not provides_text(source, story):
        return _add_topics(source, entry, story), ""
    sha256 = hash_entry(entry)
    same = story is not None and story.source_sha256 == sha256
    if story and same and not story.picture_waiting and (story.picture_id or not entry.picture_url):
        return "unchanged", ""
    found = pictures.find(entry, story)
    had = (story.picture_id, story.picture_waiting) if story else None
    if same and had == (found.picture.pk if found.picture else None, found.waiting):
        return "unchanged", _describe_failure(found)
    return _write(listing, story, found, sha256=sha256, now=now), _describe_failure(found)


def _add_topics(source: Source, entry: StoryEntry, story: Story) -> str:
    """Add the topics of another source that lists the story too. It changes no text."""
    before = story.topics.count()
    story.topics.add(*find_topics(source, entry.categories))
    return "unchanged" if story.topics.count() == before else "updated"


def _write(listing: ListedEntry, story_before: Story | None, found: FoundImage, *, sha256: str, now: datetime) -> str:
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
        "media": entry.media,
        "seconds": entry.seconds,
        "source_sha256": sha256,
    }
    if case := find_case(entry.categories):
        values["case"] = case
    with transaction.atomic():
        # Fetching the image took a while, in which staff may have edited or deleted the story.
        story = Story.objects.select_for_update().filter(pk=story_before.pk).first() if story_before else None
        if story is not None and is_identity_free(listing):
            values |= {"source": source, "external_id": listing.identity}
        before, is_new = _read_content(story), story is None
        if story is None:
            story, _ = Story.objects.get_or_create(
                source=source, external_id=listing.identity, defaults={**values, "seen_at": now}
            )
        else:
            story.set_source_values(values)
            story.save()
        topics = story.topics.count()
        story.topics.add(*find_topics(source, entry.categories))
        same = before == _read_content(story) and topics == story.topics.count()
        if is_new:
            record_listing(listing, story)
        add_story_image(story)
        if not same:
            report_story(EventKind.STORY_NEW if is_new else EventKind.STORY_CORRECTED, story, now=now)
    return "new" if is_new else "unchanged" if same else "updated"


def _read_content(story: Story | None) -> dict[str, object]:
    """Return the content of a story's row, without our own notes about it."""
    if story is None:
        return {}
    names = (field.attname for field in Story._meta.concrete_fields)
    return {name: getattr(story, name) for name in names if name not in _BOOKKEEPING_FIELDS}


def _describe_failure(found: FoundImage) -> str:
    if not found.failure:
        return ""
    if found.picture:
        return Message("Its image could not be fetched, so the earlier one is kept. %(failure)s", failure=found.failure)
    return Message("Its image could not be fetched, so the story has none. %(failure)s", failure=found.failure)
