"""Mails that SparkPost, MailerSend and Brevo post as JSON: believed or refused, whole or not, each stored once."""

import base64
import gzip
import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client

from newsletter.inbound.process_mail import handle_waiting_mails
from newsletter.inbound.settings import parse_sources
from newsletter.inbound.store import store_mail
from newsletter.inbound.webhook_formats import mails
from newsletter.inbound.webhooks import inbound_secret
from newsletter.models import DmarcReport, InboundMail
from newsletter.providers.mailersend.webhooks import TEST_SECRET
from newsletter.web import inbound
from subscribers.links.signed_links import link_keys
from subscribers.links.unsubscribe_addresses import make_addresses
from subscribers.models import Subscriber
from tests.support.aggregate_reports import make_report, make_report_mail
from tests.support.fixtures import add_subscribers, make_publication
from tests.support.inbound_mails import BOUNCE, INBOUND_ADDRESS, make_reply

pytestmark = pytest.mark.django_db(transaction=True)
NOW = datetime.now(UTC).replace(microsecond=0)
RAW = make_reply(text="Thank you!").as_bytes()
RECIPIENT = "replies+i1@news.example.org"
TEXT = RAW.decode()
TOKEN, SECRET, PASSWORD = "a-token", "a-route-secret", "user:password"


@pytest.fixture(autouse=True)
def sources(settings: Any) -> None:
    urls = [f"inbound://sparkpost?key={TOKEN}", f"inbound://mailersend?key={SECRET}", f"inbound://brevo?key={PASSWORD}"]
    settings.NEWSLETTER_INBOUND = parse_sources(urls)
    settings.NEWSLETTER_INBOUND_ADDRESS = INBOUND_ADDRESS


def post(provider: str, body: object, **headers: str) -> Any:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    path = f"/inbound/{provider}/{inbound_secret(provider)}"
    return Client(enforce_csrf_checks=True).post(path, data=raw, content_type="application/json", headers=headers)


def relay(raw: bytes = RAW, *, recipient: Any = RECIPIENT, **content: Any) -> dict[str, Any]:
    """Return one mail of a batch as SparkPost documents it."""
    mail = {"email_rfc822": raw.decode("utf-8", "replace"), "email_rfc822_is_base64": False, **content}
    message = {"content": mail, "msg_from": "ana@example.com", "rcpt_to": recipient, "webhook_id": "1"}
    return {"msys": {"relay_message": message}}


def post_sparkpost(*rows: Any, token: str = TOKEN) -> Any:
    return post("sparkpost", list(rows), **{"X-MessageSystems-Webhook-Token": token})


def sign(body: bytes, *, secret: str = SECRET) -> dict[str, str]:
    return {"Signature": hmac.digest(secret.encode(), body, hashlib.sha256).hex()}


def post_mailersend(raw: Any = TEXT, *, secret: str = SECRET, kind: str = "inbound.message", **data: Any) -> Any:
    recipients = {"rcptTo": [{"email": RECIPIENT}], "to": {"raw": RECIPIENT}}
    event = {
        "type": kind,
        "inbound_id": "i1",
        "data": {"object": "message", "raw": raw, "recipients": recipients, **data},
    }
    body = json.dumps(event).encode()
    return post("mailersend", body, **sign(body, secret=secret))


def item(**changes: Any) -> dict[str, Any]:
    """Return one mail of a call as Brevo documents it."""
    return {
        "Uuid": ["8f7b"],
        "MessageId": "<1@example.com>",
        "From": {"Name": "Ana", "Address": "ana@example.com"},
        "To": [{"Name": None, "Address": INBOUND_ADDRESS}],
        "Cc": [],
        "ReplyTo": None,
        "SentAtDate": "Thu, 05 Mar 2026 09:00:00 +0000",
        "Subject": "Re: News",
        "Headers": {"From": "Ana <ana@example.com>", "To": INBOUND_ADDRESS, "Message-ID": "<1@example.com>"},
        "RawTextBody": "Thank you!",
        "RawHtmlBody": "<p>Thank you!</p>",
        "Attachments": [],
        "Recipients": [RECIPIENT],
        **changes,
    }


