"""Build one recipient's complete mail as a MIME message, for the outbox and previews."""

import hashlib
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
BODY_POLICY = policy.SMTP.clone(max_line_length=76)  # the longest line of a quoted-printable body, RFC 2045


def build_message(*, mail: Mail, recipient: Recipient, message_id: str, date: datetime) -> EmailMessage:
    """Return the mail as this recipient gets it, text part first, with the one-click pair in its headers.

    ``message_id`` is ``local@domain`` without angle brackets; ``date`` is aware. Raise BadMail, BadBatch,
    and ValueError for an address that cannot be written in ASCII.
    """
    check_mail(mail)
    headers = build_headers(mail, values=set(recipient.variables))
    check_values([recipient], needed=check_tokens(mail))
    message = EmailMessage(policy=POLICY)
    message["From"] = Address(display_name=mail.from_name, addr_spec=ascii_address(mail.from_email))
    message["To"] = Address(addr_spec=ascii_address(recipient.address))
    message["Subject"] = fill_tokens(mail.subject, recipient.variables)
    message["Date"] = format_datetime(date)
    message["Message-ID"] = f"<{message_id}>"
    if mail.reply_to:
        message["Reply-To"] = Address(addr_spec=ascii_address(mail.reply_to))
    for name, value in headers.items():
        message[name] = fill_tokens(value, recipient.variables)
    message.policy = BODY_POLICY
    message.set_content(fill_tokens(mail.text, recipient.variables), cte="quoted-printable")
    message.add_alternative(fill_tokens(mail.html, recipient.variables), subtype="html", cte="quoted-printable")
    message.policy = POLICY
    message.set_boundary("part-" + hashlib.sha256(message_id.encode()).hexdigest()[:40])
    return message
