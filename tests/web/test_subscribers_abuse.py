"""The sign-up form cannot be abused, reveals nothing to strangers, and still lets everyone join."""

import base64
import json
from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from subscribers.consent.proof_of_work import EASY, HARD, Proof, check_proof
from subscribers.consent.signup import SignupRequest, confirm_subscription, request_subscription
from subscribers.consent.signup_limits import (
    MAX_HELD_SIGNUPS,
    MAX_SIGNUPS_PER_ADDRESS,
    MAX_SIGNUPS_PER_DOMAIN,
    MAX_SIGNUPS_PER_NETWORK,
    MAX_SIGNUPS_PER_SITE,
    MAX_UNPROVEN_SIGNUPS_PER_ADDRESS,
    MAX_UNPROVEN_SIGNUPS_PER_SITE,
    SignupOutcome,
    screen_signup,
)
from subscribers.consent.throttle import increment_counter, read_counter
from subscribers.links.signed_links import LinkTarget
from subscribers.models import (
    Confirmation,
    ConfirmationQuota,
    ConsentEvent,
    HeldSignup,
    MailingList,
    RateCounter,
    Reason,
    Segment,
    SpentProof,
    Subscriber,
    Subscription,
)
from subscribers.unsubscribing.suppression import suppress
from subscribers.unsubscribing.unsubscribe import unsubscribe_from_list
from tests.support.people import NOW, make_list, make_member, make_person, subscribe
from tests.support.signup import join, read, solve

pytestmark = [pytest.mark.django_db, pytest.mark.requirement("A4"), pytest.mark.requirement("A6")]


@pytest.fixture
def weekly() -> MailingList:
    return make_list(name="Weekly")


@pytest.mark.requirement("A1")
@pytest.mark.usefixtures("still_clock")
def test_the_page_is_the_same_for_whatever_is_known_of_an_address(client: Client, weekly: MailingList) -> None:
    make_member(weekly, "known@example.org")
    subscribe(make_person("waits@example.org"), weekly, basis="consent_double_opt_in")
    unsubscribe_from_list(subscriber=make_member(weekly, "left@example.org"), mailing_list=weekly, now=NOW)
    suppressed = make_member(weekly, "suppressed@example.org")
    suppress(address_hash=bytes(suppressed.address_hash), reason=Reason.HARD, now=NOW)
    names = [
        "fresh@example.org",
        "known@example.org",
        "waits@example.org",
        "left@example.org",
        "suppressed@example.org",
    ]
    names += ["lent@mailinator.com", "held@example.org"]
    pages = set()
    for number, email in enumerate(names):
        address = f"192.0.{number}.1" if email != "held@example.org" else "192.0.0.1"
        for _ in range(MAX_SIGNUPS_PER_ADDRESS if email == "held@example.org" else 0):
            screen_signup(
                address="x@gmail.com", client=address, proof=Proof.GOOD, now=timezone.now() + timedelta(seconds=10)
            )
        answer = join(client, weekly, email=email, client_address=address)
        assert answer.status_code == 200
        pages.add(answer.content.decode().replace(email, ""))
    assert len(pages) == 1
    assert HeldSignup.objects.get().email == "held@example.org"


@pytest.mark.requirement("A2")
def test_a_victim_gets_three_mails_whatever_the_spelling_or_network(
    weekly: MailingList,
) -> None:
    lists = [weekly, make_list("events"), make_list("news")]
    for number in range(150):
        spelling = "".join("vic.tim"[: number % 7 + 1]) + "vic.tim"[number % 7 + 1 :] + f"+{number}@gmail.com"
        request_subscription(
            SignupRequest(email=spelling, mailing_list=lists[number % 3], wording="Yes", source="page"),
            now=NOW + timedelta(hours=number * 4),
        )
    assert Confirmation.objects.count() == 3
    assert ConfirmationQuota.objects.get().request_count == 3