def post_brevo(*items: Any, password: str = PASSWORD) -> Any:
    basic = base64.b64encode(password.encode()).decode()
    return post("brevo", {"items": list(items)}, Authorization=f"Basic {basic}")


def handle() -> list[InboundMail]:
    handle_waiting_mails(now=NOW)
    return list(InboundMail.objects.order_by("pk"))


def address_of(person: Subscriber, public_id: str) -> str:
    make = make_addresses(
        link_keys()[0], inbound_address=INBOUND_ADDRESS, mailing_list=bytes.fromhex(public_id), mailing=1
    )
    return make([person.uuid.bytes])[0]


_POSTS: list[Callable[[], Any]] = [lambda: post_sparkpost(relay()), post_mailersend, lambda: post_brevo(item())]


@pytest.mark.parametrize("post_mail", _POSTS, ids=["sparkpost", "mailersend", "brevo"])
def test_a_posted_mail_is_stored_once_and_handled(post_mail: Any) -> None:
    assert [post_mail().status_code for _ in range(2)] == [200, 200]
    row = InboundMail.objects.get()
    assert bytes(row.raw or b"").startswith(f"X-Envelope-To: {RECIPIENT}\r\nFrom: Ana".encode())
    (row,) = handle()
    assert (row.kind, row.text, row.sender, row.sender_name) == ("reply", "Thank you!", "ana@example.com", "Ana")
    assert row.subject == "Re: News"


@pytest.mark.parametrize("provider", ["sparkpost", "mailersend", "brevo"])
@pytest.mark.requirement("M11")
def test_a_mail_to_a_signed_address_unsubscribes(provider: str) -> None:
    publication = make_publication()
    (ana,) = add_subscribers(publication, 1)
    signed = address_of(ana, publication.mailing_list.public_id)
    raw = make_reply(to=signed.upper(), text="").as_bytes()
    headers = {"From": "ana@example.com", "To": signed}
    answers = {
        "sparkpost": lambda: post_sparkpost(relay(raw, recipient=signed)),
        "mailersend": lambda: post_mailersend(raw.decode(), recipients={"rcptTo": [{"email": signed}]}),
        "brevo": lambda: post_brevo(item(Headers=headers, Recipients=[signed], RawTextBody="", RawHtmlBody=None)),
    }
    assert answers[provider]().status_code == 200
    assert [row.kind for row in handle()] == ["unsubscribe"]
    assert not ana.subscriptions.open().exists()


@pytest.mark.parametrize(
    ("answer", "do"),
    [
        (lambda: post_sparkpost(relay(), token="other"), "as auth_token"),
        (lambda: post_sparkpost(relay(), token=""), "as auth_token"),
        (lambda: post_mailersend(secret="other"), "Copy the key"),
        (lambda: post_mailersend(secret=TEST_SECRET), "Copy the key"),
        (lambda: post("mailersend", {"type": "inbound.message", "data": {"raw": TEXT}}), "Copy the key"),
        (lambda: post_brevo(item(), password="user:other"), "key of NEWSLETTER_INBOUND"),
        (lambda: post("brevo", {"items": [item()]}), "key of NEWSLETTER_INBOUND"),
    ],
)
def test_a_mail_that_the_provider_did_not_post_is_refused(answer: Any, do: str) -> None:
    refused = answer()
    assert refused.status_code == 401
    assert do in refused.content.decode()
    assert not InboundMail.objects.exists()


