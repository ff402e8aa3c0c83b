"""The one place that requests a URL from outside, guarded, limited and conditional. It parses nothing."""

import re
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from socket import EAI_NODATA, EAI_NONAME, SOCK_STREAM, getaddrinfo
from urllib.parse import urldefrag, urljoin

import requests
from requests.exceptions import RequestException
from urllib3.exceptions import HTTPError

from newsletter.content.fetching.connections import PinnedAdapter, PinnedConnection, host_lock
from newsletter.content.fetching.credentials import Credential, check_is_private, get_origin
from newsletter.content.fetching.errors import HostNotFound, Refused, TooLarge, TooSlow, Unreachable
from newsletter.content.fetching.responses import MIB, make_bad_status, read_body, to_fetch_error
from newsletter.content.fetching.url_guard import WEB_PORTS, AllowList, check_addresses, check_url, web_addresses

_MAX_REDIRECTS = 3
_NO_SUCH_NAME = frozenset({EAI_NONAME, EAI_NODATA})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_COMPRESSION_SUFFIX = re.compile(r'(?:[-;]+(?:gzip|gz|deflate|br))"$', re.IGNORECASE)

_NO_CREDENTIAL = Credential()

Resolve = Callable[[str, int], Sequence[str]]


@dataclass(frozen=True)
class Limits:
    """Limits of one document: bytes after decompression; seconds to connect, to the first byte, and in all."""

    max_bytes: int
    connect: float = 5.0
    first_byte: float = 10.0
    total: float = 20.0


FEED = Limits(max_bytes=10 * MIB)
PAGE = Limits(max_bytes=5 * MIB)
CALENDAR = Limits(max_bytes=10 * MIB, total=30.0)
PICTURE = Limits(max_bytes=40 * MIB)


@dataclass(frozen=True)
class Fetched:
    """One answer. ``url`` is the final address; ``body`` is decompressed, or b"" if the document was not modified."""

    url: str
    status: int
    body: bytes
    content_type: str
    etag: str
    last_modified: str
    not_modified: bool
    headers: dict[str, str]


@dataclass(frozen=True)
class _Request:
    """A GET request for one address, with ``deadline`` by ``time.monotonic``. ``url`` is without the credential."""

    url: str
    host: str
    headers: dict[str, str]
    limits: Limits
    deadline: float
    credential: Credential


