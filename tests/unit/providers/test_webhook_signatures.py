"""A webhook counts only if its own provider made it, for us, not too long ago."""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from newsletter.providers.base.errors import BadWebhook
from newsletter.providers.base.webhooks.events import FeedbackKind
from newsletter.providers.base.webhooks.sns import SnsCertificates
from newsletter.providers.base.webhooks.verification import WebhookCheckUnavailable, WebhookRequest
from newsletter.providers.mailersend.webhooks import TEST_SECRET, verify_mailersend
from newsletter.providers.registry import WEBHOOK_HANDLERS, find_webhook_handler
from newsletter.providers.resend.webhooks import verify_resend
from newsletter.providers.scaleway.webhooks import SCALEWAY_TOPICS, make_scaleway_handler
from newsletter.providers.sendgrid.webhooks import verify_sendgrid
from newsletter.providers.ses.webhooks import AMAZON_SNS, make_ses_handler
from tests.support.certificate import change_version
from tests.support.provider_webhooks import FakeScalewayTopics, FakeSns, sendgrid_keys, sign_sendgrid, sign_svix

NOW = datetime(2027, 3, 4, 9, 0, tzinfo=UTC)
BODY = b'[{"event":"delivered","email":"ana@example.com"}]\r\n'


def call(body: bytes, headers: dict[str, str]) -> WebhookRequest:
    return WebhookRequest(body, {name.lower(): value for name, value in headers.items()})


# SendGrid


def test_sendgrid_signs_timestamp_and_raw_body() -> None:
    private, public = sendgrid_keys()
    signed = call(BODY, sign_sendgrid(BODY, key=private, now=NOW))
    assert verify_sendgrid(signed, public, NOW) == ""
    with pytest.raises(BadWebhook, match=r"signature is wrong.* so it was ignored\. Copy the key"):
        verify_sendgrid(WebhookRequest(BODY.strip(), signed.headers), public, NOW)
    later = {**signed.headers, "x-twilio-email-event-webhook-timestamp": str(int(NOW.timestamp()) + 1)}
    with pytest.raises(BadWebhook, match="signature is wrong"):
        verify_sendgrid(WebhookRequest(BODY, later), public, NOW)


def test_sendgrid_keys_may_overlap_while_one_replaces_the_other() -> None:
    (old, old_public), (_, new_public) = sendgrid_keys(), sendgrid_keys()
    signed = call(BODY, sign_sendgrid(BODY, key=old, now=NOW))
    assert verify_sendgrid(signed, f"{new_public},{old_public}", NOW) == ""
    with pytest.raises(BadWebhook, match="signature is wrong"):
        verify_sendgrid(signed, new_public, NOW)


def test_a_plus_that_a_url_turned_into_a_space_does_no_harm() -> None:
    private, public = sendgrid_keys()
    signed = call(BODY, sign_sendgrid(BODY, key=private, now=NOW))
    assert verify_sendgrid(signed, public.replace("+", " "), NOW) == ""


@pytest.mark.parametrize("headers", [{}, {"x-twilio-email-event-webhook-timestamp": "soon"}])
def test_sendgrid_without_a_signature_is_refused(headers: dict[str, str]) -> None:
    _, public = sendgrid_keys()
    with pytest.raises(BadWebhook, match=r"no signature.* Let the provider sign"):
        verify_sendgrid(WebhookRequest(BODY, headers), public, NOW)


def test_a_signature_that_is_not_base64_is_refused() -> None:
    private, public = sendgrid_keys()
    headers = {**sign_sendgrid(BODY, key=private, now=NOW), "X-Twilio-Email-Event-Webhook-Signature": "§"}
    with pytest.raises(BadWebhook, match="no signature, or one that cannot be read"):
        verify_sendgrid(call(BODY, headers), public, NOW)


@pytest.mark.requirement("W2")
def test_a_signature_older_than_what_we_remember_is_refused() -> None:
    """Within a week the key of the event tells a repeat."""
    private, public = sendgrid_keys()
    for age, good in ((timedelta(days=6), True), (timedelta(days=8), False), (timedelta(minutes=-10), False)):
        signed = call(BODY, sign_sendgrid(BODY, key=private, now=NOW - age))
        if good:
            assert verify_sendgrid(signed, public, NOW) == ""
        else:
            with pytest.raises(BadWebhook, match=r"too old.* Compare the clock"):
                verify_sendgrid(signed, public, NOW)


