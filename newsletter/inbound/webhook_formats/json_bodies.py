"""Read the mails that Postmark, SparkPost and MailerSend post: a value of their JSON contains the mail."""

import base64
import binascii
from collections.abc import Iterable
from datetime import datetime

from newsletter.inbound.webhook_formats.mails import PostedMail, check_count, make_mail, make_mails
from newsletter.providers.base.errors import BadWebhook
from newsletter.providers.base.json_values import Row, as_list, as_mapping
from newsletter.providers.base.webhooks.bodies import parse_json_object, parse_json_objects
from newsletter.providers.base.webhooks.verification import WebhookRequest, check_password, is_one_of, split_keys
from newsletter.providers.mailersend.webhooks import TEST_EVENT, is_mailersend_question, verify_mailersend

SPARKPOST_TOKEN = "x-messagesystems-webhook-token"  # noqa: S105 - the name of a header
_INBOUND_EVENT = "inbound.message"


def read_postmark(call: WebhookRequest, key: str, now: datetime) -> Iterable[PostedMail]:
    """Return the mail."""
    check_password(call, key, now)
    row = parse_json_object(call.body, provider="Postmark")
    return [make_mail(row.get("RawEmail"), provider="postmark", recipients=[row.get("OriginalRecipient")])]


def read_sparkpost(call: WebhookRequest, key: str, now: datetime) -> Iterable[PostedMail]:
    """Return the mails of a batch. SparkPost tries the address with an empty one.

    Source: developers.sparkpost.com/api/relay-webhooks. Mails that are not UTF-8 come in base64.
    """
    token = call.headers.get(SPARKPOST_TOKEN, "").encode("utf-8", "replace")
    if (keys := split_keys(key)) and not is_one_of(token, [known_key.encode() for known_key in keys]):
        raise BadWebhook(
            "The webhook came without the token that the key in NEWSLETTER_INBOUND asks for, so its mails were not taken. Enter "
            "the key as auth_token of the relay webhook at SparkPost."
        )
    envelopes = [as_mapping(row.get("msys")) for row in parse_json_objects(call.body, provider="SparkPost")]
    relayed = [as_mapping(envelope.get("relay_message")) for envelope in envelopes if envelope]
    check_count(relayed)
    return make_mails(
        ((_read_content(as_mapping(row.get("content"))), [row.get("rcpt_to")]) for row in relayed),
        provider="sparkpost",
    )


def read_mailersend(call: WebhookRequest, key: str, now: datetime) -> Iterable[PostedMail]:
    """Return the mail, none if MailerSend tries the address.

    Source: developers.mailersend.com/api/v1/inbound. A route signs with its own secret, not with that of the reports.
    """
    if is_mailersend_question(call):
        return []
    if key:
        verify_mailersend(call, key, now)
    event = parse_json_object(call.body, provider="MailerSend")
    if event.get("type") == TEST_EVENT:
        return []
    data = as_mapping(event.get("data")) if event.get("type") == _INBOUND_EVENT else {}
    rows = as_list(as_mapping(data.get("recipients")).get("rcptTo"))
    recipients = [as_mapping(recipient).get("email") for recipient in rows]
    return [make_mail(data.get("raw"), provider="mailersend", recipients=recipients)]


def _read_content(content: Row) -> object:
    """Return the mail of SparkPost's ``content``, or nothing if its base64 is broken."""
    mail = content.get("email_rfc822")
    if content.get("email_rfc822_is_base64") is not True or not isinstance(mail, str):
        return mail
    try:
        return base64.b64decode(mail)
    except (binascii.Error, ValueError):
        return None
