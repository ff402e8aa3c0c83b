"""The one place that opens a URL from outside: guarded, limited, conditional. It parses nothing."""

import re
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from socket import SOCK_STREAM, gaierror, getaddrinfo
from urllib.parse import urldefrag, urljoin

import requests
from requests.exceptions import ConnectionError as BrokenConnection
from requests.exceptions import ConnectTimeout, InvalidURL, ReadTimeout, RequestException, SSLError
from urllib3.exceptions import HTTPError, ReadTimeoutError

from newsletter.common.messages import Message
from newsletter.content.fetching.errors import BadStatus, FetchError, Refused, TooLarge, TooSlow, Unreachable
from newsletter.content.fetching.host_locks import host_lock
from newsletter.content.fetching.pinned_adapter import PinnedAdapter, PinnedConnection
from newsletter.content.fetching.response_body import read_body
from newsletter.content.fetching.url_guard import AllowList, check_addresses, check_url, web_addresses

__all__ = [
    "CALENDAR",
    "FEED",
    "PAGE",
    "PICTURE",
    "BadStatus",
    "FetchError",
    "Fetched",
    "Fetcher",
    "Limits",
    "Refused",
    "TooLarge",
    "TooSlow",
    "Unreachable",
]

_MIB = 1024 * 1024
_MAX_REDIRECTS = 3
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MAX_RETRY_AFTER = 7 * 24 * 3600
_PORTS = {"http": 80, "https": 443}
_MAX_ERROR_BYTES = 65_536
_COMPRESSION_SUFFIX = re.compile(r'(?:[-;]+(?:gzip|gz|deflate|br))"$', re.IGNORECASE)

Resolve = Callable[[str, int], Sequence[str]]


@dataclass(frozen=True)
class Limits:
    """What one document may cost: bytes after decompression, seconds to connect, to the first byte, and in all."""

    max_bytes: int
    connect: float = 5.0
    first_byte: float = 10.0
    total: float = 20.0


FEED = Limits(max_bytes=10 * _MIB)
PAGE = Limits(max_bytes=5 * _MIB)
CALENDAR = Limits(max_bytes=10 * _MIB, total=30.0)
PICTURE = Limits(max_bytes=40 * _MIB)


@dataclass(frozen=True)
class Fetched:
    """One answer. ``url`` is where the document was in the end; ``body`` is decompressed, b"" when not modified."""

    url: str
    status: int
    body: bytes
    content_type: str
    etag: str
    last_modified: str
    not_modified: bool
    headers: dict[str, str]


def resolve_host(host: str, port: int) -> list[str]:
    """Every address of a host, in the system's order; Unreachable when it has none."""
    try:
        found = getaddrinfo(host, port, type=SOCK_STREAM)
    except (gaierror, UnicodeError) as error:
        raise Unreachable(
            "No web site is found at %(host)s. Check the spelling, or try again later.", host=host
        ) from error
    return list(dict.fromkeys(str(row[4][0]) for row in found))


