"""Read one mailbox by IMAP: new messages by their UID, and moving them to folders. A server that hangs is given up.

Nothing here decides about the content of a message.
"""

import re
import ssl
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from socket import SHUT_RDWR

from imapclient import IMAPClient, SocketTimeout
from imapclient.exceptions import IMAPClientAbortError, IMAPClientError, LoginError

from newsletter.common.errors import list_causes
from newsletter.common.messages import Message
from newsletter.content.parsing.mails.mail_headers import RECIPIENT_FIELDS
from newsletter.inbound.errors import MailboxUnavailable, ServerFailed, SignInRefused
from newsletter.inbound.settings import Mailbox, Security

MAX_BYTES = 1024 * 1024
"""The bytes of a message that are read. A reply's text comes first; what follows are attachments."""
CONNECT_SECONDS, READ_SECONDS = 10.0, 20.0
TOTAL_SECONDS = 50.0
"""How long one reading may take: a mailbox is read once a minute."""
_PART = f"BODY.PEEK[]<0.{MAX_BYTES}>"
_ANSWER = b"BODY[]<0>"
MAX_RECIPIENT_BYTES = 8192
"""The bytes of a message's recipient fields that are read before the message itself."""
_RECIPIENT_FIELDS = " ".join(name.upper() for name in RECIPIENT_FIELDS)
_RECIPIENTS = f"BODY.PEEK[HEADER.FIELDS ({_RECIPIENT_FIELDS})]<0.{MAX_RECIPIENT_BYTES}>"
_RECIPIENTS_ANSWER = b"BODY[HEADER.FIELDS"
_DELETED = b"\\Deleted"
_ERROR_NUMBER = re.compile(r"\[Errno -?\d+\] ")


@dataclass(frozen=True)
class FetchedMessage:
    """The beginning of a message. ``cut``: it is longer."""

    uid: int
    body: bytes
    cut: bool


class OpenMailbox:
    """A selected folder. Every method raises MailboxUnavailable."""

    def __init__(self, client: IMAPClient, mailbox: Mailbox, deadline: "_Deadline", *, uid_validity: int) -> None:
        self.uid_validity = uid_validity
        self._client, self._mailbox, self._deadline = client, mailbox, deadline
        self._known_folders: set[str] = set()

    @contextmanager
    def limit_time(self, seconds: float) -> Iterator[None]:
        """Close the connection and raise ServerFailed if the block takes longer: the mailbox has to be opened again."""
        deadline = _Deadline(seconds)
        deadline.watch(self._client)
        with _explain_errors(self._mailbox, deadline):
            try:
                yield
            finally:
                deadline.cancel()
            if deadline.passed:
                raise TimeoutError

    def list_uids(self) -> list[int]:
        """Return the UIDs of all messages that are not marked as deleted, the oldest first."""
        with _explain_errors(self._mailbox, self._deadline):
            return sorted(self._client.search(["UNDELETED"]))

    def read_recipient_fields(self, uids: Sequence[int]) -> Mapping[int, bytes]:
        """Return the header fields that name the recipients of these messages, without those that are gone."""
        with _explain_errors(self._mailbox, self._deadline):
            messages = self._client.fetch(uids, [_RECIPIENTS]) if uids else {}
        return {
            uid: value[:MAX_RECIPIENT_BYTES]
            for uid, parts in messages.items()
            for name, value in parts.items()
            if name.upper().startswith(_RECIPIENTS_ANSWER) and isinstance(value, bytes)
        }

    def fetch(self, uid: int) -> FetchedMessage | None:
        """Return the beginning of a message, or None if it is gone."""
        with _explain_errors(self._mailbox, self._deadline):
            message = self._client.fetch([uid], [_PART, "RFC822.SIZE"]).get(uid, {})
        if not isinstance(message.get(_ANSWER), bytes):
            return None
        return FetchedMessage(uid, message[_ANSWER], cut=int(message.get(b"RFC822.SIZE", 0)) > MAX_BYTES)

    def move(self, uids: Sequence[int], *, folder: str) -> None:
        """Move messages to a folder next to this one, which is made if it is missing."""
        if not uids:
            return
        with _explain_errors(self._mailbox, self._deadline):
            target = self._make_folder(folder)
            if self._client.has_capability("MOVE"):
                self._client.move(uids, target)
                return
            self._client.copy(uids, target)
            self._client.add_flags(uids, [_DELETED], silent=True)
            if self._client.has_capability("UIDPLUS"):
                self._client.uid_expunge(uids)

    def _make_folder(self, name: str) -> str:
        prefix = ""
        if self._client.has_capability("NAMESPACE") and (personal := self._client.namespace().personal):
            prefix = str(personal[0][0])
        folder = f"{prefix}{name}"
        if folder not in self._known_folders and not self._client.folder_exists(folder):
            self._client.create_folder(folder)
        self._known_folders.add(folder)
        return folder


