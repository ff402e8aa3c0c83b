"""Build one recipient's complete mail as a MIME message, for SMTP, the outbox and previews."""

import hashlib
import re
from collections.abc import Mapping
from datetime import datetime
from email import policy
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime

from newsletter.providers.base.contract import Mail, Recipient
from newsletter.providers.base.mail.addresses import ascii_address
from newsletter.providers.base.mail.headers import build_headers, check_mail
from newsletter.providers.base.mail.tokens import check_tokens, check_values, fill_tokens

# The standard policies fold a List-Unsubscribe of 78 characters or more into an encoded word, which breaks one-click.
POLICY = policy.SMTP.clone(max_line_length=998)  # headers stay whole
INTERNATIONAL_POLICY = POLICY.clone(utf8=True)  # RFC 6532, for a server that accepts it
BODY_POLICY = policy.SMTP.clone(max_line_length=76)  # the longest line of a quoted-printable body, RFC 2045
_NEEDS_SPACE = re.compile(r"^(?= |>|From )", re.MULTILINE)


def build_message(*, mail: Mail, recipient: Recipient, message_id: str, date: datetime) -> EmailMessage:
    """Return the mail as this recipient gets it, text part first, with the one-click pair in its headers.

    ``message_id`` is ``local@domain`` without angle brackets; ``date`` is aware. Raise BadMail, BadBatch,
    and ValueError for an address that cannot be written in ASCII.
    """
    check_mail(mail)
    headers = build_headers(mail, values=set(recipient.variables))
    check_values([recipient], needed=check_tokens(mail))
    values = recipient.variables
    return compose_message(
        mail=mail,
        to=ascii_address(recipient.address),
        subject=fill_tokens(mail.subject, values),
        html=fill_tokens(mail.html, values),
        text=fill_tokens(mail.text, values),
        headers={name: fill_tokens(value, values) for name, value in headers.items()},
        message_id=message_id,
        date=date,
    )


def compose_message(
    *,
    mail: Mail,
    to: str,
    subject: str,
    html: str,
    text: str,
    headers: Mapping[str, str],
    message_id: str,
    date: datetime,
) -> EmailMessage:
    """Return a mail with its personal values in it and all checks behind it. ``mail`` has the sender.

    Only for an address in other scripts are its headers not ASCII. The text is format=flowed: a mail program may join a
    line that ends in a space with the next.
    """
    message_policy = POLICY if to.isascii() else INTERNATIONAL_POLICY
    message = EmailMessage(policy=message_policy)
    message["From"] = Address(display_name=mail.from_name, addr_spec=ascii_address(mail.from_email))
    local, _, domain = to.rpartition("@")
    message["To"] = Address(username=local, domain=domain)
    message["Subject"] = subject
    message["Date"] = format_datetime(date)
    message["Message-ID"] = f"<{message_id}>"
    if mail.reply_to:
        message["Reply-To"] = Address(addr_spec=ascii_address(mail.reply_to))
    for name, value in headers.items():
        message[name] = value
    message.policy = BODY_POLICY
    message.set_content(_stuff_spaces(text), cte="quoted-printable", params={"format": "flowed"})
    message.add_alternative(html, subtype="html", cte="quoted-printable")
    message.policy = message_policy
    message.set_boundary("part-" + hashlib.sha256(message_id.encode()).hexdigest()[:40])
    return message


def _stuff_spaces(text: str) -> str:
    """Return text for format=flowed (RFC 3676): a program removes one space at the beginning of a line."""
    return _NEEDS_SPACE.sub(" ", text)
