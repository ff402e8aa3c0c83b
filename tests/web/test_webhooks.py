"""Webhooks are stored before the answer 200, or refused."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest
from django.db import DatabaseError, OperationalError, connection
from django.test import Client

from newsletter.feedback.endpoint import webhook_secret, webhook_url
from newsletter.models import ProviderEvent
from newsletter.providers.base.errors import BadWebhook
from newsletter.providers.mailersend.webhooks import TEST_SECRET
from tests.support.provider_accounts import HTTP_PROVIDERS, make_account_url
from tests.support.provider_webhooks import (
    SIGNING_KEY,
    mailgun_event,
    sendgrid_event,
    sendgrid_keys,
    sign_mailgun,
    sign_sendgrid,
)

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.requirement("W3"),
    pytest.mark.requirement("W4"),
    pytest.mark.requirement("F8"),
]
NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def mailgun(settings: Any) -> None:
    settings.NEWSLETTER_PROVIDER_URL = f"mailgun://key@news.example.org?webhook_key={SIGNING_KEY}"


URLS = {name: make_account_url(name) for name in HTTP_PROVIDERS}
BEARER = {"Authorization": "Bearer a-token"}


@pytest.fixture
def postmark(settings: Any) -> None:
    settings.NEWSLETTER_PROVIDER_URL = "postmark://key@?webhook_key=a-token"


def post(provider: str, body: bytes, *, secret: str = "", headers: dict[str, str] | None = None) -> Any:
    url = f"/hooks/{provider}/{secret or webhook_secret(provider)}"
    client = Client(enforce_csrf_checks=True)
    answer = client.post(url, data=body, content_type="application/json", headers=headers or {})
    assert not answer.cookies
    return answer


def event(name: str = "delivered", **more: Any) -> dict[str, Any]:
    return mailgun_event(name, address="ana@example.com", delivery=7, batch="batch-1", at=NOW, **more)


@pytest.mark.requirement("W5")
def test_a_signed_report_is_stored_before_it_is_answered(mailgun: None) -> None:
    assert post("mailgun", sign_mailgun(event(), now=NOW)).status_code == 200
    stored = ProviderEvent.objects.get()
    assert (stored.provider, stored.kind, stored.applied_at) == ("mailgun", "delivered", None)
    assert stored.body == {
        "delivery": 7,
        "batch": "batch-1",
        "address": "ana@example.com",
        "at": NOW.isoformat(),
    }


@pytest.mark.requirement("W2")
def test_the_same_report_twice_is_one_event_and_answered_the_same(mailgun: None) -> None:
    body = sign_mailgun(event(), now=NOW)
    assert [post("mailgun", body).status_code for _ in range(2)] == [200, 200]
    assert ProviderEvent.objects.count() == 1


@pytest.mark.requirement("W2")
def test_an_old_signature_with_another_event_is_refused(mailgun: None) -> None:
    """Mailgun signs no body, so its token counts once."""
    assert post("mailgun", sign_mailgun(event(), now=NOW, token="one token")).status_code == 200
    answer = post("mailgun", sign_mailgun(event("complained"), now=NOW, token="one token"))
    assert answer.status_code == 401
    assert b"used before" in answer.content
    assert b"let the provider post this one again" in answer.content
    assert list(ProviderEvent.objects.values_list("kind", flat=True)) == ["delivered"]


def test_a_known_event_with_a_fresh_signature_is_ignored(mailgun: None) -> None:
    for token in ("first", "second"):
        assert post("mailgun", sign_mailgun(event(), now=NOW, token=token)).status_code == 200
    assert ProviderEvent.objects.count() == 1


@pytest.mark.parametrize("provider", URLS)
@pytest.mark.requirement("W1")
def test_a_webhook_with_a_wrong_secret_is_refused(settings: Any, provider: str) -> None:
    """Never 403, after which Postmark would stop for ever."""
    settings.NEWSLETTER_PROVIDER_URL = f"{URLS[provider]}?webhook_key=a-token"
    answer = post(provider, sign_mailgun(event(), now=NOW), secret="a-guess")
    assert answer.status_code == 401
    assert b"Copy it from `newsletter doctor`" in answer.content
    assert not ProviderEvent.objects.exists()


@pytest.mark.parametrize("provider", URLS)
def test_without_a_key_every_webhook_is_refused(settings: Any, provider: str) -> None:
    settings.NEWSLETTER_PROVIDER_URL = URLS[provider]
    answer = post(provider, b"[]", headers=BEARER)
    assert answer.status_code == 401
    assert b"webhook_key" in answer.content
    shows_its_key = provider not in ("mailersend", "scaleway")
    assert (b"--install" in answer.content) == shows_its_key, "The set-up cannot read every key."


@pytest.mark.parametrize("provider", URLS)
@pytest.mark.parametrize("configured", ["outbox://", "other"])
def test_a_provider_that_is_not_configured_is_not_found(settings: Any, provider: str, configured: str) -> None:
    other = URLS["brevo" if provider != "brevo" else "resend"] + "?webhook_key=a-token"
    settings.NEWSLETTER_PROVIDER_URL = other if configured == "other" else configured
    answer = post(provider, b"{}", headers=BEARER)
    assert answer.status_code == 404
    assert b"Copy the URL from `newsletter doctor`" in answer.content
    assert not ProviderEvent.objects.exists()


@pytest.mark.parametrize("keys", ["webhook_key=old,new", "webhook_key=old&webhook_key=new"])
@pytest.mark.parametrize("provider", ["postmark", "brevo", "sparkpost", "mailjet"])
def test_two_passwords_are_accepted_while_one_replaces_the_other(settings: Any, provider: str, keys: str) -> None:
    settings.NEWSLETTER_PROVIDER_URL = f"{URLS[provider]}?{keys}"
    answers = [post(provider, b"{}", headers={"Authorization": f"Bearer {key}"}) for key in ("old", "new", "third", "")]
    assert [answer.status_code for answer in answers] == [200, 200, 401, 401]


@pytest.mark.parametrize("keys", ["{old},{new}", "{old}&webhook_key={new}"])
def test_two_signing_keys_are_accepted_while_one_replaces_the_other(settings: Any, keys: str) -> None:
    given = keys.format(old="first-key", new=SIGNING_KEY)
    settings.NEWSLETTER_PROVIDER_URL = f"mailgun://key@news.example.org?webhook_key={given}"
    said = [
        post("mailgun", sign_mailgun(event(id=key), now=NOW, token=key, key=key))
        for key in ("first-key", SIGNING_KEY, "no")
    ]
    assert [answer.status_code for answer in said] == [200, 200, 401]


def test_a_forged_signature_is_refused(mailgun: None) -> None:
    assert post("mailgun", sign_mailgun(event(), now=NOW, key="guessed")).status_code == 401


def test_an_unknown_provider_has_no_webhook_url() -> None:
    assert post("outbox", b"{}", secret="x").status_code == 404
    with pytest.raises(BadWebhook, match="Unknown provider"):
        webhook_url("outbox")


def test_each_provider_has_its_own_webhook_url(settings: Any) -> None:
    settings.NEWSLETTER_SITE_URL = "https://news.example.org"
    url = webhook_url("postmark")
    assert url == f"https://news.example.org/hooks/postmark/{webhook_secret('postmark')}"
    assert webhook_secret("postmark") != webhook_secret("brevo")


def test_only_a_post_is_accepted() -> None:
    assert Client().get(f"/hooks/postmark/{webhook_secret('postmark')}").status_code == 405


@pytest.mark.requirement("W1")
def test_a_webhook_above_one_mebibyte_is_not_read(mailgun: None) -> None:
    assert post("mailgun", b" " * (1024 * 1024 + 1)).status_code == 413


@pytest.mark.parametrize("body", [b"", b"\xff", b"[1]", b'"text"', b"[" * 300, b'{"a":' * 30 + b"1" + b"}" * 30])
@pytest.mark.requirement("W1")
def test_an_invalid_body_is_refused_and_nothing_is_stored(postmark: None, body: bytes) -> None:
    assert post("postmark", body, headers=BEARER).status_code == 401
    assert not ProviderEvent.objects.exists()


@pytest.mark.requirement("W5")
def test_an_unknown_kind_of_event_is_stored_and_answered_with_200(mailgun: None) -> None:
    assert post("mailgun", sign_mailgun(event("list_member_uploaded"), now=NOW)).status_code == 200
    stored = ProviderEvent.objects.get()
    assert (stored.kind, stored.result) == ("unknown", "noted")
    assert stored.applied_at is not None


@pytest.mark.requirement("W5")
def test_a_webhook_during_a_database_outage_is_repeated_later(
    mailgun: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Never 200 for what is not stored."""

    def refuse(execute: Any, sql: str, *rest: Any) -> Any:
        if "newsletter_providerevent" in sql:
            raise OperationalError("the database is away")
        return execute(sql, *rest)

    with connection.execute_wrapper(refuse):
        assert post("mailgun", sign_mailgun(event(), now=NOW)).status_code == 503
    assert not ProviderEvent.objects.exists()
    assert post("mailgun", sign_mailgun(event(), now=NOW)).status_code == 200
    assert issubclass(OperationalError, DatabaseError)


