"""Unsubscribing takes one press, cannot be done to somebody else, and is never falsely reported."""

import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import product

import pytest
import time_machine
from django.core import mail
from django.db import OperationalError, connection
from django.test import Client
from django.utils import timezone

from subscribers.audience.eligibility import eligible
from subscribers.erasing.erasure import erase_person
from subscribers.links.signed_links import Purpose
from subscribers.models import (
    ConsentEvent,
    EndReason,
    ImportBatch,
    MailedLink,
    MailingList,
    Subscriber,
    Subscription,
    Suppression,
)
from tests.support.people import make_list, make_member, path_to, subscribe, token_for

pytestmark = [pytest.mark.django_db, pytest.mark.requirement("U8"), pytest.mark.requirement("U11")]
ONE_CLICK = "List-Unsubscribe=One-Click"
FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def weekly() -> MailingList:
    return make_list(name="Weekly")


@pytest.fixture
def ada(weekly: MailingList) -> Subscriber:
    return make_member(weekly)


def rows() -> list[object]:
    return [
        list(model.objects.order_by("pk").values())
        for model in (Subscription, Suppression, ConsentEvent, Subscriber, MailedLink)
    ]


_BODIES = [
    (FORM, ONE_CLICK),
    (FORM, ""),
    (FORM, f"{ONE_CLICK}&campaign=7&email=bea@example.org"),
    (
        "multipart/form-data; boundary=x",
        f'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n{ONE_CLICK}\r\n--x--\r\n',
    ),
    ("multipart/form-data", "broken"),
    ("application/json", "{not json"),
]
_AGENTS = [{}, {"HTTP_USER_AGENT": ""}, {"HTTP_USER_AGENT": "mailbox-provider"}, {"HTTP_SEC_FETCH_SITE": "cross-site"}]


@pytest.mark.parametrize(("body", "headers"), list(product(_BODIES, _AGENTS)))
@pytest.mark.requirement("U1")
def test_one_post_leaves_whatever_its_body_and_headers(
    weekly: MailingList, ada: Subscriber, body: tuple[str, str], headers: dict[str, str]
) -> None:
    answer = Client(enforce_csrf_checks=True).post(path_to(ada, weekly), body[1], content_type=body[0], **headers)
    assert answer.status_code == 200
    assert "Location" not in answer
    assert not answer.cookies
    assert "Cookie" not in answer.get("Vary", "")
    assert len(answer.content) < 2_000
    assert answer.headers["Content-Length"] == str(len(answer.content))
    assert not eligible(mailing_list=weekly, now=timezone.now()).exists()


@pytest.mark.parametrize("method", ["get", "head", "options", "put", "patch", "delete", "trace"])
@pytest.mark.parametrize("headers", [{}, {"HTTP_SEC_PURPOSE": "prefetch"}, {"HTTP_USER_AGENT": "link-preview-bot"}])
@pytest.mark.parametrize("purpose", list(Purpose))
@pytest.mark.requirement("U2")
def test_nothing_but_a_post_changes_anything(
    client: Client, weekly: MailingList, ada: Subscriber, method: str, headers: dict[str, str], purpose: Purpose
) -> None:
    path_to(ada, weekly, purpose)
    before = rows()
    for suffix in ("", "/all") if purpose is Purpose.UNSUBSCRIBE else ("",):
        answer = getattr(client, method)(path_to(ada, weekly, purpose) + suffix, **headers)
        assert answer.status_code in ((200,) if method in ("get", "head") else (405,))
        assert not answer.cookies
    assert rows() == before


@pytest.mark.requirement("U2")
def test_the_page_has_one_form_with_one_button_and_no_script(
    client: Client, weekly: MailingList, ada: Subscriber
) -> None:
    page = client.get(path_to(ada, weekly)).content.decode()
    assert (page.count("<form"), page.count("<button"), page.count("<input"), page.count("<script")) == (1, 1, 0, 0)
    assert '<form method="post">' in page
    assert "Unsubscribe from Weekly?" in page