def resolve_host(host: str, port: int) -> list[str]:
    """Return every address of a host, in the system's order.

    Raises HostNotFound if DNS knows that it has none, and Unreachable if DNS gives no answer.
    """
    try:
        addresses = getaddrinfo(host, port, type=SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        # Not every OSError is a gaierror: the system may have no file left for the lookup.
        if isinstance(error, OSError) and error.errno not in _NO_SUCH_NAME:
            raise Unreachable(
                "%(host)s cannot be looked up in DNS at the moment. Check the spelling, or try again later.", host=host
            ) from error
        raise HostNotFound(
            "No web site is found at %(host)s. It is misspelled, or the site has closed or moved. Check the address.",
            host=host,
        ) from error
    return list(dict.fromkeys(str(row[4][0]) for row in addresses))


class Fetcher:
    """Fetch documents from public addresses and from those in ``allow``. Threads may share one fetcher."""

    user_agent = "newsletter/1.0"

    def __init__(self, *, allow: Sequence[str] = (), resolve: Resolve = resolve_host) -> None:
        self._allow = AllowList.parse(allow)
        self._resolve = resolve

    def fetch(
        self,
        url: str,
        *,
        etag: str = "",
        last_modified: str = "",
        limits: Limits = FEED,
        accept: str = "*/*",
        credential: Credential = _NO_CREDENTIAL,
    ) -> Fetched:
        """Return one document. Raises a FetchError.

        ``etag`` and ``last_modified`` are those of the copy we hold. ``accept`` names the media types to ask for.
        ``credential`` is sent to the site of ``url`` only, not where it redirects to.
        A ``webcal:`` address is tried over https, then over http.
        """
        headers = {"User-Agent": self.user_agent, "Accept": accept, "Accept-Encoding": "gzip, deflate"}
        if etag:
            headers["If-None-Match"] = _list_etag_forms(etag)
        if last_modified:
            headers["If-Modified-Since"] = last_modified
        *first, last = web_addresses(url)
        for address in first:
            try:
                return self._fetch_following_redirects(address, headers, limits, credential)
            except (Unreachable, TooSlow):
                continue
        return self._fetch_following_redirects(last, headers, limits, credential)

    def _fetch_following_redirects(
        self, url: str, headers: dict[str, str], limits: Limits, credential: Credential
    ) -> Fetched:
        deadline = time.monotonic() + limits.total
        here = urldefrag(url).url
        for hop in range(_MAX_REDIRECTS + 1):
            sent_credential = credential if hop == 0 or get_origin(here) == get_origin(url) else _NO_CREDENTIAL
            answer = self._request(here, headers, limits=limits, deadline=deadline, credential=sent_credential)
            if isinstance(answer, Fetched):
                return answer
            target = web_addresses(answer)[0]
            if here.lower().startswith("https:") and not target.lower().startswith("https:"):
                raise Refused(
                    "%(site)s redirects from a secure address (https) to one that is not, so it was not read.",
                    site=_site(here),
                )
            here = target
        raise Refused(
            "%(site)s redirects more than %(limit)s times. Use the final address.",
            site=_site(url),
            limit=_MAX_REDIRECTS,
        )

    def _request(
        self, url: str, headers: dict[str, str], *, limits: Limits, deadline: float, credential: Credential
    ) -> "Fetched | str":
        """Return the document, or the address that it has moved to. No host gets two requests at the same time."""
        parts = check_url(url)
        host, port = (parts.hostname or "").rstrip("."), parts.port or WEB_PORTS[parts.scheme]
        addresses = self._resolve(host, port)
        check_addresses(scheme=parts.scheme, host=host, port=port, addresses=addresses, allow=self._allow)
        if credential.headers or credential.query:
            check_is_private(scheme=parts.scheme, host=host, addresses=addresses)
        with host_lock(host, timeout=deadline - time.monotonic()) as acquired:
            if not acquired or time.monotonic() >= deadline:
                raise TooSlow("%(host)s took too long to answer. We will try again later.", host=host)
            return _send(_Request(url, host, headers, limits, deadline, credential), addresses)


def _send(request: _Request, addresses: Sequence[str]) -> "Fetched | str":
    connection = PinnedConnection(addresses)
    timer = threading.Timer(request.deadline - time.monotonic(), connection.shut)
    timer.daemon = True
    timer.start()
    try:
        with closing(PinnedAdapter(connection)) as adapter:
            return _send_through(adapter, request)
    except (HTTPError, RequestException, OSError) as error:
        raise to_fetch_error(error, host=request.host, late=time.monotonic() >= request.deadline) from error
    finally:
        timer.cancel()
        connection.close()


def _send_through(adapter: PinnedAdapter, request: _Request) -> "Fetched | str":
    credential = request.credential
    headers = {**request.headers, **credential.headers}
    prepared = requests.Request("GET", credential.add_to(request.url), headers=headers).prepare()
    timeout = (request.limits.connect, request.limits.first_byte)
    # Straight through the adapter: a session would add cookies, proxies and log-ins, and follow redirects itself.
    with adapter.send(prepared, stream=True, timeout=timeout, verify=True) as response:
        if response.status_code in _REDIRECTS:
            return _read_redirect(request, response.headers.get("Location", ""))
        conditional = "If-None-Match" in request.headers or "If-Modified-Since" in request.headers
        unchanged = response.status_code == 304 and conditional
        if not unchanged and not 200 <= response.status_code < 300:
            raise make_bad_status(response, request.host, deadline=request.deadline)
        _check_length(request, response.headers.get("Content-Length", ""))
        body = b""
        if not unchanged:
            body = read_body(
                response.raw,
                encoding=response.headers.get("Content-Encoding", ""),
                max_bytes=request.limits.max_bytes,
                deadline=request.deadline,
                site=request.host,
            )
        if time.monotonic() >= request.deadline:
            raise TooSlow("%(site)s sent its answer too slowly. We will try again later.", site=request.host)
        return Fetched(
            url=request.url,
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


def _read_redirect(request: _Request, location: str) -> str:
    if not location:
        raise Unreachable(
            "%(host)s redirects without a new address. Ask the people who run the site to correct it.",
            host=request.host,
        )
    try:
        return request.credential.remove_from(urldefrag(urljoin(request.url, location)).url)
    except ValueError as error:
        raise Refused("%(host)s redirects to something that is not a web address.", host=request.host) from error


def _check_length(request: _Request, text: str) -> None:
    if text.isascii() and text.isdigit() and int(text[:18]) > request.limits.max_bytes:
        raise TooLarge(
            "%(host)s sends more than %(limit)s MB, the most that is read. Nothing was used.",
            host=request.host,
            limit=request.limits.max_bytes // MIB or 1,
        )


def _list_etag_forms(etag: str) -> str:
    """Return the tag unchanged, and without the compression suffix: some servers add one that they do not recognise."""
    plain = _COMPRESSION_SUFFIX.sub('"', etag)
    return etag if plain == etag else f"{etag}, {plain}"
