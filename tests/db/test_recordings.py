"""The length of a video and of an episode reaches the reader, and is asked for once."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from newsletter.content.ingesting.ingest import ingest_source
from newsletter.content.ingesting.read_source import robots
from newsletter.models import Source, Story
from tests.support.fixtures import NOW
from tests.support.sample_documents import read_shape
from tests.support.web_site import Site, serve_site

pytestmark = pytest.mark.django_db(transaction=True)
WATCH = '<title>A</title><body><meta itemprop="duration" content="PT12M3S"></body>'


@pytest.fixture
def site() -> Iterator[Site]:
    robots.forget()
    with serve_site() as served:
        yield served


def add_channel(site: Site) -> Source:
    feed = read_shape("feed", "youtube.xml").decode().replace("https://www.youtube.com", site.url)
    feed = feed.replace("https://i1.ytimg.com", site.url)
    return Source.objects.create(name="Videos", kind="feed", url=site.put("/feeds/videos.xml", feed))


def list_pages(site: Site) -> list[str]:
    return [path for path, _ in site.asked if path.startswith("/watch")]


def test_the_length_of_a_new_video_comes_from_its_page_once(site: Site) -> None:
    source = add_channel(site)
    site.put("/watch", WATCH, Content_Type="text/html")
    ingest_source(source=source, now=NOW)
    story = Story.objects.get()
    assert (story.media, story.seconds) == ("video", 723)
    report = ingest_source(source=source, now=NOW + timedelta(hours=1))
    assert (report.unchanged, len(list_pages(site))) == (1, 1)
    story.refresh_from_db()
    assert story.seconds == 723


def test_a_video_whose_page_cannot_be_read_is_used_without_length(site: Site) -> None:
    source = add_channel(site)
    site.put("/watch", "", status=500)
    report = ingest_source(source=source, now=NOW)
    assert report.new == 1
    assert Story.objects.get().seconds == 0


def test_a_site_that_forbids_its_video_pages_is_not_asked(site: Site) -> None:
    site.put("/robots.txt", "User-agent: *\nDisallow: /watch", Content_Type="text/plain")
    source = add_channel(site)
    ingest_source(source=source, now=NOW)
    assert list_pages(site) == []
    assert Story.objects.get().media == "video"
