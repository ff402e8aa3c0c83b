"""Each fault of a provider on the wire becomes the right outcome, compared with the provider's ledger."""

import json
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from newsletter.providers.base.contract import HttpRequest, Verdict
from newsletter.providers.base.transport import Transport
from newsletter.providers.mailgun.adapter import Mailgun
from tests.support.fake_provider import FakeProvider
from tests.support.provider_faults import Fault, answer, too_many
from tests.support.provider_fixtures import make_call, make_mail, make_recipient
from tests.support.provider_mailgun import Form


class HastyTransport(Transport):
    """The real transport with less patience, so that time-outs are seen in a test's time."""

    def call(self, request: HttpRequest):  # type: ignore[no-untyped-def]
        return super().call(
            HttpRequest(request.method, request.url, request.headers, request.body, request.auth, (0.4, 0.4))
        )


@pytest.fixture
def hasty(fake_provider: FakeProvider) -> Iterator[Mailgun]:
    adapter = Mailgun(
        key=fake_provider.key, domain=fake_provider.domain, endpoint=fake_provider.endpoint, transport=HastyTransport()
    )
    yield adapter
    fake_provider.release()
    adapter.close()


def test_a_batch_that_the_provider_takes_is_accepted_with_its_id(fake_provider: FakeProvider, mailgun: Mailgun) -> None:
    outcome = mailgun.deliver(make_call())
    (entry,) = fake_provider.accepted()
    assert outcome.verdict is Verdict.ACCEPTED
    assert outcome.provider_id == entry.provider_id.strip("<>") == "batch-1@news.example.org"
    assert entry.recipients == ["person1@example.com", "person2@example.com", "person3@example.com"]


def test_each_person_gets_her_own_mail_with_every_value_filled_in(
    fake_provider: FakeProvider, mailgun: Mailgun
) -> None:
    ana = make_recipient(7, address="ana@example.com", name="Ana")
    mailgun.deliver(make_call(ana, make_recipient(8, name="Bo")))
    (mail,) = fake_provider.mailbox("ana@example.com")
    assert mail.subject == "Good news for Ana"
    assert "Dear Ana," in mail.html
    assert 'href="https://example.org/u/token-7?list=1&amp;from=mail"' in mail.html
    assert mail.text == "Dear Ana,\n\nLeave: https://example.org/u/token-7?list=1&from=mail\n"
    assert mail.variables == {"issue": "weekly/12", "variant": "en-near-1", "batch": "batch-1", "delivery": "7"}


@pytest.mark.requirement("M5")
@pytest.mark.requirement("M6")
@pytest.mark.requirement("U1")
def test_the_one_click_pair_is_each_persons_own_and_intact(fake_provider: FakeProvider, mailgun: Mailgun) -> None:
    mailgun.deliver(make_call())
    (mail,) = fake_provider.mailbox("person2@example.com")
    assert mail.headers["List-Unsubscribe"] == "<https://example.org/u/token-2?list=1&from=mail>"
    assert mail.headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert mail.headers["List-Id"] == "Weekly <abc123.news.example.org>"
    assert mail.headers["Reply-To"] == "hello@example.org"


def test_the_request_turns_off_tracking(fake_provider: FakeProvider, mailgun: Mailgun) -> None:
    mailgun.deliver(make_call())
    form = fake_provider.ledger[0].form
    assert isinstance(form, Form)
    assert [form.one(f"o:tracking{kind}") for kind in ("", "-clicks", "-opens")] == ["no", "no", "no"]


@pytest.mark.parametrize("status", [400, 413, 422])
def test_a_refused_batch_is_rejected_for_everybody(fake_provider: FakeProvider, mailgun: Mailgun, status: int) -> None:
    fake_provider.fault_always(answer(status, b'{"message": "\'from\' parameter is not valid"}'))
    outcome = mailgun.deliver(make_call())
    assert (outcome.verdict, outcome.stop) == (Verdict.REJECTED, False)
    assert "nobody in it was mailed" in outcome.reason
    assert "'from' parameter is not valid" in outcome.reason