@pytest.mark.parametrize(
    "key",
    [
        "bm90IGEga2V5",
        base64.b64encode(
            Ed25519PrivateKey.generate().public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        ).decode(),
    ],
    ids=["no key", "another kind of key"],
)
def test_an_invalid_verification_key_is_named(key: str) -> None:
    with pytest.raises(BadWebhook, match=r"not its verification key.* Copy the key again"):
        verify_sendgrid(WebhookRequest(BODY, {}), key, NOW)


# Resend

SECRET = "whsec_" + base64.b64encode(b"a secret of the test +/?").decode()


def test_resend_signs_id_timestamp_and_raw_body() -> None:
    signed = call(BODY, sign_svix(BODY, secret=SECRET, now=NOW))
    assert verify_resend(signed, SECRET, NOW) == ""
    assert verify_resend(signed, f"whsec_AAAA,{SECRET}", NOW) == ""
    for changed in ({"svix-id": "msg_2"}, {"svix-timestamp": "1803000000"}, {"svix-signature": "v1,AAAA"}):
        with pytest.raises(BadWebhook, match="signature is wrong"):
            verify_resend(WebhookRequest(BODY, {**signed.headers, **changed}), SECRET, NOW)
    with pytest.raises(BadWebhook, match="signature is wrong"):
        verify_resend(WebhookRequest(BODY + b" ", signed.headers), SECRET, NOW)


@pytest.mark.parametrize("minutes", [-6, 6])
def test_resend_has_five_minutes(minutes: int) -> None:
    with pytest.raises(BadWebhook, match="too old"):
        verify_resend(call(BODY, sign_svix(BODY, secret=SECRET, now=NOW + timedelta(minutes=minutes))), SECRET, NOW)


@pytest.mark.parametrize("headers", [{}, {"svix-id": "msg_1"}, {"svix-id": "msg_1", "svix-timestamp": "now"}])
def test_resend_without_a_signature_is_refused(headers: dict[str, str]) -> None:
    with pytest.raises(BadWebhook, match="no signature"):
        verify_resend(WebhookRequest(BODY, headers), SECRET, NOW)


def test_an_invalid_signing_secret_is_refused() -> None:
    with pytest.raises(BadWebhook, match=r"not its signing secret.* Copy the secret"):
        verify_resend(WebhookRequest(BODY, {}), "whsec_§", NOW)


# Amazon SES through SNS

EVENT = {"eventType": "Delivery", "mail": {"tags": {"delivery": ["7"], "batch": ["b-1"]}}, "delivery": {}}


@pytest.fixture
def sns() -> Iterator[FakeSns]:
    fake = FakeSns(now=NOW)
    yield fake
    fake.stop()


def verify(sns: FakeSns, message: dict[str, Any], *, topic: str = FakeSns.TOPIC, now: datetime = NOW) -> str:
    return make_ses_handler(sns.certificates).verify(WebhookRequest(json.dumps(message).encode()), topic, now)


@pytest.mark.parametrize("version", ["1", "2"])
def test_a_message_of_our_topic_signed_by_sns_is_real(sns: FakeSns, version: str) -> None:
    message = sns.message(EVENT, now=NOW, version=version, Subject="Amazon SES Email Event Notification")
    assert verify(sns, message) == ""
    assert verify(sns, message) == ""
    assert sns.fetched == 1


