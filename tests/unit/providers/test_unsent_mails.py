"""A mail that a provider did not send, because the address is on its own list, means the same at every provider."""

import json
from typing import Any

import pytest

from newsletter.providers.base.webhooks.events import Feedback
from newsletter.providers.base.webhooks.verification import WebhookRequest
from newsletter.providers.registry import WEBHOOK_HANDLERS

pytestmark = pytest.mark.requirement("S1")


def sns(event: dict[str, Any]) -> dict[str, Any]:
    return {"Type": "Notification", "MessageId": "m", "Message": json.dumps(event)}


def mailgun(reason: str) -> dict[str, Any]:
    return {"event-data": {"event": "failed", "severity": "permanent", "reason": reason, "recipient": "a@example.com"}}


def sendgrid(reason: str) -> list[dict[str, Any]]:
    return [{"event": "dropped", "reason": reason, "email": "a@example.com", "timestamp": 1}]


def ses_bounce(sub_type: str) -> dict[str, Any]:
    return sns({"eventType": "Bounce", "bounce": {"bounceType": "Permanent", "bounceSubType": sub_type}})


def resend(message: str) -> dict[str, Any]:
    return {"type": "email.suppressed", "data": {"to": ["a@example.com"], "suppressed": {"message": message}}}


def sparkpost(kind: str, reason: str) -> list[dict[str, Any]]:
    return [{"msys": {"bounce_event": {"type": kind, "bounce_class": "25", "raw_reason": f"554 5.7.1 {reason}"}}}]


def mailjet(error: str) -> dict[str, Any]:
    return {"event": "blocked", "error_related_to": "recipient", "error": error, "email": "a@example.com"}


def mailersend(reason: str) -> dict[str, Any]:
    meta = {"suppression_reason": reason}
    return {"type": "activity.suppressed", "data": {"id": "1", "recipient": "a@example.com", "meta": meta}}


def scaleway(kind: str) -> dict[str, Any]:
    return sns({"id": "1", "type": "email_blocklisted", "email_to": "a@example.com", "blocklist_type": kind})


def parse(provider: str, body: Any) -> Feedback:
    (told,) = WEBHOOK_HANDLERS[provider].parse(WebhookRequest(json.dumps(body).encode(), {}))
    return told


LISTED_COMPLAINT = {"eventType": "Complaint", "complaint": {"complaintSubType": "OnAccountSuppressionList"}}
CASES = [
    ("mailgun", mailgun("suppress-bounce"), "bounced"),
    ("mailgun", mailgun("suppress-complaint"), "complained"),
    ("mailgun", mailgun("suppress-unsubscribe"), "unsubscribed"),
    ("mailgun", mailgun("suppress-something-new"), None),
    ("sendgrid", sendgrid("Bounced Address"), "bounced"),
    ("sendgrid", sendgrid("Spam Reporting Address"), "complained"),
    ("sendgrid", sendgrid("Unsubscribed Address"), "unsubscribed"),
    ("ses", ses_bounce("Suppressed"), "bounced"),
    ("ses", ses_bounce("OnAccountSuppressionList"), None),
    ("ses", sns(LISTED_COMPLAINT), "complained"),
    ("resend", resend("It is listed for a history of producing hard bounces."), "bounced"),
    ("resend", resend("It is listed for a history of producing complaints."), "complained"),
    ("resend", resend("It is listed, but not because anybody complained."), None),
    ("resend", resend(""), None),
    ("brevo", {"event": "blocked", "reason": "blocked : due to blacklist user"}, None),
    ("brevo", {"event": "blocked", "reason": "complaint"}, None),
    ("sparkpost", sparkpost("bounce", "[internal] recipient address was suppressed due to customer policy"), None),
    ("sparkpost", sparkpost("generation_rejection", "recipient address suppressed due to system policy"), None),
    ("postmark", {"RecordType": "Bounce", "Type": "ManuallyDeactivated"}, None),
    ("mailjet", mailjet("spam reporter"), "complained"),
    ("mailjet", mailjet("user unknown"), "bounced"),
    ("mailjet", mailjet("preblocked"), None),
    ("mailjet", mailjet("blacklisted"), None),
    ("mailersend", mailersend("hard_bounced"), "bounced"),
    ("mailersend", mailersend("Spam complained"), "complained"),
    ("mailersend", mailersend("unsubscribed"), "unsubscribed"),
    ("mailersend", mailersend("on_hold"), None),
    ("mailersend", mailersend("blocklisted after many complaints elsewhere"), None),
    ("scaleway", scaleway("mailbox_not_found"), "bounced"),
    ("scaleway", scaleway("mailbox_full"), None),
]


@pytest.mark.parametrize(("provider", "body", "listed_for"), CASES)
def test_an_unsent_mail_keeps_its_reason_and_is_not_a_complaint(
    provider: str, body: Any, listed_for: str | None
) -> None:
    told = parse(provider, body)
    assert (told.kind, told.bounce_class, told.listed_for) == ("bounced", "suppressed", listed_for)


def test_every_provider_that_reports_says_when_it_did_not_send() -> None:
    assert {provider for provider, _, _ in CASES} == set(WEBHOOK_HANDLERS), "Write into CASES what it reports."


@pytest.mark.parametrize(
    ("provider", "body"),
    [
        ("sendgrid", sendgrid("Spam Content")),
        ("sparkpost", sparkpost("bounce", "refused by policy")),
        ("mailjet", mailjet("content blocked")),
        ("brevo", {"event": "error", "reason": "blocked"}),
    ],
)
def test_a_mail_refused_for_another_reason_is_on_no_list(provider: str, body: Any) -> None:
    told = parse(provider, body)
    assert (told.bounce_class, told.listed_for) == ("block", None)
