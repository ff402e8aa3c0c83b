"""Verify the mails that a provider posts, and extract each original mail (MIME) from the provider's format.

Mailgun, SendGrid, Postmark, SparkPost and MailerSend post the complete mail, some only if configured so. Brevo posts its
parts.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from django.conf import settings

from newsletter.feedback.endpoint import list_former_keys, webhook_key, webhook_secret
from newsletter.inbound.settings import InboundWebhook
from newsletter.inbound.webhook_formats.brevo import read_brevo
from newsletter.inbound.webhook_formats.forms import read_mailgun, read_sendgrid
from newsletter.inbound.webhook_formats.json_bodies import read_mailersend, read_postmark, read_sparkpost
from newsletter.inbound.webhook_formats.mails import PostedMail
from newsletter.providers.base.webhooks.verification import WebhookRequest, WrongSignature, split_keys, wrong_signature

MAX_BODY_BYTES = 50 * 1024 * 1024
"""The largest body. The providers take mails of up to 35 MB, which base64 in JSON makes a third larger."""
_KEY_OF_MAILS = "the key in NEWSLETTER_INBOUND"
_READERS: Mapping[str, Callable[[WebhookRequest, str, datetime], Iterable[PostedMail]]] = {
    "brevo": read_brevo,
    "mailersend": read_mailersend,
    "mailgun": read_mailgun,
    "postmark": read_postmark,
    "sendgrid": read_sendgrid,
    "sparkpost": read_sparkpost,
}


def find_webhook(provider: str) -> InboundWebhook | None:
    """Return the webhook of the settings, or None if this provider's are not accepted."""
    return next((webhook for webhook in settings.NEWSLETTER_INBOUND.webhooks if webhook.provider == provider), None)


def inbound_secret(provider: str) -> str:
    """Return the secret part of the URL. It changes only with the address key."""
    return webhook_secret(f"inbound-{provider}")


def inbound_url(provider: str) -> str:
    """Return the URL to enter at the provider."""
    url = f"{settings.NEWSLETTER_SITE_URL}/inbound/{provider}/{inbound_secret(provider)}"
    return f"{url}/mime" if provider == "mailgun" else url


def find_key(webhook: InboundWebhook, *, now: datetime) -> str:
    """Return the key that verifies a provider's mails. Mailgun signs them with the key of its reports."""
    if not webhook.key and webhook.provider == "mailgun":
        former = [key for _, key in list_former_keys(webhook.provider, now=now)]
        return ",".join(dict.fromkeys([*split_keys(webhook_key(webhook.provider)), *former]))
    return webhook.key


def read_posted_mails(webhook: InboundWebhook, call: WebhookRequest, *, now: datetime) -> Iterable[PostedMail]:
    """Return the mails of a call, none if the provider only tries the address. Raise BadWebhook if it is not genuine.

    Raise NoWholeMail if a mail is not whole, after the whole ones: store each at once.
    """
    try:
        return _READERS[webhook.provider](call, find_key(webhook, now=now), now)
    except WrongSignature as error:
        if webhook.key:
            raise wrong_signature(only_in=_KEY_OF_MAILS) from error
        raise
