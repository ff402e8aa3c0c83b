# ruff: noqa: E501  (tables of examples read best one a line)
"""Feeds of every kind become stories, and a bad entry affects no other."""

import json
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from newsletter.content.parsing.entries import Parsed
from newsletter.content.parsing.feeds.feed import parse_feed

NOW = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)
URL = "https://news.example/feeds/all.xml"


def rss(*items: str, head: str = "") -> Parsed:
    body = f'<?xml version="1.0"?><rss version="2.0" xmlns:media="http://search.yahoo.com/mrss/" xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel><title>News</title><language>en-GB</language>{head}'
    body += "".join(f"<item>{item}</item>" for item in items) + "</channel></rss>"
    return parse_feed(body.encode(), content_type="application/rss+xml", url=URL, now=NOW)


def item(title: str = "A title", link: str = "https://news.example/a", rest: str = "") -> str:
    return f"<title>{title}</title><link>{link}</link>{rest}"


def atom_title(title: str) -> str:
    body = f'<feed xmlns="http://www.w3.org/2005/Atom"><title>News</title><entry><id>1</id><link href="/a"/>{title}</entry></feed>'
    return parse_feed(body.encode(), content_type="application/atom+xml", url=URL, now=NOW).stories[0].title


def test_an_entry_keeps_the_data_of_its_feed() -> None:
    parsed = rss(
        item(
            rest="<guid isPermaLink='false'>id-7</guid><author>a@news.example (Field Team)</author><category>Trafficking</category>"
            "<category>Courts &amp;amp; law</category><pubDate>Tue, 24 Nov 2026 08:30:00 GMT</pubDate>"
            "<description>&lt;p&gt;The lead.&lt;/p&gt;</description>"
            "<content:encoded>&lt;p&gt;The &lt;b&gt;whole&lt;/b&gt; story, &lt;a href='/more'&gt;more&lt;/a&gt;.&lt;/p&gt;</content:encoded>"
            "<media:content url='/p.jpg' medium='image' width='900'/><media:content url='/small.jpg' medium='image' width='90'/>"
        )
    )
    (story,) = parsed.stories
    assert parsed.title == "News"
    assert (story.external_id, story.url, story.title) == ("id-7", "https://news.example/a", "A title")
    assert story.teaser == "The lead."
    assert story.body_html == '<p>The <b>whole</b> story, <a href="https://news.example/more">more</a>.</p>'
    assert story.picture_url == "https://news.example/p.jpg"
    assert story.published_at == datetime(2026, 11, 24, 8, 30, tzinfo=UTC)
    assert story.language == "en-GB"
    assert story.categories == ("Trafficking", "Courts & law")


@pytest.mark.requirement("H3")
@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("AT&amp;amp;T", "AT&T"),
        ("&lt;b&gt;Bold&lt;/b&gt; move", "Bold move"),
        ("<![CDATA[<i>Two</i> girls &amp; a boy]]>", "Two girls & a boy"),
        ("a &amp;lt;b&amp;gt; c", "a <b> c"),
        ("1 &lt; 2", "1 < 2"),
        ("<![CDATA[<script>alert(1)</script>Hi]]>", "Hi"),
        ("{{ 7*7 }} %recipient.email% *|FNAME|*", "{{ 7*7 }} %recipient.email% *|FNAME|*"),
        ("<![CDATA[<%asm_group%> -name-]]>", "<%asm_group%> -name-"),
        ("Caf&#233; 👩‍👧 שלום", "Café 👩‍👧 שלום"),
        ("over&#x202E;turned", "overturned"),
        ("  two\n lines ", "two lines"),
    ],
)
def test_an_rss_title_has_no_markup_and_decoded_entities(written: str, read: str) -> None:
    assert rss(item(title=written)).stories[0].title == read


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("<title>AT&amp;amp;T &lt;b&gt;</title>", "AT&amp;T <b>"),
        ('<title type="text">&lt;script&gt; {{ 7*7 }}</title>', "<script> {{ 7*7 }}"),
        ('<title type="html">&lt;b&gt;AT&amp;amp;T&lt;/b&gt;</title>', "AT&T"),
        ('<title type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><b>x</b> &lt; y</div></title>', "x < y"),
    ],
)
def test_an_atom_title_is_read_as_its_type_says(written: str, read: str) -> None:
    assert atom_title(written) == read


def test_a_title_of_3000_characters_is_cut_at_a_word() -> None:
    title = rss(item(title="word " * 600)).stories[0].title
    assert len(title) <= 300
    assert title.endswith("word…")


@pytest.mark.requirement("X8")
def test_one_bad_entry_does_not_affect_the_other_49() -> None:
    items = [item(title=f"Story {n}", link=f"https://news.example/{n}") for n in range(50)]
    items[20] = "<title>Poison</title><link>javascript:alert(1)</link>"
    parsed = rss(*items)
    assert len(parsed.stories) == 49
    (aside,) = parsed.set_aside
    assert aside.entry == "Poison"
    assert "cannot be used as a web address" in aside.reason


