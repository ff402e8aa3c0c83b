"""Mails that providers post are verified, stored once before the answer 200, and acted on by a job."""

import base64
import gzip
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from django.db import OperationalError
from django.test import Client

from newsletter.inbound import webhooks
from newsletter.inbound.process_mail import handle_waiting_mails
from newsletter.inbound.settings import WEBHOOK_PROVIDERS, parse_sources
from newsletter.inbound.webhook_formats.mails import HOW
from newsletter.inbound.webhooks import inbound_secret, inbound_url
from newsletter.models import DmarcReport, InboundMail
from newsletter.web import inbound
from tests.support.aggregate_reports import make_report, make_report_mail
from tests.support.fixtures import make_publication
from tests.support.inbound_mails import make_reply
from tests.support.provider_webhooks import SIGNING_KEY, sendgrid_keys, sign_sendgrid

pytestmark = pytest.mark.django_db(transaction=True)
NOW = datetime.now(UTC).replace(microsecond=0)
RAW = make_reply(text="Thank you!").as_bytes()
TEXT = RAW.decode()
RECIPIENT = "replies+i1@news.example.org"


@pytest.fixture(autouse=True)
def sources(settings: Any) -> None:
    urls = [f"inbound://mailgun?key={SIGNING_KEY}", "inbound://postmark?key=user:password", "inbound://sendgrid"]
    settings.NEWSLETTER_INBOUND = parse_sources(urls)
    settings.NEWSLETTER_INBOUND_ADDRESS = "replies@news.example.org"


def post(provider: str, body: bytes, *, content_type: str, secret: str = "", **headers: str) -> Any:
    path = f"/inbound/{provider}/{secret or inbound_secret(provider)}"
    client = Client(enforce_csrf_checks=True)
    return client.post(path, data=body, content_type=content_type, headers=headers)


def sign(*, token: str = "t" * 50, now: datetime = NOW, key: str = SIGNING_KEY) -> dict[str, str]:
    timestamp = str(int(now.timestamp()))
    signature = hmac.new(key.encode(), (timestamp + token).encode(), hashlib.sha256).hexdigest()
    return {"timestamp": timestamp, "token": token, "signature": signature}


def make_form(fields: dict[str, bytes | str]) -> tuple[bytes, str]:
    """Return a form as Mailgun and SendGrid post it."""
    parts = [
        f'--edge\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'.encode()
        + (value if isinstance(value, bytes) else value.encode())
        + b"\r\n"
        for name, value in fields.items()
    ]
    return b"".join(parts) + b"--edge--\r\n", 'multipart/form-data; boundary="edge"'


def post_mailgun(raw: bytes = RAW, **changes: Any) -> Any:
    fields = {"recipient": RECIPIENT, "body-mime": raw, **(changes.pop("signed", None) or sign()), **changes}
    body, content_type = make_form({name: value for name, value in fields.items() if value is not None})
    return post("mailgun", body, content_type=content_type)


def post_postmark(raw: Any = TEXT, *, secret: str = "", password: str = "user:password", **more: Any) -> Any:
    row = {"OriginalRecipient": RECIPIENT, "RawEmail": raw, **more}
    basic = base64.b64encode(password.encode()).decode()
    body = json.dumps(row).encode()
    return post("postmark", body, content_type="application/json", secret=secret, Authorization=f"Basic {basic}")


def post_sendgrid(raw: bytes = RAW, **headers: str) -> Any:
    body, content_type = make_form({"envelope": json.dumps({"to": [RECIPIENT], "from": "a@x"}), "email": raw})
    return post("sendgrid", body, content_type=content_type, **headers)


@pytest.mark.parametrize("post_mail", [post_mailgun, post_postmark, post_sendgrid])
def test_a_posted_mail_is_stored_once_and_handled(post_mail: Any) -> None:
    assert [post_mail().status_code for _ in range(2)] == [200, 200]
    row = InboundMail.objects.get()
    assert row.state == "waiting"
    assert bytes(row.raw or b"").startswith(f"X-Envelope-To: {RECIPIENT}\r\nFrom: Ana".encode())
    handle_waiting_mails(now=NOW)
    row.refresh_from_db()
    assert (row.kind, row.text, row.sender) == ("reply", "Thank you!", "ana@example.com")


