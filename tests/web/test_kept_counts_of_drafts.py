"""Pages that decide nothing show counts of the last 15 minutes, with their time. Pages for decisions count each time."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from newsletter.desk.issues.audience import recipient_counts
from newsletter.desk.issues.audience.recipient_counts import count_recipients_cached
from newsletter.issues.approval.decision_links import make_decision_url
from newsletter.issues.snapshot.records.content import hash_content
from newsletter.issues.snapshot.resolve import resolve_content
from newsletter.models import Approval, Issue, Publication, Story
from subscribers.audience import count_cache
from subscribers.audience.count_cache import MAX_AGE
from subscribers.audience.kept_counts import kept_counts
from subscribers.importing.writing.undo import undo_now
from subscribers.models import ImportBatch, Segment, Subscriber, Topic
from tests.support.desk import issue_form, list_messages, sign_in
from tests.support.fixtures import HOUSTON, LONDON, NOW, add_subscribers, make_event, make_issue, make_place, make_story
from tests.support.group_queries import find_group_queries
from tests.support.people_imports import import_text

pytestmark = pytest.mark.django_db

PEOPLE, UNKNOWN, MORE = 7, 2, 30


@pytest.fixture(autouse=True)
def long_list(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Treat every count as slow, and freeze the clock."""
    monkeypatch.setattr(count_cache, "QUICK_SECONDS", -1)
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def issue(publication: Publication) -> Issue:
    make_story("The clinic opens its doors")
    make_event("A march", where=LONDON)
    make_event("A walk", where=HOUSTON)
    add_subscribers(publication, PEOPLE, where=LONDON)
    add_subscribers(publication, UNKNOWN, start=PEOPLE)
    return make_issue(publication)


@pytest.fixture
def approver() -> Client:
    return sign_in("approver")


def overview(issue: Issue) -> str:
    return f"/admin/issues/{issue.pk}/overview/"


def decision(issue: Issue, client: Client) -> str:
    sha256 = hash_content(resolve_content(issue))
    person = int(client.session["_auth_user_id"])
    url = make_decision_url(issue=issue.public_id, sha256=sha256, person=person, now=timezone.now())
    return "/admin/" + url.partition("/admin/")[2]


def read(client: Client, url: str) -> str:
    page = client.get(url)
    assert page.status_code == 200
    return page.content.decode()


def approve(issue: Issue, client: Client) -> list[str]:
    page = client.get(overview(issue))
    fields = {
        "sha256": page.context["sha256"],
        "audience": page.context["audience_sha256"],
        "people": page.context["approval_people"],
        "looked": "yes",
        "warning": [one.name for one in page.context["unacknowledged"]],
    }
    return list_messages(client.post(f"/admin/issues/{issue.pk}/approve/", fields, follow=True))


def comparison(issue: Issue) -> str:
    return reverse("newsletter_issue_compare", args=[issue.pk])


ADDRESSES: dict[str, Callable[[Issue], str]] = {
    "comparison": comparison,
    "checks": lambda issue: reverse("newsletter_issue_checks", args=[issue.pk]),
    "editor": lambda issue: f"/admin/issues/edit/{issue.pk}/",
}


@pytest.mark.parametrize("page", ADDRESSES)
def test_a_page_of_a_draft_says_when_a_long_list_was_counted(issue: Issue, approver: Client, page: str) -> None:
    url = ADDRESSES[page](issue)
    assert "Counted at" not in read(approver, url)
    add_subscribers(issue.publication, MORE, where=HOUSTON, start=100)
    with time_machine.travel(NOW + timedelta(minutes=5), tick=False):
        kept = read(approver, url)
        assert "Counted at 09:30." in kept
        assert 'href="?count=again"' in kept
        counted = read(approver, f"{url}?count=again")
        assert "Counted at" not in counted
    with time_machine.travel(NOW + timedelta(minutes=6), tick=False):
        assert "Counted at 09:35." in read(approver, url)


def list_people(client: Client, url: str) -> list[int]:
    """Return the people of each version on a page, the most common first."""
    return [group.people for group in client.get(url).context["variant_groups"]]


@pytest.mark.parametrize("find_url", [lambda issue, client: overview(issue), decision], ids=["overview", "decision"])
def test_a_page_for_a_decision_counts_each_time(
    issue: Issue, approver: Client, find_url: Callable[[Issue, Client], str]
) -> None:
    read(approver, comparison(issue))
    add_subscribers(issue.publication, MORE, where=HOUSTON, start=100)
    assert list_people(approver, comparison(issue)) == [7, 2]
    page = approver.get(find_url(issue, approver))
    assert [group.people for group in page.context["variant_groups"]] == [30, 7, 2]
    assert page.context["approval_people"] == 39
    assert "Counted at" not in page.content.decode()


