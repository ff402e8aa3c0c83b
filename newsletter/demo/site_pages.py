"""The pages of the sample organisation's web site: the files and templates of ``site/``, filled with its sample content."""

import hashlib
import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import cached_property
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from newsletter.demo.calendars import write_calendar
from newsletter.demo.sample_content import (
    NAME,
    PARTNER_NAME,
    DemoStory,
    load_events,
    load_spanish_stories,
    load_stories,
)

SITE_FILES = Path(__file__).parent / "site"
POSTS_PATH = "/wp-json/wp/v2/posts"

_POSTS_PER_PAGE = 10
_HTML, _JSON = "text/html; charset=utf-8", "application/json; charset=UTF-8"
_SHORT_PAGES = {
    "/give/": (
        "Give an hour",
        "Twenty pounds buys an hour of a lawyer’s time. This page is a sample and takes no money.",
    ),
    "/give/monthly/": (
        "Give monthly",
        "A small gift each month keeps a door open. This page is a sample and takes no money.",
    ),
    "/donors/": ("Donor portal", "Here your supporters would see their gifts and receipts. This page is a sample."),
    "/join/": ("Invite a friend", "Here a friend would sign up for the letter. This page is a sample."),
    "/privacy/": (
        "Privacy notice",
        "Here you would say which data of subscribers you keep, why, for how long, and whom they can ask. "
        "This page is a sample.",
    ),
    "/volunteer/": ("Volunteer for the helpline", "Two evenings a month, from home. This page is a sample."),
    **{
        f"/social/{network}/": (f"{NAME} on {label}", "This page is a sample. There is no such account.")
        for network, label in (("facebook", "Facebook"), ("instagram", "Instagram"), ("linkedin", "LinkedIn"))
    },
    "/partner/": (PARTNER_NAME, "Una organización aliada, inventada, con un pequeño blog en español."),
}


@dataclass(frozen=True)
class Page:
    """The answer to a request for one path."""

    body: bytes
    content_type: str
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def etag(self) -> str:
        """A strong ETag made from the bytes."""
        return f'"{hashlib.sha256(self.body).hexdigest()[:24]}"'


