"""Find in a web site's first page its name, logo, style sheets and feeds."""

import json
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin

from newsletter.content.parsing.pages.page_articles import PageArticles, describes_own_page
from newsletter.content.parsing.pages.site_colours import MAX_CHARS, first_colour
from newsletter.content.parsing.text import cut_at_word, tidy

MAX_LINKS = 20
MAX_NAME_LENGTH = 120
"""Characters of the name of an organisation or a source. Longer names are cut at a word and end with "…"."""
_FEED_TYPES = {
    "application/rss+xml": "feed",
    "application/atom+xml": "feed",
    "application/feed+json": "feed",
    "text/calendar": "calendar",
}
_PRIVACY = re.compile(
    r"privacy|privacidad|confidentialit|vie privée|datenschutz|privacidade|confidențialit|गोपनीयता|الخصوصية|конфіденційн",
    re.IGNORECASE,
)
_HOME = re.compile(
    r"home ?page|home|welcome|inicio|bienvenidos?|página principal|accueil|bienvenue|startseite|willkommen"
    r"|início|página inicial|bem-vindos?|acasă|pagina principală|bun venit|मुखपृष्ठ|होम|स्वागत है"
    r"|الرئيسية|الصفحة الرئيسية|مرحبًا|головна|головна сторінка|ласкаво просимо",
    re.IGNORECASE,
)
"""What the title of a first page has beside the name of the site, in the languages of the program."""
_BYLINES = {"article:published_time", "article:author"}
_EVENT_TYPE = re.compile(r"schema\.org/\w*Event\b")
_STORY_TYPE = re.compile(r"schema\.org/(?:\w*Article|BlogPosting)\b")
_STORY_NODE = re.compile(r"\"@type\"\s*:\s*\[?\s*\"(?:https?://schema\.org/)?(?:\w*Article|BlogPosting)\"")
_EVENT_NODE = re.compile(r"\"@type\"\s*:\s*\[?\s*\"(?:https?://schema\.org/)?\w*Event\"")


@dataclass(frozen=True)
class FeedLink:
    """An address that the page names as a feed or calendar. ``kind`` is that of a source."""

    kind: str
    url: str
    title: str = ""


@dataclass(frozen=True)
class SitePage:
    """The look of a site, as one of its pages tells it. ``logos`` and ``stylesheets`` are addresses, the likeliest logo first.

    ``generator`` is "ghost" or "drupal" if the page says that one of them made it. ``has_events``: it has marked-up events.
    ``is_story``: it is about one story, by its metadata or by its articles. A page of several articles lists them
    unless one of them is the page's own.
    """

    name: str = ""
    theme_colour: str = ""
    logos: tuple[str, ...] = ()
    stylesheets: tuple[str, ...] = ()
    styles: str = ""
    feeds: tuple[FeedLink, ...] = ()
    is_wordpress: bool = False
    privacy_url: str = ""
    generator: str = ""
    has_events: bool = False
    is_story: bool = False


@dataclass
class _Found:
    title: str = ""
    site_name: str = ""
    theme_colour: str = ""
    logos: list[tuple[int, str]] = field(default_factory=list)
    stylesheets: list[str] = field(default_factory=list)
    styles: list[str] = field(default_factory=list)
    data: list[str] = field(default_factory=list)
    feeds: list[FeedLink] = field(default_factory=list)
    is_wordpress: bool = False
    privacy_url: str = ""
    generator: str = ""
    has_events: bool = False
    is_article: bool = False
    has_byline: bool = False
    marked_stories: int = 0
    canonical: str = ""
    articles: PageArticles = field(default_factory=PageArticles)


