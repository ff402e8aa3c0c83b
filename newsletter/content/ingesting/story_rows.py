"""Find the one row of a story, whichever source lists it and however its address is written."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from newsletter.content.ingesting.source_visibility import DESK_ID_PREFIX
from newsletter.content.parsing.entries import StoryEntry
from newsletter.content.parsing.page_urls import hash_url, is_story_page
from newsletter.models import Source, Story, StoryAddress, StoryOrigin

_MIN_MATCH_LENGTH = 15
"""How many letters of a title say enough to know a story by, if they are a part of a longer one."""


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
        """Return the hash of the address where the entry's page was found, whatever the page says about itself."""
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
    known = StoryAddress.objects.filter(sha256__in=listing.addresses()).select_related("story__source")
    for address in known.order_by("story_id"):
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
    """Record that this source lists the story, and its addresses. Raises IntegrityError if another row took one meanwhile.

    An address of another story stays with that story.
    """
    StoryOrigin.objects.get_or_create(source=listing.source, external_id=listing.identity, defaults={"story": story})
    record_addresses(story, listing.addresses())


def record_addresses(story: Story, addresses: dict[str, str]) -> None:
    """Record these addresses, by hash, as the story's, except those of another story."""
    known = set(StoryAddress.objects.filter(sha256__in=addresses).values_list("sha256", flat=True))
    StoryAddress.objects.bulk_create(
        StoryAddress(story=story, sha256=name, address=url[:2000])
        for name, url in addresses.items()
        if name not in known
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
