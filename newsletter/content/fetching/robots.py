"""Asks a site's robots.txt whether a page of it may be read. For web pages: feeds and calendars are made for programs."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit, urlunsplit
from urllib.robotparser import RobotFileParser

from newsletter.content.fetching.fetcher import BadStatus, Fetcher, Limits, Refused, TooLarge

_CACHE_PERIOD = timedelta(days=1)
_MAX_SITES = 1_000
_LIMITS = Limits(max_bytes=512 * 1024)
_TOO_MANY_REQUESTS = 429


@dataclass(frozen=True)
class _Rules:
    parser: RobotFileParser
    read_at: datetime


class Robots:
    """The rules of the sites that were asked, each kept for a day. Threads may share one."""

    def __init__(self) -> None:
        self._rules: dict[str, _Rules] = {}
        self._lock = threading.Lock()

    def check(self, url: str, *, fetcher: Fetcher, now: datetime) -> None:
        """Refused where the site asks programs not to read this page; FetchError where its rules cannot be had."""
        rules = self._get_rules(url, fetcher=fetcher, now=now)
        if not rules.can_fetch(fetcher.user_agent, url):
            host = urlsplit(url).hostname
            raise Refused(
                "%(host)s asks programs not to read this page (in its robots.txt), so it is not read. Ask "
                "whoever runs the site to allow “%(user_agent)s”, or use its feed or calendar.",
                host=host,
                user_agent=fetcher.user_agent.partition("/")[0],
            )

    def forget(self) -> None:
        """Asks every site again the next time."""
        with self._lock:
            self._rules.clear()

    def _get_rules(self, url: str, *, fetcher: Fetcher, now: datetime) -> RobotFileParser:
        parts = urlsplit(url)
        address = urlunsplit((parts.scheme, parts.netloc, "/robots.txt", "", ""))
        with self._lock:
            known = self._rules.get(address)
        if known and now - _CACHE_PERIOD < known.read_at <= now:
            return known.parser
        parser = RobotFileParser()
        parser.parse(_fetch_lines(address, fetcher))
        with self._lock:
            if len(self._rules) >= _MAX_SITES:
                self._rules.clear()
            self._rules[address] = _Rules(parser, now)
        return parser


def _fetch_lines(address: str, fetcher: Fetcher) -> Sequence[str]:
    """The rules as they stand (RFC 9309): none where the site has none; a site in trouble is asked again later."""
    try:
        return fetcher.fetch(address, limits=_LIMITS).body.decode("utf-8", "replace").lstrip("\ufeff").splitlines()
    except BadStatus as error:
        if error.status >= 500 or error.status == _TOO_MANY_REQUESTS:
            raise
    except (TooLarge, Refused):
        # No robots.txt is like this. The page itself is fetched under the same guard.
        pass
    return ()
