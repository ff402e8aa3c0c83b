"""Verify a mail that a provider posts, and take the mail as it came (MIME) out of the provider's form.

Mailgun and SendGrid post a form, Postmark posts JSON. Each can be told to post the whole mail, and must be.
"""

from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes
from email.message import Message as Part
from email.policy import HTTP
from hashlib import sha256
from urllib.parse import parse_qsl

from django.conf import settings

from newsletter.feedback.endpoint import webhook_key, webhook_secret
from newsletter.inbound.errors import NoWholeMail
from newsletter.inbound.settings import InboundWebhook
from newsletter.providers.base.json_values import as_list, as_mapping, as_text, parse_json_or_none
from newsletter.providers.base.webhooks.bodies import parse_json_object
from newsletter.providers.base.webhooks.verification import WebhookRequest, check_password, require_keys
from newsletter.providers.mailgun.webhooks import check_mailgun_signature
from newsletter.providers.sendgrid.webhooks import verify_sendgrid

MAX_BODY_BYTES = 50 * 1024 * 1024
"""The largest body. The providers take mails of up to 35 MB, which base64 in JSON makes a third larger."""
MAX_FIELDS = 200
_WHOLE_MAIL = {
    "mailgun": "body-mime",
    "postmark": "RawEmail",
    "sendgrid": "email",
}
_HOW = {
    "mailgun": "let the route post to the address that ends with /mime",
    "postmark": "tick “Include raw email content in JSON payload”",
    "sendgrid": "tick “POST the raw, full MIME message”",
}


@dataclass(frozen=True)
class PostedMail:
    """A mail as it came. ``once`` is the single-use token of a provider that does not sign the mail itself."""

    raw: bytes
    once: str = ""


def find_webhook(provider: str) -> InboundWebhook | None:
    """Return the webhook of the settings, or None if this provider's are not accepted."""
    return next((one for one in settings.NEWSLETTER_INBOUND.webhooks if one.provider == provider), None)


def inbound_secret(provider: str) -> str:
    """Return the secret part of the URL. It changes only with the address key."""
    return webhook_secret(f"inbound-{provider}")


def inbound_url(provider: str) -> str:
    """Return the URL to enter at the provider."""
    url = f"{settings.NEWSLETTER_SITE_URL}/inbound/{provider}/{inbound_secret(provider)}"
    return f"{url}/mime" if provider == "mailgun" else url


def find_key(webhook: InboundWebhook) -> str:
    """Return the key that verifies a provider's mails. Mailgun signs them with the key of its reports."""
    if not webhook.key and webhook.provider == "mailgun":
        return webhook_key(webhook.provider)
    return webhook.key


def read_posted_mail(webhook: InboundWebhook, call: WebhookRequest, *, now: datetime) -> PostedMail:
    """Return the mail of a webhook. Raise BadWebhook if it is not genuine, NoWholeMail if it lacks the mail."""
    provider, key = webhook.provider, find_key(webhook)
    if provider == "postmark":
        check_password(call, key, now)
        row = parse_json_object(call.body, provider="Postmark")
        return PostedMail(_make_mail(provider, row.get("RawEmail"), recipient=row.get("OriginalRecipient")))
    if provider == "sendgrid" and key and ":" not in key:
        verify_sendgrid(call, key, now)
    elif provider == "sendgrid":
        check_password(call, key, now)
    fields = _read_form(call)
    once = ""
    if provider == "mailgun":
        given = (_text(fields, name) for name in ("timestamp", "token", "signature"))
        token = check_mailgun_signature(*given, keys=require_keys(key, provider="Mailgun"), now=now)
        once = sha256(token.encode("utf-8", "replace")).hexdigest()
        recipient: object = _text(fields, "recipient")
    else:
        envelope = as_mapping(parse_json_or_none(fields.get("envelope", b"")))
        recipient = next(iter(as_list(envelope.get("to"))), "")
    return PostedMail(_make_mail(provider, fields.get(_WHOLE_MAIL[provider]), recipient=recipient), once)


def _make_mail(provider: str, whole: object, *, recipient: object) -> bytes:
    """Return the mail below a field with the envelope's recipient, which the mail itself need not name."""
    raw = whole.encode("utf-8", "surrogateescape") if isinstance(whole, str) else whole
    if not isinstance(raw, bytes) or not raw.strip():
        raise NoWholeMail(
            "The webhook of %(provider)s has no whole mail in it, so nothing was taken. At the provider, %(how)s.",
            provider=provider,
            how=_HOW[provider],
        )
    address = as_text(recipient, max_length=254)
    head = f"X-Envelope-To: {address}\r\n".encode("ascii", "ignore") if address else b""
    return head + raw.lstrip(b"\r\n")


def _read_form(call: WebhookRequest) -> dict[str, bytes]:
    """Return the fields of a form by name, the first of each. Raise NoWholeMail."""
    content_type = call.headers.get("content-type", "")
    if content_type.lower().startswith("application/x-www-form-urlencoded"):
        try:
            pairs = parse_qsl(
                call.body.decode("ascii"), keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="surrogateescape"
            )
        except (ValueError, UnicodeDecodeError) as error:
            raise NoWholeMail("The webhook's form cannot be read. Nothing was taken; it is asked for again.") from error
        return {name: value.encode("utf-8", "surrogateescape") for name, value in reversed(pairs)}
    if not content_type.lower().startswith("multipart/form-data"):
        raise NoWholeMail("The webhook does not have the form that its provider posts, so nothing was taken.")
    head = f"Content-Type: {content_type}\r\n\r\n".encode("latin-1", "replace")
    form = message_from_bytes(head + call.body, policy=HTTP)
    parts = form.get_payload() if form.is_multipart() else []
    found: dict[str, bytes] = {}
    for part in parts[:MAX_FIELDS] if isinstance(parts, list) else ():
        if isinstance(part, Part) and (name := part.get_param("name", header="content-disposition")):
            payload = part.get_payload(decode=True)
            found.setdefault(str(name), payload if isinstance(payload, bytes) else _encode(part))
    return found


def _encode(part: Part) -> bytes:
    """Return the bytes of a part that the library took for a mail of its own."""
    return b"".join(one.as_bytes() for one in part.get_payload() if isinstance(one, Part))


def _text(fields: dict[str, bytes], name: str) -> str:
    return fields.get(name, b"").decode("utf-8", "replace")
