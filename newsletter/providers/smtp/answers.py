"""The replies of a mail server, and the errors of handing over a mail."""

import smtplib
import ssl
from enum import StrEnum
from typing import NamedTuple

from newsletter.common.messages import Message


class Stage(StrEnum):
    """The command that a server answered."""

    GREETING = "greeting"
    ENCRYPTION = "encryption"
    SIGN_IN = "sign_in"
    SENDER = "sender"
    RECIPIENT = "recipient"
    CONTENT = "content"


class Reply(NamedTuple):
    """A server's answer. ``text`` has its lines joined by spaces."""

    code: int
    text: str

    @property
    def is_success(self) -> bool:
        return 200 <= self.code < 300


class ServerRefused(Exception):
    """The server answered a command with an error: the mail was not taken."""

    def __init__(self, stage: Stage, reply: Reply) -> None:
        super().__init__(f"{stage} {reply.code}")
        self.stage, self.reply = stage, reply


class ServerUnusable(Exception):
    """No mail may be handed to this server until somebody changes its settings or ours. The message says why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class MailTooLarge(Exception):
    """The mail is larger than the server takes. ``limit`` is in bytes."""

    def __init__(self, limit: int) -> None:
        super().__init__(str(limit))
        self.limit = limit


class AddressNotTaken(Exception):
    """The server does not take addresses in other scripts."""


class ConnectionLost(Exception):
    """The connection failed. If ``after_dot``, the server may have taken the mail; otherwise it certainly has not."""

    def __init__(self, reason: str, *, after_dot: bool = False) -> None:
        super().__init__(reason)
        self.reason, self.after_dot = reason, after_dot


def read_error(error: smtplib.SMTPResponseException) -> Reply:
    """Return the reply that an error of the standard library holds."""
    text = error.smtp_error
    return Reply(
        error.smtp_code, " ".join((text.decode("utf-8", "replace") if isinstance(text, bytes) else text).split())
    )


def describe_certificate(error: ssl.SSLCertVerificationError, *, setting: str) -> Message:
    """Return why a certificate was not believed, and what to do."""
    return Message(
        "The mail server’s certificate is not valid (%(why)s), so nothing was sent. Check the server’s name in "
        "%(setting)s, and that its certificate is current.",
        setting=setting,
        why=error.verify_message,
    )
