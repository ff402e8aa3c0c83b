"""Shared parts of webhook handlers: types, and checks of keys, passwords, ages and signatures.

A handler verifies the raw bytes of a webhook before it believes anything in them.
"""

import base64
import binascii
import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from newsletter.common.errors import DomainError
from newsletter.providers.accounts import URL_SETTING
from newsletter.providers.base.errors import BadWebhook
from newsletter.providers.base.webhooks.events import Feedback

MAX_WEBHOOK_AGE = timedelta(days=7)
MAX_CLOCK_SKEW = timedelta(minutes=5)
KEY_OF_REPORTS = "webhook_key of the account's setting"


class WrongSignature(BadWebhook):
    """A webhook was signed with another key than ours."""


class WebhookCheckUnavailable(DomainError):
    """A webhook cannot be verified at this moment: the provider should post it again later."""


@dataclass(frozen=True)
class WebhookRequest:
    """One webhook as it was received. ``headers`` have lower-case names."""

    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


def asks_nothing(call: WebhookRequest) -> bool:
    """Return False: the provider does not try an address before it saves it."""
    return False


@dataclass(frozen=True)
class WebhookHandler:
    """One provider's webhooks.

    ``verify(call, key, now)`` raises BadWebhook, or returns a token that may be used once, or "". ``parse`` returns the
    events. ``atomic``: one recipient's event proves that the whole batch was accepted. ``is_question`` returns
    True for a call with which the provider tests our address before it saves the webhook. It is answered although no key is
    known yet, and nothing is stored. ``key_by_hand`` is True if the set-up cannot read the key: staff write it into the settings.
    """

    name: str
    verify: Callable[[WebhookRequest, str, datetime], str]
    parse: Callable[[WebhookRequest], list[Feedback]]
    atomic: bool
    is_question: Callable[[WebhookRequest], bool] = asks_nothing
    key_by_hand: bool = False


def split_keys(key: str) -> Sequence[str]:
    """Return the keys of ``webhook_key``: one, or two with a comma between while one replaces the other."""
    return [part.strip() for part in key.split(",") if part.strip()]


def require_keys(key: str, *, provider: str, setting: str = URL_SETTING, by_hand: bool = False) -> Sequence[str]:
    """Return the keys. Raise BadWebhook without one: a signature that cannot be checked proves nothing.

    ``setting`` names the setting, or the settings, of the accounts at the provider; ``by_hand`` is ``key_by_hand`` of its
    handler.
    """
    keys = split_keys(key)
    if not keys and by_hand:
        raise BadWebhook(
            "No webhook key of %(provider)s is known, so nothing it reports can be believed. Add &webhook_key=… to "
            "%(setting)s and start the program again.",
            provider=provider,
            setting=setting,
        )
    if not keys:
        raise BadWebhook(
            "No webhook key of %(provider)s is known, so nothing it reports can be believed. Run `newsletter provider "
            "webhooks --install`, or add &webhook_key=… to %(setting)s.",
            provider=provider,
            setting=setting,
        )
    return keys


def check_password(call: WebhookRequest, key: str, now: datetime) -> str:
    """Check user and password, or a bearer token, for providers that do not sign. Raise BadWebhook.

    Without a key, only the secret URL proves anything, and the caller decides if that is enough.
    """
    keys = split_keys(key)
    if not keys:
        return ""
    scheme, _, credentials = call.headers.get("authorization", "").partition(" ")
    password = credentials.strip()
    if scheme.lower() == "basic":
        try:
            password = base64.b64decode(password, validate=True).decode("utf-8", "replace")
        except binascii.Error:
            password = ""
    is_valid = is_one_of(password.encode("utf-8", "replace"), [key.encode() for key in keys])
    if scheme.lower() not in ("basic", "bearer") or not is_valid:
        raise BadWebhook(
            "The webhook came without the user and password, or the token, that its key in the settings asks for, so it was "
            "ignored. Enter them at the provider as they are in webhook_key, or in the key of NEWSLETTER_INBOUND for mails."
        )
    return ""


def is_one_of(given: bytes, valid: Sequence[bytes]) -> bool:
    """Return True if ``given`` is one of the valid values. The time it takes reveals nothing about them."""
    matches = [hmac.compare_digest(value, given) for value in valid]
    return any(matches)


def read_timestamp(text: str) -> datetime:
    """Return the time of a signed header in Unix seconds. Raise BadWebhook."""
    if not text.isascii() or not text.isdigit() or len(text) > 11:
        raise missing_signature()
    return datetime.fromtimestamp(int(text), UTC)


def missing_signature() -> BadWebhook:
    """Return the error for a webhook without a signature that can be read."""
    return BadWebhook(
        "The webhook has no signature, or one that cannot be read, so it was ignored. Let the provider sign its webhooks, and "
        "check that no proxy removes header fields."
    )


def wrong_signature(*, only_in: str = "") -> WrongSignature:
    """Return the error for a webhook that none of our keys signed.

    ``only_in`` names the place of the key if only staff can write it; it is "" if the set-up of the reports stores it.
    """
    if only_in:
        return WrongSignature(
            "The webhook's signature is wrong: it was not made with our key, so it was ignored. Copy the key from the provider "
            "into %(place)s again, and start the program again. If the key is right, check that no proxy changes what is posted.",
            place=only_in,
        )
    return WrongSignature(
        "The webhook's signature is wrong: it was not made with our key, so it was ignored. Copy the key from the provider into "
        "%(place)s again, or run `newsletter provider webhooks --install`. If the key is right, check that no proxy changes "
        "what is posted.",
        place=KEY_OF_REPORTS,
    )


def check_age(made_at: datetime, *, now: datetime, max_age: timedelta = MAX_WEBHOOK_AGE) -> None:
    """Raise BadWebhook for a webhook that is too old, or from a clock ahead of ours."""
    if not now - max_age <= made_at <= now + MAX_CLOCK_SKEW:
        raise BadWebhook(
            "The webhook's signature is too old, or this machine's clock is wrong, so the webhook was ignored. Compare the clock "
            "with the right time. If it is right, this is an old copy and nothing is missing."
        )


def read_base64(value: str) -> bytes:
    """Return the bytes of a key, with each ``+`` that a URL turned into a space. Raise ValueError."""
    return base64.b64decode(value.replace(" ", "+"), validate=True)


def read_signature(value: str) -> bytes:
    """Return the bytes of a signature. Raise BadWebhook."""
    try:
        return read_base64(value)
    except ValueError as error:
        raise missing_signature() from error
