"""“Add a source” asks for an address, finds what it offers, and shows the first items before anything is saved."""

import re
import socket
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from newsletter.content.ingesting.apis.source_keys import open_key
from newsletter.models import AuditEntry, EventNotice, Source, Story
from tests.support.api_entries import make_entry
from tests.support.api_server import KEY, serve_api
from tests.support.desk import sign_in
from tests.support.feed_items import make_feed_item
from tests.support.name_lookups import fail_lookups
from tests.support.page_html import compact_html
from tests.support.sample_documents import read_shape
from tests.support.web_site import Site, serve_site

pytestmark = pytest.mark.django_db(transaction=True)
FIND = "/admin/sources/find/"
ARTICLE = (
    '<meta property="og:type" content="article"><meta property="article:published_time" content="2026-03-02T09:00:00Z">'
)
EVENTS = """<title>Open Door</title><script type="application/ld+json">[{"@context": "https://schema.org", "@type": "Event",
"name": "Open evening", "startDate": "DAYT19:00:00+01:00", "url": "/evening", "location": {"@type": "Place",
"name": "Town hall", "address": "Leeds"}}]</script>"""


@pytest.fixture
def site(settings: Any) -> Iterator[Site]:
    settings.NEWSLETTER_FETCH_ALLOW = ("127.0.0.1/32",)
    with serve_site() as served:
        yield served


def put_feed(site: Site, *titles: str) -> str:
    items = "".join(make_feed_item(site, f"story-{number}", title) for number, title in enumerate(titles))
    feed = f'<rss version="2.0"><channel><title>News</title>{items}</channel></rss>'
    return site.put("/feed.xml", feed, Content_Type="application/rss+xml")


def put_home(site: Site, head: str) -> str:
    return site.put("/", f"<title>Open Door</title>{head}", Content_Type="text/html")


def look(site: str, client: Client | None = None, **fields: str) -> str:
    answer = (client or sign_in("editor")).post(FIND, {"site": site, **fields})
    assert answer.status_code == 200
    return compact_html(answer.content.decode())


STORY = """<title>A survivor helps the police | Open Door</title>{mark}<body><nav><a href="/">Home</a></nav><article>
<h1>A survivor helps the police</h1><p>Last month, two teenage girls were found in a city that is a thousand miles away.</p>
<p>The evidence came from a woman who was found in the same house as a minor.</p></article></body>"""
FEED_LINK = '<link rel="alternate" type="application/rss+xml" title="Our news" href="/feed.xml">'


def test_adding_a_source_begins_with_its_address() -> None:
    client = sign_in("editor")
    page = client.get("/admin/sources/add/").content.decode()
    assert f'action="{FIND}"' in page
    assert 'name="key"' not in page
    assert 'name="kind"' not in page
    assert 'name="kind"' in client.get("/admin/sources/add/?by_hand=1").content.decode()


def test_a_site_shows_its_first_five_items_before_anything_is_saved(site: Site) -> None:
    put_feed(site, *(f"Story number {number}" for number in range(7)))
    page = look(put_home(site, FEED_LINK))
    assert page.count("<li>Story number") == 5
    assert "Our news" in page
    assert "7 items" in page
    assert 'name="key"' not in page
    assert not Source.objects.exists()
    assert not Story.objects.exists()


@pytest.mark.parametrize(
    "mark",
    [
        ARTICLE,
        '<script type="application/ld+json">{"@type": "NewsArticle", "headline": "A survivor helps the police"}</script>',
        '<div itemscope itemtype="https://schema.org/BlogPosting"></div>',
    ],
)
def test_the_page_of_one_story_is_found_if_its_site_has_no_feed(site: Site, mark: str) -> None:
    url = site.put("/stories/survivor/", STORY.format(mark=mark), Content_Type="text/html")
    client = sign_in("editor")
    page = look(url, client)
    assert "<li>A survivor helps the police" in page
    fields = {"site": url, "add": "1", "kind": "page", "url": url, "name": "A survivor helps the police"}
    client.post(FIND, fields)
    assert (Source.objects.get().kind, Source.objects.get().name) == ("page", "A survivor helps the police")


@pytest.mark.parametrize("path", ["/", "/stories/survivor/"])
def test_a_page_of_another_kind_is_not_found_as_a_story(site: Site, path: str) -> None:
    mark = ARTICLE if path == "/" else ""
    url = site.put(path, STORY.format(mark=mark), Content_Type="text/html")
    assert "We found no stories or events there." in look(url)


def test_a_found_source_is_added_and_opened(site: Site) -> None:
    url = put_feed(site, "The first verdict")
    home = put_home(site, FEED_LINK)
    client = sign_in("editor")
    fields = {"site": home, "add": "1", "kind": "feed", "url": url, "name": "Our news"}
    page = client.post(FIND, fields, follow=True).content.decode()
    source = Source.objects.get()
    assert (source.name, source.kind, source.url, source.enabled) == ("Our news", "feed", url, True)
    assert "“Our news” is added." in page
    assert AuditEntry.objects.get(action="wagtail.create").object_id == str(source.pk)
    again = client.post(FIND, fields).content.decode()
    assert f'You already have this source: <a href="/admin/sources/edit/{source.pk}/">Our news</a>' in again
    assert "Added" in again
    assert Source.objects.count() == 1


