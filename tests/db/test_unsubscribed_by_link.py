"""An unsubscribe by a link of an issue counts once for that issue, whichever page it leads through."""

import io
import re
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from newsletter.feedback.report import make_report
from newsletter.issues.approval.approve import approve_issue
from newsletter.issues.assembly.assemble import assemble_slot
from newsletter.issues.assembly.slots import get_or_create_slot
from newsletter.models import Delivery, DeliveryException, Send
from newsletter.sending.adapters import current_adapter
from newsletter.sending.dispatching.worker_loop import run_send
from newsletter.sending.settling.issue_status import status_of
from newsletter.sending.settling.receipt import list_deliveries, make_receipt
from newsletter.sending.settling.retention import delete_old_deliveries
from subscribers.erasing.erasure import erase_person
from subscribers.links.signed_links import Purpose, read_link
from subscribers.models import CountedUnsubscribe, Subscriber, Subscription, Suppression
from subscribers.web.links import make_related_path
from subscribers.web.one_click_middleware import OneClickMiddleware
from tests.support.fixtures import (
    NOW,
    add_subscribers,
    make_approver,
    make_issue,
    make_publication,
    make_story,
)
from tests.support.people import make_list, path_to, subscribe
from tests.support.sends import start_send

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]

Leave = Callable[[str], object]


@pytest.fixture
def mailgun(fake_provider: Any, settings: Any) -> Any:
    settings.NEWSLETTER_PROVIDER_URL = fake_provider.provider_url + "&max_batch=10"
    return fake_provider


def send_issue(readers: int = 4, *, slug: str = "weekly") -> Send:
    publication = make_publication(slug=slug)
    make_story("The first verdict")
    add_subscribers(publication, readers)
    send = start_send(issue=make_issue(publication, approved=True), now=NOW)
    return run_send(send=send, adapter=current_adapter(), clock=lambda: NOW)


def unsubscribe_paths(mailgun: Any, people: int = 4) -> list[str]:
    mails = [mailgun.mailbox(f"person{number}@example.com")[-1] for number in range(people)]
    return [urlsplit(mail.headers["List-Unsubscribe"].strip("<>")).path for mail in mails]


def preference_path(mailgun: Any, number: int = 0) -> str:
    """The link to the choices as the mail has it, made now: it is good for 90 days only."""
    html = mailgun.mailbox(f"person{number}@example.com")[-1].html
    target = read_link(html.partition("/p/")[2].partition('"')[0], purpose=Purpose.PREFERENCES, now=NOW)
    return make_related_path(replace(target, issued=timezone.now()), Purpose.PREFERENCES)


def post_one_click(path: str) -> str:
    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(b"List-Unsubscribe=One-Click"),
        "wsgi.errors": io.StringIO(),
        "CONTENT_LENGTH": "26",
    }
    said: list[str] = []

    def refuse(*asked: Any) -> Any:
        raise AssertionError("The request went on to Django.")

    b"".join(OneClickMiddleware(refuse)(environ, lambda status, headers: said.append(status)))
    return said[0]


def press(path: str) -> int:
    return Client().post(path).status_code


WAYS: dict[str, Leave] = {"button": press, "one-click": post_one_click, "everything": lambda path: press(f"{path}/all")}


@pytest.mark.parametrize("way", WAYS)
def test_an_unsubscribe_by_link_counts_for_its_issue(mailgun: Any, way: str) -> None:
    send = send_issue()
    for path in unsubscribe_paths(mailgun)[:3]:
        WAYS[way](path)
    assert make_receipt(send).unsubscribed == 3
    assert status_of(send.issue)["unsubscribed"] == 3
    assert make_report(send).figures.receipt.unsubscribed == 3
    assert sum(bool(row[8]) for row in list_deliveries(send)) == 3


def test_a_second_click_on_the_same_link_counts_once(mailgun: Any) -> None:
    send = send_issue()
    path = unsubscribe_paths(mailgun)[0]
    for way in (post_one_click, press, post_one_click, WAYS["everything"]):
        way(path)
    assert make_receipt(send).unsubscribed == 1


def test_twenty_unsubscribes_at_once_are_each_counted(mailgun: Any) -> None:
    send = send_issue(20)
    paths = unsubscribe_paths(mailgun, 20)

    def leave(path: str) -> str:
        try:
            return post_one_click(path)
        finally:
            connection.close()

    # The SQLite of the tests is in memory. There, what another thread writes is refused at once; in a file, it is waited for.
    with ThreadPoolExecutor(8 if connection.vendor == "postgresql" else 1) as pool:
        assert Counter(pool.map(leave, paths * 2)) == {"200 OK": 40}
    assert make_receipt(send).unsubscribed == 20
    assert Suppression.objects.count() == 20


def test_the_preference_centre_counts_unsubscribes_from_the_links_list(mailgun: Any) -> None:
    send = send_issue()
    other = make_list("appeals")
    for number in (0, 1):
        subscribe(Subscriber.objects.get(email=f"person{number}@example.com"), other)
    weekly = send.issue.publication.mailing_list
    Client().post(preference_path(mailgun, 0), {"lists": [str(other.pk)]})
    Client().post(preference_path(mailgun, 1), {"lists": [str(weekly.pk)]})
    assert make_receipt(send).unsubscribed == 1


