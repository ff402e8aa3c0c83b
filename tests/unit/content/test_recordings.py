"""Videos of YouTube and episodes of podcasts become stories with their image and length."""

import json
from datetime import UTC, datetime

import pytest

from newsletter.content.parsing.entries import Parsed
from newsletter.content.parsing.feeds.feed import parse_feed
from newsletter.content.parsing.feeds.recordings import read_duration
from newsletter.content.parsing.pages.story_page import parse_page_picture
from tests.support.sample_documents import read_shape

NOW = datetime(2026, 3, 4, 9, 30, tzinfo=UTC)
URL = "https://example.org/feed.xml"


def read(name: str) -> Parsed:
    return parse_feed(read_shape("feed", name), content_type="application/xml", url=URL, now=NOW)


def test_a_youtube_video_is_a_story_with_its_image() -> None:
    (story,) = read("youtube.xml").stories
    assert (story.external_id, story.title) == ("yt:video:abcDEF12345", "How the clinic works")
    assert story.url == "https://www.youtube.com/watch?v=abcDEF12345"
    assert story.teaser == "A walk through the clinic in Leeds with the people who work there."
    assert story.picture_url == "https://i1.ytimg.com/vi/abcDEF12345/hqdefault.jpg"
    assert story.picture_alt == "How the clinic works"
    assert (story.media, story.seconds) == ("video", 0)


def test_a_podcast_episode_is_a_story_with_its_length() -> None:
    first, second = read("podcast.xml").stories
    assert (first.url, first.media, first.seconds) == ("https://opendoor.example.org/podcast/12", "audio", 3749)
    assert first.picture_url == "https://opendoor.example.org/media/12.jpg"
    assert first.teaser == "Three volunteers tell how a night on the line goes."
    assert (second.seconds, second.picture_url) == (1500, "https://opendoor.example.org/media/show.jpg")


def test_an_episode_without_a_page_leads_to_its_recording() -> None:
    assert read("podcast.xml").stories[1].url == "https://opendoor.example.org/media/11.mp3"


def test_an_episode_of_a_json_feed_has_its_length() -> None:
    file = {"url": "https://example.org/1.mp3", "mime_type": "audio/mpeg", "duration_in_seconds": 1500.5}
    item = {"id": "1", "url": "https://example.org/1", "title": "What a van can do", "attachments": [file]}
    feed = {"version": "https://jsonfeed.org/version/1.1", "title": "The open door", "items": [item]}
    (story,) = parse_feed(json.dumps(feed).encode(), content_type="application/feed+json", url=URL, now=NOW).stories
    assert (story.media, story.seconds) == ("audio", 1500)


def test_a_text_is_not_a_recording() -> None:
    stories = read("rss_wordpress.xml").stories
    assert stories
    assert {(story.media, story.seconds) for story in stories} == {("", 0)}


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1:02:29", 3749), ("62:29", 3749), ("0:45", 45), ("3749", 3749), ("PT1H2M29S", 3749), ("PT12M", 720), ("PT4.5S", 4),
        ("1:02:29.5", 3749), (" 90 ", 90), ("", 0), ("soon", 0), ("-5", 0), ("9999999", 0), ("999:00:00", 0), ("P", 0), ("٣", 0),
    ],
)  # fmt: skip
def test_a_duration_is_read_in_every_form(text: str, seconds: int) -> None:
    assert read_duration(text) == seconds


def test_the_page_of_a_video_names_its_duration() -> None:
    page = b'<title>A</title><body><meta itemprop="duration" content="PT12M3S"><p>Text</p></body>'
    assert parse_page_picture(page, url=URL).extra["duration"] == "PT12M3S"
    assert parse_page_picture(b"<p>No video</p>", url=URL).extra["duration"] == ""
