"""The sample WordPress route has the shape, paging and errors of the real one."""

import json
from datetime import datetime, timedelta

import pytest

from tests.support.demo_site import NOW, ask

ROUTE = "/wp-json/wp/v2/posts"


def test_posts_embed_their_picture_terms_and_author(site):
    answer = ask(site, f"{ROUTE}?_embed=1")
    posts = json.loads(answer.body)
    assert len(posts) >= 4
    assert answer.headers["X-WP-Total"] == str(len(posts))
    for post in posts:
        embedded = post["_embedded"]
        media = embedded["wp:featuredmedia"][0]
        assert media["alt_text"]
        assert site.pages.find_page(media["source_url"].removeprefix(site.url))
        assert [term["name"] for term in embedded["wp:term"][0]]
        assert embedded["author"][0]["name"]
        assert ask(site, post["link"].removeprefix(site.url)).status == 200
        assert datetime.fromisoformat(post["date_gmt"] + "+00:00") < NOW


def test_without_embed_nothing_is_embedded(site):
    assert all("_embedded" not in post for post in json.loads(ask(site, ROUTE).body))


def test_pages_hold_each_post_once(site):
    everything = [post["id"] for post in json.loads(ask(site, ROUTE).body)]
    first = ask(site, f"{ROUTE}?per_page=2")
    pages = int(first.headers["X-WP-TotalPages"])
    assert pages == 3
    seen = []
    for page in range(1, pages + 1):
        seen += [post["id"] for post in json.loads(ask(site, f"{ROUTE}?per_page=2&page={page}").body)]
    assert seen == everything
    assert len(set(seen)) == len(seen)


def test_after_omits_older_posts(site):
    after = (NOW - timedelta(days=7)).replace(tzinfo=None).isoformat()
    posts = json.loads(ask(site, f"{ROUTE}?after={after}").body)
    assert posts
    assert all(post["date_gmt"] > after for post in posts)


def test_after_now_gives_an_empty_first_page(site):
    answer = ask(site, f"{ROUTE}?after={NOW.replace(tzinfo=None).isoformat()}")
    assert (answer.status, json.loads(answer.body), answer.headers["X-WP-TotalPages"]) == (200, [], "0")


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("page=99", "rest_post_invalid_page_number"),
        ("page=0", "rest_invalid_param"),
        ("per_page=101", "rest_invalid_param"),
        ("page=two", "rest_invalid_param"),
        ("after=lately", "rest_invalid_param"),
    ],
)
def test_a_bad_query_is_a_400_with_the_code_of_wordpress(site, query, code):
    answer = ask(site, f"{ROUTE}?{query}")
    assert answer.status == 400
    assert json.loads(answer.body)["code"] == code
    assert "ETag" not in answer.headers