@pytest.mark.requirement("A2")
def test_a_mailbox_that_confirmed_may_be_asked_about_something_else(weekly: MailingList) -> None:
    events = make_list("events")
    for day in range(4):
        request_subscription(
            SignupRequest(email="ada@example.org", mailing_list=weekly, wording="", source=""),
            now=NOW + timedelta(days=day),
        )
        Confirmation.objects.update(sent_at=NOW)
    assert Confirmation.objects.count() == 3
    ada = Subscriber.objects.get()
    target = LinkTarget(ada.uuid, weekly.public_id, NOW)
    confirm_subscription(target=target, now=NOW + timedelta(days=5))
    request_subscription(
        SignupRequest(email="ada@example.org", mailing_list=events, wording="", source=""),
        now=NOW + timedelta(days=5, hours=1),
    )
    assert Confirmation.objects.filter(mailing_list=events).count() == 1


def test_a_form_posted_over_and_over_makes_one_request(client: Client, weekly: MailingList) -> None:
    for _ in range(25):
        assert join(client, weekly, proven=False).status_code == 200
    assert (Subscription.objects.count(), Confirmation.objects.count(), HeldSignup.objects.count()) == (1, 1, 1)
    assert ConsentEvent.objects.count() == 1


@pytest.mark.requirement("A2")
def test_the_sixth_sign_up_of_an_hour_from_one_connection_waits_for_staff(client: Client, weekly: MailingList) -> None:
    with time_machine.travel("2026-03-05T09:10:00Z", tick=False):
        for number in range(MAX_SIGNUPS_PER_ADDRESS + 1):
            join(client, weekly, email=f"person{number}@gmail.com", client_address="198.51.100.7")
    assert Subscriber.objects.count() == MAX_SIGNUPS_PER_ADDRESS
    held = HeldSignup.objects.get()
    assert (held.email, held.reason) == (
        f"person{MAX_SIGNUPS_PER_ADDRESS}@gmail.com",
        "many sign-ups from one internet connection",
    )
    assert (held.wording, held.source) == (
        "Send me Weekly by email. I can unsubscribe at any time with the link in every mail.",
        "sign-up page",
    )
    with time_machine.travel("2026-03-05T10:10:00Z", tick=False):
        join(client, weekly, email="later@gmail.com", client_address="198.51.100.7")
    assert Subscriber.objects.filter(email="later@gmail.com").exists()


def outcome_of(number: int = 0, *, email: str = "", client: str = "", proof: Proof = Proof.GOOD) -> str:
    decision = screen_signup(
        address=email or f"person{number}@gmail.com",
        client=client or f"10.{number // 250}.{number % 250}.1",
        proof=proof,
        now=NOW,
    )
    return decision.reason or str(decision.outcome)


@pytest.mark.requirement("A2")
def test_a_whole_ipv6_64_counts_as_one_connection() -> None:
    outcomes = [outcome_of(client=f"2001:db8:1:2::{number:x}") for number in range(1, MAX_SIGNUPS_PER_ADDRESS + 2)]
    assert outcomes == ["accepted"] * MAX_SIGNUPS_PER_ADDRESS + ["many sign-ups from one internet connection"]


@pytest.mark.requirement("A2")
def test_many_connections_of_one_network_are_noticed() -> None:
    outcomes = [outcome_of(client=f"198.51.100.{number}") for number in range(MAX_SIGNUPS_PER_NETWORK + 1)]
    assert outcomes[-2:] == ["accepted", "many sign-ups from one network"]


@pytest.mark.requirement("A2")
def test_many_sign_ups_of_one_small_domain_are_held() -> None:
    outcomes = [
        outcome_of(number, email=f"person{number}@small.example.org") for number in range(MAX_SIGNUPS_PER_DOMAIN + 1)
    ]
    assert outcomes[-2:] == ["accepted", "many sign-ups with addresses of one domain"]
    assert outcome_of(500, email="person@gmail.com") == "accepted"


