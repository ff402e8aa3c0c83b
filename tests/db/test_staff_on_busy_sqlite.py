"""While somebody else writes for long, SQLite lets staff open pages: what a page notes about its user may wait."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.urls import reverse
from django.utils import timezone
from pytest_django.plugin import DjangoDbBlocker

from newsletter.desk.staff.second_factor import LAST_SEEN_KEY
from newsletter.issues.approval.write_notices import issue_page_url, write_notice
from newsletter.models import StaffNotice
from tests.support.backups import Home, live_in, make_home
from tests.support.busy_sqlite import hold_write_lock, waiting_for_locks
from tests.support.desk import sign_in_superuser
from tests.support.fixtures import make_issue, make_publication, make_story


@pytest.fixture
def home(
    tmp_path: Path, migrated_sqlite: Path, django_db_blocker: DjangoDbBlocker, django_db_setup: None
) -> Iterator[Home]:
    made = make_home(tmp_path / "home", database=migrated_sqlite)
    with django_db_blocker.unblock(), live_in(made), waiting_for_locks(milliseconds=2_000):
        yield made


def read_last_seen() -> float:
    seen: float = Session.objects.get().get_decoded()[LAST_SEEN_KEY]
    return seen


def test_a_page_opens_while_the_database_is_written(home: Home) -> None:
    client = sign_in_superuser()
    client.get("/admin/issues/")
    before = read_last_seen()
    with time_machine.travel(timezone.now() + timedelta(minutes=5)):
        with hold_write_lock(home):
            assert client.get("/admin/issues/").status_code == 200
            assert read_last_seen() == before
        assert client.get("/admin/issues/").status_code == 200
        assert read_last_seen() > before


def test_a_page_marks_notices_as_read_once_the_database_is_free(home: Home) -> None:
    client = sign_in_superuser()
    make_story("The clinic opens")
    issue = make_issue(make_publication())
    people = list(User.objects.all())
    write_notice(issue.publication, "one", "It waits", [], issue_page_url(issue), timezone.now(), people=people)
    page = reverse("newsletter_issue_overview", args=[issue.pk])
    client.get("/admin/issues/")
    with hold_write_lock(home):
        for address in ("/admin/issues/", page):
            assert "Notices (1 unread)" in client.get(address).content.decode()
    assert "unread)" not in client.get(page).content.decode()
    assert not StaffNotice.objects.filter(read_at=None).exists()
