"""Check the header fields of a mail, add the one-click pair, and encode names, values, tags and ids."""

import hashlib
import re
from email.header import Header

from newsletter.common.messages import Message
from newsletter.common.personal_tokens import format_token
from newsletter.providers.base.contract import Mail
from newsletter.providers.base.errors import BadMail
from newsletter.providers.base.mail.tokens import has_unsafe_characters

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
    """Raise BadMail if a header of the mail could be misread, or if a part of the mail is empty."""
    _check_line(mail.subject, what=Message("The subject"))
    _check_line(mail.from_name, what=Message("The sender’s name"))
    _check_line(mail.from_email, what=Message("The sender’s address"))
    _check_line(mail.reply_to, what=Message("The reply address"))
    if not mail.subject.strip():
        raise BadMail("The subject is empty. Give the issue a subject and approve it again.")
    if re.search(r"[@<>]", mail.from_name):
        raise BadMail(
            "The sender’s name holds @, < or >, which mailbox providers take for a forgery. Use a plain name."
        )
    for what, address in (
        (Message("The sender’s address"), mail.from_email),
        (Message("The reply address"), mail.reply_to or mail.from_email),
    ):
        if not re.fullmatch(r"[^\s@<>,;:\"()]+@[^\s@<>,;:\"()]+", address):
            raise BadMail("%(what)s is not an email address. Correct it in the publication’s settings.", what=what)
    if not mail.html.strip() or not mail.text.strip():
        raise BadMail("The mail has no HTML part or no text part. Render the issue again before sending it.")
    for name, value in mail.headers.items():
        if not _NAME.fullmatch(name):
            raise BadMail("“%(name)s” is not the name of a mail header.", name=name[:40])
        if name.lower() in _RESERVED_HEADERS or name.lower().startswith("content-"):
            raise BadMail("Sending sets the header %(name)s itself. Remove it from the mail’s headers.", name=name)
        _check_line(value, what=Message("The header %(name)s", name=name))


def build_headers(mail: Mail, *, values: set[str]) -> dict[str, str]:
    """Return the mail's own headers with the complete one-click pair of RFC 8058.

    ``values`` are the names of the personal values that every recipient has.
    """
    headers = dict(mail.headers)
    names = {name.lower() for name in headers}
    if "list-unsubscribe" not in names and UNSUBSCRIBE_VALUE in values:
        headers["List-Unsubscribe"] = f"<{format_token(UNSUBSCRIBE_VALUE)}>"
        names.add("list-unsubscribe")
    if "list-unsubscribe" in names and "list-unsubscribe-post" not in names:
        headers["List-Unsubscribe-Post"] = ONE_CLICK
    return headers


def format_mailbox(name: str, address: str) -> str:
    """Return ``"Name" <address>``, or the address alone if there is no name."""
    if not name:
        return address
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}" <{address}>'


def encode_header(value: str) -> str:
    """Return a header's value in ASCII (RFC 2047). The text inside ``<…>`` does not change."""
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


def make_tag(name: str, *, max_length: int = 128) -> str:
    """Return a name with letters, digits, dot, dash and underscore only; never empty."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-")[:max_length] or "newsletter"


def make_dashed_tag(name: str) -> str:
    """Return a name with letters, digits, dash and underscore only, at most 256; never empty."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", name)[:256] or "-"


def make_batch_id(key: str, *, max_length: int) -> str:
    """Return a batch's key, or its digest of 64 characters if the key is longer or has unusual characters."""
    if re.fullmatch(r"[A-Za-z0-9._:/-]+", key) and len(key) <= max_length:
        return key
    return hashlib.sha256(key.encode()).hexdigest()


def make_message_id(key: str, *, domain: str) -> str:
    """Return a fixed Message-ID for a key, without angle brackets."""
    is_plain = re.fullmatch(r"[A-Za-z0-9]+(?:[._-][A-Za-z0-9]+)*", key) and len(key) <= 64
    return f"{key if is_plain else hashlib.sha256(key.encode()).hexdigest()[:40]}@{domain}"