class SitePages:
    """All pages of the site as it is at ``now`` (aware), with every link under ``url`` (without a last "/")."""

    def __init__(self, *, url: str, now: datetime) -> None:
        self._templates = Environment(
            loader=FileSystemLoader(SITE_FILES), autoescape=True, undefined=StrictUndefined, trim_blocks=True
        )
        self._templates.filters.update(rfc2822=format_datetime, texturize=_texturize)
        self._templates.globals.update(site=url, name=NAME, partner_name=PARTNER_NAME)
        self._field_stories = load_stories("field", now=now)
        self.not_found = self._short_page("Not found", "There is no page at this address.", status=404)
        self._pages = {f"/{name}": page for name, page in _read_files().items()}
        self._pages.update({path: self._short_page(*page) for path, page in _SHORT_PAGES.items()})
        self._add_stories(now)
        self._add_events(url=url, now=now)

    def paths(self) -> tuple[str, ...]:
        """Return every path that has a page, except the WordPress route."""
        return tuple(self._pages)

    def find_page(self, target: str) -> Page | None:
        """Return the answer to a request target, or None if there is nothing at its path."""
        parts = urlsplit(target)
        if parts.path.rstrip("/") == POSTS_PATH:
            return self._list_posts(dict(parse_qsl(parts.query, keep_blank_values=True)))
        return self._pages.get(parts.path)

    def _add_stories(self, now: datetime) -> None:
        stories, partner = load_stories("stories", now=now), load_stories("partner", now=now)
        spanish = load_spanish_stories(now=now)
        everything = (*stories, *self._field_stories, *partner, *spanish)
        self.last_modified = max(story.published_at for story in everything)
        by_slug = {story.slug: story for story in everything}
        for story in everything:
            related = [by_slug[slug] for slug in story.related]
            self._pages[story.path] = self._render("story.html.j2", story=story, related=related)
        self._pages["/"] = self._render(
            "home.html.j2", stories=stories, field=self._field_stories, partner=partner, events=load_events(now=now)
        )
        self._pages["/stories/feed.xml"] = self._render(
            "feed.xml.j2",
            content_type="application/rss+xml; charset=utf-8",
            stories=[story for story in stories if story.feed],
        )
        for path, title, home, written in (
            ("/atom.xml", PARTNER_NAME, "/partner/", partner),
            ("/es/atom.xml", f"{NAME}, en español", "/", spanish),
        ):
            self._pages[path] = self._render(
                "atom.xml.j2",
                content_type="application/atom+xml; charset=utf-8",
                title=title,
                home=home,
                path=path,
                stories=written,
            )
        self._pages["/feed.json"] = self._render("feed.json.j2", content_type="application/feed+json", stories=partner)

    def _add_events(self, *, url: str, now: datetime) -> None:
        events = load_events(now=now)
        for event in events:
            self._pages[event.path] = self._render("event.html.j2", title=event.title, events=[event])
        of_partners = [event for event in events if event.source == "partners"]
        self._pages["/events/partners/"] = self._render(
            "event.html.j2", title="Our partners’ events", events=of_partners
        )
        in_calendar = [event for event in events if event.source == "calendar"]
        self._pages["/events.ics"] = Page(
            write_calendar(in_calendar, site=url, now=now), "text/calendar; charset=utf-8"
        )

    def _list_posts(self, query: Mapping[str, str]) -> Page:
        """Return one page of the field offices' posts, or a 400 in the shape of WordPress."""
        stories = list(self._field_stories)
        try:
            page, per_page = int(query.get("page", "1")), int(query.get("per_page", str(_POSTS_PER_PAGE)))
            if query.get("after"):
                after = datetime.fromisoformat(query["after"])
                after = after if after.tzinfo else after.replace(tzinfo=UTC)
                stories = [story for story in stories if story.published_at > after]
        except ValueError:
            return self._refuse("rest_invalid_param", "Invalid parameter(s): page, per_page or after.")
        if page < 1 or not 1 <= per_page <= 100:
            return self._refuse("rest_invalid_param", "Invalid parameter(s): page or per_page.")
        pages = -(-len(stories) // per_page)
        if page > max(pages, 1):
            message = "The page number requested is larger than the number of pages available."
            return self._refuse("rest_post_invalid_page_number", message)
        oldest_first: list[DemoStory] = list(reversed(self._field_stories))
        on_page = stories[(page - 1) * per_page : page * per_page]
        return self._render(
            "posts.json.j2",
            content_type=_JSON,
            headers={"X-WP-Total": str(len(stories)), "X-WP-TotalPages": str(pages)},
            posts=[(100 + oldest_first.index(story), story) for story in on_page],
            embed="_embed" in query,
        )

    def _refuse(self, code: str, message: str) -> Page:
        return self._render("error.json.j2", content_type=_JSON, status=400, code=code, message=message)

    def _short_page(self, title: str, text: str, *, status: int = 200) -> Page:
        return self._render("page.html.j2", status=status, title=title, text=text)

    def _render(
        self,
        template: str,
        *,
        content_type: str = _HTML,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        **values: object,
    ) -> Page:
        body = self._templates.get_template(template).render(values).encode()
        return Page(body, content_type, status, headers or {})


def _read_files() -> dict[str, Page]:
    """Return the pictures and logos by their path below ``site/``."""
    return {
        str(file.relative_to(SITE_FILES)): Page(file.read_bytes(), mimetypes.guess_type(file.name)[0] or "")
        for file in (*SITE_FILES.glob("*.png"), *SITE_FILES.glob("pictures/*.jpg"))
    }


def _texturize(text: str) -> str:
    """Write quotation marks, apostrophes and ampersands as numeric entities, as WordPress does."""
    for plain, entity in (("&", "&#038;"), ("’", "&#8217;"), ("“", "&#8220;"), ("”", "&#8221;")):
        text = text.replace(plain, entity)
    return text
