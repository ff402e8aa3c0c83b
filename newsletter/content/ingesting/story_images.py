"""Find and copy the images of one source's stories, within the time limit of one visit."""

import time
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import urlsplit

from newsletter.common.messages import Message
from newsletter.content.fetching.errors import BadStatus, FetchError, TooSlow, Unreachable
from newsletter.content.fetching.fetcher import PAGE, PICTURE, Fetcher, Limits
from newsletter.content.images.hosting import fetch_image
from newsletter.content.images.sandbox_messages import BadImage
from newsletter.content.ingesting.read_source import robots
from newsletter.content.parsing.documents import Document
from newsletter.content.parsing.entries import SetAside, StoryEntry
from newsletter.content.parsing.sandbox.process import ParserCrashed, ResourceLimitExceeded, parse_in_sandbox
from newsletter.models import Picture, Story

VISIT_SECONDS = 60.0
_TEMPORARY_STATUSES = frozenset({408, 425, 429})
_RATE_LIMIT_STATUSES = frozenset({429, 503})


@dataclass(frozen=True)
class FoundImage:
    """A story's image. ``waiting`` means that it is fetched again at the next visit; ``failure`` is for staff."""

    picture: Picture | None = None
    alt: str = ""
    waiting: bool = False
    failure: str = ""
    picture_page_etag: str = ""
    picture_page_modified: str = ""


class StoryImageFetcher:
    """Fetch the images of one visit to a source. ``postponed`` counts those left for the next visit."""

    def __init__(
        self,
        *,
        source_url: str,
        fetcher: Fetcher,
        now: datetime,
        may_fetch_pages: bool = True,
        seconds: float | None = None,
    ) -> None:
        self.postponed = 0
        self.waiting = False
        self._fetcher = fetcher
        self._now = now
        self._site = _site(source_url) if may_fetch_pages else ""
        self._seconds = VISIT_SECONDS if seconds is None else seconds
        self._deadline = time.monotonic() + self._seconds
        self._paused_hosts: set[str] = set()

    def find(self, entry: StoryEntry, story: Story | None) -> FoundImage:
        """Return our copy of the image that the entry names, or of the one that its page names."""
        stored = FoundImage(
            picture=story.picture if story else None,
            alt=story.picture_alt if story else "",
            picture_page_etag=story.picture_page_etag if story else "",
            picture_page_modified=story.picture_page_modified if story else "",
        )
        if not entry.picture_url and _site(entry.url) != self._site:
            return FoundImage()
        if self._must_wait(entry.picture_url or entry.url):
            self.postponed += 1
            found = replace(stored, waiting=True)
        elif entry.picture_url:
            found = self._copy_picture(entry.picture_url, entry.picture_alt, stored)
        else:
            found = self._from_page(entry, stored)
        self.waiting = self.waiting or found.waiting
        return found

    def list_postponed(self) -> tuple[SetAside, ...]:
        """Return the text for staff about the images left for the next visit."""
        if not self.postponed:
            return ()
        what = Message("1 image") if self.postponed == 1 else Message("%(count)s images", count=self.postponed)
        return (
            SetAside(
                entry=what,
                reason=Message(
                    "There was no time left: one visit to a source takes at most %(seconds)s seconds, so that it "
                    "does not stop the others. The stories are in; the rest is fetched at the next visit.",
                    seconds=f"{self._seconds:.0f}",
                ),
            ),
        )

    def _must_wait(self, url: str) -> bool:
        return time.monotonic() >= self._deadline or urlsplit(url).netloc in self._paused_hosts

    def _limits(self, limits: Limits) -> Limits:
        return replace(limits, total=max(0.1, min(limits.total, self._deadline - time.monotonic())))

    def _copy_picture(self, url: str, alt: str, stored: FoundImage) -> FoundImage:
        try:
            picture = fetch_image(url=url, alt=alt, fetcher=self._fetcher, limits=self._limits(PICTURE))
        except (FetchError, BadImage) as error:
            waiting = self._is_temporary(url, error)
            return replace(stored, waiting=waiting, failure=error.message)
        return replace(stored, picture=picture, alt=alt)

    def _from_page(self, entry: StoryEntry, stored: FoundImage) -> FoundImage:
        """Ask the story's page for its image, if the site's robots.txt allows it. A page without an image is no failure."""
        try:
            robots.check(entry.url, fetcher=self._fetcher, now=self._now)
            page = self._fetcher.fetch(
                entry.url,
                etag=stored.picture_page_etag,
                last_modified=stored.picture_page_modified,
                limits=self._limits(PAGE),
            )
            if page.not_modified:
                return stored
            document = Document(
                kind="page_picture", body=page.body, url=page.url, content_type=page.content_type, now=self._now
            )
            page_data = parse_in_sandbox(document).extra
        except FetchError as error:
            return replace(stored, waiting=True) if self._is_temporary(entry.url, error) else FoundImage()
        except (ResourceLimitExceeded, ParserCrashed):
            return FoundImage()
        seen = FoundImage(picture_page_etag=page.etag, picture_page_modified=page.last_modified)
        link = page_data.get("picture", "")
        if not link or _is_site_picture(link, entry):
            return seen
        return self._copy_picture(link, page_data.get("alt", ""), seen)

    def _is_temporary(self, url: str, error: FetchError | BadImage) -> bool:
        """Return True if the next visit may succeed. Pause a site that asks us to wait."""
        if isinstance(error, BadStatus):
            if error.status in _RATE_LIMIT_STATUSES or error.retry_after:
                self._paused_hosts.add(urlsplit(url).netloc)
            return error.status in _TEMPORARY_STATUSES or error.status >= 500
        return isinstance(error, TooSlow | Unreachable)


def _is_site_picture(picture_url: str, entry: StoryEntry) -> bool:
    """Return True if another story has this image: many sites name one image for every page without its own."""
    return Story.objects.filter(picture__source_url=picture_url).exclude(url=entry.url).exists()


def _site(url: str) -> str:
    """Return the last two labels of a host, or a whole IP address, so that news.example.org belongs to example.org."""
    host = (urlsplit(url).hostname or "").rstrip(".")
    return host if host.replace(".", "").isdigit() else ".".join(host.split(".")[-2:])