@pytest.mark.requirement("A3")
def test_a_flood_makes_proof_of_work_harder_and_holds_the_rest(
    client: Client, weekly: MailingList, caplog: pytest.LogCaptureFixture
) -> None:
    with time_machine.travel(NOW, tick=False):
        assert f'data-most="{EASY}"' in client.get("/join/weekly").content.decode()
        for number in range(MAX_SIGNUPS_PER_SITE):
            assert outcome_of(number) == "accepted"
        assert caplog.text == ""
        assert outcome_of(MAX_SIGNUPS_PER_SITE) == "accepted"
        assert "Proof of work is harder" in caplog.text
        assert f'data-most="{HARD}"' in client.get("/join/weekly").content.decode()
        assert outcome_of(900, proof=Proof.NONE).startswith("a flood of sign-ups")


@pytest.mark.requirement("A3")
def test_without_javascript_there_is_a_way_in_and_robots_find_it_narrow(client: Client, weekly: MailingList) -> None:
    for number in range(MAX_UNPROVEN_SIGNUPS_PER_ADDRESS + 1):
        assert join(client, weekly, proven=False, email=f"person{number}@gmail.com").status_code == 200
    assert Subscriber.objects.count() == Confirmation.objects.count() == MAX_UNPROVEN_SIGNUPS_PER_ADDRESS
    assert HeldSignup.objects.get().reason == "several sign-ups without JavaScript from one connection"


@pytest.mark.requirement("A3")
def test_many_sign_ups_without_javascript_wait_wherever_they_come_from() -> None:
    outcomes = [outcome_of(number, proof=Proof.NONE) for number in range(MAX_UNPROVEN_SIGNUPS_PER_SITE + 1)]
    assert outcomes[-2:] == ["accepted", "many sign-ups without JavaScript"]


def test_without_proof_nobody_is_put_on_a_list_that_does_not_ask_by_mail(client: Client) -> None:
    make_list("open", double_opt_in=False)
    open_list = MailingList.objects.get()
    join(client, open_list, proven=False, email="ada@example.org")
    assert not Subscription.objects.mailable().exists()
    assert Confirmation.objects.count() == 1
    join(client, open_list, proven=True, email="bea@example.org")
    assert Subscription.objects.mailable().get().subscriber.email == "bea@example.org"


@pytest.mark.requirement("A3")
def test_one_solution_counts_once_and_the_person_can_continue(client: Client, weekly: MailingList) -> None:
    with time_machine.travel(NOW, tick=False):
        form = client.get("/join/weekly").content.decode()
    given = {"started": read(form, 'name="started" value'), "altcha": solve(form)}
    with time_machine.travel(NOW + timedelta(seconds=9), tick=False):
        assert client.post("/join/weekly", {"email": "ada@example.org", **given}).status_code == 200
        again = client.post("/join/weekly", {"email": "bea@example.org", **given})
        assert again.status_code == 400
        assert b"press the button again" in again.content
        assert not Subscriber.objects.filter(email="bea@example.org").exists()
        fresh = {**given, "altcha": solve(again.content.decode())}
        assert client.post("/join/weekly", {"email": "bea@example.org", **fresh}).status_code == 200
    assert Subscriber.objects.filter(email="bea@example.org").exists()
    assert SpentProof.objects.count() == 2


@pytest.mark.requirement("A3")
def test_a_solution_that_is_too_old_or_forged_does_not_count(client: Client, weekly: MailingList) -> None:
    with time_machine.travel(NOW, tick=False):
        payload = solve(client.get("/join/weekly").content.decode())
    solution = json.loads(base64.b64decode(payload))
    with time_machine.travel(NOW + timedelta(minutes=119), tick=False):
        assert check_proof(payload) is Proof.GOOD
        for change in (
            {"number": solution["number"] + 1},
            {"salt": solution["salt"] + "x"},
            {"salt": solution["salt"].split("?")[0]},
            {"signature": "0" * 64},
            {"algorithm": "MD5"},
            {"challenge": "0" * 64},
            {"number": None},
        ):
            forged = base64.b64encode(json.dumps({**solution, **change}).encode()).decode()
            assert check_proof(forged) is Proof.BAD, change
    with time_machine.travel(NOW + timedelta(minutes=121), tick=False):
        assert check_proof(payload) is Proof.BAD


