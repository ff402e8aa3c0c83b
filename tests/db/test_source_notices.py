"""Staff are notified once of a source that fails for days, and once when it can be read again."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, User

from newsletter.content.ingesting.ingest import ingest_source
from newsletter.content.ingesting.source_changes import schedule_changed_source
from newsletter.jobs.notices.mail_notices import send_due_notices
from newsletter.jobs.scheduler_jobs import poll_sources
from newsletter.models import Publication, Source, StaffNotice
from tests.support.feed_items import make_feed_item
from tests.support.fixtures import NOW, make_publication
from tests.support.web_site import Site, serve_site

pytestmark = pytest.mark.django_db
FEED = '<?xml version="1.0"?><rss version="2.0"><channel><title>Field notes</title>{items}</channel></rss>'


@pytest.fixture
def site() -> Iterator[Site]:
    with serve_site() as served:
        yield served


@pytest.fixture
def editor() -> User:
    make_publication()
    person = User.objects.create_user("editor@example.org", "editor@example.org")
    person.groups.add(Group.objects.get(name="editor"))
    User.objects.create_user("stranger@example.org", "stranger@example.org")
    return person


def put_feed(site: Site, *, works: bool) -> str:
    body = FEED.format(items=make_feed_item(site, "a", "The first verdict"))
    return site.put("/feed.xml", body, status=200 if works else 500, Content_Type="application/rss+xml")


def poll(*, now: datetime) -> None:
    Source.objects.update(due_at=now)
    poll_sources(now=now)


def list_notice_subjects() -> list[str]:
    return list(StaffNotice.objects.order_by("pk").values_list("subject", flat=True))


def test_staff_are_notified_once_of_a_failing_source_and_of_its_end(site: Site, editor: User) -> None:
    source = Source.objects.create(name="Field offices", kind="feed", url=put_feed(site, works=False))
    for day in range(2):
        poll(now=NOW + timedelta(days=day))
    assert list_notice_subjects() == []
    for day in range(2, 9):
        poll(now=NOW + timedelta(days=day))
    assert list_notice_subjects() == ["The source “Field offices” cannot be read"]
    notice = StaffNotice.objects.get()
    assert notice.person == editor
    assert "4 March 2026" in notice.paragraphs[0]
    assert "status 500" in notice.paragraphs[0]
    assert notice.link.endswith(f"/sources/edit/{source.pk}/")
    put_feed(site, works=True)
    for day in range(9, 11):
        poll(now=NOW + timedelta(days=day))
    assert list_notice_subjects()[1:] == ["The source “Field offices” can be read again"]


def test_a_second_failure_of_a_source_is_notified_again(site: Site, editor: User) -> None:
    Source.objects.create(name="Field offices", kind="feed", url=put_feed(site, works=False))
    for day in (0, 2):
        poll(now=NOW + timedelta(days=day))
    put_feed(site, works=True)
    poll(now=NOW + timedelta(days=3))
    put_feed(site, works=False)
    for day in (4, 5):
        poll(now=NOW + timedelta(days=day))
    assert len(list_notice_subjects()) == 2
    poll(now=NOW + timedelta(days=6))
    assert list_notice_subjects()[2:] == ["The source “Field offices” cannot be read"]


def test_no_notice_is_about_a_source_that_works_or_is_turned_off(site: Site, editor: User) -> None:
    Source.objects.create(name="Works", kind="feed", url=put_feed(site, works=True))
    long_ago = NOW - timedelta(days=30)
    Source.objects.create(
        name="Off", kind="feed", url="https://example.org/", enabled=False, failures=9, failing_since=long_ago
    )
    for day in range(4):
        poll(now=NOW + timedelta(days=day))
    assert list_notice_subjects() == []


def test_a_corrected_address_has_two_days_of_its_own(site: Site, editor: User) -> None:
    source = Source.objects.create(name="Field offices", kind="feed", url=put_feed(site, works=False))
    poll(now=NOW)
    source.refresh_from_db()
    assert source.failing_since == NOW
    schedule_changed_source(source, changed=["url"], now=NOW + timedelta(days=1))
    source.save()
    for day in (1, 2):
        poll(now=NOW + timedelta(days=day))
    assert list_notice_subjects() == []
    poll(now=NOW + timedelta(days=3))
    assert len(list_notice_subjects()) == 1


def test_a_corrected_address_that_fails_too_is_notified(site: Site, editor: User) -> None:
    source = Source.objects.create(name="Field offices", kind="feed", url=put_feed(site, works=False))
    for day in range(3):
        poll(now=NOW + timedelta(days=day))
    source.refresh_from_db()
    schedule_changed_source(source, changed=["url"], now=NOW + timedelta(days=3))
    source.save()
    for day in range(3, 12):
        poll(now=NOW + timedelta(days=day))
    assert list_notice_subjects() == ["The source “Field offices” cannot be read"] * 2
    assert "7 March 2026" in StaffNotice.objects.order_by("pk")[1].paragraphs[0]


def test_a_source_that_was_off_has_two_days_of_its_own(site: Site, editor: User) -> None:
    source = Source.objects.create(name="Field offices", kind="feed", url=put_feed(site, works=False))
    for day in range(2):
        poll(now=NOW + timedelta(days=day))
    Source.objects.update(enabled=False)
    source.refresh_from_db()
    source.enabled = True
    schedule_changed_source(source, changed=["enabled"], now=NOW + timedelta(days=90))
    source.save()
    for day in (90, 91):
        poll(now=NOW + timedelta(days=day))
    assert list_notice_subjects() == []
    poll(now=NOW + timedelta(days=92))
    assert len(list_notice_subjects()) == 1


def test_a_weekly_source_is_notified_at_its_second_failure(site: Site, editor: User) -> None:
    Source.objects.create(name="Weekly", kind="feed", url=put_feed(site, works=False), every_minutes=7 * 24 * 60)
    poll_sources(now=NOW)
    works = site.put("/other.xml", FEED.format(items=""), Content_Type="application/rss+xml")
    Source.objects.create(name="Other", kind="feed", url=works)
    for day in range(1, 7):
        poll_sources(now=NOW + timedelta(days=day))
    assert list_notice_subjects() == []
    poll_sources(now=NOW + timedelta(days=7))
    assert list_notice_subjects() == ["The source “Weekly” cannot be read"]


def test_a_failure_found_by_look_now_is_notified_in_the_next_round(site: Site, editor: User) -> None:
    source = Source.objects.create(name="Field offices", kind="feed", url=put_feed(site, works=False))
    poll_sources(now=NOW)
    later = NOW + timedelta(days=2)
    source.refresh_from_db()
    ingest_source(source=source, now=later)
    poll_sources(now=later)
    assert list_notice_subjects() == ["The source “Field offices” cannot be read"]


def test_sources_that_fail_together_are_in_one_notice(site: Site, editor: User) -> None:
    url = put_feed(site, works=False)
    for number in range(7):
        Source.objects.create(name=f"Source {number}", kind="feed", url=f"{url}?n={number}")
    for day in range(4):
        poll(now=NOW + timedelta(days=day))
    notice = StaffNotice.objects.get()
    assert notice.subject == "7 sources cannot be read: “Source 0” and 6 more"
    named = [f"Source {number}" for number in range(7) if any(f"Source {number}" in each for each in notice.paragraphs)]
    assert named == [f"Source {number}" for number in range(5)]
    assert notice.paragraphs[5] == "How many more sources cannot be read: 2. Home names them."
    assert notice.link.endswith("/sources/")
    put_feed(site, works=True)
    for day in (5, 6):
        poll(now=NOW + timedelta(days=day))
    assert list_notice_subjects()[1:] == ["7 sources can be read again: “Source 0” and 6 more"]
    assert StaffNotice.objects.order_by("pk")[1].paragraphs[4:6] == [
        "The source “Source 4” can be read again.",
        "How many more sources can be read again: 2.",
    ]


def test_the_notice_of_a_failing_source_names_the_local_day(site: Site, editor: User) -> None:
    Publication.objects.update(zone="Pacific/Auckland")
    Source.objects.create(name="Field offices", kind="feed", url=put_feed(site, works=False))
    first = NOW.replace(hour=20)
    for day in (0, 2):
        poll(now=first + timedelta(days=day))
    assert "5 March 2026" in StaffNotice.objects.get().paragraphs[0]


def test_the_notice_of_a_failing_source_is_mailed(site: Site, editor: User, fake_provider: Any, settings: Any) -> None:
    settings.NEWSLETTER_PROVIDER_URL = fake_provider.provider_url
    Source.objects.create(name="Field offices", kind="feed", url=put_feed(site, works=False))
    for day in (0, 2):
        poll(now=NOW + timedelta(days=day))
    assert send_due_notices(now=NOW + timedelta(days=2)) == 1
    (mail,) = fake_provider.mailbox("editor@example.org")
    assert mail.subject == "The source “Field offices” cannot be read"
    assert "because you may change sources" in mail.text