class _Reader(HTMLParser):
    def __init__(self, url: str) -> None:
        super().__init__(convert_charrefs=True)
        self.url = url
        self.found = _Found()
        self._inside = ""
        self._is_data = False
        self._link = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self._inside = tag if tag in ("title", "style", "script") else ""
        link = _join(self.url, values.get("href", "")) if tag == "a" else ""
        self.found.articles.start_tag(tag, values, link=link)
        self._is_data = tag == "script" and values.get("type", "").lower() == "application/ld+json"
        if tag == "meta":
            self._read_meta(values)
        elif tag == "link":
            self._read_link(values)
        elif tag == "img":
            self._read_image(values)
        elif tag == "a":
            self._link = link
            self._read_calendar(values.get("href", ""))
            if "privacy-policy" in values.get("rel", "").lower().split():
                self.found.privacy_url = self._link
        elif tag == "iframe" and "calendar.google.com/calendar/" in values.get("src", ""):
            self._read_calendar(values["src"])
        if _EVENT_TYPE.search(values.get("itemtype", "")):
            self.found.has_events = True
        if _STORY_TYPE.search(values.get("itemtype", "")):
            self.found.marked_stories += 1
        if values.get("style"):
            self.found.styles.append(f"x{{{values['style']}}}")

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""
        self.found.articles.end_tag(tag)
        if tag == "a":
            self._link = ""

    def handle_data(self, data: str) -> None:
        if not self._inside:
            self.found.articles.add_text(data)
        if self._inside == "title" and not self.found.title:
            self.found.title = data
        elif self._inside == "style":
            self.found.styles.append(data)
        elif self._is_data and self._inside == "script":
            self.found.data.append(data)
        elif self._link and not self.found.privacy_url and _PRIVACY.search(data):
            self.found.privacy_url = self._link

    def _read_meta(self, values: dict[str, str]) -> None:
        name = (values.get("property") or values.get("name") or "").lower()
        if name == "generator":
            maker = re.match(r"ghost|drupal", values.get("content", "").strip(), re.IGNORECASE)
            self.found.generator = maker[0].lower() if maker else self.found.generator
        elif name == "og:type" and values.get("content", "").strip().lower() == "article":
            self.found.is_article = True
        elif name in _BYLINES and values.get("content", "").strip():
            self.found.has_byline = True
        elif name == "og:site_name":
            self.found.site_name = values.get("content", "")
        elif name == "theme-color" and not self.found.theme_colour:
            self.found.theme_colour = values.get("content", "")

    def _read_calendar(self, href: str) -> None:
        """Note a link to a calendar's file or an embedded Google Calendar."""
        address = _join(self.url, re.sub(r"^webcals?://", "https://", href.strip(), flags=re.IGNORECASE))
        path = address.partition("?")[0].lower()
        is_calendar = path.endswith(".ics") or "://calendar.google.com/calendar/" in address
        if address and is_calendar and len(self.found.feeds) < MAX_LINKS:
            self.found.feeds.append(FeedLink(kind="calendar", url=address))

    def _read_link(self, values: dict[str, str]) -> None:
        rel, address = values.get("rel", "").lower().split(), _join(self.url, values.get("href", ""))
        if not address:
            return
        kind = _FEED_TYPES.get(values.get("type", "").lower().strip())
        if "canonical" in rel:
            self.found.canonical = address
        elif "stylesheet" in rel and len(self.found.stylesheets) < MAX_LINKS:
            self.found.stylesheets.append(address)
        elif "alternate" in rel and kind and len(self.found.feeds) < MAX_LINKS:
            title = cut_at_word(tidy(values.get("title", "")), MAX_NAME_LENGTH)
            self.found.feeds.append(FeedLink(kind=kind, url=address, title=title))
        elif any(name.startswith("https://api.w.org") for name in rel):
            self.found.is_wordpress = True
        elif "/tribe/events/v1/" in address:
            self.found.has_events = True
        elif "apple-touch-icon" in rel:
            self.found.logos.append((2, address))

    def _read_image(self, values: dict[str, str]) -> None:
        address = _join(self.url, values.get("src") or values.get("data-src") or "")
        texts = " ".join(values.get(name, "") for name in ("class", "id", "alt", "src")).lower()
        if address and "logo" in texts and len(self.found.logos) < MAX_LINKS:
            self.found.logos.append((1, address))


def read_site_page(html: str, *, url: str) -> SitePage:
    """Return the facts about the site on the page at ``url``. Of a broken page, the part before the break is used."""
    reader = _Reader(url)
    reader.feed(html[:MAX_CHARS])
    parts = reader.found
    logos = [(0, logo) for logo in _list_structured_logos(parts.data, url=url)] + parts.logos
    ordered = [address for _, address in sorted(logos, key=lambda logo: logo[0]) if not _is_vector(address)]
    return SitePage(
        name=_site_name(parts),
        theme_colour=first_colour(parts.theme_colour),
        logos=tuple(dict.fromkeys(ordered)),
        stylesheets=tuple(dict.fromkeys(parts.stylesheets)),
        styles="\n".join(parts.styles)[:MAX_CHARS],
        feeds=tuple({feed.url: feed for feed in reversed(parts.feeds)}.values())[::-1],
        is_wordpress=parts.is_wordpress,
        privacy_url=parts.privacy_url,
        generator=parts.generator,
        has_events=parts.has_events or any(_EVENT_NODE.search(text) for text in parts.data),
        is_story=_is_story(parts, url=url),
    )


def _is_story(parts: _Found, *, url: str) -> bool:
    # Some systems mark each page as an article, also that about contact. Only stories have a day or an author.
    is_article = parts.is_article and (parts.has_byline or parts.articles.has_byline)
    says_so = is_article or 1 in (parts.marked_stories, _count_story_nodes(parts.data))
    own_addresses = (url, parts.canonical)
    return (
        says_so or parts.articles.is_story(own_addresses) or describes_own_page(parts.data, own=own_addresses, url=url)
    )


def _count_story_nodes(data: list[str]) -> int:
    return sum(len(_STORY_NODE.findall(text)) for text in data)


def _list_structured_logos(data: list[str], *, url: str) -> list[str]:
    logos = []
    for text in data[:MAX_LINKS]:
        try:
            document = json.loads(text)
        except (ValueError, RecursionError):
            continue
        nodes = document.get("@graph", [document]) if isinstance(document, dict) else document
        for node in nodes if isinstance(nodes, list) else []:
            logo = node.get("logo") if isinstance(node, dict) else None
            address = logo.get("url") if isinstance(logo, dict) else logo
            if isinstance(address, str) and (joined := _join(url, address)):
                logos.append(joined)
    return logos


def _site_name(page_parts: _Found) -> str:
    """Return the name that the site gives itself, else the shortest part of the title that does not only mean “home”."""
    if page_parts.site_name.strip():
        return cut_at_word(" ".join(page_parts.site_name.split()), MAX_NAME_LENGTH)
    parts = [part for part in re.split(r"\s[|–—·:-]\s", " ".join(page_parts.title.split())) if part]
    names = [part for part in parts if not _HOME.fullmatch(part.strip())]
    return cut_at_word(min(names, key=len, default=""), MAX_NAME_LENGTH)


def _join(base: str, address: str) -> str:
    try:
        joined = urljoin(base, address.strip())
    except ValueError:
        return ""
    return joined if address.strip() and joined.startswith(("http://", "https://")) and len(joined) <= 2000 else ""


def _is_vector(address: str) -> bool:
    return address.partition("?")[0].lower().endswith((".svg", ".svgz", ".ico"))