@pytest.mark.parametrize("status", [401, 402, 403, 404, 405, 410])
@pytest.mark.requirement("F19")
def test_an_answer_about_our_account_stops_the_send(fake_provider: FakeProvider, mailgun: Mailgun, status: int) -> None:
    fake_provider.fault_always(answer(status, b"Forbidden"))
    outcome = mailgun.deliver(make_call())
    assert (outcome.verdict, outcome.stop) == (Verdict.REJECTED, True)


def test_a_wrong_key_stops_the_send_and_is_not_repeated_to_anybody(fake_provider: FakeProvider) -> None:
    adapter = Mailgun(key="wrong-s3cret", domain=fake_provider.domain, endpoint=fake_provider.endpoint)
    outcome = adapter.deliver(make_call())
    adapter.close()
    assert (outcome.verdict, outcome.stop) == (Verdict.REJECTED, True)
    assert "did not accept our key" in outcome.reason
    assert "s3cret" not in repr(outcome)


def test_a_domain_that_the_provider_does_not_know_stops_the_send(fake_provider: FakeProvider) -> None:
    adapter = Mailgun(key=fake_provider.key, domain="other.example.org", endpoint=fake_provider.endpoint)
    outcome = adapter.deliver(make_call())
    adapter.close()
    assert (outcome.verdict, outcome.stop) == (Verdict.REJECTED, True)


@pytest.mark.parametrize(
    ("fault", "wait"),
    [
        (too_many("120"), 120.0),
        (too_many(), None),
        (answer(420, b"", retry_after="2"), 2.0),
        (answer(503, b"", retry_after="30"), 30.0),
        (answer(429, b'{"message": "limit exceeded, try again after 45 seconds"}'), 45.0),
        (answer(429, b"", retry_after="not a time"), None),
        (answer(429, b"", retry_after="999999999"), 86400.0),
    ],
)
@pytest.mark.requirement("F4")
def test_a_provider_that_asks_us_to_slow_down_throttles(
    fake_provider: FakeProvider, mailgun: Mailgun, fault: Fault, wait: float | None
) -> None:
    fake_provider.fault_always(fault)
    outcome = mailgun.deliver(make_call())
    assert (outcome.verdict, outcome.retry_after, outcome.stop) == (Verdict.THROTTLED, wait, False)
    assert fake_provider.accepted() == []


@pytest.mark.parametrize("in_header", [True, False])
def test_a_date_to_come_back_at_is_honoured(fake_provider: FakeProvider, mailgun: Mailgun, in_header: bool) -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=90))
    said = {"message": f"Domain is not allowed to send: limit exceeded, try again after {date}"}
    fake_provider.fault_always(
        answer(429, b"", retry_after=date) if in_header else answer(429, json.dumps(said).encode())
    )
    outcome = mailgun.deliver(make_call())
    assert outcome.verdict is Verdict.THROTTLED
    assert outcome.retry_after is not None
    assert 60 < outcome.retry_after <= 90


@pytest.mark.parametrize("status", [408, 499, 500, 502, 503, 504])
@pytest.mark.parametrize("accept", [True, False])
@pytest.mark.requirement("F5")
def test_a_fault_inside_the_provider_leaves_the_batch_uncertain(
    fake_provider: FakeProvider, mailgun: Mailgun, status: int, accept: bool
) -> None:
    """We cannot tell these two apart, and must not guess."""
    fake_provider.fault_always(answer(status, b"<h1>Bad gateway</h1>", accept=accept))
    outcome = mailgun.deliver(make_call())
    assert (outcome.verdict, outcome.stop) == (Verdict.UNCERTAIN, False)
    assert "<h1>" not in outcome.reason


GARBAGE = [
    b"",
    b"{}",
    b"[]",
    b"null",
    b"Queued. Thank you.",
    b"<html><body>Welcome to the hotel's network</body></html>",
    b'{"id": ""}',
    b'{"id": "<>"}',
    b'{"id": null}',
    b'{"id": 12}',
    b'{"id": ["<1@x>"]}',
    b'{"message": "Queued. Thank you."}',
    b'{"id": "<1@x',
    b"\xff\xfe\x00",
    b"[" * 100_000,
    b'"' + b"x" * 3_000_000,
]


