"""Images of stories come from the story's page if the feed has none, within a time limit, and are retried."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from newsletter.content.ingesting import read_source as read
from newsletter.content.ingesting import story_images as story_pictures
from newsletter.content.ingesting.ingest import IngestReport, ingest_due, ingest_source
from newsletter.models import Source, Story
from tests.support.drawing import draw
from tests.support.fixtures import NOW
from tests.support.misbehaving_server import MisbehavingServer, drip, misbehaving_server
from tests.support.web_site import Site, serve_site

pytestmark = pytest.mark.django_db

RSS = """<rss version="2.0" xmlns:media="http://search.yahoo.com/mrss/"><channel><title>Notes</title>{items}</channel></rss>"""
ITEM = """<item><title>{title}</title><link>{url}/{slug}</link><guid>{slug}</guid>
<pubDate>Mon, 02 Mar 2026 10:00:00 GMT</pubDate><description>What happened.</description>{extra}</item>"""
MEDIA = '<media:content url="{url}" medium="image"/>'
PAGE = '<html><head><meta property="og:image" content="{url}"><meta property="og:image:alt" content="A gate"></head></html>'


@pytest.fixture
def site() -> Iterator[Site]:
    with serve_site() as served:
        yield served
    read.robots.forget()


@pytest.fixture
def wild() -> Iterator[MisbehavingServer]:
    with misbehaving_server() as running:
        yield running


@pytest.fixture(autouse=True)
def _media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


def item(site: Site, slug: str, *, title: str = "", extra: str = "") -> str:
    return ITEM.format(url=site.url, slug=slug, title=title or f"Story {slug}", extra=extra)


def look(site: Site, *items: str, hours: int = 0, **headers: str) -> IngestReport:
    url = site.put("/feed.xml", RSS.format(items="".join(items)), **headers)
    source, _ = Source.objects.get_or_create(name="Feed", defaults={"kind": "feed", "url": url})
    return ingest_source(source=source, now=NOW + timedelta(hours=hours))


def asked(site: Site, path: str) -> int:
    return sum(1 for one, _ in site.asked if one == path)


def test_a_story_without_an_image_gets_the_one_of_its_page_once(site):
    site.put("/a", PAGE.format(url="/gate.jpg"), Content_Type="text/html")
    site.put("/gate.jpg", draw(1600, 900), Content_Type="image/jpeg")
    look(site, item(site, "a"))
    story = Story.objects.get()
    assert story.picture is not None
    assert (story.picture.source_url, story.picture_alt) == (f"{site.url}/gate.jpg", "A gate")
    assert look(site, item(site, "a")).unchanged == 1
    assert (asked(site, "/a"), asked(site, "/gate.jpg"), asked(site, "/robots.txt")) == (1, 1, 1)


def test_a_page_is_requested_again_only_if_the_entry_changed(site):
    site.put("/a", PAGE.format(url="/gate.jpg"), ETag='"page"')
    site.put("/gate.jpg", draw(1600, 900))
    look(site, item(site, "a"))
    before = Story.objects.get().picture
    report = look(site, item(site, "a", title="Upheld"))
    assert (report.updated, Story.objects.get().picture) == (1, before)
    assert [headers.get("If-None-Match") for path, headers in site.asked if path == "/a"] == [None, '"page"']


def test_a_page_disallowed_by_robots_txt_is_not_requested(site):
    site.put("/robots.txt", "User-agent: *\nDisallow: /")
    site.put("/a", PAGE.format(url="/gate.jpg"))
    report = look(site, item(site, "a"))
    assert (asked(site, "/a"), report.new, report.set_aside) == (0, 1, [])


def test_a_page_of_another_site_is_not_requested(site):
    with serve_site() as other:
        other.put("/a", PAGE.format(url="/gate.jpg"))
        look(site, item(site, "a").replace(site.url, "http://localhost:" + other.url.rsplit(":")[-1]))
        assert other.asked == []
    assert Story.objects.get().picture is None


def test_a_logo_named_for_sharing_is_not_a_story_image(site):
    site.put("/a", PAGE.format(url="/uploads/site-logo.png"))
    site.put("/b", PAGE.format(url="/uploads/default-share-image.png"))
    look(site, item(site, "a"), item(site, "b"))
    assert not Story.objects.filter(picture__isnull=False).exists()
    assert not any(path.endswith(".png") for path, _ in site.asked)


def test_an_image_named_on_all_pages_of_a_site_is_used_once(site):
    for slug in "abc":
        site.put(f"/{slug}", PAGE.format(url="/our-house.jpg"))
    site.put("/our-house.jpg", draw(1600, 900))
    look(site, *(item(site, slug) for slug in "abc"))
    assert Story.objects.filter(picture__isnull=False).count() == 1
    assert look(site, *(item(site, slug) for slug in "abc")).unchanged == 3


def test_a_page_without_an_image_is_not_requested_at_every_visit(site):
    site.put("/a", "<html><head><title>A</title></head><body><p>Words.</p></body></html>")
    for hours in range(3):
        report = look(site, item(site, "a"), hours=hours)
    assert (asked(site, "/a"), report.unchanged, report.set_aside) == (1, 1, [])


@pytest.mark.parametrize(("status", "headers"), [(503, {}), (429, {"Retry_After": "60"}), (500, {}), (408, {})])
def test_an_image_that_fails_for_now_is_retried_at_the_next_visit(site, status, headers):
    extra = MEDIA.format(url=f"{site.url}/photo.jpg")
    site.put("/photo.jpg", "wait", status=status, **headers)
    first = look(site, item(site, "a", extra=extra), ETag='"same"')
    assert (first.new, first.pictures_waiting, Story.objects.get().picture) == (1, True, None)
    assert "tried again" in first.set_aside[0].reason or str(status) in first.set_aside[0].reason
    assert look(site, item(site, "a", extra=extra), ETag='"same"').unchanged == 1
    site.put("/photo.jpg", draw(1600, 900))
    second = look(site, item(site, "a", extra=extra), ETag='"same"')
    assert (second.updated, second.pictures_waiting, second.set_aside) == (1, False, [])
    assert Story.objects.get().picture is not None
    assert look(site, item(site, "a", extra=extra), ETag='"same"').unchanged == 1


def test_a_page_that_fails_for_now_is_retried_at_the_next_visit(site):
    site.put("/a", "wait", status=503)
    assert look(site, item(site, "a"), ETag='"same"').pictures_waiting
    site.put("/a", PAGE.format(url="/gate.jpg"))
    site.put("/gate.jpg", draw(1600, 900))
    look(site, item(site, "a"), ETag='"same"')
    assert Story.objects.get().picture is not None


def test_a_permanently_missing_image_is_not_retried(site):
    report = look(site, item(site, "a", extra=MEDIA.format(url=f"{site.url}/gone.jpg")), ETag='"same"')
    assert (report.new, report.pictures_waiting) == (1, False)
    assert "so the story has none" in report.set_aside[0].reason
    assert Source.objects.get().etag == '"same"'


def test_a_site_that_asks_us_to_wait_gets_no_more_requests(site):
    for number in range(5):
        site.put(f"/{number}.jpg", "wait", status=429, Retry_After="60")
    items = [item(site, f"s{number}", extra=MEDIA.format(url=f"{site.url}/{number}.jpg")) for number in range(5)]
    report = look(site, *items)
    assert (report.new, report.pictures_waiting) == (5, True)
    assert sum(asked(site, f"/{number}.jpg") for number in range(5)) == 1
    assert report.set_aside[-1].entry == "4 images"


@pytest.mark.long
def test_slow_images_of_one_source_do_not_stop_the_others(site, wild, monkeypatch):
    monkeypatch.setattr(story_pictures, "VISIT_SECONDS", 4.0)
    wild.routes["/slow.jpg"] = drip(wild)
    items = [item(site, f"s{n}", extra=MEDIA.format(url=f"{wild.url}/slow.jpg?{n}")) for n in range(200)]
    slow = site.put("/slow.xml", RSS.format(items="".join(items)))
    good = site.put("/good.xml", RSS.format(items=item(site, "good", extra=MEDIA.format(url=f"{site.url}/p.jpg"))))
    site.put("/p.jpg", draw(400, 300))
    Source.objects.create(name="a slow", kind="feed", url=slow)
    Source.objects.create(name="b good", kind="feed", url=good)
    first, second = ingest_due(now=NOW)
    assert (first.new, first.error, first.pictures_waiting) == (200, "", True)
    assert len(wild.requests) <= 1
    assert first.set_aside[-1].entry == f"{200 - len(wild.requests)} images"
    assert "at most 4 seconds" in first.set_aside[-1].reason
    assert second.new == 1
    assert Story.objects.get(external_id__endswith="good").picture is not None


def test_postponed_images_are_fetched_at_the_next_visit(site, monkeypatch):
    site.put("/p.jpg", draw(400, 300))
    items = [item(site, f"s{n}", extra=MEDIA.format(url=f"{site.url}/p.jpg?{n}")) for n in range(3)]
    monkeypatch.setattr(story_pictures, "VISIT_SECONDS", 0.0)
    assert look(site, *items, ETag='"same"').set_aside[-1].entry == "3 images"
    monkeypatch.setattr(story_pictures, "VISIT_SECONDS", 60.0)
    report = look(site, *items, ETag='"same"')
    assert (report.updated, report.set_aside) == (3, [])
    assert not Story.objects.filter(picture__isnull=True).exists()


@pytest.mark.parametrize("kind", ["WEBP", "AVIF"])
def test_newer_formats_become_one_that_mail_shows(site, kind):
    site.put(f"/p.{kind.lower()}", draw(1600, 900, kind))
    look(
        site,
        item(site, "a", extra=f'<enclosure url="{site.url}/p.{kind.lower()}" type="image/{kind.lower()}" length="9"/>'),
    )
    picture = Story.objects.get().picture
    assert picture is not None
    assert (picture.width, picture.file.rsplit(".")[-1]) == (1280, "png")
