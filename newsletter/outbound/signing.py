"""Sign webhooks: a secret for each endpoint, sealed in the database (Standard Webhooks, standardwebhooks.com)."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from datetime import datetime

from newsletter.common.errors import NotReady
from newsletter.common.sealing import Sealer
from subscribers.models import WebhookEndpoint

SEALER = Sealer(b"newsletter.webhook-secrets")
_PREFIX, _SECRET_BYTES = "whsec_", 32


def make_secret() -> str:
    """Return a new secret in the format of the receiver's library."""
    return _PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def read_secrets(endpoint: WebhookEndpoint, *, now: datetime) -> list[str]:
    """Return the secrets that sign now, the newest first. Raises NotReady if no key of this installation opens one."""
    sealed = [endpoint.sealed_secret]
    if endpoint.old_secret_until is not None and endpoint.old_secret_until > now:
        sealed.append(endpoint.sealed_old_secret)
    opened = [SEALER.unseal(text) for text in sealed]
    if opened[0] is None:
        raise NotReady(
            "The signing secret of “%(name)s” cannot be read with this installation’s secret key, so nothing is sent to it. "
            "Put the old secret key back, or make a new signing secret.",
            name=endpoint.name,
        )
    return [secret for secret in opened if secret is not None]


def sign(*, secrets_: Sequence[str], message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """Return the headers of a webhook, with a signature by each secret."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    signatures = [
        "v1," + base64.b64encode(hmac.digest(_decode(secret), signed, hashlib.sha256)).decode() for secret in secrets_
    ]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(signatures),
        "Content-Type": "application/json",
        "User-Agent": "newsletter/1.0",
    }


def reseal_secrets(*, now: datetime) -> int:
    """Forget replaced secrets after their day, and encrypt with the newest key what an old key encrypted. Return how many.

    Safe to repeat.
    """
    over = WebhookEndpoint.objects.filter(old_secret_until__lte=now)
    over.update(sealed_old_secret="", old_secret_until=None)
    rows = WebhookEndpoint.objects.all()
    return SEALER.reseal(rows, "sealed_secret") + SEALER.reseal(rows, "sealed_old_secret")


def _decode(secret: str) -> bytes:
    return base64.b64decode(secret.removeprefix(_PREFIX))