def test_without_a_key_the_secret_address_proves_a_mail(settings: Any) -> None:
    settings.NEWSLETTER_INBOUND = parse_sources(["inbound://sparkpost", "inbound://mailersend", "inbound://brevo"])
    assert post("sparkpost", [relay()]).status_code == 200
    assert post("mailersend", {"type": "inbound.message", "data": {"raw": TEXT}}).status_code == 200
    assert post("brevo", {"items": [item()]}).status_code == 200
    for provider in ("sparkpost", "mailersend", "brevo"):
        assert Client().post(f"/inbound/{provider}/{'x' * 32}", data=b"{}", content_type="a/b").status_code == 401


def test_two_tokens_of_sparkpost_may_be_valid_at_once(settings: Any) -> None:
    settings.NEWSLETTER_INBOUND = parse_sources(["inbound://sparkpost?key=new,a-token"])
    assert [post_sparkpost(relay(), token=token).status_code for token in ("new", TOKEN, "old")] == [200, 200, 401]


def test_providers_may_try_the_address() -> None:
    assert post_sparkpost({"msys": {}}).status_code == 200
    assert post_sparkpost().status_code == 200
    assert post_mailersend(kind="webhook.test", secret=TEST_SECRET).status_code == 200
    assert post_mailersend(kind="webhook.test").status_code == 200
    assert not InboundMail.objects.exists()


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (lambda: post_sparkpost(relay(email_rfc822="  ")), "relay webhook"),
        (lambda: post_sparkpost(relay(email_rfc822={"a": 1})), "relay webhook"),
        (lambda: post_sparkpost(relay(email_rfc822="a", email_rfc822_is_base64=True)), "relay webhook"),
        (lambda: post_sparkpost(relay(email_rfc822="§", email_rfc822_is_base64=True)), "relay webhook"),
        (lambda: post_sparkpost({"msys": {"message_event": {"type": "bounce"}}}), "relay webhook"),
        (lambda: post_sparkpost({"msys": {"relay_message": [1]}}), "relay webhook"),
        (lambda: post_mailersend(None), "inbound route"),
        (lambda: post_mailersend(kind="activity.sent"), "inbound route"),
        (lambda: post_mailersend(["a"]), "inbound route"),
        (lambda: post_brevo(), "inboundEmailProcessed"),
        (lambda: post_brevo({}), "inboundEmailProcessed"),
        (lambda: post_brevo("text", 3, None), "inboundEmailProcessed"),
    ],
)
def test_the_answer_to_a_call_without_a_mail_names_the_setting(answer: Any, says: str) -> None:
    refused = answer()
    assert refused.status_code == 400
    assert says in refused.content.decode()
    assert not InboundMail.objects.exists()


def test_the_whole_mails_of_a_batch_are_kept_when_one_is_not_whole() -> None:
    other = make_reply(text="Next").as_bytes()
    assert post_sparkpost(relay(), relay(email_rfc822=None), relay(other)).status_code == 400
    assert [row.text for row in handle()] == ["Thank you!", "Next"]
    assert post_sparkpost(relay(), relay(email_rfc822=None), relay(other)).status_code == 400
    assert InboundMail.objects.count() == 2


def test_a_batch_that_stops_half_way_is_taken_whole_when_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail_for_next(*, raw: bytes, **more: Any) -> InboundMail:
        if b"Next" in raw:
            raise OperationalError("away")
        return store_mail(raw=raw, **more)

    batch = [relay(), relay(make_reply(text="Next").as_bytes())]
    with monkeypatch.context() as patched:
        patched.setattr(inbound, "store_mail", fail_for_next)
        assert post_sparkpost(*batch).status_code == 503
    assert InboundMail.objects.count() == 1
    assert post_sparkpost(*batch).status_code == 200
    assert [row.text for row in handle()] == ["Thank you!", "Next"]


def test_more_mails_at_once_than_are_read_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mails, "MAX_MAILS", 2)
    assert post_sparkpost(relay(), relay(), relay()).status_code == 400
    says = post_brevo(item(), item(), item()).content.decode()
    assert "3 mails at once" in says
    assert "Let the provider post at most 2" in says
    assert not InboundMail.objects.exists()
    assert post_brevo(item(), item(RawTextBody="Next")).status_code == 200
    assert InboundMail.objects.count() == 2


