"""Make webhooks for tests, with a secret that the test knows."""

from datetime import datetime

from django.db import transaction

from newsletter.outbound.endpoints import send_test
from newsletter.outbound.outcome import describe_status
from newsletter.outbound.signing import SEALER
from subscribers.models import WebhookDelivery, WebhookEndpoint
from tests.support.people import NOW

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def make_endpoint(*, name: str = "Donor database", **fields: object) -> WebhookEndpoint:
    return WebhookEndpoint.objects.create(
        **{
            "name": name,
            "url": "https://crm.example.org/hooks",
            "sealed_secret": SEALER.seal(SECRET),
            "made_by": "admin@example.org",
            "made_at": NOW,
            **fields,
        }
    )


@transaction.atomic
def make_answered_endpoint(*, now: datetime) -> WebhookEndpoint:
    """A webhook that was stopped, with a message of each state. No worker beside us sees it active."""
    endpoint = make_endpoint()
    for state, status, error in (
        ("delivered", 204, ""),
        ("given_up", 307, describe_status(307)),
        ("pending", 500, describe_status(500)),
    ):
        delivery = send_test(endpoint=endpoint, now=now)
        WebhookDelivery.objects.filter(pk=delivery.pk).update(
            state=state, status=status, error=error, attempts=3, milliseconds=1_240, attempted_at=now
        )
    WebhookEndpoint.objects.filter(pk=endpoint.pk).update(state="stopped", failures=4, failing_since=now)
    return endpoint