@contextmanager
def open_mailbox(mailbox: Mailbox, *, seconds: float = TOTAL_SECONDS) -> Iterator[OpenMailbox]:
    """Connect, sign in and select the folder. Close the connection after this number of seconds. Raise MailboxUnavailable."""
    deadline = _Deadline(seconds)
    with _connect(mailbox, deadline, seconds=seconds) as client:
        with _explain_errors(mailbox, deadline):
            selected = client.select_folder(mailbox.folder)
        yield OpenMailbox(client, mailbox, deadline, uid_validity=int(selected.get(b"UIDVALIDITY", 0)))


@contextmanager
def sign_in(mailbox: Mailbox, *, seconds: float) -> Iterator[IMAPClient]:
    """Connect and sign in. Close the connection after this number of seconds. Raise MailboxUnavailable, also for later errors."""
    deadline = _Deadline(seconds)
    with _connect(mailbox, deadline, seconds=seconds) as client, _explain_errors(mailbox, deadline):
        yield client


@contextmanager
def _connect(mailbox: Mailbox, deadline: "_Deadline", *, seconds: float) -> Iterator[IMAPClient]:
    with _explain_errors(mailbox, deadline):
        client = IMAPClient(
            mailbox.host,
            mailbox.port,
            ssl=mailbox.security is Security.TLS,
            ssl_context=ssl.create_default_context() if mailbox.security is Security.TLS else None,
            timeout=SocketTimeout(connect=min(CONNECT_SECONDS, seconds), read=min(READ_SECONDS, seconds)),
        )
    deadline.watch(client)
    try:
        with _explain_errors(mailbox, deadline):
            if mailbox.security is Security.STARTTLS:
                client.starttls(ssl.create_default_context())
            client.login(mailbox.user, mailbox.password)
        yield client
    finally:
        with suppress(IMAPClientError, OSError):
            client.logout()
        with suppress(IMAPClientError, OSError):
            client.shutdown()
        deadline.cancel()


class _Deadline:
    """End a connection after this number of seconds, which ends every wait for the server."""

    def __init__(self, seconds: float) -> None:
        self.passed = False
        self._seconds = seconds
        self._timer: threading.Timer | None = None

    def watch(self, client: IMAPClient) -> None:
        self._timer = threading.Timer(self._seconds, self._end, args=[client])
        self._timer.daemon = True
        self._timer.start()

    def cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer.join()

    def _end(self, client: IMAPClient) -> None:
        self.passed = True
        with suppress(OSError):
            client.socket().shutdown(SHUT_RDWR)


@contextmanager
def _explain_errors(mailbox: Mailbox, deadline: _Deadline) -> Iterator[None]:
    try:
        yield
    except LoginError as error:
        if isinstance(error.__context__, IMAPClientAbortError) or "[UNAVAILABLE]" in str(error):
            raise _make_temporary_error(error, mailbox, deadline) from error
        raise SignInRefused(
            "The mailbox of %(mailbox)s refuses the user or the password, so no mail that comes in is read. Correct them in "
            "NEWSLETTER_INBOUND.",
            mailbox=mailbox.label,
        ) from error
    except ssl.SSLCertVerificationError as error:
        raise MailboxUnavailable(
            "The certificate of %(host)s is not valid (%(why)s), so the password was not sent. Use the name that is in the "
            "certificate, or renew it.",
            host=mailbox.host,
            why=error.verify_message,
        ) from error
    except (IMAPClientError, OSError) as error:
        raise _make_temporary_error(error, mailbox, deadline) from error


def _make_temporary_error(error: Exception, mailbox: Mailbox, deadline: _Deadline) -> ServerFailed:
    why = _name_error(error, mailbox, deadline)
    failed = ServerFailed(
        "The mailbox of %(mailbox)s cannot be read (%(why)s). Mail that came in stays there; it is tried again every minute. "
        "Check the mail server.",
        mailbox=mailbox.label,
        why=why,
    )
    failed.why = why
    return failed


def _name_error(error: Exception, mailbox: Mailbox, deadline: _Deadline) -> Message | str:
    if deadline.passed or any(isinstance(cause, TimeoutError) for cause in list_causes(error)):
        return Message("it does not answer in time")
    text = _ERROR_NUMBER.sub("", " ".join(str(error).split())).replace(mailbox.password, "…")[:160]
    return text or type(error).__name__