@pytest.mark.parametrize("post_mail", ["sparkpost", "mailersend"])
def test_dmarc_reports_and_bounces_come_in_whole(post_mail: str) -> None:
    make_publication()
    for raw in (make_report_mail(gzip.compress(make_report(ends=NOW))).as_bytes(), BOUNCE):
        answer = post_sparkpost(relay(raw)) if post_mail == "sparkpost" else post_mailersend(raw.decode())
        assert answer.status_code == 200
    assert [row.kind for row in handle()] == ["dmarc", "bounce"]
    assert DmarcReport.objects.get().domain == "news.example.org"


def test_a_mail_of_sparkpost_that_is_not_utf_8_comes_in_base64() -> None:
    raw = RAW.replace(b"utf-8", b"iso-8859-1").replace(b"7bit", b"8bit").replace(b"Thank you!", b"Merc\xe9!")
    relayed = relay(email_rfc822=base64.b64encode(raw).decode(), email_rfc822_is_base64=True)
    assert post_sparkpost(relayed).status_code == 200
    assert [row.text for row in handle()] == ["Mercé!"]


def test_a_large_mail_is_taken_in_part() -> None:
    mail = make_reply(text="See the film")
    mail.add_attachment(b"x" * 3_000_000, maintype="video", subtype="mp4", filename="film.mp4")
    assert post_sparkpost(relay(mail.as_bytes())).status_code == 200
    assert post_brevo(item(RawTextBody="Long. " * 500_000)).status_code == 200
    assert [row.cut for row in InboundMail.objects.order_by("pk")] == [True, False]
    assert all(len(bytes(row.raw or b"")) <= 1024 * 1024 for row in InboundMail.objects.all())
    film, long = handle()
    assert (film.kind, film.text) == ("reply", "See the film")
    assert (long.kind, long.text[:11], len(long.text) > 10_000) == ("reply", "Long. Long.", True)


@pytest.mark.parametrize("provider", ["sparkpost", "mailersend", "brevo"])
@pytest.mark.parametrize("body", [b"", b"{", b"3", b"null", b'["a"]', b'"\\ud800"', b"[" * 60 + b"]" * 60, b"\xff"])
def test_json_of_another_form_is_refused(settings: Any, provider: str, body: bytes) -> None:
    settings.NEWSLETTER_INBOUND = parse_sources([f"inbound://{provider}"])
    assert post(provider, body).status_code in (400, 401)
    assert not InboundMail.objects.exists()


@pytest.mark.parametrize("recipient", ["a@b\r\nBcc: x@y", "ä@example.org", ["a@b"], 3, None, "x" * 100_000, "a@b, c@d"])
def test_a_recipient_cannot_add_a_field(recipient: Any) -> None:
    assert post_sparkpost(relay(recipient=recipient)).status_code == 200
    assert post_mailersend(recipients={"rcptTo": [{"email": recipient}, recipient]}).status_code == 200
    assert post_brevo(item(Recipients=[recipient])).status_code == 200
    for row in InboundMail.objects.all():
        raw = bytes(row.raw or b"")
        assert b"\nBcc" not in raw
        assert raw.count(b"\nFrom: ") + raw.startswith(b"From: ") == 1