@pytest.mark.requirement("W3")
def test_a_validly_signed_message_of_another_topic_is_refused(sns: FakeSns) -> None:
    """Any account can have SNS sign a message."""
    message = sns.message(EVENT, now=NOW, TopicArn="arn:aws:sns:eu-west-2:999999999999:newsletter")
    with pytest.raises(BadWebhook, match="Compare the ARN in webhook_key"):
        verify(sns, message)
    assert sns.fetched == 0


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"Message": "{}"}, "signature is wrong.* no proxy changes"),
        ({"Timestamp": "2027-03-04T09:00:01.000Z"}, "signature is wrong"),
        ({"Signature": "RVhBTVBMRQ=="}, "signature is wrong"),
        ({"Signature": "§"}, "cannot be read"),
        ({"SignatureVersion": "3"}, "not known here.* Set the topic's SignatureVersion"),
        ({"Type": "Announcement"}, "a type that SNS does not have.* Let only the topic of Amazon SNS post"),
        ({"Type": ["Notification"]}, "a type that SNS does not have.* Let only the topic of Amazon SNS post"),
        ({"SigningCertURL": "https://sns.eu-west-2.amazonaws.com.example.net/a.pem"}, "not at Amazon SNS"),
        ({"SigningCertURL": "http://sns.eu-west-2.amazonaws.com/a.pem"}, "not at Amazon SNS"),
        ({"SigningCertURL": "https://sns.eu-west-2.amazonaws.com/a.html"}, "not at Amazon SNS"),
        ({"SigningCertURL": None}, "not at Amazon SNS"),
    ],
)
def test_a_message_that_sns_did_not_make_is_refused(sns: FakeSns, changes: dict[str, Any], says: str) -> None:
    with pytest.raises(BadWebhook, match=says):
        verify(sns, {**sns.message(EVENT, now=NOW), **changes})


def test_a_message_without_a_time_or_of_another_week_is_refused(sns: FakeSns) -> None:
    with pytest.raises(BadWebhook, match=r"no time.* ask the support of Amazon SNS"):
        verify(sns, sns.message(EVENT, now=NOW, Timestamp="long ago"))
    with pytest.raises(BadWebhook, match="too old"):
        verify(sns, sns.message(EVENT, now=NOW - timedelta(days=8)))


def test_without_a_topic_nothing_of_sns_is_believed(sns: FakeSns) -> None:
    with pytest.raises(BadWebhook, match="webhook_key"):
        verify(sns, sns.message(EVENT, now=NOW), topic="")


def test_a_certificate_out_of_date_proves_nothing(sns: FakeSns) -> None:
    later = NOW + timedelta(days=31)
    with pytest.raises(BadWebhook, match=r"out of date.* Compare the clock"):
        verify(sns, sns.message(EVENT, now=later), now=later)


def test_while_the_certificate_cannot_be_had_the_provider_is_to_ask_again(sns: FakeSns) -> None:
    sns.status = 500
    with pytest.raises(WebhookCheckUnavailable, match=r"its host answered 500.* asked for again"):
        verify(sns, sns.message(EVENT, now=NOW))
    sns.status, pem = 200, sns.pem
    for wrong in (b"<html>", change_version(pem)):
        sns.pem = wrong
        with pytest.raises(WebhookCheckUnavailable, match="not a certificate"):
            verify(sns, sns.message(EVENT, now=NOW))
    sns.pem = pem
    assert verify(sns, sns.message(EVENT, now=NOW)) == ""


def test_an_unreachable_certificate_host_is_not_a_forgery() -> None:
    nowhere = SnsCertificates(AMAZON_SNS, rewrite_url=lambda url: "http://127.0.0.1:9/")
    with pytest.raises(WebhookCheckUnavailable, match=r"could not be fetched.* Check that this machine"):
        nowhere.get(FakeSns.URL, now=NOW)
    nowhere.close()


@pytest.mark.parametrize(
    ("url", "good"),
    [
        ("https://sns.us-east-1.amazonaws.com/x.pem", True),
        ("https://sns.us-east-1.amazonaws.com:443/x.pem", True),
        ("https://sns.cn-north-1.amazonaws.com.cn/x.pem", True),
        ("https://sns.us-east-1.amazonaws.com:8443/x.pem", False),
        ("https://sns.us-east-1.amazonaws.com:port/x.pem", False),
        ("https://user@sns.us-east-1.amazonaws.com/x.pem", False),
        ("https://evil.example/sns.us-east-1.amazonaws.com/x.pem", False),
        ("https://s3.amazonaws.com/sns.us-east-1.amazonaws.com/x.pem", False),
        ("https://sns.us-east-1.amazonaws.com\\@evil.example/x.pem", False),
        ("https://sns.us-east-1.amazonaws.com\n/x.pem", False),
        ("https://[::1/x.pem", False),
        ("", False),
        (None, False),
    ],
)
@pytest.mark.requirement("W3")
def test_only_the_host_of_sns_is_the_host_of_sns(url: object, good: bool) -> None:
    assert AMAZON_SNS.is_own(url) is good


