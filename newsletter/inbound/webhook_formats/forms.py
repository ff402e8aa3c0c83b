"""Read a mail that Mailgun or SendGrid posts: a field of a form contains the mail."""

from collections.abc import Iterable
from datetime import datetime
from email import message_from_bytes
from email.message import Message as Part
from email.policy import HTTP
from hashlib import sha256
from urllib.parse import parse_qsl

from newsletter.inbound.webhook_formats.mails import PostedMail, lacks_mail, make_mail
from newsletter.providers.base.errors import BadWebhook
from newsletter.providers.base.json_values import as_list, as_mapping, parse_json_or_none
from newsletter.providers.base.webhooks.verification import WebhookRequest, check_password, split_keys
from newsletter.providers.mailgun.webhooks import check_mailgun_signature
from newsletter.providers.sendgrid.webhooks import verify_sendgrid

MAX_FIELDS = 200


def read_mailgun(call: WebhookRequest, key: str, now: datetime) -> Iterable[PostedMail]:
    """Return the mail. The signature is of a token alone, so the token serves one mail."""
    fields = _read_form(call, provider="mailgun")
    signature = (_text(fields, name) for name in ("timestamp", "token", "signature"))
    if not (keys := split_keys(key)):
        raise BadWebhook(
            "No key of Mailgun is known, so no mail that it posts can be believed. Add ?key=… with the HTTP webhook signing key "
            "to inbound://mailgun in NEWSLETTER_INBOUND, and start the program again."
        )
    token = check_mailgun_signature(*signature, keys=keys, now=now)
    once = sha256(token.encode("utf-8", "replace")).hexdigest()
    recipients = [_text(fields, "recipient")]
    return [make_mail(fields.get("body-mime"), provider="mailgun", recipients=recipients, once=once)]


def read_sendgrid(call: WebhookRequest, key: str, now: datetime) -> Iterable[PostedMail]:
    """Return the mail. A key with a colon is user and password, another is the public key of a security policy."""
    if key and ":" not in key:
        verify_sendgrid(call, key, now)
    else:
        check_password(call, key, now)
    fields = _read_form(call, provider="sendgrid")
    envelope = as_mapping(parse_json_or_none(fields.get("envelope", b"")))
    return [make_mail(fields.get("email"), provider="sendgrid", recipients=as_list(envelope.get("to")))]


def _read_form(call: WebhookRequest, *, provider: str) -> dict[str, bytes]:
    """Return the fields of a form by name, the first of each. Raise NoWholeMail."""
    content_type = call.headers.get("content-type", "")
    if content_type.lower().startswith("application/x-www-form-urlencoded"):
        try:
            pairs = parse_qsl(
                call.body.decode("ascii"), keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="surrogateescape"
            )
        except (ValueError, UnicodeDecodeError) as error:
            raise lacks_mail(provider) from error
        return {name: value.encode("utf-8", "surrogateescape") for name, value in reversed(pairs)}
    if not content_type.lower().startswith("multipart/form-data"):
        raise lacks_mail(provider)
    head = f"Content-Type: {content_type}\r\n\r\n".encode("latin-1", "replace")
    form = message_from_bytes(head + call.body, policy=HTTP)
    parts = form.get_payload() if form.is_multipart() else []
    fields: dict[str, bytes] = {}
    for part in parts[:MAX_FIELDS] if isinstance(parts, list) else ():
        if isinstance(part, Part) and (name := part.get_param("name", header="content-disposition")):
            payload = part.get_payload(decode=True)
            fields.setdefault(str(name), payload if isinstance(payload, bytes) else _encode(part))
    return fields


def _encode(part: Part) -> bytes:
    """Return the bytes of a part that the library parsed as a nested mail."""
    return b"".join(payload_part.as_bytes() for payload_part in part.get_payload() if isinstance(payload_part, Part))


def _text(fields: dict[str, bytes], name: str) -> str:
    return fields.get(name, b"").decode("utf-8", "replace")