@pytest.mark.requirement("U3")
def test_one_address_may_unsubscribe_any_number_of_people_at_once(client: Client, weekly: MailingList) -> None:
    people = [make_member(weekly, f"person{number}@example.org") for number in range(60)]
    for person in people:
        assert client.post(path_to(person, weekly)).status_code == 200
    assert not eligible(mailing_list=weekly, now=timezone.now()).exists()


@pytest.mark.usefixtures("still_clock")
@pytest.mark.requirement("K7")
def test_bad_links_are_limited_and_good_ones_are_not(client: Client, weekly: MailingList, ada: Subscriber) -> None:
    answers = [client.post(f"/u/{number:064d}").status_code for number in range(22)]
    assert answers == [404] * 20 + [429] * 2
    assert client.get("/u/nonsense", REMOTE_ADDR="192.0.2.7").status_code == 404
    assert client.post(path_to(ada, weekly)).status_code == 200


@pytest.mark.requirement("U4")
def test_a_repeat_is_200_and_leaves_one_record(client: Client, weekly: MailingList, ada: Subscriber) -> None:
    for _ in range(3):
        assert client.post(path_to(ada, weekly)).status_code == 200
    assert (ConsentEvent.objects.count(), Suppression.objects.count()) == (1, 1)


@pytest.mark.requirement("U4")
@pytest.mark.requirement("K5")
def test_unknown_altered_and_misused_links_get_the_same_404(
    client: Client, weekly: MailingList, ada: Subscriber
) -> None:
    good = path_to(ada, weekly)
    bad = [
        "/u/x",
        "/u/" + "A" * 64,
        good[:-1] + ("A" if good[-1] != "A" else "B"),
        "/u/" + path_to(ada, weekly, Purpose.PREFERENCES)[3:],
        "/u/" + path_to(ada, weekly, Purpose.CONFIRM)[3:],
        "/u/x/all",
    ]
    answers = [getattr(client, method)(link) for link in bad for method in ("get", "post")]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1
    assert eligible(mailing_list=weekly, now=timezone.now()).exists()


@pytest.mark.requirement("U4")
@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("end", ["", "/all", "/undo"])
def test_the_link_of_an_erased_person_claims_no_end_of_mail(
    client: Client, weekly: MailingList, ada: Subscriber, method: str, end: str
) -> None:
    """They may have signed up again with the same address. The link cannot know, so it leads to a new one."""
    link = path_to(ada, weekly)
    erase_person(subscriber=ada, by="kim", now=timezone.now())
    make_member(weekly, ada.email)
    answer = getattr(client, method)(f"{link}{end}")
    assert answer.status_code == 200
    page = answer.content.decode()
    assert "If you signed up again, get a new link by mail." in page
    assert 'href="/my-mail"' in page
    assert "unsubscribed" not in page


@pytest.mark.requirement("U5")
def test_the_body_and_the_query_cannot_name_somebody_else(client: Client, weekly: MailingList, ada: Subscriber) -> None:
    bea = make_member(weekly, "bea@example.org")
    other = token_for(bea, weekly, Purpose.UNSUBSCRIBE, now=timezone.now())
    client.post(f"{path_to(ada, weekly)}?token={other}", {"token": other, "email": bea.email, "subscriber": bea.pk})
    assert [row.subscriber for row in eligible(mailing_list=weekly, now=timezone.now())] == [bea]


@pytest.mark.requirement("U6")
def test_a_link_works_five_years_and_three_keys_later(
    client: Client, settings: object, weekly: MailingList, ada: Subscriber
) -> None:
    settings.SUBSCRIBERS_LINK_KEYS = ["first"]
    link = path_to(ada, weekly)
    settings.SUBSCRIBERS_LINK_KEYS = ["fourth", "third", "second", "first"]
    with time_machine.travel(timezone.now().replace(year=timezone.now().year + 5), tick=False):
        assert client.post(link).status_code == 200
        assert not eligible(mailing_list=weekly, now=timezone.now()).exists()


