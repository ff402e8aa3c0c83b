"""Sources in the desk: an address is tried when it is saved, and “Look now” reads a source at once."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from newsletter.content.ingesting import source_trial as try_source_module
from newsletter.models import EventNotice, Source, Story
from tests.support.desk import sign_in
from tests.support.feed_items import make_feed_item
from tests.support.fixtures import make_source
from tests.support.web_site import Site, serve_site

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def site(settings: Any) -> Iterator[Site]:
    settings.NEWSLETTER_FETCH_ALLOW = ("127.0.0.1/32",)
    with serve_site() as site:
        yield site


def put_feed(site: Site, *titles: str) -> str:
    items = "".join(make_feed_item(site, f"story-{number}", title) for number, title in enumerate(titles))
    feed = f'<rss version="2.0"><channel><title>News</title>{items}</channel></rss>'
    return site.put("/feed.xml", feed, Content_Type="application/rss+xml")


def source_fields(url: str, **fields: str) -> dict[str, str]:
    return {"name": "Field stories", "kind": "feed", "url": url, "every_minutes": "30", "enabled": "on", **fields}


def test_a_new_address_shows_its_first_five_items(site: Site) -> None:
    url = put_feed(site, *(f"Story number {number}" for number in range(7)))
    page = sign_in("editor").post("/admin/sources/add/", source_fields(url), follow=True).content.decode()
    assert "We found 7 items at this address." in page
    assert page.count("<li>Story number") == 5
    assert not Story.objects.exists()


def test_the_kind_is_found_from_the_address(site: Site) -> None:
    url = put_feed(site, "The first verdict")
    page = sign_in("editor").post("/admin/sources/add/", source_fields(url, kind=""), follow=True).content.decode()
    assert (Source.objects.get().kind, Source.objects.get().url) == ("feed", url)
    assert "We found 1 item at this address." in page


def test_the_feed_of_a_web_site_is_found_from_its_address(site: Site) -> None:
    url = put_feed(site, "The first verdict")
    link = '<link rel="alternate" type="application/rss+xml" href="/feed.xml">'
    home = site.put("/", f"<title>Open Door</title>{link}", Content_Type="text/html")
    assert sign_in("editor").post("/admin/sources/add/", source_fields(home, kind="")).status_code == 302
    assert (Source.objects.get().kind, Source.objects.get().url) == ("feed", url)


def test_an_address_without_a_known_kind_is_refused(site: Site) -> None:
    home = site.put("/", "<title>Open Door</title>", Content_Type="text/html")
    page = sign_in("editor").post("/admin/sources/add/", source_fields(home, kind="")).content.decode()
    assert "choose the kind by hand" in page
    assert not Source.objects.exists()


def test_the_address_of_another_source_is_refused_with_a_link(site: Site) -> None:
    url = put_feed(site, "The first verdict")
    first = make_source("Open Door", url=url)
    for kind in ("feed", ""):
        fields = source_fields(url, kind=kind)
        page = sign_in("editor").post("/admin/sources/add/", fields).content.decode()
        assert f'You already have this source: <a href="/admin/sources/edit/{first.pk}/">Open Door</a>' in page
    assert Source.objects.count() == 1
    fields = source_fields(url, name="Renamed")
    assert sign_in("editor").post(f"/admin/sources/edit/{first.pk}/", fields).status_code == 302


def test_a_wrong_address_is_named_and_not_saved(site: Site) -> None:
    page = sign_in("editor").post("/admin/sources/add/", source_fields(site.url + "/no-feed")).content.decode()
    assert "We could not read this address: " in page
    assert "404" in page
    assert not Source.objects.exists()


def test_a_wrong_address_can_be_saved_switched_off(site: Site) -> None:
    fields = source_fields(site.url + "/no-feed")
    del fields["enabled"]
    assert sign_in("editor").post("/admin/sources/add/", fields).status_code == 302
    assert not Source.objects.get().enabled
    assert site.asked == []


def test_a_slow_address_is_given_up_in_time(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(try_source_module, "TRIAL_SECONDS", 0.3)
    url = site.put("/slow.xml", "<rss/>", delay=5.0)
    before = timezone.now()
    page = sign_in("editor").post("/admin/sources/add/", source_fields(url)).content.decode()
    assert "We could not read this address: " in page
    assert timezone.now() - before < timedelta(seconds=4)


def test_look_now_reads_a_source_and_shows_the_result(site: Site) -> None:
    source = make_source("Field stories", url=put_feed(site, "Fresh news"), due_at=timezone.now() + timedelta(hours=1))
    client = sign_in("editor")
    page = client.post(f"/admin/sources/edit/{source.pk}/", source_fields(source.url, look="1"), follow=True)
    assert "We read Field stories just now: 1 new, 0 updated, 0 unchanged." in page.content.decode()
    assert Story.objects.get().title == "Fresh news"
    source.refresh_from_db()
    assert source.due_at > timezone.now()


def test_the_enter_key_saves_a_source_and_does_not_look(site: Site) -> None:
    source = make_source("Field stories", url=put_feed(site, "Fresh news"))
    page = sign_in("editor").get(f"/admin/sources/edit/{source.pk}/").content.decode()
    form = page.split('id="w-editor-form"' if 'id="w-editor-form"' in page else "data-edit-form")[1]
    buttons = [one for one in re.findall(r"<button[^>]*>", form) if 'type="button"' not in one]
    assert 'name="' not in buttons[0]
    assert any('name="look"' in one for one in buttons[1:])


def test_look_now_keeps_what_was_typed(site: Site) -> None:
    source = make_source("Field stories", url=put_feed(site, "Fresh news"))
    fields = source_fields(source.url, look="1", every_minutes="45")
    sign_in("editor").post(f"/admin/sources/edit/{source.pk}/", fields)
    source.refresh_from_db()
    assert source.every_minutes == 45


def test_look_now_shows_why_a_source_fails(site: Site) -> None:
    source = make_source("Field stories", url=site.url + "/gone.xml")
    client = sign_in("editor")
    page = client.post(f"/admin/sources/edit/{source.pk}/", source_fields(source.url, look="1"), follow=True)
    assert "We could not read Field stories: " in page.content.decode()


def test_a_corrected_source_is_read_soon(site: Site) -> None:
    source = make_source(
        "Field stories",
        url="https://example.org/typo.xml",
        failures=7,
        error="It answered 404.",
        etag='"old"',
        due_at=timezone.now() + timedelta(hours=20),
    )
    sign_in("editor").post(f"/admin/sources/edit/{source.pk}/", source_fields(put_feed(site, "Fresh news")))
    source.refresh_from_db()
    assert source.due_at <= timezone.now()
    assert (source.failures, source.error, source.etag) == (0, "", "")


def test_a_changed_default_reaches_what_was_read_before() -> None:
    source = make_source("Field stories", url="https://example.org/calendar.ics", kind="calendar", etag='"old"')
    event = EventNotice.objects.create(
        source=source,
        external_id="1",
        title="Vigil",
        starts_at=timezone.now(),
        seen_at=timezone.now(),
        source_sha256="a" * 64,
    )
    fields = source_fields(source.url, kind="calendar", region="US-TX")
    sign_in("editor").post(f"/admin/sources/edit/{source.pk}/", fields)
    source.refresh_from_db()
    event.refresh_from_db()
    assert (source.etag, event.source_sha256) == ("", "")


def test_a_sources_region_is_typed_and_shown_as_a_name() -> None:
    source = make_source("Partner events", region="GB-ENG", enabled=False)
    client, url = sign_in("editor"), f"/admin/sources/edit/{source.pk}/"
    page = client.get(url).content.decode()
    assert 'value="England"' in page
    assert "GB-ENG" not in page
    fields = {"name": source.name, "kind": source.kind, "url": source.url, "every_minutes": "30"}
    client.post(url, {**fields, "region": "Texas, US"})
    source.refresh_from_db()
    assert source.region == "US-TX"
    for wrong, said in (("Nowhereland", "is not a region that we know"), ("Kenya", "is a country")):
        assert said in client.post(url, {**fields, "region": wrong}).content.decode()
    source.refresh_from_db()
    assert source.region == "US-TX"
