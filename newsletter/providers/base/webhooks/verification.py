"""What a webhook's reader takes and what it promises: raw bytes and headers in, proof or BadWebhook out.

Verification is on the raw bytes, before anything of them is believed.
"""

import base64
import binascii
import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from newsletter.common.errors import DomainError
from newsletter.providers.base.errors import BadWebhook
from newsletter.providers.base.webhooks.events import Feedback

MAX_WEBHOOK_AGE = timedelta(days=7)
MAX_CLOCK_SKEW = timedelta(minutes=5)


class WebhookCheckUnavailable(DomainError):
    """Whether a webhook is real cannot be found out at this moment: the provider should post it again later."""


@dataclass(frozen=True)
class WebhookRequest:
    """One request as it came. ``headers`` has lower-case names."""

    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class WebhookHandler:
    """One provider's webhooks.

    ``verify(call, key, now)`` raises BadWebhook, or gives a token that may be used once ("" where the body is signed
    itself, or nothing is). ``parse`` gives the events. ``signs``: without a key nothing is believed. ``atomic``: one
    event of one person proves that the whole batch was taken. ``refusal`` is the status for what is not believed.
    """

    name: str
    verify: Callable[[WebhookRequest, str, datetime], str]
    parse: Callable[[WebhookRequest], list[Feedback]]
    signs: bool
    atomic: bool
    refusal: int = 401


def split_keys(key: str) -> Sequence[str]:
    """Give the keys of ``webhook_key``: one, or two with a comma between while one replaces the other."""
    return [part for part in (each.strip() for each in key.split(",")) if part]


def require_keys(key: str, *, provider: str) -> Sequence[str]:
    """Give the keys, or raise BadWebhook where there is none: a signature that nobody can check proves nothing."""
    keys = split_keys(key)
    if not keys:
        raise BadWebhook(
            f"No webhook key of {provider} is set, so nothing it reports can be believed. "
            "Add &webhook_key=… to NEWSLETTER_PROVIDER_URL."
        )
    return keys


def check_password(call: WebhookRequest, key: str, now: datetime) -> str:
    """Check user and password, or a bearer token, for providers that do not sign.

    Without a key the secret address is all the proof there is: whether that is enough is not for a reader to say.
    """
    keys = split_keys(key)
    if not keys:
        return ""
    scheme, _, rest = call.headers.get("authorization", "").partition(" ")
    given = rest.strip()
    if scheme.lower() == "basic":
        try:
            given = base64.b64decode(given, validate=True).decode("utf-8", "replace")
        except binascii.Error:
            given = ""
    matches = [hmac.compare_digest(each.encode(), given.encode("utf-8", "replace")) for each in keys]
    if scheme.lower() not in ("basic", "bearer") or not any(matches):
        raise BadWebhook("The webhook came without the user and password, or the token, that webhook_key asks for.")
    return ""


def check_age(made_at: datetime, *, now: datetime, max_age: timedelta = MAX_WEBHOOK_AGE) -> None:
    """Raise BadWebhook for a webhook so old that we may have forgotten its event, or from a clock ahead of ours."""
    if not now - max_age <= made_at <= now + MAX_CLOCK_SKEW:
        raise BadWebhook("The webhook's signature is too old, or this machine's clock is wrong.")


def read_base64(value: str, *, what: str) -> bytes:
    """Give the bytes of a key or signature. A ``+`` that a URL turned into a space is put back. Raises BadWebhook."""
    try:
        return base64.b64decode(value.replace(" ", "+"), validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadWebhook(f"The webhook's {what} cannot be read.") from error