@pytest.mark.requirement("W3")
def test_the_question_of_a_topic_is_kept_for_a_persons_click(sns: FakeSns) -> None:
    url = "https://sns.eu-west-2.amazonaws.com/?Action=ConfirmSubscription&Token=1"
    message = sns.message(
        "You have chosen to subscribe", now=NOW, Type="SubscriptionConfirmation", Token="1", SubscribeURL=url
    )
    assert verify(sns, message) == ""
    (told,) = WEBHOOK_HANDLERS["ses"].parse(WebhookRequest(json.dumps(message).encode()))
    assert (told.kind, told.link) == (FeedbackKind.SUBSCRIPTION, url)
    assert FakeSns.TOPIC in told.reason
    with pytest.raises(BadWebhook, match=r"does not lead to Amazon.* Look at the subscription"):
        WEBHOOK_HANDLERS["ses"].parse(
            WebhookRequest(json.dumps({**message, "SubscribeURL": "https://evil.example/"}).encode())
        )


def test_a_provider_that_nobody_knows_has_no_reader() -> None:
    with pytest.raises(BadWebhook, match="Use one of: mailgun"):
        find_webhook_handler("pigeon")


# MailerSend


def sign_mailersend(body: bytes, secret: str) -> WebhookRequest:
    return call(body, {"Signature": hmac.digest(secret.encode(), body, hashlib.sha256).hex()})


def test_mailersend_signs_the_raw_body() -> None:
    signed = sign_mailersend(BODY, "secret")
    assert verify_mailersend(signed, "secret", NOW) == ""
    assert verify_mailersend(signed, "older,secret", NOW) == ""
    for wrong in (WebhookRequest(BODY.strip(), signed.headers), WebhookRequest(BODY), call(BODY, {"Signature": "é"})):
        with pytest.raises(BadWebhook, match=r"signature is wrong.* again, and start the program again\."):
            verify_mailersend(wrong, "secret", NOW)
    with pytest.raises(BadWebhook, match="webhook_key"):
        verify_mailersend(signed, "", NOW)


@pytest.mark.requirement("W3")
def test_the_public_secret_of_mailersend_counts_only_for_its_test_call() -> None:
    handler = WEBHOOK_HANDLERS["mailersend"]
    question = b'{"type": "webhook.test", "message": "This is a ping test message"}'
    assert handler.is_question(sign_mailersend(question, TEST_SECRET))
    assert not handler.is_question(sign_mailersend(question, "secret"))
    event = b'{"type": "activity.hard_bounced", "data": {"recipient": "ana@example.com"}}'
    for forged in (event, b"[]", b'["webhook.test"]', b"no", b'{"type": ["webhook.test"]}'):
        assert not handler.is_question(sign_mailersend(forged, TEST_SECRET))
        with pytest.raises(BadWebhook):
            verify_mailersend(sign_mailersend(forged, TEST_SECRET), "secret", NOW)
    assert not WEBHOOK_HANDLERS["brevo"].is_question(sign_mailersend(question, TEST_SECRET))


# Scaleway


@pytest.fixture
def topics() -> Iterator[FakeScalewayTopics]:
    made = FakeScalewayTopics(now=NOW)
    yield made
    made.stop()


def verify_topic(fake: FakeScalewayTopics, message: dict[str, Any], *, topic: str = FakeScalewayTopics.TOPIC) -> str:
    handler = make_scaleway_handler(fake.certificates)
    return handler.verify(WebhookRequest(json.dumps(message).encode()), topic, NOW)


def test_a_message_of_scaleway_is_believed_if_its_authority_issued_the_key(topics: FakeScalewayTopics) -> None:
    for version in ("1", "2"):
        assert verify_topic(topics, topics.message(EVENT, now=NOW, version=version)) == ""
    assert topics.fetched == 2, "The certificate and its authorities are fetched once."


