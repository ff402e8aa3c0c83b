"""Make one HTTP attempt with a hard deadline, and find out if the request was written completely.

At the deadline the socket is shut down: socket time-outs alone do not end a call whose peer sends one byte a second.

It must not retry, follow redirects, read proxy settings, or know any provider.
"""

import socket
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from http import HTTPStatus
from http.client import HTTPException
from http.cookiejar import DefaultCookiePolicy
from typing import cast
from weakref import WeakSet

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

from newsletter.common.errors import list_causes
from newsletter.common.messages import Message
from newsletter.providers.base.contract import HttpRequest, ProviderResponse
from newsletter.providers.base.deadline import Deadline, DeadlineUnavailable, find_seconds_left, watch_connection
from newsletter.providers.base.errors import OutcomeUnknown, RequestNotSent

IDLE_SECONDS = 15.0
MAX_RESPONSE_BYTES = 10 * 1024 * 1024
_CHUNK = 64 * 1024
_PIECE = 512 * 1024
_USER_AGENT = "newsletter/1 (self-hosted newsletter)"


class Transport:
    """An HTTP caller that threads may share: each has its own session. ``close`` it when done."""

    def __init__(self, *, idle_seconds: float = IDLE_SECONDS, max_response_bytes: int = MAX_RESPONSE_BYTES) -> None:
        self._idle_seconds = idle_seconds
        self._max_response_bytes = max_response_bytes
        self._thread_local = threading.local()
        self._lock = threading.Lock()
        self._sessions: WeakSet[requests.Session] = WeakSet()

    def call(self, request: HttpRequest) -> ProviderResponse:
        """Send ``request`` once and return the answer, of any status.

        Raise RequestNotSent if the last byte was never written to the network, OutcomeUnknown if it was but no status
        came back. The whole call takes at most the sum of the request's two time-outs.
        """
        try:
            return self._call(request)
        except DeadlineUnavailable as error:
            raise RequestNotSent(
                "The provider could not be reached, so nothing was sent: %(why)s.", why=error.message
            ) from error

    def close(self) -> None:
        """Close every thread's connections. The transport may be used again afterwards."""
        with self._lock:
            sessions = list(self._sessions)
            self._sessions.clear()
        for session in sessions:
            session.close()

    def _call(self, request: HttpRequest) -> ProviderResponse:
        body = CountingBody(request.body)
        session = self._session()
        deadline = Deadline(seconds=sum(request.timeout))
        with deadline:
            try:
                response = session.request(
                    request.method,
                    request.url,
                    headers={"User-Agent": _USER_AGENT, "Accept-Encoding": "identity", **request.headers},
                    data=cast("Iterable[bytes]", body) if request.body else None,
                    auth=request.auth,
                    timeout=request.timeout,
                    allow_redirects=False,
                    stream=True,
                )
            except (requests.RequestException, OSError, ValueError) as error:
                self._discard(session)
                why = (
                    Message("no full answer within %(seconds)s seconds", seconds=f"{deadline.seconds:g}")
                    if deadline.has_passed
                    else describe_error(error)
                )
                if request.body and body.is_fully_written:
                    raise OutcomeUnknown(
                        "The request was sent, but the provider’s answer is not known: %(why)s.", why=why
                    ) from error
                if body.has_begun:
                    raise RequestNotSent(
                        "The request could not be sent completely, so nothing was sent: %(why)s.", why=why
                    ) from error
                raise RequestNotSent(
                    "The provider could not be reached, so nothing was sent: %(why)s.", why=why
                ) from error
            answer = self._read(response)
        if deadline.has_passed:
            answer = replace(answer, complete=False)
        if answer.complete and answer.status != HTTPStatus.MISDIRECTED_REQUEST:
            self._thread_local.used_at = time.monotonic()
        else:
            self._discard(session)
        return answer

    def _read(self, response: requests.Response) -> ProviderResponse:
        chunks: list[bytes] = []
        size, complete = 0, True
        try:
            for chunk in response.iter_content(_CHUNK):
                chunks.append(chunk)
                size += len(chunk)
                if size > self._max_response_bytes:
                    complete = False
                    break
        except (requests.RequestException, OSError, ValueError):
            complete = False
        finally:
            response.close()
        headers = {name.lower(): value for name, value in response.headers.items()}
        return ProviderResponse(response.status_code, headers, b"".join(chunks)[: self._max_response_bytes], complete)

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._thread_local, "session", None)
        if session is not None and session in self._sessions:
            if time.monotonic() - self._thread_local.used_at <= self._idle_seconds:
                return session
            self._discard(session)
        session = requests.Session()
        session.trust_env = False
        session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        for scheme in ("http://", "https://"):
            session.mount(scheme, _WatchedAdapter(max_retries=0, pool_connections=1, pool_maxsize=1))
        with self._lock:
            self._sessions.add(session)
        self._thread_local.session, self._thread_local.used_at = session, time.monotonic()
        return session

    def _discard(self, session: requests.Session) -> None:
        with self._lock:
            self._sessions.discard(session)
        session.close()


