"""Codes about the sender are the sender's fault in the report of every provider: never a dead or failing address."""

import json
from typing import Any

import pytest

from newsletter.providers.base.webhooks.bounces import classify_bounce, find_report_status
from newsletter.providers.base.webhooks.events import BounceClass, FeedbackKind
from newsletter.providers.base.webhooks.sender_refusal_codes import (
    TABLE,
    WHAT_TO_CHANGE,
    SenderCause,
    find_cause,
    find_sender_status,
)
from newsletter.providers.base.webhooks.verification import WebhookRequest
from newsletter.providers.registry import WEBHOOK_HANDLERS
from tests.support.provider_accounts import HTTP_PROVIDERS

pytestmark = pytest.mark.requirement("B5")
REPLIES = {
    "4.7.28": ("421-4.7.28 [192.0.2.1] Gmail has detected an unusual rate of unsolicited mail", SenderCause.RATE),
    "5.7.28": ("550-5.7.28 Gmail has detected an unusual rate of mail from your IP address", SenderCause.RATE),
    "4.7.26": ("421-4.7.26 This mail has been rate limited because it is unauthenticated.", SenderCause.AUTHENTICATION),
    "5.7.26": ("550-5.7.26 This mail is unauthenticated, which poses a risk", SenderCause.AUTHENTICATION),
    "4.7.27": ("421 4.7.27 rate limited because SPF did not pass", SenderCause.AUTHENTICATION),
    "5.7.30": ("550 5.7.30 DKIM did not pass", SenderCause.AUTHENTICATION),
    "4.7.32": ("421 4.7.32 the From header is not aligned", SenderCause.AUTHENTICATION),
    "5.7.40": ("550 5.7.40 the domain has no DMARC record", SenderCause.AUTHENTICATION),
    "5.7.515": ("550 5.7.515 Access denied, sending domain does not meet the level", SenderCause.AUTHENTICATION),
    "5.7.509": ("550 5.7.509 Access denied, sending domain does not pass DMARC", SenderCause.AUTHENTICATION),
    "4.7.650": (
        "451 4.7.650 The mail server [192.0.2.1] has been temporarily rate limited (S775)",
        SenderCause.REPUTATION,
    ),
    "4.7.651": ("451 4.7.651 The mail server has been temporarily rate limited (S3114)", SenderCause.REPUTATION),
    "4.7.500": ("451 4.7.500 Server busy. Please try again later (AS77713)", SenderCause.RATE),
    "5.7.606": ("550 5.7.606 Access denied, banned sending IP", SenderCause.REPUTATION),
    "5.7.708": ("550 5.7.708 Access denied, traffic not accepted from this IP", SenderCause.REPUTATION),
    "5.7.25": ("550 5.7.25 The IP address has no PTR record", SenderCause.SERVERS),
    "4.7.29": ("421 4.7.29 the message was not sent over TLS", SenderCause.SERVERS),
    "4.7.0 TSS04": ("421 4.7.0 [TSS04] Messages temporarily deferred due to unexpected volume", SenderCause.RATE),
    "5.7.1": ("550 5.7.1 message rejected by policy", SenderCause.OTHER),
}
OURS = {"delivery": "7", "batch": "1-1-ab"}


