"""Post documents to one address outside, guarded like the fetcher. The answer's body is not used."""

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import requests
from requests.exceptions import RequestException
from urllib3.exceptions import HTTPError

from newsletter.content.fetching.connections import PinnedAdapter, PinnedConnection
from newsletter.content.fetching.errors import FetchError, Refused
from newsletter.content.fetching.fetcher import Resolve, resolve_host
from newsletter.content.fetching.responses import parse_retry_after, to_fetch_error
from newsletter.content.fetching.url_guard import WEB_PORTS, AllowList, check_addresses, check_url

CONNECT_SECONDS, ANSWER_SECONDS, TOTAL_SECONDS = 5.0, 10.0, 15.0
MAX_ANSWER_BYTES = 65_536
_WATCH_SECONDS = 0.5


@dataclass(frozen=True)
class Posted:
    """One answer: its status, the seconds to wait that it named, and how long it took."""

    status: int
    retry_after: int | None
    milliseconds: int


def check_post_address(url: str, *, allow: Sequence[str] = (), resolve: Resolve = resolve_host) -> list[str]:
    """Return the network addresses of a URL that may be posted to. Raises a FetchError.

    Plain http is only for a host that ``allow`` names, because the posted data may name people.
    """
    prepare_post(url)
    parts, exempt = check_url(url), AllowList.parse(allow)
    host, port = (parts.hostname or "").rstrip("."), parts.port or WEB_PORTS[parts.scheme]
    addresses = list(resolve(host, port))
    check_addresses(scheme=parts.scheme, host=host, port=port, addresses=addresses, allow=exempt)
    if parts.scheme == "http" and not exempt.names_all(host=host, port=port, addresses=addresses):
        raise Refused("“%(host)s” has no secure connection. Use an address that begins with https://.", host=host)
    return addresses


def prepare_post(
    url: str, *, data: Mapping[str, str] | bytes | None = None, headers: Mapping[str, str] | None = None
) -> requests.PreparedRequest:
    """Return the request. Raises Refused if the URL is not a web address."""
    check_url(url)
    try:
        return requests.Request("POST", url, data=data, headers=dict(headers or {})).prepare()
    except RequestException as error:
        raise Refused("“%(url)s” is not a web address. Copy the address from your browser.", url=url[:200]) from error


class _Watch:
    """Ends a connection whose answer takes too long, however slowly its bytes drip. One thread for all posts of a poster."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._watched: tuple[PinnedConnection, float] | None = None
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="post-watch", daemon=True)
        self._thread.start()

    def begin(self, connection: PinnedConnection, deadline: float) -> None:
        self._watched = (connection, deadline)

    def end(self) -> None:
        self._watched = None

    def stop(self) -> None:
        with self._changed:
            self._stopped = True
            self._changed.notify()

    def _run(self) -> None:
        with self._changed:
            while not self._stopped:
                self._changed.wait(_WATCH_SECONDS)
                if (watched := self._watched) is not None and time.monotonic() >= watched[1]:
                    watched[0].shut()


class Poster:
    """Post to one URL over one connection that is kept open. Each thread needs its own poster."""

    def __init__(self, url: str, *, allow: Sequence[str] = (), resolve: Resolve = resolve_host) -> None:
        self._url, self._allow, self._resolve = url, allow, resolve
        self._host = check_url(url).hostname or ""
        self._connection: PinnedConnection | None = None
        self._adapter: PinnedAdapter | None = None
        self._prepared = prepare_post(url)
        self._watch = _Watch()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
        self._watch.stop()

    def post(self, body: bytes, *, headers: Mapping[str, str]) -> Posted:
        """Return the answer with any status. Redirects are not followed. Raises a FetchError."""
        started = time.monotonic()
        deadline = started + TOTAL_SECONDS
        connection, adapter = self._connect()
        self._watch.begin(connection, deadline)
        try:
            status, retry_after = self._send(adapter, body, headers)
            if time.monotonic() >= deadline:  # an answer that was cut off reads like one without further headers
                raise TimeoutError
        except FetchError:
            self.close()
            raise
        except (HTTPError, RequestException, OSError) as error:
            self.close()
            raise to_fetch_error(error, host=self._host, late=time.monotonic() >= deadline) from error
        finally:
            self._watch.end()
        return Posted(status, retry_after, round((time.monotonic() - started) * 1000))

    def close(self) -> None:
        """End the connection. The next post opens another."""
        if self._adapter is not None:
            self._adapter.close()
        if self._connection is not None:
            self._connection.close()
        self._adapter = self._connection = None

    def _connect(self) -> tuple[PinnedConnection, PinnedAdapter]:
        if self._connection is None or self._adapter is None:
            self._connection = PinnedConnection(check_post_address(self._url, allow=self._allow, resolve=self._resolve))
            self._adapter = PinnedAdapter(self._connection)
        return self._connection, self._adapter

    def _send(self, adapter: PinnedAdapter, body: bytes, headers: Mapping[str, str]) -> tuple[int, int | None]:
        prepared = self._prepared.copy()
        prepared.headers.update(headers)
        prepared.prepare_body(body, files=None)
        response = adapter.send(prepared, stream=True, timeout=(CONNECT_SECONDS, ANSWER_SECONDS), verify=True)
        with response:
            status = response.status_code, parse_retry_after(response.headers.get("Retry-After", ""))
            try:
                response.raw.read(MAX_ANSWER_BYTES, decode_content=False)
                ended = not response.raw.read(1, decode_content=False)
            except (HTTPError, OSError):
                ended = False
        if not ended:
            self.close()
        return status
