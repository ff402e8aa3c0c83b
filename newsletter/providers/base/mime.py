"""One person's complete mail as a MIME message: for the outbox, previews and providers that take raw mail."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from email import policy
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime

from newsletter.providers.base.addresses import ascii_address
from newsletter.providers.base.contract import Mail, Person
from newsletter.providers.base.headers import build_headers, check_mail
from newsletter.providers.base.tokens import check_tokens, check_values, fill_tokens

# The stock policies fold a List-Unsubscribe of 78 characters or more into an encoded word, and one-click silently dies.
POLICY = policy.SMTP.clone(max_line_length=998)  # headers stay whole
BODY_POLICY = policy.SMTP.clone(max_line_length=76)  # the longest line of a quoted-printable body, RFC 2045


def build_message(*, mail: Mail, person: Person, message_id: str, date: datetime) -> EmailMessage:
    """Give the mail as this person gets it, text part first, with the one-click pair in its headers.

    ``message_id`` is ``local@domain`` without angle brackets; ``date`` is aware. Raises BadMail, BadBatch,
    and ValueError for an address that cannot be written in ASCII.
    """
    check_mail(mail)
    headers = build_headers(mail, values=set(person.variables))
    check_values([person], needed=check_tokens(mail))
    message = EmailMessage(policy=POLICY)
    message["From"] = Address(display_name=mail.from_name, addr_spec=ascii_address(mail.from_email))
    message["To"] = Address(addr_spec=ascii_address(person.address))
    message["Subject"] = fill_tokens(mail.subject, person.variables)
    message["Date"] = format_datetime(date)
    message["Message-ID"] = f"<{message_id}>"
    if mail.reply_to:
        message["Reply-To"] = Address(addr_spec=ascii_address(mail.reply_to))
    _add_headers(message, headers, person.variables)
    message.policy = BODY_POLICY
    message.set_content(fill_tokens(mail.text, person.variables), cte="quoted-printable")
    message.add_alternative(fill_tokens(mail.html, person.variables), subtype="html", cte="quoted-printable")
    message.policy = POLICY
    message.set_boundary("part-" + hashlib.sha256(message_id.encode()).hexdigest()[:40])
    return message


def _add_headers(message: EmailMessage, headers: Mapping[str, str], variables: Mapping[str, str]) -> None:
    for name, value in headers.items():
        message[name] = fill_tokens(value, variables)
