"""Keep open connections to one mail server, so that a batch need not connect and sign in again.

A thread takes a connection for itself and puts it back, so there are as many as threads that send at the same time.
"""

import ssl
import threading
import time

from newsletter.providers.smtp.account import MailServer
from newsletter.providers.smtp.connection import PhaseSeconds, SmtpConnection

IDLE_SECONDS = 30.0
MAX_MAILS = 100


class ConnectionPool:
    """The connections that no thread uses now, the last used at the end."""

    def __init__(self, server: MailServer, *, seconds: PhaseSeconds) -> None:
        self._server, self._seconds = server, seconds
        self._context = ssl.create_default_context()
        self._lock = threading.Lock()
        self._idle: list[tuple[SmtpConnection, float]] = []

    def take(self) -> SmtpConnection:
        """Return a connection that is open, kept from before or new. Raise what ``SmtpConnection.open`` raises."""
        while (idle := self._pop()) is not None:
            connection, used_at = idle
            if time.monotonic() - used_at <= IDLE_SECONDS and not connection.has_unread_input():
                return connection
            connection.quit_and_close()
        return self.connect()

    def connect(self) -> SmtpConnection:
        """Return a new connection that is open. Raise what ``SmtpConnection.open`` raises."""
        connection = SmtpConnection(self._server, context=self._context, seconds=self._seconds)
        connection.open()
        return connection

    def put_back(self, connection: SmtpConnection) -> None:
        """Keep a connection that can take another mail. Servers limit the mails of a connection, so some are closed."""
        if connection.sent >= MAX_MAILS:
            connection.quit_and_close()
            return
        with self._lock:
            self._idle.append((connection, time.monotonic()))

    def close(self) -> None:
        """Close the connections that no thread uses."""
        while (idle := self._pop()) is not None:
            idle[0].quit_and_close()

    def _pop(self) -> tuple[SmtpConnection, float] | None:
        with self._lock:
            return self._idle.pop() if self._idle else None
