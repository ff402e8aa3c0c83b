"""A web site's page and style sheets give a brand its name, logo, colours, fonts and feeds."""

import pytest

from newsletter.content.parsing.pages.site_colours import find_site_colours
from newsletter.content.parsing.pages.site_look import read_site_page
from newsletter.organisation.site_look import make_readable
from newsletter.rendering.colours import NEAR_WHITE, choose_text_colour, contrast
from newsletter.rendering.lint.colour_advice import find_colour_problems

URL = "https://www.example.org/en/"


def read(html: str):
    return read_site_page(html, url=URL)


def test_a_page_names_its_feeds_and_calendars() -> None:
    page = read(
        '<link rel="alternate" type="application/rss+xml" title="News" href="/feed/">'
        '<link rel="alternate" type="text/calendar" href="events.ics">'
        '<link rel="alternate" hreflang="es" href="/es/">'
    )
    assert [(feed.kind, feed.url, feed.title) for feed in page.feeds] == [
        ("feed", "https://www.example.org/feed/", "News"),
        ("calendar", "https://www.example.org/en/events.ics", ""),
    ]


_TEASER = '<article itemscope itemtype="https://schema.org/Article"><h2>A</h2></article>'
_ARTICLE = '<meta property="og:type" content="article">'
_NODE = '<script type="application/ld+json">{"@type": "BlogPosting", "headline": "A"}</script>'


@pytest.mark.parametrize(
    ("html", "is_story"),
    [
        (_TEASER, True),
        (_NODE, True),
        (_TEASER + _NODE, True),
        (_ARTICLE + '<meta property="article:published_time" content="2026-03-02T09:00:00Z">' + 3 * _TEASER, True),
        (3 * _TEASER, False),
        (3 * _NODE, False),
        (3 * (_TEASER + _NODE), False),
        ('<script type="application/ld+json">[{"@type": "Article"}, {"@type": "NewsArticle"}]</script>', False),
        ("<h1>News</h1>", False),
    ],
)
def test_a_page_with_several_articles_is_not_a_story(html: str, is_story: bool) -> None:
    assert read_site_page(html, url="https://example.org/news/").is_story == is_story


_TEXT = "<p>" + 30 * "She came home. " + "</p>"
_DAY = '<time datetime="2026-03-02T09:00">2 March</time>'
_STORY = f"<article><h1>How she came home</h1>{_DAY}{_TEXT}</article>"
_TEASERS = 3 * "<article><h2>Another story</h2><p>Read how it went on.</p></article>"
_LISTED = "".join(
    f"<li>{_DAY} <a href='/news/{number}/'>Story {number}</a> <p>Some words that say what this story is about.</p></li>"
    for number in range(12)
)
_LINKED_TEXTS = _DAY + 4 * f"<a href='/news/1/'>{_TEXT}</a>"
_HEADED_LIST = f"<main><h1>News</h1>{_TEASERS}</main>"
_OWN_NODE = """<script type="application/ld+json">{"@graph": [
    {"@type": "NewsArticle", "mainEntityOfPage": {"@id": "https://example.org/news/"}},
    {"@type": ["NewsArticle"], "url": "https://example.org/other/"}]}</script>"""


@pytest.mark.parametrize(
    "html",
    [
        _STORY + _TEASERS,
        f"<aside>{_TEASERS}</aside>{_STORY}",
        _STORY.replace("</article>", f"<section>{3 * _TEASER}</section></article>"),
        _STORY.replace("<article>", '<article itemscope itemtype="https://schema.org/Article">') + 3 * _TEASER,
        f"<h1>How she came home</h1>{_DAY}<article>{3 * _TEXT}</article>{_TEASERS}",
        _STORY.replace("How she came home", '<a href="https://www.example.org/news/#top">How she came home</a>'),
        _STORY.replace(_DAY, '<a rel="author" href="/people/ann/">Ann Lee</a>' + _TEXT),
        _STORY.replace(
            _TEXT, 5 * f"{_TEXT}<a href='/a/'>our law</a> <a href='#note'>1</a> <a href='mailto:a@example.org'>us</a>"
        ),
        _OWN_NODE,
        _OWN_NODE.replace("example.org/news/", "example.org/") + '<link rel="canonical" href="https://example.org/">',
    ],
    ids=[
        "before",
        "after",
        "within",
        "all marked",
        "heading above",
        "linked to itself",
        "author",
        "links",
        "own node",
        "canonical address",
    ],
)
def test_a_story_with_teasers_of_others_is_a_story(html: str) -> None:
    assert read_site_page(html, url="https://example.org/news/").is_story


