"""Whether the links of open issues lead somewhere: looked at by a job through the guarded fetcher, read by the checks.

No page fetches anything. A link is called dead only where its site says so, or where its site is not found and others are.
"""

import hashlib
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from html import unescape
from typing import Any

from newsletter.common.errors import DomainError
from newsletter.common.messages import Message
from newsletter.content.fetching.errors import BadStatus, FetchError, Unreachable
from newsletter.content.fetching.fetcher import Fetcher, Limits
from newsletter.issues.snapshot.completeness import resolve_complete_content
from newsletter.issues.snapshot.resolve import Content
from newsletter.models import Issue, LinkLook
from newsletter.rendering.lint.findings import Finding

MAX_CHECK_AGE = timedelta(hours=12)
FETCH_LIMITS = Limits(
    max_bytes=65_536, connect=4.0, first_byte=6.0, total=8.0
)  # what is larger is there, and that is enough
OPEN_STATES = (Issue.State.DRAFT, Issue.State.IN_REVIEW, Issue.State.APPROVED)
GONE_STATUSES = (404, 410)
_URL_FIELDS = frozenset({"url", "website", "donate_url", "donor_portal_url", "host_url"})
_HREF = re.compile(r'\bhref="([^"]+)"')


def find_web_links(content: Content) -> dict[str, str]:
    """Every web address that readers can follow, with the key of the block it stands in ("" for the brand's)."""
    found: dict[str, str] = {}
    for name in ("brand", "publication"):
        found.update(dict.fromkeys(_links(content[name]), ""))
    for block in content["blocks"]:
        for url in _links(block):
            found.setdefault(url, block["key"])
    return {url: key for url, key in found.items() if url.startswith(("http://", "https://"))}


def check_due_links(*, now: datetime, fetcher: Fetcher, limit: int = 10) -> int:
    """Look at links of open issues that nobody looked at for some hours, a few at a time. Returns how many."""
    due: dict[str, None] = {}
    for issue in Issue.objects.filter(state__in=OPEN_STATES).select_related("publication__brand", "slot"):
        try:
            due.update(dict.fromkeys(find_web_links(resolve_complete_content(issue))))
        except (DomainError, OSError):
            continue
    names = {hash_url(url): url for url in due}
    fresh = LinkLook.objects.filter(sha256__in=names, looked_at__gt=now - MAX_CHECK_AGE).values_list(
        "sha256", flat=True
    )
    waiting = [name for name in names if name not in set(fresh)][:limit]
    for name in waiting:
        state, says = _check_link(names[name], fetcher)
        LinkLook.objects.update_or_create(
            sha256=name, defaults={"url": names[name], "state": state, "says": says[:300], "looked_at": now}
        )
    return len(waiting)


def find_dead_links(content: Content, *, now: datetime) -> list[Finding]:
    """What the last looks found of this issue's links."""
    links = find_web_links(content)
    looks = {look.sha256: look for look in LinkLook.objects.filter(sha256__in=[hash_url(url) for url in links])}
    online = LinkLook.objects.filter(state=LinkLook.State.GOOD, looked_at__gt=now - 2 * MAX_CHECK_AGE).exists()
    findings = []
    for url, key in links.items():
        look = looks.get(hash_url(url))
        if look is None or look.state == LinkLook.State.GOOD:
            continue
        if look.state == LinkLook.State.UNREACHED and not online:
            continue
        message = Message("The link to %(url)s leads nowhere: %(says)s", url=url[:90], says=look.says)
        findings.append(Finding("warning", "dead-link", message, block=key, field="url"))
    return findings


def hash_url(url: str) -> str:
    return hashlib.sha256(url.encode()).hexdigest()


def _check_link(url: str, fetcher: Fetcher) -> tuple[str, str]:
    try:
        fetcher.fetch(url, limits=FETCH_LIMITS)
    except BadStatus as error:
        if error.status in GONE_STATUSES:
            return LinkLook.State.DEAD, Message("its site says that there is no such page.")
        return LinkLook.State.GOOD, str(error)
    except Unreachable as error:
        return LinkLook.State.UNREACHED, str(error)
    except FetchError as error:
        return LinkLook.State.GOOD, str(error)
    return LinkLook.State.GOOD, ""


def _links(value: Any, *, name: str = "") -> Iterator[str]:
    match value:
        case str() if name in _URL_FIELDS and value:
            yield value
        case str() if name == "html":
            yield from (unescape(found) for found in _HREF.findall(value))
        case [str(), str(url)] | (str(), str(url)) if name in ("links", "social"):
            yield url
        case list() | tuple():
            for item in value:
                yield from _links(item, name=name)
        case dict():
            for key, item in value.items():
                if key not in ("picture", "logo", "logo_dark"):
                    yield from _links(item, name=key)
        case _:
            return