@pytest.mark.requirement("W3")
def test_a_forged_message_of_scaleway_is_not_believed(topics: FakeScalewayTopics) -> None:
    message = topics.message(EVENT, now=NOW)
    with pytest.raises(BadWebhook, match="signature is wrong"):
        verify_topic(topics, {**message, "Message": "{}"})
    with pytest.raises(BadWebhook, match="Compare the ARN in webhook_key"):
        verify_topic(topics, message, topic="arn:scw:sns:fr-par:project-x:other")
    with pytest.raises(BadWebhook, match="webhook_key"):
        verify_topic(topics, message, topic="")
    with pytest.raises(BadWebhook, match="too old"):
        verify_topic(topics, topics.message(EVENT, now=NOW - timedelta(days=8)))


@pytest.mark.parametrize("changes", [{"may_issue": False}, {"is_current": False}])
@pytest.mark.requirement("W3")
def test_an_authority_that_may_not_issue_proves_nothing(changes: dict[str, bool]) -> None:
    fake = FakeScalewayTopics(now=NOW, **changes)
    with pytest.raises(BadWebhook, match=r"was not issued by Scaleway.* ask the support of Scaleway"):
        verify_topic(fake, fake.message(EVENT, now=NOW))
    fake.stop()


@pytest.mark.requirement("W3")
def test_a_certificate_of_somebody_else_at_scaleway_proves_nothing(topics: FakeScalewayTopics) -> None:
    stranger = FakeScalewayTopics(now=NOW)
    topics.pem = stranger.pem
    with pytest.raises(BadWebhook, match=r"was not issued by Scaleway.* ask the support of Scaleway"):
        verify_topic(topics, stranger.message(EVENT, now=NOW))
    stranger.stop()


def test_while_scaleways_authorities_cannot_be_had_it_is_to_ask_again(topics: FakeScalewayTopics) -> None:
    topics.chain, chain = b"<html>", topics.chain
    with pytest.raises(WebhookCheckUnavailable, match="not a certificate"):
        verify_topic(topics, topics.message(EVENT, now=NOW))
    topics.chain = chain
    assert verify_topic(topics, topics.message(EVENT, now=NOW)) == ""


@pytest.mark.parametrize(
    "url",
    [
        "http://messaging.s3.fr-par.scw.cloud/fr-par/sns/c.crt",
        "https://attacker.s3.fr-par.scw.cloud/c.crt",
        "https://messaging.s3.fr-par.scw.cloud.example.com/c.crt",
        "https://messaging.s3.fr-par.scw.cloud@example.com/c.crt",
        "https://messaging.s3.fr-par.scw.cloud:8443/c.crt",
        "https://messaging.s3.fr-par.scw.cloud\\@example.com/c.crt",
        "https://messaging.s3.fr-par.scw.cloud",
        "https://169.254.169.254/c.crt",
    ],
)
@pytest.mark.requirement("W3")
def test_no_certificate_is_fetched_from_another_host_than_scaleways(topics: FakeScalewayTopics, url: str) -> None:
    with pytest.raises(BadWebhook, match="not at Scaleway"):
        verify_topic(topics, topics.message(EVENT, now=NOW, SigningCertURL=url))
    assert topics.fetched == 0


@pytest.mark.requirement("W3")
def test_scaleways_question_is_kept_and_leads_to_scaleway(topics: FakeScalewayTopics) -> None:
    url = f"https://sns.mnq.fr-par.scaleway.com/?Action=ConfirmSubscription&TopicArn={topics.TOPIC}&Token=1"
    kind = {"Type": "SubscriptionConfirmation", "Token": "1"}
    message = topics.message("You have chosen to subscribe", now=NOW, SubscribeURL=url, **kind)
    assert verify_topic(topics, message) == ""
    (told,) = WEBHOOK_HANDLERS["scaleway"].parse(WebhookRequest(json.dumps(message).encode()))
    assert (told.kind, told.link) == (FeedbackKind.SUBSCRIPTION, url)
    for wrong in ("https://messaging.s3.fr-par.scw.cloud/x", "https://sns.mnq.fr-par.scaleway.com.evil.example/", None):
        body = json.dumps({**message, "SubscribeURL": wrong}).encode()
        with pytest.raises(BadWebhook, match=r"does not lead to Scaleway.* Look at the subscription"):
            WEBHOOK_HANDLERS["scaleway"].parse(WebhookRequest(body))
    assert SCALEWAY_TOPICS.is_own(url)
