"""The body of a SendBulkEmail call: one template, and the values, headers and tags of each person."""

from collections.abc import Mapping

import orjson

from newsletter.common.messages import Quantity
from newsletter.providers.base.contract import Recipient
from newsletter.providers.base.errors import BadBatch
from newsletter.providers.base.mail.curly_variables import write_html, write_text, write_value
from newsletter.providers.base.mail.headers import encode_header, format_mailbox, make_dashed_tag
from newsletter.providers.base.mail.tokens import CompiledText
from newsletter.providers.base.prepared_batch import PreparedBatch

MAX_VARIABLE_BYTES = 262_144
MAX_HEADERS = 15
_FEEDBACK_ID = "Feedback-ID"
MAX_HEADER_BYTES = 995
MAX_HEADER_LINE_BYTES = 996


def build_payload(prepared: PreparedBatch) -> dict[str, object]:
    """Return the JSON of one call. Raise BadBatch for a recipient whose values or headers are too large."""
    call, mail = prepared.call, prepared.mail
    names = sorted(prepared.needed)
    headers = {name: CompiledText(value) for name, value in prepared.headers.items() if name != _FEEDBACK_ID}
    payload: dict[str, object] = {
        "FromEmailAddress": _format_sender(mail.from_name, mail.from_email),
        "DefaultContent": {
            "Template": {
                "TemplateContent": {
                    "Subject": write_text(mail.subject),
                    "Html": write_html(mail.html),
                    "Text": write_text(mail.text),
                },
                "TemplateData": "{}",
            }
        },
        "DefaultEmailTags": [*_build_tags(issue=call.issue, batch=call.key), *_build_feedback_tags(prepared)],
        "BulkEmailEntries": [
            _build_entry(prepared, address, recipient, names, headers) for address, recipient in prepared.people
        ],
    }
    if mail.reply_to:
        payload["ReplyToAddresses"] = [mail.reply_to]
    return payload


def _build_entry(
    prepared: PreparedBatch,
    address: str,
    recipient: Recipient,
    names: list[str],
    headers: Mapping[str, CompiledText],
) -> dict[str, object]:
    values = prepared.values_of(recipient)
    data = orjson.dumps({name: write_value(name, values[name]) for name in names}).decode()
    written = {name: encode_header(compiled.fill(values)) for name, compiled in headers.items()}
    _check_entry(recipient.delivery, data=data, headers=written)
    return {
        "Destination": {"ToAddresses": [address]},
        "ReplacementEmailContent": {"ReplacementTemplate": {"ReplacementTemplateData": data}},
        "ReplacementHeaders": [{"Name": name, "Value": value} for name, value in written.items()],
        # It is not documented whether an entry's tags add to the default ones or replace them, so all are here.
        "ReplacementTags": [
            *_build_tags(issue=prepared.call.issue, batch=prepared.call.key, delivery=str(recipient.delivery)),
            *_build_feedback_tags(prepared),
        ],
    }


def _build_tags(**tags: str) -> list[dict[str, str]]:
    return [{"Name": name, "Value": make_dashed_tag(value)} for name, value in tags.items()]


def _build_feedback_tags(prepared: PreparedBatch) -> list[dict[str, str]]:
    """Return the tags of the first two fields of Feedback-ID: Amazon writes this header itself and takes them from here.

    Source: aws.amazon.com/blogs/messaging-and-targeting, “Understanding Google Postmaster Tools (spam complaints)”.
    """
    fields = prepared.headers.get(_FEEDBACK_ID, "").split(":")
    tags = zip(("ses:feedback-id-a", "ses:feedback-id-b"), fields, strict=False)
    return [{"Name": name, "Value": make_dashed_tag(value)} for name, value in tags if value]


def _check_entry(delivery: int, *, data: str, headers: Mapping[str, str]) -> None:
    if len(data.encode()) > MAX_VARIABLE_BYTES:
        raise BadBatch(
            "Delivery %(delivery)s has personal values of %(size)s bytes; Amazon SES takes "
            "%(max_size)s. Nothing of this batch was sent.",
            delivery=delivery,
            size=Quantity(len(data.encode())),
            max_size=Quantity(MAX_VARIABLE_BYTES),
        )
    if len(headers) > MAX_HEADERS:
        raise BadBatch(
            "The mail has %(headers)s headers of its own; Amazon SES takes %(max_headers)s. Nothing was sent.",
            headers=len(headers),
            max_headers=MAX_HEADERS,
        )
    for name, value in headers.items():
        if len(value) > MAX_HEADER_BYTES or len(name) + len(value) > MAX_HEADER_LINE_BYTES:
            raise BadBatch(
                "The header %(name)s of delivery %(delivery)s has %(length)s characters; Amazon SES takes "
                "%(max_length)s. Nothing of this batch was sent; use a shorter site address or list name.",
                name=name,
                delivery=delivery,
                length=Quantity(len(value)),
                max_length=MAX_HEADER_BYTES,
            )


def _format_sender(name: str, address: str) -> str:
    return format_mailbox(name, address) if name.isascii() else f"{encode_header(name)} <{address}>"
