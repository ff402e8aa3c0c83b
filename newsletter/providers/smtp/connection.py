"""One connection to a mail server: open it, sign in, and hand over one mail at a time, each step with a hard deadline.

It tells a connection that was lost before the final dot of a mail from one that was lost after it. It must not retry.
"""

import smtplib
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache

from newsletter.common.messages import Message
from newsletter.providers.base.deadline import Deadline, DeadlineUnavailable
from newsletter.providers.base.transport import describe_error
from newsletter.providers.smtp.account import MailServer, Security
from newsletter.providers.smtp.answers import (
    AddressNotTaken,
    ConnectionLost,
    MailTooLarge,
    Reply,
    ServerRefused,
    ServerUnusable,
    Stage,
    describe_certificate,
    read_error,
)
from newsletter.providers.smtp.envelope import Envelope, write_recipient, write_sender

_MAX_REPLY_BYTES = 32 * 1024
_PIECE = 4096
_QUIT_SECONDS = 2.0


@dataclass(frozen=True)
class PhaseSeconds:
    """The limits for connecting, for opening a session, for handing over a mail, and for its confirmation."""

    connect: float = 10.0
    session: float = 45.0
    transfer: float = 45.0
    confirmation: float = 120.0


class _NonsenseReply(smtplib.SMTPException):
    pass


