"""One suite that every provider's adapter must pass, over a real connection."""

import json
import socket
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jsonschema
import pytest
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from newsletter.providers.base.contract import Adapter, Verdict
from newsletter.providers.base.errors import BadBatch, BadMail
from newsletter.providers.base.http_adapter import HttpAdapter
from newsletter.providers.registry import ADAPTERS, make_adapter
from tests.support.fake_provider import FakeProvider
from tests.support.provider_accounts import HTTP_PROVIDERS, make_account_url
from tests.support.provider_faults import Fault, answer
from tests.support.provider_fixtures import corpus, make_call, make_mail, make_recipient

JSON_SCHEMES = {
    "postmark": ("specs/postmark/server.json", "#/components/schemas/SendEmailBatchRequest"),
    "resend": ("specs/resend/resend.json", "#/paths/~1emails~1batch/post/requestBody/content/application~1json/schema"),
    "sendgrid": (
        "specs/sendgrid/tsg_mail_v3.json",
        "#/components/requestBodies/PostMailSend/content/application~1json/schema",
    ),
}


@pytest.fixture(params=HTTP_PROVIDERS)
def scheme(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def adapter(scheme: str, fake_provider: FakeProvider) -> Iterator[Adapter]:
    made = make_adapter(fake_provider.url_of(scheme))
    yield made
    made.close()


def test_every_provider_that_is_called_by_http_has_an_account_here() -> None:
    own = {
        name: adapter for name, adapter in ADAPTERS.items() if adapter.__module__.startswith("newsletter.providers.")
    }
    called = {name for name, adapter in own.items() if issubclass(adapter, HttpAdapter)}
    assert called == set(HTTP_PROVIDERS), "Write it into tests/support/provider_accounts.py."


def test_all_recipients_get_their_own_mail_once(adapter: Adapter, fake_provider: FakeProvider) -> None:
    outcome = adapter.deliver(
        make_call(make_recipient(7, address="ana@example.com", name="Ana"), make_recipient(8, name="Bo & Co"))
    )
    assert (outcome.verdict, dict(outcome.people)) == (Verdict.ACCEPTED, {})
    assert outcome.provider_id
    assert fake_provider.accepted_counts() == {"ana@example.com": 1, "person8@example.com": 1}
    (mail,) = fake_provider.mailbox("ana@example.com")
    assert mail.sender == '"Open Door" <news@news.example.org>'
    assert mail.subject == "Good news for Ana"
    assert mail.html == (
        '<p>Dear Ana,</p><p><a href="https://example.org/u/token-7?list=1&amp;from=mail">Leave</a></p>'
    )
    assert mail.text == "Dear Ana,\n\nLeave: https://example.org/u/token-7?list=1&from=mail\n"
    assert mail.variables["batch"] == "batch-1"
    if adapter.capabilities.name != "mailersend":
        # MailerSend gives back tags alone, and a tag for each mail would flood its pages.
        assert mail.variables["delivery"] == "7"


@pytest.mark.requirement("M5")
@pytest.mark.requirement("M6")
@pytest.mark.requirement("U1")
def test_the_one_click_pair_is_each_persons_own_and_intact(adapter: Adapter, fake_provider: FakeProvider) -> None:
    """With a link longer than any folding limit."""
    url = "https://example.org/u/" + "t" * 200
    adapter.deliver(make_call(make_recipient(1), make_recipient(2, t_unsubscribe=url)))
    (mail,) = fake_provider.mailbox("person2@example.com")
    assert mail.headers["List-Unsubscribe"] == f"<{url}>"
    assert mail.headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    if adapter.capabilities.name == "mailjet":
        assert "List-Id" not in mail.headers, "Mailjet refuses it."
    else:
        assert mail.headers["List-Id"] == "Weekly <abc123.news.example.org>"
    assert mail.headers["Reply-To"] == "hello@example.org"


@pytest.mark.requirement("M6")
def test_a_second_address_to_unsubscribe_reaches_each_person(adapter: Adapter, fake_provider: FakeProvider) -> None:
    header = "<__pv_t_unsubscribe__>, <mailto:__pv_t_unsubscribe_address__?subject=unsubscribe>"
    people = [make_recipient(n, t_unsubscribe_address=f"replies+{n:048}@news.example.org") for n in (1, 2)]
    adapter.deliver(make_call(*people, mail=make_mail(headers={"List-Unsubscribe": header})))
    for number in (1, 2):
        (mail,) = fake_provider.mailbox(f"person{number}@example.com")
        link, _, address = mail.headers["List-Unsubscribe"].partition(", ")
        assert link == f"<https://example.org/u/token-{number}?list=1&from=mail>"
        if adapter.capabilities.name == "mailersend":
            assert address == "", "MailerSend takes one way to unsubscribe."
            continue
        assert address == f"<mailto:replies+{number:048}@news.example.org?subject=unsubscribe>"
        assert mail.headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_the_feedback_id_reaches_gmail_through_every_provider(adapter: Adapter, fake_provider: FakeProvider) -> None:
    """Amazon writes the header itself, from two tags."""
    adapter.deliver(make_call(mail=make_mail(headers={"Feedback-ID": "0a1b:weekly:issue:newsexampleorg"})))
    mail = fake_provider.mailbox("person1@example.com")[0]
    if adapter.capabilities.name == "ses":
        assert (mail.variables["ses:feedback-id-a"], mail.variables["ses:feedback-id-b"]) == ("0a1b", "weekly")
        assert "Feedback-ID" not in mail.headers
    else:
        assert mail.headers["Feedback-ID"] == "0a1b:weekly:issue:newsexampleorg"


def test_a_header_of_other_scripts_is_written_in_ascii(
    adapter: Adapter, fake_provider: FakeProvider, scheme: str
) -> None:
    adapter.deliver(make_call(mail=make_mail(headers={"X-List": "Łódź <a.news.example.org>"})))
    (mail,) = fake_provider.mailbox("person1@example.com")
    if scheme not in ("postmark", "sparkpost"):
        assert mail.headers["X-List"] == "=?utf-8?b?xYHDs2TFug==?= <a.news.example.org>"
    assert mail.headers["X-List"].endswith("<a.news.example.org>")


def test_a_sender_of_an_internationalised_domain_is_written_in_ascii(
    adapter: Adapter, fake_provider: FakeProvider
) -> None:
    adapter.deliver(make_call(mail=make_mail(from_email="news@bücher.example", reply_to="a@bücher.example")))
    (mail,) = fake_provider.mailbox("person1@example.com")
    assert mail.sender == '"Open Door" <news@xn--bcher-kva.example>'
    assert mail.headers["Reply-To"] == "a@xn--bcher-kva.example"


@pytest.mark.parametrize("field", ["from_email", "reply_to"])
def test_a_sender_that_has_no_ascii_form_is_refused(adapter: Adapter, fake_provider: FakeProvider, field: str) -> None:
    with pytest.raises(BadMail, match="cannot be used"):
        adapter.deliver(make_call(mail=make_mail(**{field: "ännä@example.org"})))
    assert fake_provider.ledger == []


def test_the_same_batch_makes_the_same_bytes(adapter: Any) -> None:
    assert adapter.build(make_call()) == adapter.build(make_call())


@cache
def validator(path: Path, pointer: str) -> jsonschema.Draft202012Validator:
    spec = json.loads(path.read_text())
    registry: Any = Registry().with_resource("urn:spec", DRAFT202012.create_resource(spec))
    return jsonschema.Draft202012Validator({"$ref": f"urn:spec{pointer}"}, registry=registry)


@pytest.mark.parametrize("people", [1, 50])
@pytest.mark.parametrize("named", JSON_SCHEMES)
def test_a_request_obeys_the_official_specification(named: str, people: int, fake_provider: FakeProvider) -> None:
    file, pointer = JSON_SCHEMES[named]
    adapter: Any = make_adapter(fake_provider.url_of(named))
    check = validator(corpus(*file.split("/")), pointer)
    for mail in (make_mail(), make_mail(reply_to="", headers={}, subject="Hi", html="<p>Hi</p>", text="Hi")):
        body = json.loads(adapter.build(make_call(*(make_recipient(n) for n in range(people)), mail=mail)).body)
        check.validate(body)
    wrong = [{"To": 5}] if named == "postmark" else [{"to": "x"}] if named == "resend" else {"subject": "x"}
    with pytest.raises(jsonschema.ValidationError):
        check.validate(wrong)


def test_readers_are_not_tracked(fake_provider: FakeProvider) -> None:
    (mail,) = json.loads(_build(fake_provider, "postmark"))
    assert (mail["TrackOpens"], mail["TrackLinks"]) == (False, "None")
    settings = json.loads(_build(fake_provider, "sendgrid"))["tracking_settings"]
    assert [each["enable"] for each in settings.values()] == [False, False, False]


def _build(provider: FakeProvider, scheme: str) -> bytes:
    adapter: Any = make_adapter(provider.url_of(scheme))
    request = adapter.build(make_call(make_recipient(1)))
    return bytes(request.body)


@pytest.mark.parametrize("status", [400, 413, 422])
def test_a_refused_batch_is_rejected(adapter: Adapter, fake_provider: FakeProvider, status: int) -> None:
    fake_provider.fault_always(
        answer(status, b'{"message": "no", "errors": [{"message": "no"}], "ErrorCode": 1, "Message": "no"}')
    )
    outcome = adapter.deliver(make_call())
    assert (outcome.verdict, outcome.stop) == (Verdict.REJECTED, False)
    assert ": " in outcome.reason
    assert '"no"' in outcome.reason or "Mailgun" in outcome.reason


@pytest.mark.parametrize("status", [401, 403, 404])
@pytest.mark.requirement("F19")
def test_an_answer_about_our_account_stops_the_send(adapter: Adapter, fake_provider: FakeProvider, status: int) -> None:
    fake_provider.fault_always(answer(status, b"{}"))
    outcome = adapter.deliver(make_call())
    assert (outcome.verdict, outcome.stop) == (Verdict.REJECTED, True)


def test_a_wrong_key_stops_the_send_and_is_not_shown(scheme: str, fake_provider: FakeProvider) -> None:
    account = make_account_url(
        scheme, key="fake-key-0123456789" if scheme in ("ses", "mailjet") else "wr0ng", secret="wr0ng"
    )
    adapter = make_adapter(f"{account}?endpoint={quote(fake_provider.endpoint, safe='')}")
    outcome = adapter.deliver(make_call())
    adapter.close()
    assert (outcome.verdict, outcome.stop) == (Verdict.REJECTED, True)
    assert "wr0ng" not in repr(outcome)


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.requirement("F4")
def test_a_provider_that_asks_us_to_slow_down_throttles(
    adapter: Adapter, fake_provider: FakeProvider, status: int
) -> None:
    fake_provider.fault_always(answer(status, b"{}", retry_after="17"))
    outcome = adapter.deliver(make_call())
    assert (outcome.verdict, outcome.retry_after) == (Verdict.THROTTLED, 17.0)


@pytest.mark.parametrize(
    ("header", "wait"), [("ratelimit-reset", 3.0), ("x-sib-ratelimit-reset", 3.0), ("x-ratelimit-reset", 60.0)]
)
@pytest.mark.requirement("F4")
def test_a_provider_that_says_when_its_limit_ends_is_obeyed(
    adapter: Adapter, fake_provider: FakeProvider, header: str, wait: float
) -> None:
    """SendGrid gives a moment, the others seconds."""
    said = str(int(time.time()) + 60) if wait == 60.0 else "3"
    fake_provider.fault_always(Fault(status=429, body=b"{}", headers={header: said}))
    outcome = adapter.deliver(make_call())
    assert outcome.verdict is Verdict.THROTTLED
    assert outcome.retry_after is not None
    assert wait - 5 < outcome.retry_after <= wait


@pytest.mark.parametrize("status", [302, 408, 499, 500, 502, 503, 504])
@pytest.mark.requirement("F5")
def test_a_fault_inside_the_provider_leaves_the_batch_uncertain(
    adapter: Adapter, fake_provider: FakeProvider, status: int
) -> None:
    fake_provider.fault_always(answer(status, b"<html>"))
    assert adapter.deliver(make_call()).verdict is Verdict.UNCERTAIN


GARBAGE = [
    b"",
    b"{}",
    b"[]",
    b"null",
    b"<html>",
    b'{"data": []}',
    b'{"data": [{"id": 1}]}',
    b'[{"ErrorCode": 0}]',
    b"[1, 2, 3]",
    b"\xff",
]


@pytest.mark.parametrize("status", [200, 202, 204])
@pytest.mark.parametrize("body", GARBAGE, ids=range(len(GARBAGE)))
@pytest.mark.requirement("F9")
def test_a_success_without_a_receipt_is_uncertain(
    adapter: Adapter, fake_provider: FakeProvider, status: int, body: bytes
) -> None:
    fake_provider.fault_always(answer(status, b"" if status == 204 else body))
    outcome = adapter.deliver(make_call())
    assert outcome.verdict is Verdict.UNCERTAIN
    handed_over = {address for entry in fake_provider.ledger for address in entry.recipients}
    for delivery, (verdict, _) in outcome.people.items():
        is_uncertain = f"person{delivery}@example.com" in handed_over
        assert verdict is (Verdict.UNCERTAIN if is_uncertain else Verdict.NOT_SENT)


@pytest.mark.parametrize(
    ("fault", "is_web_page"),
    [
        (answer(200, b"Welcome to the network", Content_Type="text/html; charset=utf-8"), True),
        (answer(202, b"\n<!DOCTYPE html><title>Sign in</title>"), True),
        (answer(302, b"", location="http://127.0.0.1:1/sign-in"), True),
        (answer(200, b"{}", Content_Type="application/json"), False),
        (answer(502, b"<html>Bad gateway</html>", Content_Type="text/html"), False),
    ],
)
@pytest.mark.requirement("F9")
def test_a_web_page_in_place_of_the_provider_stops_the_send(
    adapter: Adapter, fake_provider: FakeProvider, fault: Fault, is_web_page: bool
) -> None:
    """Otherwise one batch after another becomes uncertain. A fault of the provider may be over in a moment."""
    fake_provider.fault_always(fault)
    outcome = adapter.deliver(make_call())
    assert (outcome.verdict, outcome.stop) == (Verdict.UNCERTAIN, is_web_page)
    verdicts = {verdict for verdict, _ in outcome.people.values()}
    assert verdicts <= {Verdict.NOT_SENT}


@pytest.mark.requirement("F5")
def test_a_misdirected_request_is_sent_again_on_a_new_connection(adapter: Adapter, fake_provider: FakeProvider) -> None:
    fake_provider.fault_always(answer(421, b"Misdirected Request"))
    outcome = adapter.deliver(make_call())
    assert (outcome.verdict, outcome.stop) == (Verdict.NOT_SENT, False)
    assert not any(entry.accepted for entry in fake_provider.ledger)


@pytest.mark.parametrize("kind", ["reset_after_accepting", "close_after_accepting", "truncate"])
@pytest.mark.requirement("F6")
def test_a_lost_answer_is_uncertain_and_the_call_is_made_once(
    adapter: Adapter, fake_provider: FakeProvider, kind: str
) -> None:
    fake_provider.fault_always(Fault(kind))  # type: ignore[arg-type]
    assert adapter.deliver(make_call()).verdict is Verdict.UNCERTAIN
    assert len(fake_provider.ledger) == 1


def test_a_provider_that_is_not_there_has_sent_nothing(scheme: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    adapter = make_adapter(f"{make_account_url(scheme)}?endpoint=http://127.0.0.1:{port}")
    assert adapter.deliver(make_call()).verdict is Verdict.NOT_SENT
    adapter.close()


def test_too_many_people_are_refused_before_the_call(adapter: Adapter, fake_provider: FakeProvider) -> None:
    most = adapter.capabilities.max_batch
    with pytest.raises(BadBatch, match=f"{adapter.capabilities.name} takes {most:,} at once"):
        adapter.deliver(make_call(*(make_recipient(number) for number in range(most + 1))))
    assert fake_provider.ledger == []


def test_too_many_bytes_are_refused_before_the_call(adapter: Adapter, fake_provider: FakeProvider) -> None:
    with pytest.raises(BadBatch, match="bytes"):
        adapter.deliver(make_call(make_recipient(1), mail=make_mail(html="x" * (adapter.capabilities.max_bytes + 1))))
    assert fake_provider.ledger == []


def test_one_address_that_cannot_be_sent_to_is_rejected_alone(adapter: Adapter, fake_provider: FakeProvider) -> None:
    outcome = adapter.deliver(make_call(make_recipient(1), make_recipient(2, address="no address"), make_recipient(3)))
    assert outcome.verdict is Verdict.ACCEPTED
    assert list(outcome.people) == [2]
    assert set(fake_provider.accepted_counts()) == {"person1@example.com", "person3@example.com"}


@pytest.mark.requirement("M2")
def test_a_subject_that_could_add_a_header_is_refused(adapter: Adapter, fake_provider: FakeProvider) -> None:
    with pytest.raises(BadMail):
        adapter.deliver(make_call(mail=make_mail(subject="a\r\nBcc: all@example.com")))
    assert fake_provider.ledger == []


def test_a_readers_name_cannot_add_a_header(adapter: Adapter, fake_provider: FakeProvider) -> None:
    adapter.deliver(make_call(make_recipient(1, name="Eve\r\nBcc: all@example.com")))
    assert fake_provider.mailbox("person1@example.com")[0].subject == "Good news for Eve Bcc: all@example.com"


WORDS = [
    "{{ 7*7 }}",
    "%recipient.did%",
    "%%name%%",
    "{{{x}}}",
    "[unsubscribe]",
    "*|FNAME|*",
    "<%x%>",
    "🎉 نشرة Łódź",
    "-name-",
]


@pytest.mark.parametrize("words", WORDS)
def test_words_that_look_like_fields_are_read_as_they_were_written(
    adapter: Adapter, fake_provider: FakeProvider, words: str
) -> None:
    adapter.deliver(make_call(make_recipient(1, name=words), mail=make_mail(subject=f"{words} __pv_t_first_name__")))
    (mail,) = fake_provider.mailbox("person1@example.com")
    assert mail.subject.replace("\u2060", "") == f"{words} {words}"
