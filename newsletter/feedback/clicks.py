"""Counts clicks of people and of probable machines, by link and day. It stores nothing about who clicked."""

import re
import secrets
from collections import OrderedDict
from collections.abc import Mapping
from datetime import datetime
from hashlib import blake2b

from django.db.models import F
from django.db.models.functions import Greatest

from newsletter.issues.variants.click_links import make_link_key
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


class ClickBursts:
    """Detects clients that follow many links of one issue within seconds, as mail filters do.

    ``client`` is an IP address and a browser. Only a hash under a key of this process is kept, in memory.
    """

    def __init__(self, *, links: int = 4, seconds: float = 10, max_clients: int = 10_000) -> None:
        self._links, self._seconds, self._max_clients = links, seconds, max_clients
        self._key = secrets.token_bytes(32)
        self._seen: OrderedDict[bytes, dict[str, float]] = OrderedDict()

    def note(self, *, client: str, issue: str, url: str, at: float) -> list[str]:
        """Note a click at a time in seconds. If it makes a burst, return the URLs of the earlier clicks, else []."""
        key = blake2b(f"{issue}|{client}".encode(), key=self._key, digest_size=16).digest()
        recent = {seen: moment for seen, moment in self._seen.pop(key, {}).items() if at - moment < self._seconds}
        recent[url] = at
        self._seen[key] = recent
        while len(self._seen) > self._max_clients:
            self._seen.popitem(last=False)
        return [seen for seen in recent if seen != url] if len(recent) == self._links else []

    def is_burst(self, *, client: str, issue: str) -> bool:
        key = blake2b(f"{issue}|{client}".encode(), key=self._key, digest_size=16).digest()
        return len(self._seen.get(key, {})) >= self._links


def count_click(*, issue: Issue, url: str, machine: bool, now: datetime) -> None:
    """Count one click for the day. Ignore clicks in an issue that was not sent."""
    if issue.state not in COUNTED_STATES:
        return
    row, _ = LinkClicks.objects.get_or_create(
        issue=issue, link=make_link_key(url), day=now.date(), defaults={"url": url}
    )
    field = "machines" if machine else "people"
    LinkClicks.objects.filter(pk=row.pk).update(**{field: F(field) + 1})


def recount_as_machine(*, issue: Issue, urls: list[str], now: datetime) -> None:
    """Count one click on each URL as a machine's instead of a person's."""
    for url in urls:
        LinkClicks.objects.filter(issue=issue, link=make_link_key(url), day=now.date(), people__gt=0).update(
            people=Greatest(F("people") - 1, 0), machines=F("machines") + 1
        )