@pytest.mark.requirement("X8")
@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ("<link>https://news.example/a</link>", "no title"),
        ("<title>&lt;b&gt;&lt;/b&gt;</title><link>https://news.example/a</link>", "no title"),
        ("<title>A</title>", "no link"),
        (item(link="https://news.example/" + "a" * 2000), "longer than 2000"),
        (item(link="https://user:pw@news.example/"), "cannot be used as a web address"),
        (item(link="http://[::1"), "no link"),
        (item(link="data:text/html,x"), "cannot be used as a web address"),
        (item(rest="<pubDate>Tue, 24 Nov 2037 08:30:00 GMT</pubDate>"), "in the future"),
    ],
)
def test_a_bad_entry_is_set_aside_with_a_reason(entry: str, reason: str) -> None:
    parsed = rss(entry, item(title="Good", link="https://news.example/good"))
    assert [story.title for story in parsed.stories] == ["Good"]
    assert reason in parsed.set_aside[0].reason


@pytest.mark.requirement("X8")
@pytest.mark.parametrize("date", ["", "soon", "Thu, 01 Jan 1970 00:00:00 GMT", "Mon, 99 Foo 2026"])
def test_an_entry_with_an_impossible_date_has_none(date: str) -> None:
    assert rss(item(rest=f"<pubDate>{date}</pubDate>")).stories[0].published_at is None


@pytest.mark.parametrize(("zone", "hour"), [("CET", 8), ("BST", 8), ("EEST", 6), ("GMT+1", 8), ("Z", 9), ("XYZ", 9)])
def test_the_zone_of_a_date_is_known_by_its_usual_letters(zone: str, hour: int) -> None:
    (story,) = rss(item(rest=f"<pubDate>Tue, 24 Nov 2026 09:30:00 {zone}</pubDate>")).stories
    assert story.published_at == datetime(2026, 11, 24, hour, 30, tzinfo=UTC)


def test_a_date_a_few_hours_ahead_is_accepted() -> None:
    assert rss(item(rest="<pubDate>Wed, 25 Nov 2026 20:00:00 GMT</pubDate>")).stories


def test_the_first_of_two_entries_with_one_identity_is_used() -> None:
    parsed = rss(item(title="First"), item(title="Second"))
    assert [story.title for story in parsed.stories] == ["First"]
    assert "same id or address" in parsed.set_aside[0].reason


@pytest.mark.requirement("X8")
def test_at_most_200_entries_are_used() -> None:
    parsed = rss(*(item(title=f"S{n}", link=f"https://news.example/{n}") for n in range(205)))
    assert len(parsed.stories) == 200
    assert parsed.set_aside[0].entry == "5 more entries"


@pytest.mark.parametrize(
    ("markup", "picture"),
    [
        ("<enclosure url='/e.png' type='image/png' length='1'/>", "https://news.example/e.png"),
        ("<enclosure url='/e.mp3' type='audio/mpeg' length='1'/>", ""),
        ("<media:thumbnail url='/t.jpg'/>", "https://news.example/t.jpg"),
        (
            "<description>&lt;img src='/pixel.gif' width='1'&gt;&lt;img src='/in.jpg' alt='x'&gt;</description>",
            "https://news.example/in.jpg",
        ),
        ("<description>&lt;img src='data:image/png;base64,x'&gt;</description>", ""),
        ("<media:content url='javascript:x' medium='image'/>", ""),
    ],
)
def test_the_picture_of_an_entry_is_found(markup: str, picture: str) -> None:
    assert rss(item(rest=markup)).stories[0].picture_url == picture


def test_a_story_keeps_its_pseudonym_note() -> None:
    story = rss(
        item(
            title="How Maya* came home",
            rest="<description>&lt;p&gt;Maya is safe.&lt;/p&gt;&lt;p&gt;*A pseudonym.&lt;/p&gt;</description>",
        )
    ).stories[0]
    assert story.pseudonyms == (("Maya", "*A pseudonym."),)


@pytest.mark.requirement("X6")
def test_a_document_that_defines_entities_is_not_read() -> None:
    bomb = (
        '<?xml version="1.0"?><!-- x --><!DOCTYPE rss [<!ENTITY a0 "x">'
        + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
        + "]><rss version='2.0'><channel><item><title>&a9;</title><link>http://x/</link></item></channel></rss>"
    )
    for encoding in ("utf-8", "utf-16", "utf-8-sig"):
        started = time.process_time()
        parsed = parse_feed(bomb.encode(encoding), content_type="text/xml", url=URL, now=NOW)
        assert "DOCTYPE" in parsed.error
        assert time.process_time() - started < 1