_HOSTILE: list[tuple[str, Any]] = [
    ("From", "ana@example.com"),
    ("From", {"Name": "A\r\nBcc: x@y", "Address": "ana@example.com\r\nBcc: x@y"}),
    ("From", {"Name": ["a"], "Address": {"a": 1}}),
    ("From", {"Name": '"Ana" <eve@example.com>,', "Address": "ana@example.com"}),
    ("Subject", "A\r\nBcc: x@y\r\n\r\nText"),
    ("Subject", ["a"]),
    ("Subject", "ü\r\nBcc: x@y" * 500),
    ("To", "nobody"),
    ("To", [None, 3, {"Address": "a@b\r\nBcc: x@y"}]),
    ("Headers", ["a"]),
    ("Headers", {"Bcc: x\r\nBcc": "a", "": "b", "A b": "c", "ü": "d", "x" * 500: "e"}),
    ("Headers", {"X-A": "a\r\nBcc: x@y\r\n\r\nText", "X-B": ["a\nBcc: x@y"] * 500, "X-C": {"a": 1}, "X-D": "ü"}),
    ("Headers", {"Content-Type": "multipart/mixed; boundary=x", "content-transfer-encoding": "x", "MIME-Version": "2"}),
    ("Headers", {f"X-{number}": "a" for number in range(5_000)}),
    ("RawTextBody", ["a"]),
    ("RawTextBody", "--=_parts\r\nContent-Type: text/html\r\nBcc: x@y\x00"),
    ("Attachments", "a"),
    ("Attachments", [None, {"Name": 'a"\r\nBcc: x@y'}, {"Name": "ü" * 5_000}, *[{"Name": "a"}] * 500]),
    ("Recipients", "a@b"),
    ("MessageId", "<1>\r\nBcc: x@y"),
]


@pytest.mark.parametrize(("name", "value"), _HOSTILE)
def test_fields_from_brevo_cannot_add_header_lines(name: str, value: Any) -> None:
    assert post_brevo(item(**{name: value})).status_code == 200
    head, _, body = bytes(InboundMail.objects.get().raw or b"").partition(b"\r\n\r\n")
    assert b"\nBcc" not in head
    assert b"\nBcc" not in body
    assert (head.count(b"MIME-Version: 1.0"), head.count(b"Content-Type: ")) == (1, 1)
    assert len(head) < 200_000
    (row,) = handle()
    assert row.kind == "reply"
    assert row.sender in ("ana@example.com", "")


def test_a_sender_and_subject_beyond_ascii_are_read() -> None:
    sender = {"Name": "Zoë, Grün", "Address": "ana@example.com"}
    assert post_brevo(item(From=sender, Subject="Re: " + "Grüße " * 20)).status_code == 200
    (row,) = handle()
    assert (row.sender_name, row.sender) == ("Zoë, Grün", "ana@example.com")
    assert row.subject == ("Re: " + "Grüße " * 20).strip()


def test_a_mail_of_brevo_without_header_fields_is_read() -> None:
    assert post_brevo(item(Headers=None, Recipients=None, RawTextBody=None)).status_code == 200
    row = InboundMail.objects.get()
    assert b"X-Envelope-To" not in bytes(row.raw or b"")
    assert f"To: {INBOUND_ADDRESS}\r\n".encode() in bytes(row.raw or b"")
    (row,) = handle()
    assert (row.kind, row.text, row.subject) == ("reply", "Thank you!", "Re: News")


def test_files_of_a_mail_of_brevo_are_named() -> None:
    files = [{"Name": "Foto für dich.jpg", "ContentType": "image/jpeg", "DownloadToken": "t1"}, {"Name": None}]
    again = [{**file, "DownloadToken": "t2"} for file in files]
    assert post_brevo(item(Attachments=files)).status_code == 200
    assert post_brevo(item(Attachments=again)).status_code == 200
    (row,) = handle()
    assert (row.text, row.attachments) == ("Thank you!", ["Foto für dich.jpg", "file"])


@pytest.mark.parametrize(
    "headers",
    [
        {"Auto-Submitted": "auto-replied"},
        {"auto-submitted": ["auto-replied"]},
        {"List-Id": "<a.example.org>"},
        {"Content-Type": 'multipart/report; report-type="delivery-status"'},
        {"Auto-Submitted": "no", "content-type": ["Multipart/Report; boundary=x"]},
    ],
)
def test_automatic_mails_through_brevo_are_recognised(headers: dict[str, Any]) -> None:
    assert post_brevo(item(Headers=headers)).status_code == 200
    assert [row.kind for row in handle()] == ["automatic"]
