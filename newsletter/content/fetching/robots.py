"""Ask a site's robots.txt if a web page may be read. Feeds and calendars are made for programs and need no such check."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit, urlunsplit
from urllib.robotparser import RobotFileParser

from cachetools import LRUCache

from newsletter.content.fetching.errors import BadStatus, Refused, TooLarge
from newsletter.content.fetching.fetcher import Fetcher, Limits

_CACHE_PERIOD = timedelta(days=1)
_MAX_SITES = 1_000
_LIMITS = Limits(max_bytes=512 * 1024)
_TOO_MANY_REQUESTS = 429


@dataclass(frozen=True)
class _Rules:
    parser: RobotFileParser
    read_at: datetime


class Robots:
    """The rules of each site, kept for a day. Threads may share one."""

    def __init__(self) -> None:
        self._rules: LRUCache[str, _Rules] = LRUCache(_MAX_SITES)
        self._lock = threading.Lock()

    def check(self, url: str, *, fetcher: Fetcher, now: datetime) -> None:
        """Raise Refused if the site asks programs not to read this page, and FetchError if its rules cannot be read."""
        rules = self._get_rules(url, fetcher=fetcher, now=now)
        if not rules.can_fetch(fetcher.user_agent, url):
            raise Refused(
                "%(host)s asks programs not to read this page (in its robots.txt), so it is not read. Ask "
                "whoever runs the site to allow “%(user_agent)s”, or use its feed or calendar.",
                host=urlsplit(url).hostname,
                user_agent=fetcher.user_agent.partition("/")[0],
            )

    def forget(self) -> None:
        """Ask every site again the next time."""
        with self._lock:
            self._rules.clear()

    def _get_rules(self, url: str, *, fetcher: Fetcher, now: datetime) -> RobotFileParser:
        parts = urlsplit(url)
        address = urlunsplit((parts.scheme, parts.netloc, "/robots.txt", "", ""))
        with self._lock:
            cached = self._rules.get(address)
        if cached and now - _CACHE_PERIOD < cached.read_at <= now:
            return cached.parser
        parser = RobotFileParser()
        parser.parse(_fetch_lines(address, fetcher))
        with self._lock:
            self._rules[address] = _Rules(parser, now)
        return parser


def _fetch_lines(address: str, fetcher: Fetcher) -> Sequence[str]:
    """Return the lines of robots.txt; none if the site has none (RFC 9309). Raises FetchError if it fails for now."""
    try:
        return fetcher.fetch(address, limits=_LIMITS).body.decode("utf-8", "replace").lstrip("\ufeff").splitlines()
    except BadStatus as error:
        if error.status >= 500 or error.status == _TOO_MANY_REQUESTS:
            raise
    except (TooLarge, Refused):
        # This is no robots.txt. The page itself is fetched under the same guard.
        pass
    return ()