@pytest.mark.parametrize("post_mail", [post_mailgun, post_postmark, post_sendgrid])
def test_a_posted_dmarc_report_is_kept(post_mail: Any) -> None:
    make_publication()
    raw = make_report_mail(gzip.compress(make_report(ends=NOW))).as_bytes()
    assert post_mail(raw.decode() if post_mail is post_postmark else raw).status_code == 200
    handle_waiting_mails(now=NOW)
    assert DmarcReport.objects.get().domain == "news.example.org"
    assert InboundMail.objects.get().kind == "dmarc"


def test_mailgun_may_post_a_form_without_parts() -> None:
    body = urlencode({"recipient": RECIPIENT, "body-mime": RAW, **sign()}).encode()
    assert post("mailgun", body, content_type="application/x-www-form-urlencoded").status_code == 200
    assert b"Thank you!" in bytes(InboundMail.objects.get().raw or b"")


@pytest.mark.parametrize(
    ("answer", "do"),
    [
        (lambda: post_mailgun(signed=sign(key="theirs")), "into the key in NEWSLETTER_INBOUND again"),
        (lambda: post_mailgun(signed=sign(now=NOW - timedelta(days=2))), "Compare the clock"),
        (lambda: post_mailgun(signature=None), "Let the provider sign"),
        (lambda: post_mailgun(token=None), "Let the provider sign"),
    ],
)
def test_a_mail_that_mailgun_did_not_sign_is_refused(answer: Any, do: str) -> None:
    refused = answer()
    assert refused.status_code == 401
    assert do in refused.content.decode()
    assert "--install" not in refused.content.decode()
    assert not InboundMail.objects.exists()


def test_a_token_of_mailgun_serves_one_mail_only() -> None:
    assert post_mailgun().status_code == 200
    refused = post_mailgun(make_reply(text="Forged").as_bytes())
    assert refused.status_code == 401
    assert b"post it again with a new token" in refused.content
    assert InboundMail.objects.count() == 1


def test_mailgun_signs_with_the_key_of_its_reports(settings: Any) -> None:
    settings.NEWSLETTER_INBOUND = parse_sources(["inbound://mailgun"])
    settings.NEWSLETTER_PROVIDER_URL = f"mailgun://key@news.example.org?webhook_key={SIGNING_KEY}"
    assert post_mailgun().status_code == 200
    assert b"--install" in post_mailgun(signed=sign(key="theirs")).content
    settings.NEWSLETTER_PROVIDER_URL = "outbox://"
    refused = post_mailgun(signed=sign(token="u" * 50))
    assert refused.status_code == 401
    assert b"to inbound://mailgun in NEWSLETTER_INBOUND" in refused.content


def test_sendgrid_may_sign_its_mails(settings: Any) -> None:
    key, public = sendgrid_keys()
    settings.NEWSLETTER_INBOUND = parse_sources([f"inbound://sendgrid?key={quote(public, safe='')}"])
    body, _ = make_form({"envelope": json.dumps({"to": [RECIPIENT], "from": "a@x"}), "email": RAW})
    assert post_sendgrid(**sign_sendgrid(body, key=key, now=NOW)).status_code == 200
    assert post_sendgrid().status_code == 401
    forged = post_sendgrid(**sign_sendgrid(body, key=sendgrid_keys()[0], now=NOW))
    assert (forged.status_code, b"into the key in NEWSLETTER_INBOUND again" in forged.content) == (401, True)