@pytest.mark.parametrize("body", GARBAGE, ids=range(len(GARBAGE)))
@pytest.mark.requirement("F9")
def test_a_200_without_a_receipt_is_uncertain(fake_provider: FakeProvider, mailgun: Mailgun, body: bytes) -> None:
    fake_provider.fault_always(answer(200, body))
    assert mailgun.deliver(make_call()).verdict is Verdict.UNCERTAIN


@pytest.mark.parametrize("status", [201, 202, 204, 301, 302, 307, 308])
def test_another_success_or_a_redirect_is_uncertain(fake_provider: FakeProvider, mailgun: Mailgun, status: int) -> None:
    body = b"" if status == 204 else b'{"id": "<1@x>"}'
    fake_provider.fault_always(answer(status, body, location="http://127.0.0.1:1/"))
    outcome = mailgun.deliver(make_call())
    assert outcome.verdict is Verdict.UNCERTAIN
    assert len(fake_provider.ledger) == 1


@pytest.mark.parametrize(
    "kind",
    [
        "reset_after_accepting",
        "close_after_accepting",
        "stall_after_accepting",
        "stall_before_accepting",
        "truncate",
        "drip",
    ],
)
@pytest.mark.requirement("F6")
def test_a_connection_lost_after_a_small_request_is_uncertain(
    fake_provider: FakeProvider, hasty: Mailgun, kind: str
) -> None:
    fake_provider.fault_always(Fault(kind, seconds=5))  # type: ignore[arg-type]
    outcome = hasty.deliver(make_call())
    assert outcome.verdict is Verdict.UNCERTAIN
    assert len(fake_provider.ledger) == 1


@pytest.mark.parametrize("kind", ["reset_before_reading", "close_before_reading"])
def test_a_connection_lost_before_a_request_was_read_is_not_accepted(
    fake_provider: FakeProvider, hasty: Mailgun, kind: str
) -> None:
    """A small request leaves at once, so it can hardly be distinguished from one that was read."""
    fake_provider.fault_always(Fault(kind))  # type: ignore[arg-type]
    assert hasty.deliver(make_call()).verdict in (Verdict.UNCERTAIN, Verdict.NOT_SENT)
    assert len(fake_provider.ledger) == 1


@pytest.mark.parametrize("kind", ["reset_before_reading", "close_before_reading"])
def test_a_connection_lost_in_the_middle_of_a_big_request_is_not_sent(
    fake_provider: FakeProvider, mailgun: Mailgun, kind: str
) -> None:
    fake_provider.fault_always(Fault(kind))  # type: ignore[arg-type]
    outcome = mailgun.deliver(make_call(mail=make_mail(html="x" * 12_000_000)))
    assert outcome.verdict is Verdict.NOT_SENT
    assert fake_provider.accepted() == []


def test_a_slow_answer_within_the_time_is_accepted(fake_provider: FakeProvider, mailgun: Mailgun) -> None:
    fake_provider.fault_next(Fault("slow", seconds=0.3))
    assert mailgun.deliver(make_call()).verdict is Verdict.ACCEPTED


def test_a_provider_that_is_not_there_has_sent_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    adapter = Mailgun(key="k", domain="news.example.org", endpoint=f"http://127.0.0.1:{port}")
    outcome = adapter.deliver(make_call())
    adapter.close()
    assert outcome.verdict is Verdict.NOT_SENT
    assert "nothing was sent" in outcome.reason


def test_a_providers_words_are_quoted_without_readers_addresses_or_our_key(
    fake_provider: FakeProvider, mailgun: Mailgun
) -> None:
    said = {"message": f"bad\naddress person1@example.com for key {fake_provider.key} " + "x" * 500}
    fake_provider.fault_always(answer(400, json.dumps(said).encode()))
    reason = mailgun.deliver(make_call()).reason
    assert "bad address (an address) for key (key) x" in reason
    assert "\n" not in reason
    assert len(reason) < 350
