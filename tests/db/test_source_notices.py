"""Staff are told once of a source that fails for days, and once when it can be read again."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, User

from newsletter.content.ingesting.source_changes import schedule_changed_source
from newsletter.jobs.scheduler_jobs import poll_sources
from newsletter.jobs.staff_notices import send_due_notices
from newsletter.models import Source, StaffNotice
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


def list_told() -> list[str]:
    return list(StaffNotice.objects.order_by("pk").values_list("subject", flat=True))


def test_staff_are_told_once_of_a_failing_source_and_of_its_end(site: Site, editor: User) -> None:
    source = Source.objects.create(name="Field offices", kind="feed", url=put_feed(site, works=False))
    for day in range(2):
        poll(now=NOW + timedelta(days=day))
    assert list_told() == []
    for day in range(2, 9):
        poll(now=NOW + timedelta(days=day))
    assert list_told() == ["The source “Field offices” cannot be read"]
    notice = StaffNotice.objects.get()
    assert notice.person == editor
    assert "4 March 2026" in notice.paragraphs[0]
    assert "status 500" in notice.paragraphs[0]
    assert notice.link.endswith(f"/sources/edit/{source.pk}/")
    put_feed(site, works=True)
    for day in range(9, 11):
        poll(now=NOW + timedelta(days=day))
    assert list_told()[1:] == ["The source “Field offices” can be read again"]


def test_a_second_failure_of_a_source_is_told_again(site: Site, editor: User) -> None:
    Source.objects.create(name="Field offices", kind="feed", url=put_feed(site, works=False))
    for day in (0, 2):
        poll(now=NOW + timedelta(days=day))
    put_feed(site, works=True)
    poll(now=NOW + timedelta(days=3))
    put_feed(site, works=False)
    for day in (4, 5):
        poll(now=NOW + timedelta(days=day))
    assert len(list_told()) == 2
    poll(now=NOW + timedelta(days=6))
    assert list_told()[2:] == ["The source “Field offices” cannot be read"]


def test_no_notice_is_about_a_source_that_works_or_is_turned_off(site: Site, editor: User) -> None:
    Source.objects.create(name="Works", kind="feed", url=put_feed(site, works=True))
    long_ago = NOW - timedelta(days=30)
    Source.objects.create(
        name="Off", kind="feed", url="https://example.org/", enabled=False, failures=9, failing_since=long_ago
    )
    for day in range(4):
        poll(now=NOW + timedelta(days=day))
    assert list_told() == []


def test_a_corrected_address_has_two_days_of_its_own(site: Site, editor: User) -> None:
    source = Source.objects.create(name="Field offices", kind="feed", url=put_feed(site, works=False))
    poll(now=NOW)
    source.refresh_from_db()
    assert source.failing_since == NOW
    schedule_changed_source(source, changed=["url"], now=NOW + timedelta(days=1))
    source.save()
    for day in (1, 2):
        poll(now=NOW + timedelta(days=day))
    assert list_told() == []
    poll(now=NOW + timedelta(days=3))
    assert len(list_told()) == 1


def test_the_notice_of_a_failing_source_goes_out_by_mail(
    site: Site, editor: User, fake_provider: Any, settings: Any
) -> None:
    settings.NEWSLETTER_PROVIDER_URL = fake_provider.provider_url
    Source.objects.create(name="Field offices", kind="feed", url=put_feed(site, works=False))
    for day in (0, 2):
        poll(now=NOW + timedelta(days=day))
    assert send_due_notices(now=NOW + timedelta(days=2)) == 1
    (mail,) = fake_provider.mailbox("editor@example.org")
    assert mail.subject == "The source “Field offices” cannot be read"
    assert "because you may change sources" in mail.text
