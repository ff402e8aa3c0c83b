"""Posts of a WordPress site become stories."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from newsletter.content.parsing.entries import Parsed
from newsletter.content.parsing.feeds.wordpress_addresses import parse_site_address, plain_root
from newsletter.content.parsing.feeds.wordpress_posts import parse_posts, total_pages

NOW = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)
URL = "https://news.example/wp-json/wp/v2/posts"


def post(**changes: Any) -> dict[str, Any]:
    media = {
        "media_type": "image",
        "source_url": "https://news.example/full.jpg",
        "alt_text": "A court &amp; a door",
        "media_details": {"sizes": {
            "thumbnail": {"width": 150, "source_url": "https://news.example/150.jpg"},
            "large": {"width": 1024, "source_url": "https://news.example/1024.jpg"},
            "full": {"width": 4000, "source_url": "https://news.example/full.jpg"},
        }},
    }  # fmt: skip
    terms = [
        [{"taxonomy": "post_tag", "name": "Pune", "slug": "pune"}],
        [
            {"taxonomy": "category", "name": "Courts &amp; law", "slug": "courts"},
            {"taxonomy": "category", "name": "Uncategorized", "slug": "uncategorized"},
        ],
    ]
    whole: dict[str, Any] = {
        "id": 41,
        "date_gmt": "2026-11-24T08:30:00",
        "link": "https://news.example/2026/a/",
        "status": "publish",
        "title": {"rendered": "Survivors&#8217; day in <em>court</em>"},
        "excerpt": {"rendered": "<p>The lead of it [&hellip;]</p>\n"},
        "content": {"rendered": "<p>Maya* spoke.</p><p>*Name has been changed.</p>", "protected": False},
        "_embedded": {"author": [{"name": "Field Team"}], "wp:featuredmedia": [media], "wp:term": terms},
    }
    return whole | changes


def parse(*posts: Any) -> Parsed:
    return parse_posts(json.dumps(posts).encode(), url=URL, now=NOW)


def test_a_post_keeps_the_data_of_its_site() -> None:
    (story,) = parse(post()).stories
    assert (story.external_id, story.url, story.title) == (
        "41",
        "https://news.example/2026/a/",
        "Survivors’ day in court",
    )
    assert story.teaser == "The lead of it"
    assert (story.picture_url, story.picture_alt) == ("https://news.example/1024.jpg", "A court & a door")
    assert (story.author, story.categories) == ("Field Team", ("Courts & law", "Pune"))
    assert story.published_at == datetime(2026, 11, 24, 8, 30, tzinfo=UTC)
    assert story.pseudonyms == (("Maya", "*Name has been changed."),)


@pytest.mark.requirement("X8")
@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"content": {"rendered": "", "protected": True}}, "password"),
        ({"status": "draft"}, "not published"),
        ({"title": {"rendered": ""}}, "no title"),
        ({"title": None}, "no title"),
        ({"link": ""}, "no link"),
        ({"date_gmt": "2030-01-01T00:00:00"}, "future"),
    ],
)
def test_a_post_that_cannot_be_used_is_set_aside(changes: dict[str, Any], reason: str) -> None:
    parsed = parse(post(**changes), post(id=42))
    assert [story.external_id for story in parsed.stories] == ["42"]
    assert reason in parsed.set_aside[0].reason


@pytest.mark.parametrize(
    "embedded", [None, [], {"author": None, "wp:term": [None, [3]], "wp:featuredmedia": [{"code": "rest_forbidden"}]}]
)
def test_a_post_without_embedded_data_is_used(embedded: object) -> None:
    story = parse(post(_embedded=embedded, content={"rendered": "<img src='/in.jpg' alt='In'>"})).stories[0]
    assert (story.author, story.categories) == ("", ())
    assert (story.picture_url, story.picture_alt) == ("https://news.example/in.jpg", "In")


@pytest.mark.parametrize(
    "media",
    [{"media_type": "file", "source_url": "https://news.example/a.pdf"}, {"media_type": "image", "source_url": ""}],
)
def test_media_other_than_images_is_ignored(media: dict[str, str]) -> None:
    assert parse(post(_embedded={"wp:featuredmedia": [media]})).stories[0].picture_url == ""


def test_data_that_is_not_a_post_is_set_aside() -> None:
    assert len(parse(3, None, "x").set_aside) == 3


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"<html>", "does not answer like WordPress"),
        (b'{"code":"rest_no_route","message":"No route &amp; no way"}', "No route & no way"),
        (b'{"a": 1}', "not with a list of posts"),
    ],
)
def test_an_answer_that_is_not_a_list_of_posts_is_reported(body: bytes, words: str) -> None:
    assert words in parse_posts(body, url=URL, now=NOW).error


@pytest.mark.parametrize(
    "site",
    [
        "https://news.example",
        "https://news.example/",
        "https://news.example/wp-json/",
        "https://news.example/wp-json/wp/v2/posts",
    ],
)
def test_the_address_of_posts_is_made_from_that_of_the_site(site: str) -> None:
    after = datetime(2026, 11, 1, tzinfo=UTC)
    assert parse_site_address(site).list_url(page=2, per_page=500, after=after) == (
        "https://news.example/wp-json/wp/v2/posts?_embed=1&per_page=100&page=2&orderby=date&order=desc&after=2026-11-01T00%3A00%3A00"
    )


def test_a_site_in_a_folder_and_one_without_permalinks() -> None:
    site = parse_site_address("https://x.example/blog/")
    assert site.list_url().startswith("https://x.example/blog/wp-json/wp/v2/posts?")
    plain = site.with_root(plain_root(site.home))
    assert plain.list_url().startswith("https://x.example/blog/?rest_route=%2Fwp%2Fv2%2Fposts&")


@pytest.mark.parametrize(
    ("headers", "pages"),
    [({"X-WP-TotalPages": "7"}, 7), ({"x-wp-totalpages": "9000"}, 50), ({}, 1), ({"x-wp-totalpages": "many"}, 1)],
)
def test_the_number_of_pages_is_read(headers: dict[str, str], pages: int) -> None:
    assert total_pages(headers) == pages