@contextmanager
def database_away() -> Iterator[None]:
    def refuse(*_: object) -> None:
        raise OperationalError("server closed the connection unexpectedly")

    with connection.execute_wrapper(refuse):
        yield


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.requirement("U7")
def test_without_a_database_the_answer_is_503_and_never_a_false_success(
    client: Client, weekly: MailingList, ada: Subscriber, method: str, caplog: pytest.LogCaptureFixture
) -> None:
    link = path_to(ada, weekly)
    with database_away():
        answer = getattr(client, method)(link)
    assert (answer.status_code, answer["Retry-After"]) == (503, "120")
    assert b"could not save this" in answer.content
    assert eligible(mailing_list=weekly, now=timezone.now()).exists()
    assert "database did not answer" in caplog.text
    assert client.post(link).status_code == 200


@pytest.mark.parametrize("suffix", ["", "/all", "x"])
@pytest.mark.requirement("K6")
def test_no_token_reaches_the_log(
    client: Client, weekly: MailingList, ada: Subscriber, caplog: pytest.LogCaptureFixture, suffix: str
) -> None:
    link = path_to(ada, weekly)
    with caplog.at_level("DEBUG"):
        client.post(link + suffix)
        with database_away():
            assert client.post(link).status_code == 503
    assert link[3:40] not in caplog.text


@pytest.mark.requirement("U9")
def test_the_link_unsubscribes_from_its_list_and_offers_more(
    client: Client, weekly: MailingList, ada: Subscriber
) -> None:
    events = make_list("events")
    subscribe(ada, events)
    link = path_to(ada, weekly)
    done = client.post(link).content.decode()
    assert [row.mailing_list for row in Subscription.objects.mailable()] == [events]
    everything = done.split('href="/u/')[1].split('"')[0]
    assert client.get(f"/u/{everything}").status_code == 200
    assert Subscription.objects.mailable().exists()
    client.post(f"/u/{everything}")
    assert not Subscription.objects.open().exists()
    preferences = done.split('href="/p/')[1].split('"')[0]
    assert client.get(f"/p/{preferences}").status_code == 200


@pytest.mark.requirement("U10")
def test_a_link_opened_after_unsubscribing_says_that_it_was_done(
    client: Client, weekly: MailingList, ada: Subscriber
) -> None:
    path = path_to(ada, weekly)
    assert "Unsubscribe from Weekly?" in client.get(path).content.decode()
    client.post(path)
    page = client.get(path).content.decode()
    assert "You’re unsubscribed from Weekly" in page
    assert "Unsubscribe from Weekly?" not in page
    assert "I pressed this by mistake" in page
    with time_machine.travel(timezone.now() + timedelta(hours=2)):
        later = client.get(path).content.decode()
    assert "You’re unsubscribed from Weekly" in later
    assert "I pressed this by mistake" not in later
    subscribe(ada, weekly)
    assert "Unsubscribe from Weekly?" in client.get(path).content.decode()


@pytest.mark.parametrize("reason", [EndReason.STAFF, EndReason.LAPSED])
def test_people_removed_from_a_list_can_still_unsubscribe(
    client: Client, weekly: MailingList, ada: Subscriber, reason: EndReason
) -> None:
    ada.subscriptions.update(ended_at=timezone.now(), end_reason=reason)
    assert "Unsubscribe from Weekly?" in client.get(path_to(ada, weekly)).content.decode()


def test_people_unsubscribed_by_a_file_can_still_unsubscribe(
    client: Client, weekly: MailingList, ada: Subscriber
) -> None:
    path = path_to(ada, weekly)
    client.post(path)
    batch = ImportBatch.objects.create(mailing_list=weekly, by="kim", started_at=timezone.now())
    Suppression.objects.update(import_batch=batch)
    assert "Unsubscribe from Weekly?" in client.get(path).content.decode()


