"""The header fields of a mail: which ones we add, and what may not stand in any of them."""

import re
from email.header import Header

from newsletter.common.messages import Message
from newsletter.providers.base.contract import Mail
from newsletter.providers.base.errors import BadMail
from newsletter.providers.base.tokens import has_unsafe_characters

ONE_CLICK = "List-Unsubscribe=One-Click"
UNSUBSCRIBE_VALUE = "t_unsubscribe"
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,75}")
_RESERVED_HEADERS = {
    "from",
    "to",
    "cc",
    "bcc",
    "subject",
    "reply-to",
    "sender",
    "date",
    "message-id",
    "mime-version",
    "return-path",
}


def check_mail(mail: Mail) -> None:
    """Raise BadMail where a header of the mail could be misread, or where there is nothing to read."""
    for what, text in (
        ("subject", mail.subject),
        (Message("sender's name"), mail.from_name),
        (Message("sender's address"), mail.from_email),
    ):
        _check_line(text, what=f"The {what}")
    _check_line(mail.reply_to, what=Message("The reply address"))
    if not mail.subject.strip():
        raise BadMail("The subject is empty. Give the issue a subject and approve it again.")
    if re.search(r"[@<>]", mail.from_name):
        raise BadMail("The sender's name holds @, < or >, which mailboxes take for a forgery. Use a plain name.")
    for what, address in (
        (Message("sender's address"), mail.from_email),
        (Message("reply address"), mail.reply_to or mail.from_email),
    ):
        if not re.fullmatch(r"[^\s@<>,;:\"()]+@[^\s@<>,;:\"()]+", address):
            raise BadMail("The %(what)s is not an email address. Correct it in the publication's settings.", what=what)
    if not mail.html.strip() or not mail.text.strip():
        raise BadMail("The mail has no HTML part or no text part. Render the issue again before sending it.")
    for name, value in mail.headers.items():
        if not _NAME.fullmatch(name):
            raise BadMail("%(name)s is not the name of a mail header.", name=f"{name[:40]!r}")
        if name.lower() in _RESERVED_HEADERS or name.lower().startswith("content-"):
            raise BadMail("The header %(name)s is set by the sending itself and cannot be given.", name=name)
        _check_line(value, what=Message("The header %(name)s", name=name))


def build_headers(mail: Mail, *, values: set[str]) -> dict[str, str]:
    """Give the mail's own headers with the one-click pair of RFC 8058 made complete.

    ``values`` names the personal values that every person of the batch has.
    """
    headers = dict(mail.headers)
    named = {name.lower() for name in headers}
    if "list-unsubscribe" not in named and UNSUBSCRIBE_VALUE in values:
        headers["List-Unsubscribe"] = f"<__pv_{UNSUBSCRIBE_VALUE}__>"
        named.add("list-unsubscribe")
    if "list-unsubscribe" in named and "list-unsubscribe-post" not in named:
        headers["List-Unsubscribe-Post"] = ONE_CLICK
    return headers


def mailbox(name: str, address: str) -> str:
    """Write ``"Name" <address>`` for a provider that takes it as one text."""
    if not name:
        return address
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}" <{address}>'


def ascii_header(value: str) -> str:
    """Encode the words of a header that are not ASCII (RFC 2047); what stands in ``<…>`` stays as it is."""
    if value.isascii():
        return value
    phrase, mark, rest = value.partition("<")
    encoded = Header(phrase.strip(), "utf-8", maxlinelen=900).encode(splitchars="")
    return f"{encoded} {mark}{rest}" if mark else encoded


def _check_line(text: str, *, what: str) -> None:
    if has_unsafe_characters(text):
        raise BadMail(
            "%(what)s holds a line break or an invisible control character. Type it again by hand and save.", what=what
        )
