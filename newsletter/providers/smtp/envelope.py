"""Write the SMTP commands and the content of one mail to one recipient (RFC 5321, DSN of RFC 3461, SMTPUTF8 of RFC 6531)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

_LINE_DOT = re.compile(rb"^\.", re.MULTILINE)
_MAX_ENVELOPE_ID = 100


@dataclass(frozen=True)
class Envelope:
    """The envelope of one mail. ``envelope_id`` comes back in a bounce of a server that knows DSN."""

    sender: str
    recipient: str
    envelope_id: str

    @property
    def needs_utf8(self) -> bool:
        return not self.recipient.isascii()


def write_sender(envelope: Envelope, *, content: bytes, features: Mapping[str, str]) -> bytes:
    """Return the MAIL command, with each parameter only for a server that offers its extension."""
    parameters = [f"MAIL FROM:<{envelope.sender}>"]
    if "size" in features:
        parameters.append(f"SIZE={len(content)}")
    if "8bitmime" in features and not content.isascii():
        parameters.append("BODY=8BITMIME")
    if envelope.needs_utf8:
        parameters.append("SMTPUTF8")
    if "dsn" in features:
        parameters.append(f"RET=HDRS ENVID={_encode_xtext(envelope.envelope_id)[:_MAX_ENVELOPE_ID]}")
    return _end_line(parameters)


def write_recipient(envelope: Envelope, *, features: Mapping[str, str]) -> bytes:
    """Return the RCPT command, which asks for a bounce if the mail cannot be delivered."""
    parameters = [f"RCPT TO:<{envelope.recipient}>"]
    if "dsn" in features:
        parameters.append("NOTIFY=FAILURE")
        if not envelope.needs_utf8:
            parameters.append(f"ORCPT=rfc822;{_encode_xtext(envelope.recipient)}")
    return _end_line(parameters)


def write_content(message: bytes) -> bytes:
    """Return a message with CRLF line ends as it is sent, without the dot that ends it."""
    return _LINE_DOT.sub(b"..", message if message.endswith(b"\r\n") else message + b"\r\n")


def _encode_xtext(text: str) -> str:
    return "".join(c if "!" <= c <= "~" and c not in "+=" else f"+{ord(c):02X}" for c in text)


def _end_line(parameters: list[str]) -> bytes:
    return f"{' '.join(parameters)}\r\n".encode()