def test_a_wrong_password_or_url_is_refused(settings: Any) -> None:
    for refused, do in (
        (post_postmark(password="user:other"), b"key of NEWSLETTER_INBOUND"),
        (post_postmark(secret="x" * 32), b"Copy it from `newsletter doctor`"),
    ):
        assert refused.status_code == 401
        assert do in refused.content
    settings.NEWSLETTER_INBOUND = parse_sources(["inbound://sendgrid?key=user:password"])
    assert post_sendgrid().status_code == 401
    refused = post_postmark()
    assert refused.status_code == 404
    assert b"Name the provider in NEWSLETTER_INBOUND" in refused.content
    assert not InboundMail.objects.exists()


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (lambda: post_mailgun(**{"body-mime": None}), "/mime"),
        (lambda: post_postmark(None), "raw email content"),
        (lambda: post_postmark("  "), "raw email content"),
        (lambda: post_sendgrid(b""), "raw, full MIME"),
    ],
)
def test_the_answer_to_a_post_without_a_mail_names_the_setting(answer: Any, says: str) -> None:
    refused = answer()
    assert refused.status_code == 400
    assert says in refused.content.decode()


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"x", "text/plain"),
        (b"x", "multipart/form-data"),
        (b"a=" + b"&a=" * 300, "application/x-www-form-urlencoded"),
        (b"\xff=1", "application/x-www-form-urlencoded"),
        (b"--edge", 'multipart/form-data; boundary="edge"'),
    ],
)
def test_a_broken_form_is_refused(body: bytes, content_type: str) -> None:
    refused = post("sendgrid", body, content_type=content_type)
    assert refused.status_code == 400
    assert b"raw, full MIME" in refused.content


def test_a_mail_of_forty_megabytes_is_taken_in_part() -> None:
    mail = make_reply(text="See the film")
    mail.add_attachment(b"x" * 28_000_000, maintype="video", subtype="mp4", filename="film.mp4")
    assert post_sendgrid(mail.as_bytes()).status_code == 200
    row = InboundMail.objects.get()
    assert (len(bytes(row.raw or b"")), row.cut) == (1024 * 1024, True)
    handle_waiting_mails(now=NOW)
    row.refresh_from_db()
    assert (row.kind, row.text) == ("reply", "See the film")


def test_only_one_large_mail_is_taken_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbound, "LARGE_BYTES", 10)
    with inbound._large:
        assert post_sendgrid().status_code == 503
    assert post_sendgrid().status_code == 200
    assert post_sendgrid(make_reply(text="Next").as_bytes()).status_code == 200


def test_a_larger_mail_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbound, "MAX_BODY_BYTES", 100)
    refused = post_sendgrid()
    assert refused.status_code == 413
    assert b"can send a smaller one" in refused.content


def test_without_a_database_the_mail_is_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**_: Any) -> None:
        raise OperationalError("away")

    monkeypatch.setattr(inbound, "store_mail", fail)
    assert post_sendgrid().status_code == 503


def test_a_mistake_in_the_providers_url_loses_nothing(settings: Any) -> None:
    settings.NEWSLETTER_INBOUND = parse_sources(["inbound://mailgun"])
    settings.NEWSLETTER_PROVIDER_URL = "nonsense"
    assert post_mailgun().status_code == 503


def test_the_address_to_enter_names_the_form_that_is_needed() -> None:
    assert inbound_url("mailgun").endswith(f"/inbound/mailgun/{inbound_secret('mailgun')}/mime")
    assert inbound_url("postmark").endswith(inbound_secret("postmark"))
    assert inbound_secret("postmark") != inbound_secret("mailgun")
    assert Client().get(f"/inbound/postmark/{inbound_secret('postmark')}").status_code == 405
    path = f"/inbound/mailgun/{inbound_secret('mailgun')}/mime"
    body, content_type = make_form({"recipient": RECIPIENT, "body-mime": RAW, **sign()})
    assert Client().post(path, data=body, content_type=content_type).status_code == 200


def test_the_envelope_decides_and_cannot_add_a_field() -> None:
    assert post_mailgun(recipient="a@b\r\nBcc: x@y").status_code == 200
    assert b"\nBcc" not in bytes(InboundMail.objects.get().raw or b"")


def test_every_provider_of_the_settings_has_a_form() -> None:
    assert set(webhooks._READERS) == set(HOW) == set(WEBHOOK_PROVIDERS)