@pytest.mark.parametrize(
    "html",
    [
        _HEADED_LIST,
        f"<article><h1>News</h1>{_DAY}{_TEASERS}</article>",
        3 * _STORY,
        f"<h1>News</h1>{_DAY}{3 * f'<article><h2>A story</h2>{3 * _TEXT}</article>'}",
        f"<h1>News</h1>{_DAY}<article><h2>The only story</h2>{3 * _TEXT}</article>",
        _OWN_NODE.replace("example.org/news/", "example.org/one/"),
        _OWN_NODE.replace('"https://example.org/other/"', '"https://example.org/news/#other"'),
        f"<article><h1>News</h1>{_DAY}<script>{_TEXT}</script></article>{_TEASERS}",
        f"<article><h1>News</h1><ul>{_LISTED}</ul></article>",
        f"<article><h1>News</h1>{_LINKED_TEXTS}</article>",
        f"<h1>News</h1><article><h2>The lead</h2>{_DAY}{5 * _TEXT}</article>{_TEASERS}",
        f"<h1>News</h1>{_DAY}<article>{3 * _TEXT}{_LISTED}</article>{_TEASERS}",
        _STORY.replace("How she came home", '<a href="/news/1/">How she came home</a>') + _TEASERS,
        f'<a href="/news/1/">{_STORY.replace(_TEXT, 3 * _TEXT)}</a>{_TEASERS}',
    ],
    ids=[
        "list",
        "page of a list",
        "whole stories",
        "long",
        "one so far",
        "others' nodes",
        "two own nodes",
        "script",
        "list in one",
        "linked texts",
        "long lead",
        "list under a lead",
        "lead links to its page",
        "lead is a link",
    ],
)
def test_a_list_under_a_heading_is_not_a_story(html: str) -> None:
    assert not read_site_page(html, url="https://example.org/news/").is_story


@pytest.mark.parametrize(
    ("named", "is_story"),
    [
        ("", False),
        ('<meta property="article:modified_time" content="2026-03-02T09:00:00Z">', False),
        ('<meta property="article:author" content=" ">', False),
        ('<meta property="article:author" content="https://example.org/people/ann/">', True),
        ('<meta property="article:published_time" content="2026-03-02T09:00:00Z">', True),
        (f"<h1>How she came home</h1>{_DAY}", True),
        ('<article><h1>How she came home</h1><a rel="author" href="/ann/">Ann</a></article>', True),
    ],
)
def test_a_page_that_calls_itself_an_article_names_its_day_or_author(named: str, is_story: bool) -> None:
    """Some systems call each page an article, also that about contact."""
    page = read_site_page(f"{_ARTICLE}{named}<main>{_TEXT}</main>", url="https://example.org/contact/")
    assert page.is_story == is_story


@pytest.mark.parametrize(
    "data", ['"text"', "3", "null", "true", "[" * 10_000, '[[{"logo": "/a.png"}]]', '{"@graph": "x"}']
)
def test_structured_data_of_another_shape_breaks_no_page(data: str) -> None:
    page = read(f'<script type="application/ld+json">{data}</script><title>Open Door</title>')
    assert (page.name, page.logos, page.is_story) == ("Open Door", (), False)