class Fetcher:
    """Fetches documents from public addresses and from those that ``allow`` names. Threads may share one."""

    def __init__(
        self, *, allow: Sequence[str] = (), user_agent: str = "newsletter/1.0", resolve: Resolve = resolve_host
    ) -> None:
        self._allow = AllowList.parse(allow)
        self.user_agent = user_agent
        self._resolve = resolve

    def fetch(
        self, url: str, *, etag: str = "", last_modified: str = "", limits: Limits = FEED, accept: str = "*/*"
    ) -> Fetched:
        """One document. ``etag`` and ``last_modified`` are those of the copy we hold. Raises a FetchError.

        ``accept`` names the media types that are asked for. A ``webcal:`` address is tried over https, then over http.
        """
        *first, last = web_addresses(url)
        for address in first:
            try:
                return self._fetch_following_redirects(
                    address, etag=etag, last_modified=last_modified, limits=limits, accept=accept
                )
            except (Unreachable, TooSlow):
                continue
        return self._fetch_following_redirects(
            last, etag=etag, last_modified=last_modified, limits=limits, accept=accept
        )

    def _fetch_following_redirects(
        self, url: str, *, etag: str, last_modified: str, limits: Limits, accept: str
    ) -> Fetched:
        deadline = time.monotonic() + limits.total
        headers = {"User-Agent": self.user_agent, "Accept": accept, "Accept-Encoding": "gzip, deflate"}
        if etag:
            headers["If-None-Match"] = _list_etag_forms(etag)
        if last_modified:
            headers["If-Modified-Since"] = last_modified
        here = urldefrag(url).url
        for _ in range(_MAX_REDIRECTS + 1):
            answer = self._request(here, headers, limits=limits, deadline=deadline)
            if isinstance(answer, Fetched):
                return answer
            answer = web_addresses(answer)[0]
            if here.lower().startswith("https:") and not answer.lower().startswith("https:"):
                raise Refused(
                    "%(here)s sends its readers from a secure address to one that is not. It is not read.",
                    here=_site(here),
                )
            here = answer
        raise Refused(
            "%(url)s sends its readers on more than %(most_redirects)s times. Use the final address.",
            url=_site(url),
            most_redirects=_MAX_REDIRECTS,
        )

    def _request(self, url: str, headers: dict[str, str], *, limits: Limits, deadline: float) -> "Fetched | str":
        """One request: the document, or the address that it has moved to. No host is asked twice at the same time."""
        parts = check_url(url)
        host, port = (parts.hostname or "").rstrip("."), parts.port or _PORTS[parts.scheme]
        addresses = self._resolve(host, port)
        check_addresses(scheme=parts.scheme, host=host, port=port, addresses=addresses, allow=self._allow)
        with host_lock(host, patience=deadline - time.monotonic()) as came:
            left = deadline - time.monotonic()
            if not came or left <= 0:
                raise TooSlow("%(host)s took too long to answer. It is tried again later.", host=host)
            return self._request_at(addresses, url, host, headers, limits=limits, deadline=deadline, left=left)

    def _request_at(
        self,
        addresses: Sequence[str],
        url: str,
        host: str,
        headers: dict[str, str],
        *,
        limits: Limits,
        deadline: float,
        left: float,
    ) -> "Fetched | str":
        line = PinnedConnection(addresses)
        timer = threading.Timer(left, line.cut)
        timer.daemon = True
        timer.start()
        try:
            with closing(PinnedAdapter(line)) as adapter:
                return self._send_request(adapter, url, host, headers, limits=limits, deadline=deadline)
        except (HTTPError, RequestException, OSError) as error:
            raise _to_fetch_error(error, host=host, late=time.monotonic() >= deadline) from error
        finally:
            timer.cancel()
            line.close()

    def _send_request(
        self,
        adapter: PinnedAdapter,
        url: str,
        host: str,
        headers: dict[str, str],
        *,
        limits: Limits,
        deadline: float,
    ) -> "Fetched | str":
        prepared = requests.Request("GET", url, headers=headers).prepare()
        # Straight through the adapter: a session would add cookies, proxies and log-ins, and read redirects itself.
        response = adapter.send(prepared, stream=True, timeout=(limits.connect, limits.first_byte), verify=True)
        with response:
            if response.status_code in _REDIRECTS:
                return _next_address(url, response.headers.get("Location", ""), host)
            conditional = "If-None-Match" in headers or "If-Modified-Since" in headers
            unchanged = response.status_code == 304 and conditional
            if not unchanged and not 200 <= response.status_code < 300:
                raise _make_bad_status(response, host, deadline=deadline)
            _check_length(response.headers.get("Content-Length", ""), limits.max_bytes, host)
            body = b""
            if not unchanged:
                body = read_body(
                    response.raw,
                    encoding=response.headers.get("Content-Encoding", ""),
                    max_bytes=limits.max_bytes,
                    deadline=deadline,
                    site=host,
                )
            if time.monotonic() >= deadline:
                raise TooSlow(
                    "%(host)s sent its answer too slowly, so it was given up. It is tried again later.", host=host
                )
            return Fetched(
                url=url,
                status=response.status_code,
                body=body,
                content_type=response.headers.get("Content-Type", ""),
                etag=response.headers.get("ETag", "")[:500],
                last_modified=response.headers.get("Last-Modified", "")[:100],
                not_modified=unchanged,
                headers={name.lower(): value for name, value in response.headers.items()},
            )