def test_a_site_offers_its_feed_its_calendar_and_its_events(site: Site) -> None:
    put_feed(site, "The first verdict")
    day = f"{timezone.now() + timedelta(days=20):%Y-%m-%d}"
    start = f"DTSTART:{day.replace('-', '')}T180000Z"
    event = f"BEGIN:VEVENT\r\nUID:1\r\n{start}\r\nSUMMARY:Vigil\r\nEND:VEVENT\r\n"
    site.put("/dates.ics", f"BEGIN:VCALENDAR\r\n{event}END:VCALENDAR\r\n", Content_Type="text/calendar")
    page = look(put_home(site, FEED_LINK + '<a href="/dates.ics">Dates</a>' + EVENTS.replace("DAY", day)))
    for item in ("The first verdict", "Vigil", "Open evening"):
        assert f"<li>{item}</li>" in page
    assert re.findall(r'class="nl-heading">([^<]+)<', page) == [
        "Our news",
        "Open Door",
        "Open Door: Web page of events",
    ]
    assert not EventNotice.objects.exists()


def test_a_ghost_site_offers_its_feed_and_asks_for_its_key_only_if_wanted(site: Site) -> None:
    put_feed(site, "The first verdict")
    page = look(put_home(site, '<meta name="generator" content="Ghost 5.8">' + FEED_LINK))
    assert "<li>The first verdict</li>" in page
    assert "Ghost site · We can read all of it with a key." in page
    assert 'name="key"' not in page
    asked = look(site.url + "/", kind="ghost")
    assert "Ghost asks for a key.</strong> In Ghost, open Settings" in asked
    assert 'type="password" name="key"' in asked


def test_a_drupal_site_is_read_through_its_interface(site: Site) -> None:
    site.put("/jsonapi/node/article", read_shape("drupal", "articles.json"), Content_Type="application/vnd.api+json")
    page = look(put_home(site, '<meta name="Generator" content="Drupal 10 (https://www.drupal.org)">'))
    assert "<li>The hundredth patient</li>" in page
    assert 'value="drupal"' in page


def test_a_key_is_tried_kept_sealed_and_used_for_its_address_only(site: Site) -> None:
    client = sign_in("editor")
    with serve_api("ghost", make_entry("ghost", 1, "A school opens again")) as api:
        assert "does not accept the key" in look(api.url, client, kind="ghost", key="0123456789")
        page = look(api.url, client, kind="ghost", key=KEY, name="Open Door")
        assert 'name="name" value="Open Door"' in page
        assert "<li>A school opens again</li>" in page
        assert KEY not in page
        assert KEY not in str(dict(client.session))
        elsewhere = {"site": site.url, "add": "1", "kind": "ghost", "url": site.url + "/", "name": "Elsewhere"}
        client.post(FIND, elsewhere)
        assert Source.objects.get(name="Elsewhere").sealed_key == ""
        client.post(FIND, {"site": api.url, "add": "1", "kind": "ghost", "url": api.url, "name": "Blog"})
    assert open_key(Source.objects.get(name="Blog")) == KEY


def test_a_pasted_address_with_its_key_shows_no_key(site: Site) -> None:
    with serve_api("ghost", make_entry("ghost", 1, "A school opens again")) as api:
        page = look(f"{api.url}?key={KEY}")
    assert "<li>A school opens again</li>" in page
    assert KEY not in page


def test_an_address_without_anything_to_read_says_so(site: Site) -> None:
    assert "We found no stories or events there." in look(put_home(site, ""))
    assert "404" in look(site.url + "/nothing-here")


def test_a_writer_may_not_look_for_sources() -> None:
    assert sign_in("writer").get(FIND).status_code == 302
    assert sign_in("writer").post(FIND, {"site": "example.org"}).status_code == 302


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (404, "This site has nothing at this address (status 404). Check it."),
        (503, "This site has an error of its own (status 503). Try again in a minute."),
    ],
)
def test_a_site_that_fails_is_not_said_to_be_asked_again(site: Site, status: int, words: str) -> None:
    url = site.put("/", "gone", status=status)
    page = look(url)
    assert words in page
    assert "again later" not in page


def test_a_site_that_does_not_answer_leaves_the_next_step_to_the_person(settings: Any) -> None:
    settings.NEWSLETTER_FETCH_ALLOW = ("127.0.0.1/32",)
    page = look("http://127.0.0.1:1/")
    assert "This site does not answer. Check the address, or try again in a minute." in page


def test_a_name_without_a_site_is_said_to_have_none(monkeypatch: pytest.MonkeyPatch) -> None:
    fail_lookups(monkeypatch)
    assert "No web site is found under this name. Check the spelling" in look("https://no-such-host.invalid/")


def test_a_failure_of_dns_does_not_deny_the_site(monkeypatch: pytest.MonkeyPatch) -> None:
    fail_lookups(monkeypatch, socket.EAI_AGAIN)
    assert "This site does not answer. Check the address" in look("https://news.example/")
