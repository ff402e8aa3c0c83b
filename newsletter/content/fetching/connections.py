"""Connections that lead only to addresses already checked, and to each host only one at a time."""

import contextlib
import logging
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from weakref import WeakValueDictionary

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError
from urllib3.util.connection import create_connection

from newsletter.common.messages import Message

# Its debug lines contain complete addresses, and some interfaces have their key in the address.
logging.getLogger("urllib3.connectionpool").setLevel(logging.INFO)


class PinnedConnection:
    """The one connection of a request, to one of ``addresses``. Another thread may end it."""

    def __init__(self, addresses: Sequence[str]) -> None:
        self._addresses = tuple(addresses)
        self._lock = threading.Lock()
        self._handle: socket.socket | None = None
        self._is_shut = False

    def connect(self, connection: HTTPConnection) -> socket.socket:
        """Connect to the first address that answers. Keep a second handle, because TLS takes the first one over."""
        failure: OSError | None = None
        for address in self._addresses:
            try:
                sock = create_connection(
                    (address, connection.port), connection.timeout, socket_options=connection.socket_options
                )
            except TimeoutError as error:
                raise ConnectTimeoutError(connection, Message("%(address)s did not answer", address=address)) from error
            except OSError as error:
                failure = error
                continue
            self.close()
            with self._lock:
                self._handle = sock.dup()
                if self._is_shut:
                    self._shut_handle()
            return sock
        raise NewConnectionError(
            connection, Message("no address of %(host)s answered: %(failure)s", host=connection.host, failure=failure)
        )

    def shut(self) -> None:
        """End the connection, so that a read that is waiting returns at once."""
        with self._lock:
            self._is_shut = True
            self._shut_handle()

    def close(self) -> None:
        """Close the second handle."""
        with self._lock:
            if self._handle is not None:
                self._handle.close()
                self._handle = None

    def _shut_handle(self) -> None:
        if self._handle is not None:
            with contextlib.suppress(OSError):
                self._handle.shutdown(socket.SHUT_RDWR)


class PinnedAdapter(HTTPAdapter):
    """A requests adapter without retries or proxies that uses one ``PinnedConnection``."""

    def __init__(self, pinned: PinnedConnection) -> None:
        self._pinned = pinned
        super().__init__(max_retries=0, pool_connections=1, pool_maxsize=1)

    def init_poolmanager(self, *args: object, **kwargs: object) -> None:
        """Make the connection pools of requests with the pinned connection in them."""
        super().init_poolmanager(*args, **kwargs)  # type: ignore[arg-type]
        pinned = self._pinned

        class PinnedHTTP(HTTPConnection):
            def _new_conn(self) -> socket.socket:
                return pinned.connect(self)

        class PinnedHTTPS(HTTPSConnection):
            def _new_conn(self) -> socket.socket:
                return pinned.connect(self)

        class HTTPPool(HTTPConnectionPool):
            ConnectionCls = PinnedHTTP

        class HTTPSPool(HTTPSConnectionPool):
            ConnectionCls = PinnedHTTPS

        self.poolmanager.pool_classes_by_scheme = {"http": HTTPPool, "https": HTTPSPool}


class _HostLock:
    """A lock that a weak reference can point to."""

    def __init__(self) -> None:
        self.lock = threading.Lock()


_host_locks: "WeakValueDictionary[str, _HostLock]" = WeakValueDictionary()
_guard = threading.Lock()


@contextmanager
def host_lock(host: str, *, timeout: float) -> Iterator[bool]:
    """Acquire the lock of a host, so that no host gets two requests at once. Yield False after ``timeout`` seconds."""
    with _guard:
        held = _host_locks.setdefault(host, _HostLock())
    acquired = held.lock.acquire(timeout=max(timeout, 0.0))
    try:
        yield acquired
    finally:
        if acquired:
            held.lock.release()
