"""The sample organisation's feeds: RSS 2.0, Atom 1.0 and JSON Feed 1.1, as bytes.

Writes them from stories and a base URL; never serves them. Pictures stand in the content, where they have a description.
"""

import json
from collections.abc import Sequence
from email.utils import format_datetime
from typing import cast

from lxml import etree

from newsletter.demo.stories import NAME, PARTNER_NAME, DemoStory

_ATOM = "http://www.w3.org/2005/Atom"
_CONTENT = "http://purl.org/rss/1.0/modules/content/"
_DC = "http://purl.org/dc/elements/1.1/"


def write_rss(stories: Sequence[DemoStory], *, site: str) -> bytes:
    """The stories as RSS 2.0 with full content, pictures and categories, and one entry that has no title."""
    root = etree.Element("rss", version="2.0", nsmap={"atom": _ATOM, "content": _CONTENT, "dc": _DC})
    channel = etree.SubElement(root, "channel")
    _add(channel, "title", f"{NAME}: stories from the field")
    _add(channel, "link", f"{site}/")
    _add(channel, "description", "News from courts, clinics and communities.")
    _add(channel, "language", "en-GB")
    _add(channel, "lastBuildDate", format_datetime(stories[0].published_at))
    _add(channel, f"{{{_ATOM}}}link", href=f"{site}/stories/feed.xml", rel="self", type="application/rss+xml")
    for story in stories:
        _add_rss_item(channel, story, site=site)
    _add_untitled_item(channel, site=site, date=format_datetime(stories[0].published_at))
    return _to_bytes(root)


def write_atom(stories: Sequence[DemoStory], *, site: str) -> bytes:
    """The partner's stories as Atom 1.0 with HTML content."""
    root = etree.Element(f"{{{_ATOM}}}feed", nsmap=cast(dict[str, str], {None: _ATOM}))
    root.set("{http://www.w3.org/XML/1998/namespace}lang", "es")
    _add(root, f"{{{_ATOM}}}id", f"{site}/partner/")
    _add(root, f"{{{_ATOM}}}title", PARTNER_NAME)
    _add(root, f"{{{_ATOM}}}updated", stories[0].published_at.isoformat())
    _add(root, f"{{{_ATOM}}}link", href=f"{site}/partner/")
    _add(root, f"{{{_ATOM}}}link", href=f"{site}/atom.xml", rel="self", type="application/atom+xml")
    for story in stories:
        entry = _add(root, f"{{{_ATOM}}}entry")
        _add(entry, f"{{{_ATOM}}}id", f"{site}{story.path}")
        _add(entry, f"{{{_ATOM}}}title", story.title)
        _add(entry, f"{{{_ATOM}}}link", href=f"{site}{story.path}", rel="alternate", type="text/html")
        _add(entry, f"{{{_ATOM}}}published", story.published_at.isoformat())
        _add(entry, f"{{{_ATOM}}}updated", story.published_at.isoformat())
        _add(_add(entry, f"{{{_ATOM}}}author"), f"{{{_ATOM}}}name", story.author)
        for topic in story.topics:
            _add(entry, f"{{{_ATOM}}}category", term=topic)
        _add(entry, f"{{{_ATOM}}}summary", story.teaser, type="text")
        _add(entry, f"{{{_ATOM}}}content", _body_with_picture(story, site=site), type="html")
    return _to_bytes(root)


def write_json_feed(stories: Sequence[DemoStory], *, site: str) -> bytes:
    """The partner's stories as JSON Feed 1.1."""
    feed = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": PARTNER_NAME,
        "home_page_url": f"{site}/partner/",
        "feed_url": f"{site}/feed.json",
        "language": "es",
        "items": [
            {
                "id": f"{site}{story.path}",
                "url": f"{site}{story.path}",
                "title": story.title,
                "summary": story.teaser,
                "content_html": _body_with_picture(story, site=site),
                "date_published": story.published_at.isoformat(),
                "authors": [{"name": story.author}],
                "tags": list(story.topics),
                "language": story.language,
            }
            for story in stories
        ],
    }
    return json.dumps(feed, ensure_ascii=False, indent=2).encode()


def _add_rss_item(channel: etree._Element, story: DemoStory, *, site: str) -> None:
    item = _add(channel, "item")
    _add(item, "title", story.title)
    _add(item, "link", f"{site}{story.path}")
    _add(item, "guid", f"{site}{story.path}", isPermaLink="true")
    _add(item, "pubDate", format_datetime(story.published_at))
    _add(item, f"{{{_DC}}}creator", story.author)
    for topic in story.topics:
        _add(item, "category", topic)
    _add(item, "description", story.teaser)
    _add(item, f"{{{_CONTENT}}}encoded", _body_with_picture(story, site=site))


def _add_untitled_item(channel: etree._Element, *, site: str, date: str) -> None:
    item = _add(channel, "item")
    _add(item, "link", f"{site}/stories/draft-without-a-title/")
    _add(item, "guid", f"{site}/stories/draft-without-a-title/", isPermaLink="true")
    _add(item, "pubDate", date)
    _add(item, "description", "Somebody pressed save too early. Real feeds have such entries too.")


def _body_with_picture(story: DemoStory, *, site: str) -> str:
    if not story.picture:
        return story.body_html
    figure = etree.Element("p")
    _add(figure, "img", src=f"{site}{story.picture_path}", alt=story.alt, width="1200", height="675")
    return etree.tostring(figure, encoding="unicode") + "\n" + story.body_html


def _add(parent: etree._Element, tag: str, text: str = "", **attributes: str) -> etree._Element:
    element = etree.SubElement(parent, tag, attributes)
    if text:
        element.text = text
    return element


def _to_bytes(root: etree._Element) -> bytes:
    return etree.tostring(root, encoding="utf-8", xml_declaration=True, pretty_print=True)