@pytest.mark.requirement("X6")
def test_an_external_entity_reads_no_file(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("the secret")
    body = f'<!DOCTYPE rss SYSTEM "file://{secret}"><rss version="2.0"><channel><item><title>T &x;</title><link>http://x/</link></item></channel></rss>'
    parsed = parse_feed(body.encode(), content_type="text/xml", url=URL, now=NOW)
    assert "secret" not in repr(parsed)


@pytest.mark.requirement("X1")
@pytest.mark.parametrize("body", [b"/etc/passwd", b"file:///etc/passwd", b"http://127.0.0.1:1/feed"])
def test_bytes_that_look_like_a_path_are_not_opened(body: bytes) -> None:
    parsed = parse_feed(body, content_type="text/plain", url=URL, now=NOW)
    assert "not a feed" in parsed.error
    assert "root:" not in repr(parsed)


def test_a_web_page_instead_of_a_feed_names_the_feed() -> None:
    page = b'<html><head><link rel="alternate" type="application/rss+xml" href="/rss.xml"></head><body>Hi</body></html>'
    assert "https://news.example/rss.xml" in parse_feed(page, content_type="text/html", url=URL, now=NOW).error


@pytest.mark.parametrize("body", [b"", b"  \n"])
def test_an_empty_document_is_reported(body: bytes) -> None:
    assert "empty" in parse_feed(body, content_type="text/xml", url=URL, now=NOW).error


def test_a_feed_that_is_cut_off_gives_its_complete_entries() -> None:
    body = (
        b'<rss version="2.0"><channel><item><title>Whole</title><link>http://x.example/1</link></item><item><title>Ha'
    )
    parsed = parse_feed(body, content_type="text/xml", url=URL, now=NOW)
    assert parsed.stories[0].title == "Whole"


@pytest.mark.long
@pytest.mark.requirement("X7")
def test_deep_nesting_and_many_entries_are_handled_in_time() -> None:
    started = time.process_time()
    deep = b"<rss version='2.0'><channel>" + b"<a>" * 1_000_000
    assert "nested too deeply" in parse_feed(deep, content_type="text/xml", url=URL, now=NOW).error
    parse_feed(deep[:200_000], content_type="text/xml", url=URL, now=NOW)
    story = rss(item(rest="<description>" + "&lt;div&gt;" * 1_500 + "still read</description>")).stories[0]
    assert story.teaser == "still read"
    assert len(rss(*(item(link=f"https://news.example/{n}", rest="<p/>") for n in range(5_000))).stories) == 200
    assert time.process_time() - started < 10


def json_feed(*items: object, **head: object) -> Parsed:
    body = json.dumps({"version": "https://jsonfeed.org/version/1.1", "title": "News", "items": items, **head})
    return parse_feed(body.encode(), content_type="application/feed+json", url=URL, now=NOW)


def test_a_json_feed_becomes_stories() -> None:
    parsed = json_feed(
        {
            "id": 7,
            "url": "/a",
            "title": "1 < 2 &amp; {{ x }}",
            "content_html": "<p>Text</p><img src='/i.jpg' alt='A door'>",
            "date_published": "2026-11-24T08:30:00+01:00",
            "authors": [{"name": "Field Team"}, {"name": "Ana"}],
            "tags": ["courts", "courts"],
        },
        {
            "id": "8",
            "url": "https://news.example/b",
            "title": "B",
            "summary": "Lead",
            "image": "/b.jpg",
            "author": {"name": "Old form"},
            "language": "ro",
        },
        language="en",
    )
    first, second = parsed.stories
    assert (first.external_id, first.url, first.title) == ("7", "https://news.example/a", "1 < 2 & {{ x }}")
    assert (first.picture_url, first.picture_alt) == ("https://news.example/i.jpg", "A door")
    assert first.published_at == datetime(2026, 11, 24, 7, 30, tzinfo=UTC)
    assert (first.author, first.categories, first.language, first.teaser) == (
        "Field Team, Ana",
        ("courts",),
        "en",
        "Text",
    )
    assert (second.teaser, second.picture_url, second.author, second.language) == (
        "Lead",
        "https://news.example/b.jpg",
        "Old form",
        "ro",
    )


@pytest.mark.parametrize(
    "bad",
    [{}, [], None, 3, "text", {"title": "x"}, {"title": {"a": 1}, "url": "http://x/"}, {"title": "x", "url": ["a"]}],
)
def test_a_bad_json_entry_is_set_aside(bad: object) -> None:
    parsed = json_feed(bad, {"title": "Good", "url": "https://news.example/g", "authors": ["x"], "tags": 3})
    assert [story.title for story in parsed.stories] == ["Good"]
    assert len(parsed.set_aside) == 1


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"items": [', "damaged"),
        (b'{"a": 1}', "not a JSON Feed"),
        (b"[]", "not a JSON Feed"),
        (b"[" * 100_000, "damaged"),
    ],
)
def test_json_that_is_not_a_feed_is_reported(body: bytes, words: str) -> None:
    assert words in parse_feed(body, content_type="application/json", url=URL, now=NOW).error


def test_the_description_of_a_picture_is_never_the_teaser() -> None:
    body = b"""<rss version="2.0" xmlns:media="http://search.yahoo.com/mrss/"><channel><title>F</title><item>
    <title>One</title><link>https://example.org/1</link><description>The summary.</description>
    <media:content url="https://example.org/p.jpg" medium="image"><media:description>A boat</media:description></media:content>
    </item></channel></rss>"""
    (story,) = parse_feed(body, content_type="application/rss+xml", url="https://example.org/feed").stories
    assert (story.teaser, story.picture_alt) == ("The summary.", "A boat")