class SmtpConnection(smtplib.SMTP):
    """A session. ``sent`` counts the mails that the server took by it."""

    def __init__(self, server: MailServer, *, context: ssl.SSLContext, seconds: PhaseSeconds) -> None:
        super().__init__(local_hostname="localhost", timeout=seconds.connect)
        self.sent = 0
        self._is_out_of_step = False
        self._server, self._context, self._seconds = server, context, seconds
        self._unread = bytearray()

    def open(self) -> None:
        """Connect, encrypt and sign in. Raise ConnectionLost, ServerRefused or ServerUnusable."""
        try:
            with self._phase(self._seconds.session):
                self._open_session()
        except BaseException:
            self.close()
            raise

    def transmit(self, envelope: Envelope, content: bytes) -> Reply:
        """Hand over one mail and return the server's confirmation. After an error of the connection, ``close`` it.

        Raise AddressNotTaken, MailTooLarge, ServerRefused or ConnectionLost.
        """
        self._check_extensions(envelope, content)
        with self._phase(self._seconds.transfer):
            self._send_envelope(envelope, content)
            self.send(content)
            # A server that ended the mail before its final dot has not taken it.
            if self.has_unread_input():
                self._is_out_of_step = True
                self._require(Stage.CONTENT, self._read())
                raise _NonsenseReply
        with self._phase(self._seconds.confirmation, after_dot=True):
            self.send(b".\r\n")
            reply = self._read()
            if reply.code < 400 and not reply.is_success:
                raise _NonsenseReply
        if not reply.is_success:
            raise ServerRefused(Stage.CONTENT, reply)
        self.sent += 1
        return reply

    def reset(self) -> None:
        """End the transaction of a mail that was refused. Raise ConnectionLost if the session cannot go on."""
        with self._phase(self._seconds.transfer):
            if self._is_out_of_step:
                raise smtplib.SMTPServerDisconnected
            self.send(b"RSET\r\n")
            if not self._read().is_success:
                raise _NonsenseReply

    def has_unread_input(self) -> bool:
        """Return True if the server said something out of turn or closed the connection, without waiting for it."""
        if self._unread or self.sock is None:
            return True
        timeout = self.sock.gettimeout()
        self.sock.settimeout(0.0)
        try:
            self._unread += self.sock.recv(_PIECE)
        except (BlockingIOError, ssl.SSLWantReadError):
            return False
        except OSError:
            return True
        finally:
            self.sock.settimeout(timeout)
        return True

    def quit_and_close(self) -> None:
        """Send QUIT and close the connection, whatever it answers."""
        with suppress(OSError, smtplib.SMTPException):
            if self.sock is not None:
                self.sock.settimeout(_QUIT_SECONDS)
                self.quit()
        self.close()

    def getreply(self) -> tuple[int, bytes]:
        """Read one answer, also of several lines. Its size is limited, and what follows it stays for the next call."""
        lines: list[bytes] = []
        size = 0
        while True:
            line = self._read_line()
            size += len(line)
            if size > _MAX_REPLY_BYTES or not line[:3].isdigit() or line[3:4] not in (b"", b" ", b"-"):
                raise _NonsenseReply
            lines.append(line[4:].strip())
            if line[3:4] != b"-":
                return int(line[:3]), b"\n".join(lines)

    def _read_line(self) -> bytes:
        while (end := self._unread.find(b"\n")) < 0:
            piece = self.sock.recv(_PIECE) if self.sock is not None else b""
            if not piece:
                raise smtplib.SMTPServerDisconnected
            self._unread += piece
            if len(self._unread) > _MAX_REPLY_BYTES:
                raise _NonsenseReply
        line = bytes(self._unread[:end]).rstrip(b"\r")
        del self._unread[: end + 1]
        return line

    def _read(self) -> Reply:
        code, text = self.getreply()
        return Reply(code, " ".join(text.decode("utf-8", "replace").split()))

    def _open_session(self) -> None:
        server = self._server
        connected = socket.create_connection((server.host, server.port), timeout=self._seconds.connect)
        self.sock = connected
        if server.security is Security.TLS:
            self._shake_hands()
        self.sock.settimeout(self._seconds.session)
        self.local_hostname = _find_own_name() or _format_literal(self.sock)
        greeting = self._read()
        if not greeting.is_success:
            raise ServerRefused(Stage.GREETING, greeting)
        self._greet()
        if server.security is Security.STARTTLS:
            self._encrypt()
        if server.user:
            self._sign_in()
        self.sock.settimeout(self._seconds.confirmation)

    def _greet(self) -> None:
        code, text = self.ehlo()
        if code != 250:
            raise ServerRefused(Stage.GREETING, Reply(code, text.decode("utf-8", "replace")))

    def _encrypt(self) -> None:
        if not self.has_extn("starttls"):
            raise ServerUnusable(
                Message(
                    "The mail server offers no encryption (STARTTLS), so nothing was sent. Use its encrypted port, such as "
                    "smtps://…:465, or ask whoever runs it."
                )
            )
        self.send(b"STARTTLS\r\n")
        reply = self._read()
        if reply.code != 220:
            raise ServerRefused(Stage.ENCRYPTION, reply)
        if self._unread:
            # Somebody between the server and us put in commands that would count as the server's.
            raise ServerUnusable(Message("The connection to the mail server was tampered with, so nothing was sent."))
        self._shake_hands()
        self._greet()

    def _shake_hands(self) -> None:
        """Encrypt the connection. The deadline must see the socket that is being read, also before it is encrypted."""
        if self.sock is None:
            raise smtplib.SMTPServerDisconnected
        host = self._server.host
        encrypted = self._context.wrap_socket(self.sock, server_hostname=host, do_handshake_on_connect=False)
        self.sock = encrypted
        encrypted.do_handshake()

    def _sign_in(self) -> None:
        try:
            self.login(self._server.user, self._server.password)
        except smtplib.SMTPResponseException as error:
            raise ServerRefused(Stage.SIGN_IN, read_error(error)) from error
        except (smtplib.SMTPServerDisconnected, _NonsenseReply):
            raise
        except (smtplib.SMTPException, ValueError) as error:
            raise ServerUnusable(
                Message(
                    "The mail server offers no sign-in with user and password here, so nothing was sent. Check the port, or "
                    "take user and password out of %(setting)s if it asks for none.",
                    setting=self._server.setting,
                )
            ) from error

    def _check_extensions(self, envelope: Envelope, content: bytes) -> None:
        if envelope.needs_utf8 and not (self.has_extn("smtputf8") and self.has_extn("8bitmime")):
            raise AddressNotTaken
        size = self.esmtp_features.get("size", "")
        limit = int(size) if size.isdigit() else 0
        if limit and len(content) > limit:
            raise MailTooLarge(limit)

    def _send_envelope(self, envelope: Envelope, content: bytes) -> None:
        commands = (
            (Stage.SENDER, write_sender(envelope, content=content, features=self.esmtp_features)),
            (Stage.RECIPIENT, write_recipient(envelope, features=self.esmtp_features)),
            (Stage.CONTENT, b"DATA\r\n"),
        )
        if self.has_extn("pipelining"):
            self._send_together(commands)
            return
        for stage, command in commands:
            self.send(command)
            self._require(stage, self._read())

    def _send_together(self, commands: tuple[tuple[Stage, bytes], ...]) -> None:
        """Send all commands at once and read one answer for each (RFC 2920)."""
        self.send(b"".join(command for _, command in commands))
        replies = [self._read() for _ in commands]
        sender, recipient, data = replies
        if data.code == 354 and sender.is_success and recipient.code >= 400:
            # It waits for a mail that has no recipient: end it, and it reaches nobody.
            self.send(b".\r\n")
            self._read()
        elif data.code == 354 and not (sender.is_success and recipient.is_success):
            # A dot might deliver an empty mail.
            self._is_out_of_step = True
        for (stage, _), reply in zip(commands, replies, strict=True):
            self._require(stage, reply)

    def _require(self, stage: Stage, reply: Reply) -> None:
        if reply.code >= 400:
            raise ServerRefused(stage, reply)
        if (reply.code == 354) != (stage is Stage.CONTENT) or (stage is not Stage.CONTENT and not reply.is_success):
            raise _NonsenseReply

    @contextmanager
    def _phase(self, seconds: float, *, after_dot: bool = False) -> Iterator[None]:
        deadline = Deadline(seconds=seconds)
        try:
            with deadline:
                deadline.watch(self)
                yield
        except ssl.SSLError as error:
            if isinstance(error, ssl.SSLCertVerificationError):
                raise ServerUnusable(describe_certificate(error, setting=self._server.setting)) from error
            raise ConnectionLost(self._explain(error, deadline), after_dot=after_dot) from error
        except (OSError, smtplib.SMTPServerDisconnected, _NonsenseReply) as error:
            raise ConnectionLost(self._explain(error, deadline), after_dot=after_dot) from error
        except DeadlineUnavailable as error:
            # The phase did not begin, so the final dot was not written.
            raise ConnectionLost(error.message, after_dot=False) from error

    def _explain(self, error: Exception, deadline: Deadline) -> str:
        if deadline.has_passed:
            return Message("no full answer within %(seconds)s seconds", seconds=f"{deadline.seconds:g}")
        if isinstance(error, _NonsenseReply):
            return Message("it did not answer as a mail server does")
        if isinstance(error, smtplib.SMTPServerDisconnected):
            return Message("it closed the connection")
        if isinstance(error, ssl.SSLError):
            return Message("a secure connection could not be made (TLS); check the port")
        return describe_error(error)


@lru_cache(maxsize=1)
def _find_own_name() -> str:
    name = socket.getfqdn()
    return name if "." in name and name.isascii() and not name.startswith("localhost") else ""


def _format_literal(connected: socket.socket) -> str:
    address = str(connected.getsockname()[0])
    return f"[IPv6:{address}]" if ":" in address else f"[{address}]"