def report(provider: str, reply: str, *, delayed: bool) -> Any:
    """Return what a provider posts of a mail that the server refused for ever, or delayed."""
    if provider == "mailgun":
        status = {"code": int(reply[:3]), "message": reply}
        event = {"event": "failed", "severity": "temporary" if delayed else "permanent", "reason": "generic"}
        return {"event-data": {"id": "1", **event, "recipient": "ana@example.com", "delivery-status": status}}
    if provider == "sendgrid":
        name = (
            {"event": "deferred", "response": reply}
            if delayed
            else {"event": "bounce", "type": "bounce", "reason": reply}
        )
        return [{**name, "email": "ana@example.com", "timestamp": 1, **OURS}]
    if provider == "postmark":
        kind = "Transient" if delayed else "HardBounce"
        return {"RecordType": "Bounce", "Type": kind, "Details": f"smtp;{reply}", "Email": "ana@example.com", "ID": 4}
    if provider == "resend":
        bounce = {
            "type": "Permanent",
            "subType": "General",
            "message": "The server refused it.",
            "diagnosticCode": [reply],
        }
        name = "email.delivery_delayed" if delayed else "email.bounced"
        return {"type": name, "data": {"to": ["ana@example.com"], "bounce": bounce}}
    if provider == "mailjet":
        told = (
            {"error": "greylisted", "hard_bounce": False} if delayed else {"error": "user unknown", "hard_bounce": True}
        )
        return {"event": "bounce", "time": 1, "MessageID": 5, "email": "ana@example.com", "comment": reply, **told}
    if provider == "mailersend":
        meta = {"bounce_code": reply[:3], "bounce_reason": reply}
        name = "activity.deferred" if delayed else "activity.hard_bounced"
        return {"type": name, "data": {"id": "1", "recipient": "ana@example.com", "meta": meta}}
    if provider == "scaleway":
        name = "email_deferred" if delayed else "email_mailbox_not_found"
        told = {"email_response_code": int(reply[:3]), "email_response_message": reply[4:]}
        event = {"id": "1", "type": name, "email_to": "ana@example.com", **told}
        return {"Type": "Notification", "MessageId": "1", "Message": json.dumps(event)}
    if provider == "brevo":
        return {"event": "deferred" if delayed else "hard_bounce", "email": "ana@example.com", "reason": reply}
    if provider == "sparkpost":
        # 22 and 30 are “mailbox full” and “no recipient”, as SparkPost reads the words.
        name = {"type": "delay"} if delayed else {"type": "bounce", "bounce_class": "30"}
        return [{"msys": {"message_event": {**name, "raw_reason": reply, "rcpt_to": "ana@example.com"}}}]
    assert provider == "ses", f"Write here what {provider} posts."
    people = [
        {
            "emailAddress": "ana@example.com",
            "status": "5.0.0" if not delayed else "4.0.0",
            "diagnosticCode": f"smtp; {reply}",
        }
    ]
    if delayed:
        detail: dict[str, Any] = {"eventType": "DeliveryDelay", "deliveryDelay": {"delayedRecipients": people}}
    else:
        detail = {"eventType": "Bounce", "bounce": {"bounceType": "Permanent", "bouncedRecipients": people}}
    return {"Type": "Notification", "MessageId": "1", "Message": json.dumps({**detail, "mail": {}})}


@pytest.mark.parametrize("status", REPLIES)
@pytest.mark.parametrize("provider", HTTP_PROVIDERS)
def test_a_refusal_because_of_the_sender_marks_no_address_as_dead(provider: str, status: str) -> None:
    body = report(provider, REPLIES[status][0], delayed=False)
    (event,) = WEBHOOK_HANDLERS[provider].parse(WebhookRequest(json.dumps(body).encode()))
    assert (event.kind, event.bounce_class) == (FeedbackKind.BOUNCED, BounceClass.BLOCK)
    assert event.status == status
    assert find_cause(event.status) is REPLIES[status][1]


@pytest.mark.parametrize("status", REPLIES)
@pytest.mark.parametrize("provider", HTTP_PROVIDERS)
def test_a_delay_because_of_the_sender_keeps_its_code(provider: str, status: str) -> None:
    body = report(provider, REPLIES[status][0], delayed=True)
    (event,) = WEBHOOK_HANDLERS[provider].parse(WebhookRequest(json.dumps(body).encode()))
    assert (event.kind, event.bounce_class) == (FeedbackKind.DEFERRED, BounceClass.NONE)
    assert event.status == ("" if status == "5.7.1" else status)


@pytest.mark.parametrize("number", ["10", "20", "21", "22", "23", "30", "70"])
def test_sparkposts_number_does_not_outweigh_the_code(number: str) -> None:
    body = report("sparkpost", REPLIES["4.7.28"][0], delayed=False)
    body[0]["msys"]["message_event"]["bounce_class"] = number
    (event,) = WEBHOOK_HANDLERS["sparkpost"].parse(WebhookRequest(json.dumps(body).encode()))
    assert event.bounce_class is BounceClass.BLOCK


@pytest.mark.parametrize(
    "reply",
    [
        "450 4.7.1 Greylisted, try again in 5 minutes",
        "452 4.2.2 mailbox full",
        "451 4.3.0 try later",
        "",
        "421 too busy",
    ],
)
def test_greylisting_and_full_mailboxes_are_no_delay_of_the_sender(reply: str) -> None:
    assert find_report_status(FeedbackKind.DEFERRED, reply) == ""


@pytest.mark.parametrize(
    ("reply", "found"),
    [
        ("550 5.1.1 no such user", "hard"),
        ("550 5.1.1 the user 4.7.28.1 is unknown", "hard"),
        ("552 5.2.2 mailbox full", "soft"),
        ("smtp; 550-5.7.26 unauthenticated 550 5.7.26", "block"),
    ],
)
def test_other_codes_keep_their_class(reply: str, found: str) -> None:
    assert classify_bounce(reply) == found


def test_the_first_telling_code_of_a_reply_is_kept() -> None:
    assert find_sender_status("550 5.7.1 blocked; 5.7.515 access denied") == "5.7.515"
    assert find_sender_status("nothing of the kind") == ""


def test_every_line_of_the_table_has_a_source_and_every_cause_advice() -> None:
    assert [line for line in TABLE if not line.source.strip() or line.first > line.last] == []
    assert set(WHAT_TO_CHANGE) == set(SenderCause)
