"""A mail server on loopback that accepts mails by SMTP, misbehaves on demand, and records all commands."""

import base64
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTPUTF8
from pathlib import Path

from tests.support.socket_server import SocketServer, serve

EXTENSIONS = ("PIPELINING", "SIZE 20000000", "8BITMIME", "SMTPUTF8", "DSN", "ENHANCEDSTATUSCODES")
USER, PASSWORD = "charity", "very-s3cret"
_PATIENCE = 8.0


class Ended(Exception):
    """The server ends the connection."""


@dataclass(frozen=True)
class TakenMail:
    """A mail that the server confirmed, or took without a word. ``content`` is as it was before its dots were doubled."""

    sender: str
    recipient: str
    content: bytes

    @property
    def message(self) -> EmailMessage:
        parsed = message_from_bytes(self.content, policy=SMTPUTF8)
        assert isinstance(parsed, EmailMessage)
        return parsed


Fault = Callable[["Session"], bytes | None]
"""What the server does instead of its usual answer to a command: return an answer, or None after doing something else."""


@dataclass
class MailServer:
    """``faults`` has what to do for a command (``RCPT``) or a line that begins so (``RCPT TO:<ana@example.com>``).

    Besides commands there are ``CONNECT``, ``BODY`` (while the mail comes) and ``END`` (after its dot).
    """

    port: int
    certificate: Path | None = None
    is_tls: bool = False
    extensions: Sequence[str] = EXTENSIONS
    faults: dict[str, Fault] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    writes: list[int] = field(default_factory=list)
    mails: list[TakenMail] = field(default_factory=list)
    connections: int = 0
    closing: threading.Event = field(default_factory=threading.Event)

    def find_fault(self, line: str) -> Fault | None:
        return next((fault for begin, fault in self.faults.items() if line.upper().startswith(begin.upper())), None)

    def count(self, command: str) -> int:
        return sum(line.startswith(command) for line in self.lines)

    def recipients(self) -> list[str]:
        return [mail.recipient for mail in self.mails]


class Session:
    """One connection."""

    def __init__(self, server: MailServer, connection: socket.socket) -> None:
        self.server = server
        self.socket = connection
        self._unread = b""
        self.is_encrypted = False
        self.sender = self.recipient = ""

    def run(self) -> None:
        server = self.server
        server.connections += 1
        self.socket.settimeout(_PATIENCE)
        try:
            if server.is_tls:
                self.encrypt()
            self.reply("CONNECT", b"220 mail.example.net ESMTP")
            while line := self.read_line():
                text = line.decode("utf-8", "replace").rstrip("\r\n")
                server.lines.append(text)
                self.answer(text)
        except Ended:
            return

    def answer(self, text: str) -> None:
        command = text[:4].upper()
        if command == "EHLO":
            self.reply(text, self.greet())
        elif command == "STAR":
            self.reply(text, b"220 go ahead")
            self.encrypt()
        elif command == "AUTH":
            self.reply(text, self.sign_in(text))
        elif command == "MAIL":
            self.sender = text.partition("<")[2].partition(">")[0]
            self.reply(text, b"250 2.1.0 ok")
        elif command == "RCPT":
            # Like a careless server, it does not mind that the sender was refused.
            self.recipient = text.partition("<")[2].partition(">")[0]
            if (said := self.reply(text, b"250 2.1.5 ok")) and said[:1] != b"2":
                self.recipient = ""
        elif command == "DATA":
            self.take_mail(text)
        elif command == "QUIT":
            self.reply(text, b"221 2.0.0 bye")
            raise Ended
        else:
            self.reply(text, b"250 2.0.0 ok")

    def greet(self) -> bytes:
        offered = list(self.server.extensions)
        if self.server.certificate and not self.is_encrypted:
            offered.append("STARTTLS")
        else:
            offered.append("AUTH PLAIN LOGIN")
        return b"\r\n".join(
            f"250{'-' if number < len(offered) else ' '}{text}".encode()
            for number, text in enumerate(["mail.example.net", *offered])
        )

    def sign_in(self, text: str) -> bytes:
        wanted = base64.b64encode(f"\0{USER}\0{PASSWORD}".encode()).decode()
        return b"235 2.7.0 ok" if text == f"AUTH PLAIN {wanted}" else b"535 5.7.8 Error: authentication failed"

    def take_mail(self, text: str) -> None:
        usual = b"354 go ahead" if self.recipient else b"554 5.5.1 Error: no valid recipients"
        if self.reply(text, usual)[:3] != b"354":
            return
        if fault := self.server.find_fault("BODY"):
            fault(self)
        content = b""
        while (line := self.read_line()) != b".\r\n":
            if not line:
                raise Ended
            content += line[1:] if line.startswith(b".") else line
        self.server.lines.append(".")
        fault = self.server.find_fault("END")
        if self.recipient:
            self.server.mails.append(TakenMail(self.sender, self.recipient, content))
        said = fault(self) if fault else b"250 2.0.0 Ok: queued as 4XyZ"
        if self.recipient and said and said[:1] in (b"4", b"5"):
            self.server.mails.pop()
        if said is not None:
            self.socket.sendall(said + b"\r\n")

    def reply(self, line: str, usual: bytes) -> bytes:
        fault = self.server.find_fault(line)
        said = fault(self) if fault else usual
        if said is not None:
            self.socket.sendall(said + b"\r\n")
        return said or b""

    def encrypt(self) -> None:
        assert self.server.certificate is not None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.server.certificate)
        try:
            self.socket = context.wrap_socket(self.socket, server_side=True)
        except (OSError, ValueError) as error:
            raise Ended from error
        self.is_encrypted = True
        self._unread = b""

    def read_line(self) -> bytes:
        while b"\n" not in self._unread:
            try:
                piece = self.socket.recv(65536)
            except OSError:
                piece = b""
            if not piece:
                return b""
            self.server.writes.append(len(piece))
            self._unread += piece
        line, _, self._unread = self._unread.partition(b"\n")
        return line + b"\n"


def say(text: str) -> Fault:
    """Answer this."""
    return lambda session: text.encode()


def close(session: Session) -> None:
    """Close the connection without a word."""
    session.socket.shutdown(socket.SHUT_RDWR)
    raise Ended


def hang(session: Session) -> None:
    """Say nothing until the server stops."""
    session.server.closing.wait(_PATIENCE)
    raise Ended


def drip(session: Session) -> None:
    """Send one digit every tenth of a second."""
    while not session.server.closing.wait(0.1):
        session.socket.sendall(b"2")


def once(fault: Fault, *, after: int = 0) -> Fault:
    """Return a fault that happens once, after so many usual answers. The usual answer is the one to MAIL."""
    seen = iter(range(10_000))

    def act(session: Session) -> bytes | None:
        return fault(session) if next(seen) == after else b"250 2.0.0 ok"

    return act


@contextmanager
def serve_mail(
    *, certificate: Path | None = None, is_tls: bool = False, extensions: Sequence[str] = EXTENSIONS
) -> Iterator[MailServer]:
    """Run a mail server on loopback."""
    found: list[MailServer] = []

    def behave(server: SocketServer, connection: socket.socket) -> None:
        session = Session(found[0], connection)
        try:
            session.run()
        finally:
            session.socket.close()

    with serve(behave) as listener:
        port = int(listener.url.rpartition(":")[2])
        found.append(MailServer(port, certificate, is_tls, extensions))
        try:
            yield found[0]
        finally:
            found[0].closing.set()
