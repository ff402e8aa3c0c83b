"""The contract of a mail provider that is called over HTTP and reports: what becomes of a batch whatever the provider answers."""

from datetime import UTC, datetime
from typing import ClassVar
from urllib.parse import quote

from newsletter.providers.base.contract import Adapter, BatchCall, Mail, Outcome, Recipient, Verdict
from newsletter.providers.base.errors import BadWebhook
from newsletter.providers.base.http_adapter import HttpAdapter
from newsletter.providers.base.webhooks.verification import WebhookRequest
from newsletter.providers.registry import PROVIDERS, WEBHOOK_HANDLERS, make_adapter
from newsletter.testing.loopback import Loopback, serve_loopback
from newsletter.testing.registered import find_registered

NOW = datetime(2026, 3, 4, 9, 30, tzinfo=UTC)
KEY = "k3y-that-nobody-may-see"


class ProviderContract:
    """Say the ``name`` of the provider, its ``account`` before the ``?`` of its URL, and what it answers.

    ``receipt`` is the answer to a batch of two people whom it accepts. ``webhook`` is the body of a report.
    """

    name: ClassVar[str]
    account: ClassVar[str] = f"{KEY}@"
    receipt: ClassVar[bytes]
    webhook: ClassVar[bytes]

    def deliver(self, provider: Loopback) -> Outcome:
        """Send a batch of two people."""
        adapter = self.make_adapter(provider.url)
        try:
            return adapter.deliver(_make_batch())
        finally:
            adapter.close()

    def make_adapter(self, endpoint: str) -> Adapter:
        return make_adapter(f"{self.name}://{self.account}?endpoint={quote(endpoint, safe='')}")

    def test_it_is_installed_and_of_this_interface(self) -> None:
        kind = find_registered(PROVIDERS, self.name)
        assert kind.adapter.label.strip()
        assert kind.adapter.offer.max_batch >= 1

    def test_a_usual_receipt_accepts_everybody(self) -> None:
        with serve_loopback() as provider:
            provider.answer = (_find_adapter(self.name).receipt_status, self.receipt)
            outcome = self.deliver(provider)
        assert outcome.verdict is Verdict.ACCEPTED, outcome.reason
        assert all(verdict is Verdict.ACCEPTED for verdict, _ in outcome.people.values())

    def test_each_person_gets_their_own_mail_and_link(self) -> None:
        with serve_loopback() as provider:
            self.deliver(provider)
        sent = b"".join(provider.bodies).decode("utf-8", "replace").replace("\\/", "/")
        for text in ("ana@example.com", "bo@example.com", "token-7", "token-8", "List-Unsubscribe-Post"):
            assert text in sent or quote(text) in sent, f"The request lacks {text}."
        assert "__pv_" not in sent or PROVIDERS[self.name].adapter.offer.merge == "substitute"

    def test_the_same_batch_makes_the_same_bytes(self) -> None:
        adapter = self.make_adapter("http://127.0.0.1:9")
        assert isinstance(adapter, HttpAdapter)
        assert adapter.build(_make_batch()) == adapter.build(_make_batch())

    def test_another_answer_than_the_receipt_is_uncertain(self) -> None:
        for body in (b"", b"<html>hello</html>", b"[]", b"null", b'{"data": 5}'):
            with serve_loopback() as provider:
                provider.answer = (_find_adapter(self.name).receipt_status, body)
                assert self.deliver(provider).verdict is Verdict.UNCERTAIN, f"{body!r} is no proof of anything."

    def test_a_fault_of_the_provider_is_uncertain(self) -> None:
        for status in (500, 502, 504):
            with serve_loopback() as provider:
                provider.answer = (status, b"{}")
                assert self.deliver(provider).verdict is Verdict.UNCERTAIN, f"After {status} it may have sent."

    def test_a_connection_that_breaks_is_uncertain(self) -> None:
        with serve_loopback() as provider:
            provider.answer = None
            assert self.deliver(provider).verdict is Verdict.UNCERTAIN

    def test_nobody_is_mailed_if_there_is_no_connection(self) -> None:
        with serve_loopback() as provider:
            gone = provider.url
        adapter = self.make_adapter(gone)
        assert adapter.deliver(_make_batch()).verdict is Verdict.NOT_SENT

    def test_a_wrong_key_stops_the_send_and_is_not_shown(self) -> None:
        with serve_loopback() as provider:
            provider.answer = (401, b'{"message": "wrong key ' + KEY.encode() + b'"}')
            outcome = self.deliver(provider)
        assert (outcome.verdict, outcome.stop) == (Verdict.REJECTED, True)
        assert KEY not in repr(outcome), "The outcome shows the key."

    def test_a_provider_that_asks_to_wait_throttles(self) -> None:
        with serve_loopback() as provider:
            provider.answer, provider.headers = (429, b"{}"), {"Retry-After": "17"}
            outcome = self.deliver(provider)
        assert (outcome.verdict, outcome.retry_after) == (Verdict.THROTTLED, 17.0)

    def test_a_report_is_read_and_names_its_event(self) -> None:
        events = WEBHOOK_HANDLERS[self.name].parse(WebhookRequest(self.webhook))
        assert events, "The report has no event."
        assert all(event.provider == self.name and event.key for event in events)

    def test_a_report_without_proof_is_not_believed(self) -> None:
        handler = WEBHOOK_HANDLERS[self.name]
        try:
            handler.verify(WebhookRequest(self.webhook), "a-key", NOW)
        except BadWebhook:
            return
        raise AssertionError("A report without password or signature was believed.")

    def test_a_body_that_is_no_report_is_refused(self) -> None:
        handler = WEBHOOK_HANDLERS[self.name]
        for body in (b"", b"no", b"[1]", b"\xff"):
            try:
                assert not handler.parse(WebhookRequest(body)), f"{body!r} is no report."
            except BadWebhook:
                continue


def _find_adapter(name: str) -> type[HttpAdapter]:
    adapter = PROVIDERS[name].adapter
    assert issubclass(adapter, HttpAdapter)
    return adapter


def _make_batch() -> BatchCall:
    mail = Mail(
        subject="Good news for __pv_t_first_name__",
        html='<p>Dear __pv_h_first_name__,</p><p><a href="__pv_u_unsubscribe__">Leave</a></p>',
        text="Dear __pv_t_first_name__,\n\nLeave: __pv_t_unsubscribe__\n",
        from_name="Open Door",
        from_email="news@news.example.org",
        reply_to="hello@example.org",
        headers={"List-Id": "Weekly <abc123.news.example.org>"},
    )
    people = (_make_recipient(7, "ana@example.com", "Ana"), _make_recipient(8, "bo@example.com", "Bo &amp; Co"))
    return BatchCall(key="batch-1", issue="weekly/12", variant="en", mail=mail, people=people)


def _make_recipient(delivery: int, address: str, name: str) -> Recipient:
    link = f"https://example.org/u/token-{delivery}"
    values = {"h_first_name": name, "t_first_name": name, "u_unsubscribe": link, "t_unsubscribe": link}
    return Recipient(delivery, address, values)
