"""Feeds, pages and WordPress plugins name the same story in other languages."""

import time

import pytest

from newsletter.content.parsing.alternates import (
    read_hreflang,
    read_page_links,
    read_wordpress,
    read_wordpress_language,
)
from newsletter.content.parsing.feeds.feed import parse_feed
from newsletter.content.parsing.pages.story_page import parse_story_page

SITE = "https://news.example/"
ATOM = f"""<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en"><title>Site</title>
<entry><id>{SITE}the-door/</id><title>A home given back</title><link rel="alternate" href="{SITE}the-door/"/>
<link rel="alternate" hreflang="es" href="{SITE}es/la-puerta/"/><updated>2026-03-02T10:00:00Z</updated></entry></feed>"""
PAGE = f"""<html lang="en"><head><link rel="alternate" hreflang="en" href="/the-door/">
<link rel="alternate" hreflang="es-MX" href="/es/la-puerta/"><link rel="alternate" hreflang="x-default" href="/">
<link rel="alternate" type="application/rss+xml" href="/feed/"></head><body><article><h1>A home given back</h1>
<p>{"Last month a court in the north gave back a home to three families. " * 5}</p></article></body></html>"""


def test_the_links_of_a_feed_name_the_translations_of_an_entry() -> None:
    parsed = parse_feed(ATOM.encode(), content_type="application/atom+xml", url=f"{SITE}feed/")
    assert parsed.stories[0].translations == (("es", f"{SITE}es/la-puerta/"),)


def test_the_head_of_a_page_names_its_translations() -> None:
    parsed = parse_story_page(PAGE.encode(), url=f"{SITE}the-door/")
    assert parsed.stories[0].translations == (("en", f"{SITE}the-door/"), ("es-MX", f"{SITE}es/la-puerta/"))


def test_polylang_names_translations_by_the_ids_of_posts() -> None:
    post = {"id": 7, "lang": "en", "translations": {"en": 7, "es": 8, "fr": 0, "de": "9"}}
    assert read_wordpress(post, home=SITE, base_url=SITE) == (("es", f"{SITE}?p=8"),)
    assert read_wordpress_language(post) == "en"


def test_wpml_names_translations_by_their_addresses() -> None:
    post = {
        "id": 7,
        "wpml_current_locale": "en_US",
        "wpml_translations": [{"locale": "es_ES", "id": 8, "href": f"{SITE}es/la-puerta/"}, "broken", {"locale": "fr"}],
    }
    assert read_wordpress(post, home=SITE, base_url=SITE) == (("es-ES", f"{SITE}es/la-puerta/"),)
    assert read_wordpress_language(post) == "en-US"


def test_broken_fields_of_plugins_name_nothing() -> None:
    for post in ({"translations": []}, {"translations": "x", "wpml_translations": {"a": 1}}, {}):
        assert read_wordpress(post, home=SITE, base_url=SITE) == ()
    assert read_hreflang([{"rel": "alternate", "hreflang": "es", "href": "javascript:x"}], base_url=SITE) == ()


RSS = f"""<?xml version="1.0"?><rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom"><channel><title>Site</title>
<item><title>A home given back</title><link>{SITE}the-door/</link>
<atom:link rel="alternate" hreflang="es" href="{SITE}es/la-puerta/"/></item></channel></rss>"""
IN_LANGUAGES = ATOM.replace('"alternate" href', '"alternate" hreflang="en" href')


@pytest.mark.parametrize("feed", [ATOM, RSS, IN_LANGUAGES], ids=["atom", "rss", "atom that names each language"])
def test_the_link_of_a_translation_is_not_that_of_the_story(feed: str) -> None:
    (story,) = parse_feed(feed.encode(), content_type="application/xml", url=f"{SITE}feed/").stories
    assert story.url == f"{SITE}the-door/"
    assert ("es", f"{SITE}es/la-puerta/") in story.translations


@pytest.mark.parametrize(
    "link",
    [
        '<link rel="alternate" hreflang="es" href="/es/?a=1&amp;b=2">',
        "<LINK HREFLANG=es href='/es/?a=1&b=2' rel=alternate />",
        '<link data-x="1" rel="alternate nofollow" href="/es/?a=1&#38;b=2" hreflang="es">',
    ],
)
def test_the_links_of_a_page_are_read_without_a_parser(link: str) -> None:
    html = f'<html><head><link rel="stylesheet" href="/a.css">{link}<link rel="alternate" href="/feed/"></head>'
    assert read_page_links(html, base_url=SITE) == (("es", f"{SITE}es/?a=1&b=2"),)


def test_a_page_of_broken_links_is_read_in_no_time() -> None:
    began = time.thread_time()
    assert read_page_links("<link " * 300_000, base_url=SITE) == ()
    assert read_page_links("<link " + "a=" * 300_000, base_url=SITE) == ()
    assert time.thread_time() - began < 5  # of a processor; 0.03 s on a quiet machine