def test_an_import_and_its_undo_are_seen_on_demand_or_later(issue: Issue, approver: Client) -> None:
    url = comparison(issue)
    assert list_people(approver, url) == [7, 2]
    lines = "".join(f"new{number}@example.net\n" for number in range(5))
    report = import_text(issue.publication.mailing_list, f"email\n{lines}")
    assert list_people(approver, url) == [7, 2]
    assert list_people(approver, f"{url}?count=again") == [7, 7]
    undo_now(ImportBatch.objects.get(pk=report.batch_id), by="kim", clock=timezone.now)
    assert list_people(approver, url) == [7, 7]
    assert list_people(approver, f"{url}?count=again") == [7, 2]


def test_a_kept_count_never_enters_the_count_of_home(issue: Issue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recipient_counts, "MIN_CACHED_COUNT", 1)
    monkeypatch.setattr(recipient_counts, "_cache", {})
    with kept_counts():
        assert count_recipients_cached(issue) == PEOPLE + UNKNOWN
    assert recipient_counts._cache == {}
    add_subscribers(issue.publication, 1, start=100)
    with kept_counts():
        assert count_recipients_cached(issue) == PEOPLE + UNKNOWN
    assert count_recipients_cached(issue) == PEOPLE + UNKNOWN + 1
    add_subscribers(issue.publication, 1, start=200)
    with kept_counts(again=True):
        assert count_recipients_cached(issue) == PEOPLE + UNKNOWN + 2


def test_a_reader_who_moved_is_seen_on_demand_and_in_15_minutes(issue: Issue, approver: Client) -> None:
    url = comparison(issue)
    assert list_people(approver, url) == [7, 2]
    mover, other = Subscriber.objects.filter(place__town="London")[:2]
    Subscriber.objects.filter(pk=mover.pk).update(place=make_place(HOUSTON))
    assert list_people(approver, url) == [7, 2]
    assert list_people(approver, f"{url}?count=again") == [6, 2, 1]
    Subscriber.objects.filter(pk=other.pk).update(place=make_place(HOUSTON))
    assert list_people(approver, url) == [6, 2, 1]
    with time_machine.travel(NOW + MAX_AGE + timedelta(seconds=1), tick=False):
        assert list_people(approver, url) == [5, 2, 2]


def test_another_segment_is_counted_at_once(issue: Issue, approver: Client) -> None:
    assert list_people(approver, comparison(issue)) == [7, 2]
    segment = Segment.objects.create(slug="uk", name="In the UK", rule={"all": [{"country": "GB"}]})
    Publication.objects.update(segment=segment)
    page = approver.get(comparison(issue))
    assert [group.people for group in page.context["variant_groups"]] == [7]
    assert page.context["counted"] == ""


def test_a_story_of_a_topic_is_counted_at_once(publication: Publication, approver: Client) -> None:
    older = make_story("The library opens its doors", days_old=2)
    make_story("The clinic opens its doors")
    law = Topic.objects.create(slug="law", name="Law")
    reader, *_ = add_subscribers(publication, PEOPLE)
    reader.topics.add(law)
    Publication.objects.update(interests="first", pinned_lead=False)
    issue = make_issue(Publication.objects.get())
    assert list_people(approver, comparison(issue)) == [7]
    older.topics.add(law)
    page = approver.get(comparison(issue))
    assert [group.people for group in page.context["variant_groups"]] == [6, 1]
    assert page.context["counted"] == ""


def test_an_approval_counts_again_and_makes_each_version(issue: Issue, approver: Client) -> None:
    assert list_people(approver, comparison(issue)) == [7, 2]
    add_subscribers(issue.publication, 1, where=HOUSTON, start=100)
    assert any("is approved" in message for message in approve(issue, approver))
    approval = Approval.objects.get()
    assert approval.people == 10
    assert approval.revision.variants.count() == 3


def test_the_confirmation_before_a_send_counts_again(issue: Issue, approver: Client) -> None:
    approve(issue, approver)
    read(approver, comparison(issue))
    add_subscribers(issue.publication, 1, where=HOUSTON, start=100)
    start = approver.get(reverse("newsletter_send_ask", args=[issue.pk, "start"]))
    assert start.context["confirmation"].people == 10


def test_a_preview_as_a_person_shows_what_is_known_of_them_now(issue: Issue) -> None:
    admin = sign_in("admin")
    person = Subscriber.objects.filter(place__town="London")[0]
    url = reverse("newsletter_issue_mail", args=[issue.pk, f"text.person.{person.pk}"])
    assert "A march" in read(admin, url)
    Subscriber.objects.filter(pk=person.pk).update(place=make_place(HOUSTON))
    moved = read(admin, url)
    assert "A walk" in moved
    assert moved.index("A walk") < moved.find("A march") or "A march" not in moved


def test_a_save_in_the_editor_groups_no_readers_again(issue: Issue, approver: Client) -> None:
    story = Story.objects.get()
    url = f"/admin/issues/edit/{issue.pk}/"
    read(approver, url)
    with CaptureQueriesContext(connection) as queries:
        approver.post(url, issue_form(issue, story=story, headline="Another headline"))
        read(approver, url)
    assert find_group_queries(queries.captured_queries) == []
