"""Payloads from other people's collections get the meaning that their authors gave them."""

import json
from typing import Any

import pytest

from newsletter.providers.base.webhooks.events import Feedback
from newsletter.providers.base.webhooks.verification import WebhookRequest
from newsletter.providers.registry import WEBHOOK_HANDLERS
from tests.support.provider_fixtures import corpus

MEANS = {"queued": "accepted", "sent": "accepted", "subscribed": "unknown", "rejected": "bounced", "failed": "bounced"}


def parse(provider: str, payloads: dict[str, Any]) -> list[Feedback]:
    body: Any = next(iter(payloads.values()))
    if provider == "ses":
        body = {**payloads["raw_sns_message"], "Message": json.dumps(payloads["raw_ses_event"])}
    return WEBHOOK_HANDLERS[provider].parse(
        WebhookRequest(json.dumps(body).encode(), {"svix-id": "msg_2W2D3qXLS5fOaPja1GDg7rF2CwB"})
    )


@pytest.mark.parametrize(
    ("provider", "file", "count"),
    [
        ("sendgrid", "sendgrid", 5),
        ("postmark", "postmark", 5),
        ("ses", "amazon_ses", 5),
        ("resend", "resend", 4),
        ("brevo", "brevo", 8),
        ("sparkpost", "sparkpost", 6),
    ],
)
def test_a_real_payload_has_the_meaning_that_others_give_it(provider: str, file: str, count: int) -> None:
    compared = 0
    for case in json.loads(corpus("webhooks", f"{file}.json").read_text()):
        expected = dict(case["anymail_expects"])
        told = parse(provider, case["payloads"])
        if "event.event_type" not in expected:
            assert told == [], case["test"]
            continue
        compared += 1
        named = expected["event.event_type"]
        means = "unknown" if named == "autoresponded" else MEANS.get(named, named)
        assert told[0].kind == means, case["test"]
        assert told[0].address == expected.get("event.recipient", told[0].address), case["test"]
        assert told[0].key
    assert compared == count


@pytest.mark.parametrize(
    ("provider", "file", "test", "bounce_class"),
    [
        ("sendgrid", "sendgrid", "test_dropped_invalid_event", "hard"),
        ("sendgrid", "sendgrid", "test_dropped_unsubscribed_event", "suppressed"),
        ("postmark", "postmark", "test_bounce_event", "hard"),
        ("ses", "amazon_ses", "test_bounce_event", "hard"),
        ("ses", "amazon_ses", "test_rendering_failure_event", "block"),
        ("resend", "resend", "test_hard_bounced_event", "hard"),
        ("brevo", "brevo", "test_hard_bounce", "hard"),
        ("brevo", "brevo", "test_blocked", "suppressed"),
        ("sparkpost", "sparkpost", "test_generation_rejection_event", "suppressed"),
    ],
)
def test_a_real_bounce_is_hard_only_if_the_address_is_dead(
    provider: str, file: str, test: str, bounce_class: str
) -> None:
    cases = {case["test"]: case for case in json.loads(corpus("webhooks", f"{file}.json").read_text())}
    assert parse(provider, cases[test]["payloads"])[0].bounce_class == bounce_class