@pytest.mark.parametrize("hours", ["", '<time datetime="09:00">nine</time>'], ids=["no time", "an hour"])
def test_a_page_about_contact_is_not_a_story(hours: str) -> None:
    html = f"<main><article class='page'><h1>Contact</h1>{hours}{2 * _TEXT}</article></main><footer>{_DAY}</footer>"
    assert not read_site_page(html, url="https://example.org/contact/").is_story


def test_the_structured_logo_comes_before_images_and_icons() -> None:
    page = read(
        '<link rel="apple-touch-icon" href="/touch.png"><img class="site-logo" src="/logo.png"><img src="/photo.jpg">'
        '<img alt="Logo" src="/logo.svg">'
        '<script type="application/ld+json">{"@graph": [{"logo": {"url": "/structured.png"}}]}</script>'
    )
    assert [logo.rpartition("/")[2] for logo in page.logos] == ["structured.png", "logo.png", "touch.png"]


@pytest.mark.parametrize(
    ("html", "name"),
    [
        ('<title>Home | Open Door</title><meta property="og:site_name" content="Open Door Trust">', "Open Door Trust"),
        ("<title>We open doors for everybody | Open Door</title>", "Open Door"),
        ("<title>Home · Harbour Justice</title>", "Harbour Justice"),
        ("<title>Justicia del Puerto – Inicio</title>", "Justicia del Puerto"),
        ("<title>Home</title>", ""),
        ("", ""),
    ],
)
def test_the_name_is_what_the_site_calls_itself(html: str, name: str) -> None:
    assert read(html).name == name


@pytest.mark.parametrize(
    "html", ["<", "<link", "<img src='http://[bad'>", '<script type="application/ld+json">{', "\0"]
)
def test_a_broken_page_breaks_nothing(html: str) -> None:
    assert read(html).feeds == ()


def test_named_colours_of_the_brand_come_before_frequent_ones() -> None:
    css = ":root{--primary-colour:#123a6b} a{color:#c0392b} b{color:#c0392b} i{color:#777} p{color:#000}"
    found = find_site_colours(css)
    assert (found.colour, found.accent) == ("#123a6b", "#c0392b")


def test_colours_are_read_in_each_notation() -> None:
    assert find_site_colours("a{color:rgb(192, 57, 43)}").colour == "#c0392b"
    assert find_site_colours("a{color:#c32}").colour == "#cc3322"
    assert find_site_colours("", theme_colour="#123a6b").colour == "#123a6b"


@pytest.mark.parametrize("only", ["#ffe97a", "#123a6b", "#c0392b", "#0b1f10"])
def test_a_site_with_one_colour_gives_two_shades_of_it(only: str) -> None:
    colours = make_readable(find_site_colours(f"a{{color:{only}}}"))
    assert contrast(colours.colour, colours.accent) > 1.5
    given = {name: getattr(colours, name) for name in ("colour", "accent", "background")}
    assert [advice for advice in find_colour_problems(**given) if advice.refused] == []


@pytest.mark.parametrize("dark", ["#7a1f5c", "#5b2a86", "#00695c", "#1b3a57", "#000000"])
def test_a_button_of_a_dark_brand_has_light_text(dark: str) -> None:
    accent = make_readable(find_site_colours(f":root {{ --brand-primary: {dark} }}")).accent
    assert choose_text_colour(accent) == NEAR_WHITE


def test_a_site_in_grey_gives_no_colour() -> None:
    assert find_site_colours("body{color:#333;background:#fff}").colour == ""


def test_only_a_light_background_is_taken() -> None:
    assert find_site_colours("body{background-color:#fdf6e3}").background == "#fdf6e3"
    assert find_site_colours("body{background:#101010}").background == ""


def test_fonts_of_text_and_headings_are_found_through_variables() -> None:
    css = ":root{--serif:'Lora', Georgia, serif} body{font-family:Verdana,sans-serif} h1,h2{font-family:var(--serif)}"
    found = find_site_colours(css)
    assert (found.font, found.heading_font) == ("Verdana,sans-serif", "'Lora', Georgia, serif")
