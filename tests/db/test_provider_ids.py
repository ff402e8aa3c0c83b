"""The ids that every message carries for the provider's reports contain no address and no name."""

import json
from typing import Any

import pytest

from newsletter.feedback.apply import apply_events
from newsletter.feedback.receive import store_feedback
from newsletter.models.feedback import Bounce
from newsletter.providers.base.webhooks.verification import WebhookRequest
from newsletter.providers.registry import WEBHOOK_HANDLERS
from newsletter.sending.adapters import current_adapter
from newsletter.sending.dispatching.worker_loop import run_send
from newsletter.sending.freezing.start import start_send
from subscribers.models import Subscriber
from tests.support.fixtures import NOW
from tests.support.provider_accounts import HTTP_PROVIDERS
from tests.support.sends import Clock, make_ready_issue

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("scheme", HTTP_PROVIDERS)
@pytest.mark.requirement("M10")
def test_no_id_sent_to_a_provider_identifies_a_person(scheme: str, fake_provider: Any, settings: Any) -> None:
    settings.NEWSLETTER_PROVIDER_URL = fake_provider.url_of(scheme)
    issue = make_ready_issue(recipients=3)
    for number, person in enumerate(Subscriber.objects.order_by("pk")):
        Subscriber.objects.filter(pk=person.pk).update(name=f"Wilhelmina{number} Featherstone")
    clock = Clock()
    run_send(send=start_send(issue=issue, now=NOW), adapter=current_adapter(), clock=clock, sleep=clock.nap)
    assert len(fake_provider.accepted_counts()) == 3
    for number in range(3):
        (mail,) = fake_provider.mailbox(f"person{number}@example.com")
        ours = [
            *mail.variables.items(),
            *mail.tags,
            *((name, value) for name, value in mail.headers.items() if name != "To"),
        ]
        told = " ".join(str(each) for each in ours).lower()
        assert mail.variables.get("delivery", "0").isdecimal()
        assert mail.variables["batch"]
        for secret in (f"person{number}", "example.com", "wilhelmina", "featherstone"):
            assert secret not in told, (secret, told)


@pytest.mark.requirement("F8")
def test_mailersends_report_finds_its_delivery_by_batch_and_address(fake_provider: Any, settings: Any) -> None:
    """MailerSend gives back no id of a delivery."""
    settings.NEWSLETTER_PROVIDER_URL = fake_provider.url_of("mailersend")
    issue = make_ready_issue(recipients=3)
    clock = Clock()
    run_send(send=start_send(issue=issue, now=NOW), adapter=current_adapter(), clock=clock, sleep=clock.nap)
    sent = next(entry.form.mail for entry in fake_provider.accepted() if entry.recipients == ["person1@example.com"])
    meta = {"bounce_code": "550", "bounce_reason": "5.1.1 no such user"}
    data = {"id": "1", "recipient": "Person1@example.com", "tags": sent["tags"], "meta": meta}
    body = json.dumps({"type": "activity.hard_bounced", "created_at": NOW.isoformat(), "data": data}).encode()
    store_feedback(WEBHOOK_HANDLERS["mailersend"].parse(WebhookRequest(body)), now=NOW)
    apply_events(now=NOW)
    subscriber = Bounce.objects.get().delivery.subscriber_id
    assert Subscriber.objects.get(pk=subscriber).email == "person1@example.com"