def test_the_pages_behind_a_link_keep_its_issue(mailgun: Any) -> None:
    send = send_issue()
    page = Client().get(unsubscribe_paths(mailgun)[0]).content.decode()
    assert read_link(find_token(page, "/p/"), purpose=Purpose.PREFERENCES, now=NOW).mailing == send.pk
    choices = Client().post(f"{preference_path(mailgun)}/less").content.decode()
    press(f"/u/{find_token(choices, '/u/')}/all")
    assert make_receipt(send).unsubscribed == 1


def find_token(page: str, path: str) -> str:
    return re.split(r"[^\w-]", page.partition(path)[2], maxsplit=1)[0]


def test_each_issue_counts_only_unsubscribes_by_its_own_links(mailgun: Any) -> None:
    first = send_issue()
    earlier = unsubscribe_paths(mailgun)
    make_story("The second verdict", days_old=0)
    slot = get_or_create_slot(publication=first.issue.publication, due="2026-03-12T09:00", now=NOW)
    issue = assemble_slot(slot=slot, now=NOW).issue
    approve_issue(issue=issue, by=make_approver(), now=NOW)
    second = run_send(send=start_send(issue=issue, now=NOW), adapter=current_adapter(), clock=lambda: NOW)
    post_one_click(earlier[0])
    post_one_click(unsubscribe_paths(mailgun)[1])
    post_one_click(unsubscribe_paths(mailgun)[0])
    assert (make_receipt(first).unsubscribed, make_receipt(second).unsubscribed) == (1, 1)


def test_unsubscribing_again_by_the_same_link_counts_once(mailgun: Any) -> None:
    send = send_issue()
    path = unsubscribe_paths(mailgun)[0]
    post_one_click(path)
    Suppression.objects.update(removed_at=NOW)
    subscribe(Subscriber.objects.get(email="person0@example.com"), send.issue.publication.mailing_list)
    assert make_receipt(send).unsubscribed == 1
    post_one_click(path)
    assert not Subscription.objects.open().filter(subscriber__email="person0@example.com").exists()
    assert make_receipt(send).unsubscribed == 1


def test_a_report_about_the_same_person_does_not_count_twice(mailgun: Any) -> None:
    send = send_issue()
    people = Subscriber.objects.filter(email__in=["person0@example.com", "person1@example.com"]).values("pk")
    first, second = Delivery.objects.filter(subscriber_id__in=people)
    post_one_click(unsubscribe_paths(mailgun)[0])
    for delivery in (first, second):
        DeliveryException.objects.create(delivery=delivery, at=NOW, unsubscribed_at=NOW + timedelta(days=9))
    assert make_receipt(send).unsubscribed == 2


def test_an_old_link_unsubscribes_but_counts_for_no_issue(mailgun: Any) -> None:
    send = send_issue()
    weekly = send.issue.publication.mailing_list
    path = path_to(Subscriber.objects.get(email="person0@example.com"), weekly)
    assert len(path.removeprefix("/u/")) == 64
    assert post_one_click(path) == "200 OK"
    assert not Subscription.objects.open().filter(subscriber__email="person0@example.com").exists()
    assert make_receipt(send).unsubscribed == 0
    assert not CountedUnsubscribe.objects.exists()


def test_a_link_keeps_its_issue_when_the_key_is_rotated(mailgun: Any, settings: Any) -> None:
    send = send_issue()
    path = unsubscribe_paths(mailgun)[0]
    settings.SUBSCRIBERS_LINK_KEYS = ["a newer key", *settings.SUBSCRIBERS_LINK_KEYS]
    assert post_one_click(path) == "200 OK"
    assert make_receipt(send).unsubscribed == 1


def test_the_count_remains_after_the_person_is_erased(mailgun: Any) -> None:
    send = send_issue()
    post_one_click(unsubscribe_paths(mailgun)[0])
    erase_person(subscriber=Subscriber.objects.get(email="person0@example.com"), by="ada", now=NOW)
    assert make_receipt(send).unsubscribed == 1
    delete_old_deliveries(now=NOW + timedelta(days=91))
    send.refresh_from_db()
    assert send.purged_at
    assert make_receipt(send).unsubscribed == 1
    assert not CountedUnsubscribe.objects.exists()


def test_after_ninety_days_a_link_unsubscribes_and_the_receipt_stays(mailgun: Any) -> None:
    send = send_issue()
    path = unsubscribe_paths(mailgun)[0]
    delete_old_deliveries(now=NOW + timedelta(days=91))
    assert post_one_click(path) == "200 OK"
    assert not Subscription.objects.open().filter(subscriber__email="person0@example.com").exists()
    delete_old_deliveries(now=NOW + timedelta(days=92))
    send.refresh_from_db()
    assert make_receipt(send).unsubscribed == 0
    assert not CountedUnsubscribe.objects.exists()
