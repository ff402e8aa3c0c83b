"""Count clicks of people and of probable machines, by link and day. It stores nothing about who clicked."""

import re
import secrets
from collections import OrderedDict
from collections.abc import Mapping
from datetime import datetime
from hashlib import blake2b

from django.db.models import F
from django.db.models.functions import Greatest

from newsletter.issues.variants.mail_links import make_link_key
from newsletter.models import Issue, LinkClicks

COUNTED_STATES = (Issue.State.SENDING, Issue.State.SENT)
_MACHINE_AGENTS = re.compile(
    r"bot\b|bot/|crawl|spider|scan|preview|fetch|monitor|headless|curl|wget|python|java/|go-http|okhttp|libwww|axios"
    r"|proofpoint|mimecast|barracuda|safelinks|trendmicro|symantec|fireeye|sophos|forcepoint|googleimageproxy|feedly",
    re.IGNORECASE,
)


def looks_like_machine(headers: Mapping[str, str]) -> bool:
    """Return True for mail filters, previews and prefetching, by what their headers say. Many send no user agent."""
    agent = headers.get("user-agent", "")
    ahead = headers.get("sec-purpose", "") + headers.get("purpose", "") + headers.get("x-purpose", "")
    return not agent or "prefetch" in ahead or "preview" in ahead or bool(_MACHINE_AGENTS.search(agent))


class RecentClicks:
    """Detects clients that follow a link again, or many links of one issue within seconds, as mail filters do.

    ``client`` is an IP address and a browser. Only a hash under a key of this process is kept, in memory, for an hour.
    """

    def __init__(
        self, *, links: int = 4, seconds: float = 10, repeated_within: float = 3600, max_clients: int = 10_000
    ) -> None:
        self._links, self._seconds, self._repeated_within, self._max_clients = (
            links,
            seconds,
            repeated_within,
            max_clients,
        )
        self._key = secrets.token_bytes(32)
        self._seen: OrderedDict[bytes, dict[str, float]] = OrderedDict()

    def note(self, *, client: str, issue: str, url: str, at: float) -> list[str]:
        """Note a click at a time in seconds. If it makes a burst, return the URLs of the earlier clicks, else []."""
        key = self._make_key(client, issue)
        recent = {url: moment for url, moment in self._seen.pop(key, {}).items() if at - moment < self._repeated_within}
        recent[url] = at
        self._seen[key] = recent
        while len(self._seen) > self._max_clients:
            self._seen.popitem(last=False)
        burst = self._list_burst(recent, at=at)
        return [seen for seen in burst if seen != url] if len(burst) == self._links else []

    def is_burst(self, *, client: str, issue: str, at: float) -> bool:
        return len(self._list_burst(self._seen.get(self._make_key(client, issue), {}), at=at)) >= self._links

    def is_repeated(self, *, client: str, issue: str, url: str, at: float) -> bool:
        """Return True if the client followed this link of the issue within the last hour: a person counts once."""
        followed = self._seen.get(self._make_key(client, issue), {}).get(url)
        return followed is not None and at - followed < self._repeated_within

    def _list_burst(self, recent: Mapping[str, float], *, at: float) -> list[str]:
        return [url for url, moment in recent.items() if at - moment < self._seconds]

    def _make_key(self, client: str, issue: str) -> bytes:
        return blake2b(f"{issue}|{client}".encode(), key=self._key, digest_size=16).digest()


def count_click(*, issue: Issue, url: str, machine: bool, now: datetime, arm: int = 0) -> None:
    """Count one click for the day, and for a subject of a test. Ignore clicks in an issue that was not sent."""
    if issue.state not in COUNTED_STATES and not issue.is_welcome:
        return
    row, _ = LinkClicks.objects.get_or_create(
        issue=issue, link=make_link_key(url), day=now.date(), arm=arm, defaults={"url": url}
    )
    field = "machines" if machine else "people"
    LinkClicks.objects.filter(pk=row.pk).update(**{field: F(field) + 1})


def recount_as_machine(*, issue: Issue, urls: list[str], now: datetime, arm: int = 0) -> None:
    """Count one click on each URL as a machine's instead of a person's."""
    for url in urls:
        LinkClicks.objects.filter(issue=issue, link=make_link_key(url), day=now.date(), arm=arm, people__gt=0).update(
            people=Greatest(F("people") - 1, 0), machines=F("machines") + 1
        )
