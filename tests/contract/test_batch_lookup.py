"""Asking a provider "did you take this batch?": a record that names it is proof, anything else proves nothing."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from newsletter.providers.base.contract import BatchFinder, BatchLookup, Verdict
from newsletter.providers.registry import make_adapter
from tests.support.fake_provider import FakeProvider
from tests.support.provider_faults import Fault, answer
from tests.support.provider_fixtures import make_call, make_mail, make_recipient

ASKED = ["mailgun", "postmark", "sparkpost", "brevo"]
EACH = ["postmark", "sparkpost"]


@pytest.fixture(params=ASKED)
def adapter(request: pytest.FixtureRequest, fake_provider: FakeProvider) -> Iterator[Any]:
    made = make_adapter(fake_provider.url_of(request.param))
    yield made
    made.close()


@pytest.fixture(params=EACH)
def per_person(request: pytest.FixtureRequest, fake_provider: FakeProvider) -> Iterator[Any]:
    made = make_adapter(fake_provider.url_of(request.param))
    yield made
    made.close()


def find(adapter: Any, key: str = "batch-1", *, deliveries: tuple[int, ...] = (1, 2, 3)) -> BatchLookup:
    found = adapter.find_batch(key=key, deliveries=deliveries, sent_at=datetime.now(UTC))
    assert isinstance(found, BatchLookup)
    return found


def test_a_batch_whose_answer_was_lost_is_found(adapter: Any, fake_provider: FakeProvider) -> None:
    fake_provider.fault_next(Fault("reset_after_accepting"))
    assert adapter.deliver(make_call()).verdict is Verdict.UNCERTAIN
    found = find(adapter)
    assert (found.verdict, dict(found.people)) == (Verdict.ACCEPTED, {})
    assert found.provider_id
    assert len(fake_provider.accepted()) == 1


def test_no_record_proves_nothing_because_records_come_late(adapter: Any, fake_provider: FakeProvider) -> None:
    fake_provider.query_delay = 3600
    adapter.deliver(make_call())
    found = find(adapter)
    assert (found.verdict, dict(found.people)) == (Verdict.UNCERTAIN, {})
    assert "does not prove that it was not sent" in found.reason
    fake_provider.query_delay = 0
    assert find(adapter).verdict is Verdict.ACCEPTED


def test_a_batch_that_was_never_taken_is_not_found(adapter: Any, fake_provider: FakeProvider) -> None:
    fake_provider.fault_next(answer(500))
    adapter.deliver(make_call())
    assert find(adapter).verdict is Verdict.UNCERTAIN


def test_another_batch_is_not_taken_for_it(adapter: Any) -> None:
    """SparkPost's search finds names that share a word."""
    adapter.deliver(make_call(key="batch-2"))
    assert find(adapter, "batch-1").verdict is Verdict.UNCERTAIN
    assert find(adapter, "batch-2").verdict is Verdict.ACCEPTED


def test_a_person_without_a_record_of_her_own_stays_uncertain(per_person: Any, fake_provider: FakeProvider) -> None:
    per_person.deliver(make_call())
    fake_provider.unrecorded.add("person2@example.com")
    found = find(per_person)
    assert found.verdict is Verdict.UNCERTAIN
    assert found.people == {1: Verdict.ACCEPTED, 3: Verdict.ACCEPTED}
    assert "2 of 3 people" in found.reason


def test_records_of_people_who_are_not_asked_about_are_left_out(per_person: Any) -> None:
    per_person.deliver(make_call())
    found = find(per_person, deliveries=(1, 9))
    assert (found.verdict, found.people) == (Verdict.UNCERTAIN, {1: Verdict.ACCEPTED})


def test_a_whole_batch_of_five_hundred_is_found_by_one_question(per_person: Any, fake_provider: FakeProvider) -> None:
    people = [make_recipient(n) for n in range(100)]
    per_person.deliver(make_call(*people))
    assert find(per_person, deliveries=tuple(range(100))).verdict is Verdict.ACCEPTED
    assert len(fake_provider.queries) == 1


def test_a_batch_of_sparkpost_may_hold_people_whose_mail_could_not_be_made(fake_provider: FakeProvider) -> None:
    adapter: Any = make_adapter(fake_provider.url_of("sparkpost"))

    def row(kind: str, delivery: object) -> str:
        return f'{{"type": "{kind}", "campaign_id": "batch-1", "rcpt_meta": {{"delivery": "{delivery}"}}}}'

    rows = [
        row("injection", 1),
        row("generation_failure", 2),
        row("policy_rejection", 3),
        row("delivery", 3),
        row("injection", "x"),
        row("made_up", 4),
        '{"campaign_id": "batch-1", "rcpt_meta": 5}',
        "7",
    ]
    fake_provider.query_fault = answer(200, f'{{"results": [{",".join(rows)}]}}'.encode())
    found = find(adapter)
    adapter.close()
    assert (found.verdict, found.people) == (Verdict.ACCEPTED, {2: Verdict.REJECTED})