class CountingBody:
    """A request body that knows if its last byte was written to the network.

    The HTTP client asks for a piece only after it has written the one before. If it asks again after the last piece,
    that one was written.

    Pieces are large: after each, a thread may wait for Python's lock. The time-out of a write must be that of the whole
    call, so that a slow line has time for a piece.
    """

    def __init__(self, content: bytes) -> None:
        self._content = memoryview(content)
        self._position = 0
        self.is_fully_written = False

    @property
    def has_begun(self) -> bool:
        return self._position > 0

    def __len__(self) -> int:
        return len(self._content)

    def __iter__(self) -> Iterator[bytes | memoryview]:
        while piece := self.read(_CHUNK):
            yield piece

    def read(self, size: int = -1) -> bytes | memoryview:
        if self._position >= len(self._content):
            self.is_fully_written = True
            return b""
        end = len(self._content) if size < 0 else self._position + max(size, _PIECE)
        piece = self._content[self._position : end]
        self._position += len(piece)
        return piece


def describe_error(error: Exception) -> str:
    """Return the cause of a failed call, without memory or email addresses."""
    causes = list(list_causes(error))

    def is_caused_by(*kinds: type[BaseException]) -> bool:
        return any(isinstance(cause, kinds) for cause in causes)

    if isinstance(error, requests.exceptions.SSLError):
        return Message(
            "a secure connection could not be made (TLS); check the provider’s address and this machine’s clock"
        )
    if is_caused_by(socket.gaierror):
        return Message("its name could not be found (DNS); check the spelling and this machine’s network")
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return Message("it did not accept the connection in time")
    if is_caused_by(ConnectionRefusedError):
        return Message("it refused the connection")
    if is_caused_by(requests.exceptions.ReadTimeout, TimeoutError):
        return Message("it did not answer in time")
    if is_caused_by(ConnectionError):
        return Message("it closed the connection without an answer")
    if is_caused_by(HTTPException):
        return Message("it did not answer as HTTP")
    return Message("the connection failed (%(name)s)", name=type(error).__name__)


class _WatchedConnection(HTTPConnection):
    """A connection that the deadline of its thread's call can shut down. Writing a request may use all the time of the call."""

    def connect(self) -> None:
        watch_connection(self)
        super().connect()
        self._limit_writes_by_deadline()

    def putrequest(self, method: str, url: str, skip_host: bool = False, skip_accept_encoding: bool = False) -> None:
        watch_connection(self)
        self._limit_writes_by_deadline()
        super().putrequest(method, url, skip_host, skip_accept_encoding)

    def _limit_writes_by_deadline(self) -> None:
        """Replace the time-out for connecting, which urllib3 keeps until it has written the request."""
        seconds = find_seconds_left()
        if self.sock is not None and seconds is not None:
            self.sock.settimeout(seconds)


class _WatchedTlsConnection(_WatchedConnection, HTTPSConnection):
    """The same over TLS."""


class _WatchedPool(HTTPConnectionPool):
    ConnectionCls = _WatchedConnection


class _WatchedTlsPool(HTTPSConnectionPool):
    ConnectionCls = _WatchedTlsConnection


class _WatchedAdapter(HTTPAdapter):
    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **options: object) -> None:
        super().init_poolmanager(connections, maxsize, block, **options)
        self.poolmanager.pool_classes_by_scheme = {"http": _WatchedPool, "https": _WatchedTlsPool}
