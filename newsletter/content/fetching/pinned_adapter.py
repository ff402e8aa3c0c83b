"""An HTTP transport that connects only to addresses already checked, whatever the name says by then."""

import contextlib
import socket
import threading
from collections.abc import Sequence
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError
from urllib3.util.connection import create_connection

from newsletter.common.messages import Message


class PinnedConnection:
    """The one connection of a request: where it may lead, and the means to cut it from another thread."""

    def __init__(self, addresses: Sequence[str]) -> None:
        self._addresses = tuple(addresses)
        self._lock = threading.Lock()
        self._handle: socket.socket | None = None
        self._is_cut = False

    def connect(self, connection: HTTPConnection) -> socket.socket:
        """Dials the checked addresses in turn and keeps a second handle, since TLS takes the first away."""
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
            self._keep(sock.dup())
            return sock
        raise NewConnectionError(
            connection, Message("no address of %(host)s answered: %(failure)s", host=connection.host, failure=failure)
        )

    def _keep(self, handle: socket.socket) -> None:
        with self._lock:
            self._handle = handle
            if self._is_cut:
                self._shut()

    def cut(self) -> None:
        """Ends the connection, so that a read that is waiting returns at once."""
        with self._lock:
            self._is_cut = True
            self._shut()

    def close(self) -> None:
        """Lets go of the second handle."""
        with self._lock:
            if self._handle is not None:
                self._handle.close()
                self._handle = None

    def _shut(self) -> None:
        if self._handle is not None:
            with contextlib.suppress(OSError):
                self._handle.shutdown(socket.SHUT_RDWR)


class PinnedAdapter(HTTPAdapter):
    """A requests adapter without retries or proxies whose every connection goes down one ``PinnedConnection``."""

    def __init__(self, line: PinnedConnection) -> None:
        self._line = line
        super().__init__(max_retries=0, pool_connections=1, pool_maxsize=1)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Builds the pools of requests, with our connections in them."""
        super().init_poolmanager(*args, **kwargs)
        line = self._line

        class PinnedHTTP(HTTPConnection):
            def _new_conn(self) -> socket.socket:
                return line.connect(self)

        class PinnedHTTPS(HTTPSConnection):
            def _new_conn(self) -> socket.socket:
                return line.connect(self)

        class HTTPPool(HTTPConnectionPool):
            ConnectionCls = PinnedHTTP

        class HTTPSPool(HTTPSConnectionPool):
            ConnectionCls = PinnedHTTPS

        self.poolmanager.pool_classes_by_scheme = {"http": HTTPPool, "https": HTTPSPool}