def test_unreadable_settings_make_the_provider_repeat(settings: Any) -> None:
    settings.NEWSLETTER_PROVIDER_URL = "mailgun:/broken"
    assert post("postmark", b"{}").status_code == 503


def test_a_thousand_events_are_stored_in_few_statements(settings: Any, django_assert_max_num_queries: Any) -> None:
    private, public = sendgrid_keys()
    settings.NEWSLETTER_PROVIDER_URL = f"sendgrid://key@?webhook_key={quote(public)}"
    body = json.dumps(
        [
            sendgrid_event("delivered", address=f"p{n}@example.com", delivery=n, batch="batch-1", at=NOW)
            for n in range(1000)
        ]
    ).encode()
    with django_assert_max_num_queries(25):
        answer = post("sendgrid", body, headers=sign_sendgrid(body, key=private, now=NOW))
    assert (answer.status_code, answer.content) == (200, b"1000 taken")
    assert ProviderEvent.objects.count() == 1000


def test_postmark_needs_its_password_if_one_is_set(settings: Any) -> None:
    settings.NEWSLETTER_PROVIDER_URL = "postmark://token@?webhook_key=hooks:a%20secret,hooks:the%20next"
    body = json.dumps({"RecordType": "Delivery", "MessageID": "m", "DeliveredAt": NOW.isoformat()}).encode()

    def basic(words: str) -> dict[str, str]:
        return {"Authorization": "Basic " + base64.b64encode(words.encode()).decode()}

    assert post("postmark", body).status_code == 401
    assert post("postmark", body, headers=basic("hooks:wrong")).status_code == 401
    assert post("postmark", body, headers={"Authorization": "Basic %%%"}).status_code == 401
    assert post("postmark", body, headers=basic("hooks:a secret")).status_code == 200
    assert post("postmark", body, headers=basic("hooks:the next")).status_code == 200


