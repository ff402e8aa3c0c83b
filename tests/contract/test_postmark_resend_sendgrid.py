"""Postmark's outcome for each person, Resend's replay, SendGrid's limits."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from newsletter.providers.base.contract import Verdict
from newsletter.providers.base.errors import BadBatch, BadMail
from newsletter.providers.base.mail.headers import make_batch_id
from newsletter.providers.postmark.adapter import Postmark
from newsletter.providers.registry import make_adapter
from newsletter.providers.resend.adapter import Resend
from newsletter.providers.sendgrid.adapter import SendGrid
from tests.support.fake_provider import FakeProvider
from tests.support.provider_faults import Fault, answer
from tests.support.provider_fixtures import make_call, make_mail, make_recipient


@pytest.fixture
def postmark(fake_provider: FakeProvider) -> Iterator[Postmark]:
    made = Postmark(key=fake_provider.key, endpoint=fake_provider.endpoint, max_batch=500)
    yield made
    made.close()


@pytest.fixture
def resend(fake_provider: FakeProvider) -> Iterator[Resend]:
    made = Resend(key=fake_provider.key, endpoint=fake_provider.endpoint)
    yield made
    made.close()


@pytest.fixture
def sendgrid(fake_provider: FakeProvider) -> Iterator[SendGrid]:
    made = SendGrid(key=fake_provider.key, endpoint=fake_provider.endpoint)
    yield made
    made.close()


def rows(count: int, **changes: Any) -> list[dict[str, Any]]:
    return [
        {"ErrorCode": 0, "Message": "OK", "MessageID": f"id-{n}", "To": f"person{n}@example.com", **changes}
        for n in range(1, count + 1)
    ]


@pytest.mark.requirement("F7")
def test_postmark_reports_each_person_in_one_answer(fake_provider: FakeProvider, postmark: Postmark) -> None:
    for number, code in ((3, 406), (50, 300), (499, 429)):
        fake_provider.refuse_person(f"person{number}@example.com", code)
    outcome = postmark.deliver(make_call(*(make_recipient(number) for number in range(500))))
    assert outcome.verdict is Verdict.ACCEPTED
    assert {delivery: verdict for delivery, (verdict, _) in outcome.people.items()} == {
        3: Verdict.REJECTED,
        50: Verdict.REJECTED,
        499: Verdict.THROTTLED,
    }
    assert "not allowed" in outcome.people[3][1]
    assert len(fake_provider.accepted_counts()) == 497


@pytest.mark.parametrize("answered", [rows(2), rows(4), []])
def test_postmark_answering_for_another_number_of_people_is_uncertain(
    fake_provider: FakeProvider, postmark: Postmark, answered: list[dict[str, Any]]
) -> None:
    fake_provider.fault_always(answer(200, json.dumps(answered).encode()))
    outcome = postmark.deliver(make_call())
    assert (outcome.verdict, dict(outcome.people)) == (Verdict.UNCERTAIN, {})


def test_postmark_rows_about_other_addresses_are_uncertain(fake_provider: FakeProvider, postmark: Postmark) -> None:
    one, two, three = rows(3)
    fake_provider.fault_always(answer(200, json.dumps([two, one, three]).encode()))
    outcome = postmark.deliver(make_call())
    verdicts = {n: outcome.people.get(n, (outcome.verdict, ""))[0] for n in (1, 2, 3)}
    assert verdicts == {1: Verdict.UNCERTAIN, 2: Verdict.UNCERTAIN, 3: Verdict.ACCEPTED}


@pytest.mark.parametrize(
    "row", [None, 5, {}, {"ErrorCode": "0"}, {"ErrorCode": True}, {"ErrorCode": 0}, {"ErrorCode": 0, "MessageID": 5}]
)
def test_a_postmark_row_that_cannot_be_read_is_uncertain_for_that_person(
    fake_provider: FakeProvider, postmark: Postmark, row: object
) -> None:
    fake_provider.fault_always(answer(200, json.dumps([row, *rows(3)[1:]]).encode()))
    outcome = postmark.deliver(make_call())
    assert outcome.verdict is Verdict.ACCEPTED
    assert {n: verdict for n, (verdict, _) in outcome.people.items()} == {1: Verdict.UNCERTAIN}


def test_postmark_refusing_everybody_for_our_account_stops_the_send(
    fake_provider: FakeProvider, postmark: Postmark
) -> None:
    fake_provider.fault_always(
        answer(200, json.dumps([{"ErrorCode": 405, "Message": "Not allowed to send"}] * 3).encode())
    )
    outcome = postmark.deliver(make_call())
    assert (outcome.verdict, outcome.stop, dict(outcome.people)) == (Verdict.REJECTED, True, {})


def test_postmark_refusing_the_call_for_our_account_stops_the_send(
    fake_provider: FakeProvider, postmark: Postmark
) -> None:
    fake_provider.fault_always(answer(422, b'{"ErrorCode": 400, "Message": "Sender signature not found"}'))
    outcome = postmark.deliver(make_call())
    assert (outcome.verdict, outcome.stop) == (Verdict.REJECTED, True)


@pytest.mark.parametrize("code", [1235, 1236])
@pytest.mark.parametrize("in_rows", [True, False])
def test_postmark_refusing_the_stream_stops_the_send(
    fake_provider: FakeProvider, postmark: Postmark, code: int, in_rows: bool
) -> None:
    """A wrong stream in the settings would else refuse everybody, one batch after another."""
    row = {"ErrorCode": code, "Message": "The 'MessageStream' provided does not exist on this server."}
    said = answer(200, json.dumps([row] * 3).encode()) if in_rows else answer(422, json.dumps(row).encode())
    fake_provider.fault_always(said)
    outcome = postmark.deliver(make_call())
    assert (outcome.verdict, outcome.stop, dict(outcome.people)) == (Verdict.REJECTED, True, {})


def test_postmark_mail_goes_to_the_stream_that_is_configured(fake_provider: FakeProvider) -> None:
    adapter: Any = make_adapter(fake_provider.url_of("postmark") + "&stream=weekly-news")
    assert {mail["MessageStream"] for mail in json.loads(adapter.build(make_call()).body)} == {"weekly-news"}
    plain: Any = make_adapter(fake_provider.url_of("postmark"))
    assert {mail["MessageStream"] for mail in json.loads(plain.build(make_call()).body)} == {"broadcast"}


def test_resend_called_again_after_a_lost_answer_sends_once(fake_provider: FakeProvider, resend: Resend) -> None:
    fake_provider.fault_next(Fault("reset_after_accepting"))
    assert resend.deliver(make_call()).verdict is Verdict.UNCERTAIN
    assert resend.deliver(make_call()).verdict is Verdict.ACCEPTED
    assert fake_provider.accepted_counts() == {f"person{n}@example.com": 1 for n in (1, 2, 3)}


def test_resend_called_again_with_other_content_is_uncertain(fake_provider: FakeProvider, resend: Resend) -> None:
    resend.deliver(make_call())
    outcome = resend.deliver(make_call(mail=make_mail(subject="Another subject")))
    assert (outcome.verdict, outcome.stop) == (Verdict.UNCERTAIN, False)
    assert "with other content" in outcome.reason
    assert len(fake_provider.accepted()) == 1


def test_resend_still_busy_with_the_batch_asks_for_patience(fake_provider: FakeProvider, resend: Resend) -> None:
    fake_provider.fault_always(answer(409, b'{"name": "concurrent_idempotent_requests", "message": "busy"}'))
    outcome = resend.deliver(make_call())
    assert (outcome.verdict, outcome.retry_after) == (Verdict.THROTTLED, 10.0)


@pytest.mark.parametrize(
    ("name", "verdict", "stop", "wait"),
    [
        ("monthly_quota_exceeded", Verdict.REJECTED, True, None),
        ("daily_quota_exceeded", Verdict.THROTTLED, False, 900.0),
        ("rate_limit_exceeded", Verdict.THROTTLED, False, 1.0),
    ],
)
def test_resend_whose_quota_is_used_up_is_not_called_each_second(
    fake_provider: FakeProvider, resend: Resend, name: str, verdict: Verdict, stop: bool, wait: float | None
) -> None:
    body = json.dumps({"name": name, "message": "You have reached your quota."}).encode()
    fake_provider.fault_always(answer(429, body, retry_after="1"))
    outcome = resend.deliver(make_call())
    assert (outcome.verdict, outcome.stop, outcome.retry_after) == (verdict, stop, wait)
    assert ("used up at Resend" in outcome.reason) == (name != "rate_limit_exceeded")


@pytest.mark.parametrize(
    "body", [{"data": [{"id": "a"}]}, {"data": [{"id": "a"}] * 4}, {"data": [{"id": "a"}, {"id": ""}, {}]}]
)
def test_resend_answering_for_another_number_of_people_is_uncertain(
    fake_provider: FakeProvider, resend: Resend, body: dict[str, Any]
) -> None:
    fake_provider.fault_always(answer(200, json.dumps(body).encode()))
    assert resend.deliver(make_call()).verdict is Verdict.UNCERTAIN


def test_resend_says_that_it_counts_calls_and_that_a_replay_is_safe(resend: Resend) -> None:
    can = resend.capabilities
    assert (can.idempotency_seconds, can.reconcile, can.calls_per_second) == (86400, "replay", 2.0)


def test_an_odd_batch_key_still_makes_a_valid_idempotency_key() -> None:
    assert make_batch_id("send/1:batch-2", max_length=256) == "send/1:batch-2"
    assert make_batch_id("é" * 300, max_length=256).isascii()
    assert len(make_batch_id("x" * 300, max_length=256)) <= 256


def test_sendgrid_takes_a_thousand_people_in_one_call(fake_provider: FakeProvider, sendgrid: SendGrid) -> None:
    outcome = sendgrid.deliver(make_call(*(make_recipient(number) for number in range(1000))))
    assert outcome.verdict is Verdict.ACCEPTED
    assert fake_provider.mailbox("person999@example.com")[0].text.endswith("token-999?list=1&from=mail\n")


def test_sendgrid_refuses_values_beyond_its_limit_before_the_call(
    fake_provider: FakeProvider, sendgrid: SendGrid
) -> None:
    with pytest.raises(BadBatch, match="Delivery 2 has personal values of 1"):
        sendgrid.deliver(make_call(make_recipient(1), make_recipient(2, name="x" * 9_000)))
    assert fake_provider.ledger == []


def test_sendgrid_refuses_a_mail_that_holds_its_own_marks(sendgrid: SendGrid) -> None:
    (mark,) = {
        key.split("_")[0].strip("%")
        for key in json.loads(sendgrid.build(make_call()).body)["personalizations"][0]["substitutions"]
    }
    with pytest.raises(BadMail, match="characters that mark personal fields"):
        sendgrid.build(make_call(mail=make_mail(html=f"<p>%%{mark}_t_unsubscribe%%</p>")))


def test_a_success_of_sendgrid_without_its_id_is_uncertain(fake_provider: FakeProvider, sendgrid: SendGrid) -> None:
    fake_provider.fault_always(answer(202))
    assert sendgrid.deliver(make_call()).verdict is Verdict.UNCERTAIN
    fake_provider.fault_always(answer(202, x_message_id="id-1"))
    assert sendgrid.deliver(make_call()).provider_id == "id-1"
