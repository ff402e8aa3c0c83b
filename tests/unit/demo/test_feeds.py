"""Common parsers read the sample feeds, which hold what the first issue needs."""

import json
import re
from datetime import UTC, datetime, timedelta

import feedparser
import pytest

from newsletter.content.parsing.parse import Document, parse_document
from newsletter.demo.sample_content import load_stories
from tests.support.demo_site import NOW, ask


def read_feed(site, path):
    parsed = feedparser.parse(ask(site, path).body)
    assert not parsed.bozo, parsed.get("bozo_exception")
    return parsed


def published(entry):
    return datetime(*entry.published_parsed[:6], tzinfo=UTC)


def test_the_rss_feed_holds_new_and_older_stories(site):
    stories = [entry for entry in read_feed(site, "/stories/feed.xml").entries if entry.get("title")]
    assert len(stories) >= 10
    ages = [NOW - published(entry) for entry in stories]
    assert min(ages) > timedelta(0)
    assert sum(age <= timedelta(days=7) for age in ages) >= 4
    assert sum(timedelta(days=7) < age <= timedelta(days=30) for age in ages) >= 3
    assert sum(age > timedelta(days=30) for age in ages) >= 2


def test_each_rss_story_has_a_page_teaser_content_topics_and_picture(site):
    without_picture = 0
    for entry in read_feed(site, "/stories/feed.xml").entries:
        if not entry.get("title"):
            continue
        assert ask(site, entry.link.removeprefix(site.url)).status == 200
        assert 40 < len(entry.summary) < 280
        assert entry.content[0].value.count("<p>") >= 3
        assert entry.tags
        pictures = re.findall(r"<img [^>]+>", entry.content[0].value)
        without_picture += not pictures
        for picture in pictures:
            assert 'alt="Illustration: ' in picture
            assert site.pages.find_page(re.findall(r'src="([^"]+)"', picture)[0].removeprefix(site.url))
    assert without_picture == 1


def test_one_rss_entry_without_a_title_will_be_set_aside(site):
    untitled = [entry for entry in read_feed(site, "/stories/feed.xml").entries if not entry.get("title")]
    assert len(untitled) == 1


def test_a_pseudonym_always_comes_with_its_note():
    for section in ("stories", "field", "partner"):
        for story in load_stories(section, now=NOW):
            words = " ".join((story.title, story.teaser, *story.paragraphs)).split()
            marked = any("*" in word for word in words)
            assert marked == bool(story.notes), story.slug
            assert all(note.startswith("*") and note in story.body_html for note in story.notes)


def test_some_teasers_contain_a_pseudonym():
    stories = load_stories("stories", now=NOW)
    assert sum("*" in story.teaser for story in stories) >= 3


def test_atom_and_json_feed_hold_the_same_spanish_stories(site):
    atom = read_feed(site, "/atom.xml")
    feed = json.loads(ask(site, "/feed.json").body)
    assert feed["version"] == "https://jsonfeed.org/version/1.1"
    assert (atom.feed.language, feed["language"]) == ("es", "es")
    assert [entry.id for entry in atom.entries] == [item["id"] for item in feed["items"]]
    assert [entry.title for entry in atom.entries] == [item["title"] for item in feed["items"]]
    assert len(feed["items"]) >= 4
    for item in feed["items"]:
        assert timedelta(0) < NOW - datetime.fromisoformat(item["date_published"]) < timedelta(days=60)


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ("feed", "/stories/feed.xml"),
        ("feed", "/atom.xml"),
        ("feed", "/feed.json"),
        ("wordpress", "/wp-json/wp/v2/posts?_embed=1&per_page=20"),
        ("page", "/stories/the-long-road-to-a-fair-hearing/"),
    ],
)
def test_every_picture_has_a_description(site, kind, path):
    answer = ask(site, path)
    document = Document(
        kind=kind, body=answer.body, url=f"{site.url}{path}", content_type=answer.headers["Content-Type"], now=NOW
    )
    pictures = {story.picture_url: story.picture_alt for story in parse_document(document).stories if story.picture_url}
    assert pictures
    for address, alt in pictures.items():
        assert site.pages.find_page(address.removeprefix(site.url)), address
        assert alt.startswith(("Illustration: ", "Ilustración: ")), address


def test_related_stories_name_stories_that_exist():
    stories = load_stories("stories", now=NOW)
    slugs = {story.slug for story in stories}
    assert all(set(story.related) <= slugs - {story.slug} for story in stories)