@pytest.mark.requirement("W10")
def test_text_from_outside_is_stored_as_one_short_line(mailgun: None) -> None:
    said = "<script>alert(1)</script>\r\n\0" + "x" * 9000
    body = sign_mailgun(
        event("failed", severity="permanent", **{"delivery-status": {"description": said}}),
        now=NOW - timedelta(hours=2),
    )
    assert post("mailgun", body).status_code == 200
    reason = ProviderEvent.objects.get().body["reason"]
    assert len(reason) <= 500
    assert reason.isprintable()


def test_mailersends_question_is_answered_before_a_key_is_known(settings: Any) -> None:
    """MailerSend shows the secret of a webhook only after it has saved it, and saves it only after this answer."""
    settings.NEWSLETTER_PROVIDER_URL = URLS["mailersend"]
    question = b'{"type": "webhook.test", "message": "This is a ping test message"}'
    headers = {"Signature": hmac.digest(TEST_SECRET.encode(), question, hashlib.sha256).hex()}
    assert post("mailersend", question, headers=headers).status_code == 200
    assert post("mailersend", question).status_code == 401
    assert post("mailersend", question, headers=headers, secret="a-guess").status_code == 401
    event = b'{"type": "activity.hard_bounced", "data": {"recipient": "ana@example.com"}}'
    headers = {"Signature": hmac.digest(TEST_SECRET.encode(), event, hashlib.sha256).hex()}
    assert post("mailersend", event, headers=headers).status_code == 401
    settings.NEWSLETTER_PROVIDER_URL = f"{URLS['mailersend']}?webhook_key=secret"
    assert post("mailersend", event, headers=headers).status_code == 401
    assert not ProviderEvent.objects.exists()