@pytest.mark.parametrize(
    "payload",
    ["x", "{}", "W10=", "bnVsbA==", "MQ==", "e30=", "é", "A" * 5000, base64.b64encode(b'{"salt": 7}').decode()],
)
def test_nonsense_for_a_proof_is_refused_and_breaks_nothing(client: Client, weekly: MailingList, payload: str) -> None:
    assert join(client, weekly, altcha=payload).status_code == 400
    assert not Subscriber.objects.exists()


@pytest.mark.requirement("A5")
def test_a_lent_address_is_marked_and_let_in_with_proof_and_waits_without(client: Client, weekly: MailingList) -> None:
    join(client, weekly, email="ada@mailinator.com", client_address="192.0.2.1")
    join(client, weekly, email="bea@mailinator.com", client_address="192.0.2.2", proven=False)
    assert Subscriber.objects.get().source == "sign-up page, disposable address"
    assert "a short-lived address" in HeldSignup.objects.get().reason


def test_the_number_of_held_sign_ups_is_limited(caplog: pytest.LogCaptureFixture, weekly: MailingList) -> None:
    HeldSignup.objects.bulk_create(
        HeldSignup(
            email=f"p{number}@example.org",
            address_hash=number.to_bytes(32),
            mailing_list=weekly,
            wording="",
            source="",
            reason="",
            at=NOW,
        )
        for number in range(MAX_HELD_SIGNUPS)
    )
    decisions = [
        screen_signup(address="a@gmail.com", client="192.0.2.1", proof=Proof.NONE, now=NOW)
        for _ in range(MAX_UNPROVEN_SIGNUPS_PER_ADDRESS + 1)
    ]
    assert decisions[-1].outcome is SignupOutcome.DROPPED
    assert "wait for staff" in caplog.text


@pytest.mark.requirement("A2")
def test_limits_count_visitors_behind_our_own_proxy_only(client: Client, weekly: MailingList, settings: object) -> None:
    settings.SUBSCRIBERS_TRUSTED_PROXIES = ["192.0.2.1/32"]  # type: ignore[attr-defined]
    for number in range(MAX_UNPROVEN_SIGNUPS_PER_ADDRESS + 1):
        join(
            client,
            weekly,
            proven=False,
            email=f"person{number}@gmail.com",
            headers={"X-Forwarded-For": f"203.0.113.{number}"},
        )
    assert not HeldSignup.objects.exists()
    for number in range(10, MAX_UNPROVEN_SIGNUPS_PER_ADDRESS + 11):
        join(
            client,
            weekly,
            proven=False,
            email=f"person{number}@gmail.com",
            client_address="198.51.100.9",
            headers={"X-Forwarded-For": f"203.0.113.{number}"},
        )
    assert HeldSignup.objects.count() == 1


def test_counts_are_kept_as_keyed_hashes_per_stretch() -> None:
    assert [increment_counter("home 192.0.2.1/32", now=NOW) for _ in range(3)] == [1, 2, 3]
    assert increment_counter("home 192.0.2.1/32", now=NOW + timedelta(hours=1)) == 1
    assert (read_counter("home 192.0.2.1/32", now=NOW), read_counter("home 192.0.2.2/32", now=NOW)) == (3, 0)
    assert all(b"192" not in bytes(row.subject) for row in RateCounter.objects.all())


def test_a_list_asks_only_what_it_wants_to_know(client: Client) -> None:
    Segment.objects.create(slug="spanish", name="Spanish", rule={"language": "es"})
    shy = make_list("shy", ask_name=False, ask_place=False, ask_topics=False, ask_language=True)
    page = client.get("/join/shy").content.decode()
    assert 'name="language"' in page
    for field in ("name", "city", "topics"):
        assert f'name="{field}"' not in page
    join(client, shy, name="Ada", city="Houston, Texas", language="es")
    ada = Subscriber.objects.get()
    assert (ada.name, ada.place, ada.language) == ("", None, "es")
