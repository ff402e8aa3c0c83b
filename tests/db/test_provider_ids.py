"""The ids that every message carries for the provider's reports contain no address and no name."""

from typing import Any

import pytest

from newsletter.sending.dispatching.worker_loop import run_send
from newsletter.sending.freezing.start import start_send
from newsletter.sending.provider import current_adapter
from subscribers.models import Subscriber
from tests.support.fixtures import NOW
from tests.support.sends import Clock, make_ready_issue

pytestmark = pytest.mark.django_db(transaction=True)
SCHEMES = ["mailgun", "postmark", "resend", "sendgrid", "brevo", "sparkpost", "ses", "mailjet"]


@pytest.mark.parametrize("scheme", SCHEMES)
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
        assert mail.variables["delivery"].isdecimal()
        assert mail.variables["batch"]
        for secret in (f"person{number}", "example.com", "wilhelmina", "featherstone"):
            assert secret not in told, (secret, told)