@pytest.mark.parametrize("status", [400, 401, 403, 404, 500, 502])
def test_an_unreadable_answer_leaves_the_batch_uncertain(
    adapter: Any, fake_provider: FakeProvider, status: int
) -> None:
    adapter.deliver(make_call())
    said = f'{{"message": "no key {fake_provider.key}", "Message": "no key {fake_provider.key}"}}'
    fake_provider.query_fault = answer(status, said.encode())
    found = find(adapter)
    assert found.verdict is Verdict.UNCERTAIN
    assert f"({status})" in found.reason
    assert "no key (key)" in found.reason


@pytest.mark.requirement("F4")
def test_a_provider_that_wants_us_to_ask_later_is_obeyed(adapter: Any, fake_provider: FakeProvider) -> None:
    fake_provider.query_fault = answer(429, b"{}", retry_after="70")
    assert (find(adapter).verdict, find(adapter).retry_after) == (Verdict.UNCERTAIN, 70.0)


GARBAGE = [
    b"",
    b"[]",
    b"null",
    b"<html>",
    b'{"items": 5, "Messages": 5, "results": 5, "events": 5}',
    b'{"items": [5, {}, {"message": 1}, {"message": {"headers": 2}}], "events": [{}, {"tag": 5}, {"tag": "other"}]}',
    b'{"Messages": [5, {}, {"Metadata": 1}, {"Metadata": {"batch": "batch-1", "delivery": "x"}}], "results": [{}]}',
]


@pytest.mark.parametrize("body", GARBAGE, ids=range(len(GARBAGE)))
@pytest.mark.requirement("F9")
def test_a_record_that_does_not_name_our_batch_proves_nothing(
    adapter: Any, fake_provider: FakeProvider, body: bytes
) -> None:
    fake_provider.query_fault = answer(200, body)
    found = find(adapter)
    assert (found.verdict, dict(found.people)) == (Verdict.UNCERTAIN, {})


def test_a_question_that_gets_no_answer_proves_nothing(adapter: Any, fake_provider: FakeProvider) -> None:
    fake_provider.query_fault = Fault("reset_after_accepting")
    found = find(adapter)
    assert found.verdict is Verdict.UNCERTAIN
    assert "could not be asked" in found.reason


def test_a_wrong_key_learns_nothing(fake_provider: FakeProvider) -> None:
    for scheme in ASKED:
        url = fake_provider.url_of(scheme).replace(fake_provider.key, "wr0ng")
        adapter: Any = make_adapter(url)
        found = find(adapter)
        adapter.close()
        assert found.verdict is Verdict.UNCERTAIN
        assert "wr0ng" not in repr(found)


@pytest.mark.parametrize(("hours", "days"), [(0, "2"), (20, "2"), (30, "3")])
def test_brevo_is_asked_for_days_and_not_for_dates_of_an_unknown_zone(
    fake_provider: FakeProvider, hours: int, days: str
) -> None:
    """At half past midnight in UTC, it is still yesterday for an account in New York."""
    adapter: Any = make_adapter(fake_provider.url_of("brevo"))
    adapter.find_batch(key="batch-1", deliveries=(1,), sent_at=datetime.now(UTC) - timedelta(hours=hours))
    adapter.close()
    asked = parse_qs(urlsplit(fake_provider.queries[-1]).query)
    assert asked["days"] == [days]
    assert not {"startDate", "endDate"} & set(asked)


def test_a_brevo_tag_is_read_alone_or_in_a_list(fake_provider: FakeProvider) -> None:
    adapter: Any = make_adapter(fake_provider.url_of("brevo"))
    for written in ('"batch-1"', '"[\\"weekly\\", \\"batch-1\\"]"'):
        fake_provider.query_fault = answer(200, f'{{"events": [{{"tag": {written}, "messageId": "m"}}]}}'.encode())
        assert find(adapter).verdict is Verdict.ACCEPTED
    adapter.close()


def test_an_adapters_record_says_how_to_ask_it(fake_provider: FakeProvider) -> None:
    ways = {}
    for scheme in ("mailgun", "postmark", "sparkpost", "brevo", "resend", "sendgrid", "ses"):
        adapter = make_adapter(fake_provider.url_of(scheme))
        ways[scheme] = (adapter.capabilities.reconcile, isinstance(adapter, BatchFinder))
        adapter.close()
    assert ways == {
        "mailgun": ("query", True),
        "postmark": ("query", True),
        "sparkpost": ("query", True),
        "brevo": ("replay", True),
        "resend": ("replay", False),
        "sendgrid": ("events", False),
        "ses": ("events", False),
    }


@pytest.mark.parametrize("scheme", ["resend", "brevo"])
def test_a_replay_within_its_time_never_sends_twice(fake_provider: FakeProvider, scheme: str) -> None:
    adapter = make_adapter(fake_provider.url_of(scheme))
    fake_provider.fault_next(Fault("close_after_accepting"), answer(500), Fault("reset_after_accepting"))
    for _ in range(5):
        adapter.deliver(make_call(mail=make_mail()))
    adapter.close()
    assert set(fake_provider.accepted_counts().values()) == {1}