@pytest.mark.parametrize("rest", ["", "/all"])
def test_the_link_says_if_the_person_unsubscribed_from_all_mail(
    client: Client, weekly: MailingList, ada: Subscriber, rest: str
) -> None:
    path = path_to(ada, weekly)
    client.post(f"{path}/all")
    page = client.get(path + rest).content.decode()
    assert "You’re unsubscribed from all our mail" in page
    assert "Any other subscriptions you have continue" not in page


def test_no_mail_follows(client: Client, weekly: MailingList, ada: Subscriber) -> None:
    client.post(path_to(ada, weekly))
    assert not mail.outbox
    assert not ada.confirmations.exists()


@pytest.mark.requirement("K6")
def test_pages_of_links_are_private(client: Client, weekly: MailingList, ada: Subscriber) -> None:
    links = [path_to(ada, weekly, purpose) for purpose in Purpose]
    for link in [*links, f"{links[0]}/all", "/u/wrong", "/join/weekly"]:
        answer = client.get(link)
        assert answer["Referrer-Policy"] == "no-referrer"
        assert answer["Cache-Control"] == "no-store"
        assert "noindex" in answer["X-Robots-Tag"]
        assert "default-src 'none'" in answer["Content-Security-Policy"]
        page = answer.content.decode()
        assert "http://" not in page
        assert "https://" not in page


def test_the_pages_say_whose_subscription_a_forwarded_mail_ends(client: Client, weekly: MailingList) -> None:
    ada, bea = make_member(weekly, email="ada@example.org"), make_member(weekly, email="&bea@sample.net")
    for person, masked in ((ada, "a•••@e•••.org"), (bea, "&amp;•••@s•••.net")):
        path = path_to(person, weekly)
        before = client.get(path).content.decode()
        assert f"For {masked}" in before
        assert "If somebody forwarded the email to you" in before
        assert f"For {masked}" in client.get(f"{path}/all").content.decode()
        for page in (client.post(path), client.post(path), client.get(path), client.post(f"{path}/all")):
            assert f"For {masked}" in page.content.decode()


@pytest.mark.requirement("V7")
def test_a_private_list_is_not_named(client: Client) -> None:
    survivors = make_list("court-case-41", name="Court case 41", public=False)
    ada = make_member(survivors)
    for link in [path_to(ada, survivors, purpose) for purpose in Purpose]:
        assert "ourt case" not in client.get(link).content.decode()
    assert "this newsletter" in client.get(path_to(ada, survivors)).content.decode()


def test_a_link_to_a_person_who_never_was_is_answered_like_an_erased_one(client: Client, weekly: MailingList) -> None:
    nobody = Subscriber(uuid=uuid.uuid4())
    assert client.post(path_to(nobody, weekly)).status_code == 200
    assert not Suppression.objects.exists()


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize(("days", "status"), [(89, 200), (91, 410)])
def test_an_unsubscribe_link_leads_to_the_preferences_for_90_days(
    weekly: MailingList, ada: Subscriber, method: str, days: int, status: int
) -> None:
    mailed = timezone.now()
    leave = path_to(ada, weekly)
    with time_machine.travel(mailed + timedelta(days=days), tick=False):
        page = getattr(Client(), method)(leave)
        assert page.status_code == 200
        preferences = re.search(r'href="(/p/[^"]+)"', page.content.decode())
        assert preferences
        assert Client().get(preferences[1]).status_code == status


def test_an_old_unsubscribe_link_leads_to_unsubscribing_from_all(weekly: MailingList, ada: Subscriber) -> None:
    mailed = timezone.now()
    leave = path_to(ada, weekly)
    with time_machine.travel(mailed + timedelta(days=2_000), tick=False):
        everything = re.search(r'href="(/u/[^"]+/all)"', Client().get(leave).content.decode())
        assert everything
        assert Client().post(everything[1]).status_code == 200
    assert not eligible(mailing_list=weekly, now=timezone.now()).exists()