def _site(url: str) -> str:
    return url.split("//")[-1].split("/")[0][:200]


def _next_address(url: str, location: str, host: str) -> str:
    if not location:
        raise Unreachable("%(host)s says that the document has moved, but not where to.", host=host)
    try:
        return urldefrag(urljoin(url, location)).url
    except ValueError as error:
        raise Refused("%(host)s sends its readers to something that is not a web address.", host=host) from error


def _check_length(text: str, max_bytes: int, host: str) -> None:
    if text.isascii() and text.isdigit() and int(text[:18]) > max_bytes:
        raise TooLarge(
            "%(host)s sends more than %(value)s MB, the most that is read. Nothing was used.",
            host=host,
            value=max_bytes // _MIB or 1,
        )


def _list_etag_forms(etag: str) -> str:
    """The tag as it came, and as the server compares it: some add a mark of packing to it, and then do not know it again."""
    plain = _COMPRESSION_SUFFIX.sub('"', etag)
    return etag if plain == etag else f"{etag}, {plain}"


def _make_bad_status(response: requests.Response, host: str, *, deadline: float) -> BadStatus:
    status = response.status_code
    meaning = {
        401: Message("asks for a log-in. Use an address that anyone may read"),
        403: Message("refuses to show this address to us. Ask whoever runs the site to allow it"),
        404: Message("has nothing at this address. Check it, or remove the source"),
        410: Message("has removed this address for good. Remove the source"),
        429: Message("asks us to come less often. It is tried again later"),
    }.get(
        status,
        Message("has an error of its own. It is tried again later")
        if status >= 500
        else Message("did not give the document"),
    )
    retry_after = _parse_retry_after(response.headers.get("Retry-After", ""))
    said = _read_error_body(response, host, deadline=deadline)
    return BadStatus(
        Message("%(host)s %(meaning)s (status %(status)s).", host=host, meaning=meaning, status=status),
        status=status,
        retry_after=retry_after,
        body=said,
        challenged=response.headers.get("cf-mitigated", "") == "challenge",
    )


def _read_error_body(response: requests.Response, host: str, *, deadline: float) -> bytes:
    """What the site says beside an error, if it is JSON and short."""
    if "json" not in response.headers.get("Content-Type", "").lower():
        return b""
    encoding = response.headers.get("Content-Encoding", "")
    try:
        return read_body(response.raw, encoding=encoding, max_bytes=_MAX_ERROR_BYTES, deadline=deadline, site=host)
    except (FetchError, HTTPError, OSError):
        return b""


def _parse_retry_after(text: str) -> int | None:
    """A Retry-After header in seconds from now, never more than a week."""
    if text.strip().isascii() and text.strip().isdigit():
        return min(int(text.strip()[:9]), _MAX_RETRY_AFTER)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return min(max(0, int((aware - datetime.now(UTC)).total_seconds())), _MAX_RETRY_AFTER)


def _to_fetch_error(error: Exception, *, host: str, late: bool) -> FetchError:
    if late or isinstance(error, ConnectTimeout | ReadTimeout | ReadTimeoutError):
        return TooSlow(Message("%(host)s took too long to answer. It is tried again later.", host=host))
    if isinstance(error, SSLError):
        return Unreachable(
            Message(
                "%(host)s does not prove who it is: its certificate is not valid. Tell whoever runs the site.",
                host=host,
            )
        )
    if isinstance(error, InvalidURL):
        return Refused(
            Message(
                "“%(host)s” is not the name of a web site. Copy the address from the browser's address bar.", host=host
            )
        )
    if isinstance(error, BrokenConnection):
        return Unreachable(Message("No connection to %(host)s, or it broke off. It is tried again later.", host=host))
    return Unreachable(
        Message("The answer of %(host)s broke off or was not understood. It is tried again later.", host=host)
    )
