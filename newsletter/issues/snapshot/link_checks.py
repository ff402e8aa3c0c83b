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
from newsletter.content.fetching.fetch import BadStatus, Fetcher, FetchError, Limits, Unreachable
from newsletter.issues.snapshot.completeness import resolve_complete
from newsletter.issues.snapshot.resolve import Content
from newsletter.models import Issue, LinkLook
from newsletter.rendering.lint.findings import Finding

OLD = timedelta(hours=12)
LOOK = Limits(max_bytes=65_536, connect=4.0, first_byte=6.0, total=8.0)  # what is larger is there, and that is enough
OPEN = (Issue.State.DRAFT, Issue.State.IN_REVIEW, Issue.State.APPROVED)
GONE = (404, 410)
_NAMES = frozenset({"url", "website", "donate_url", "donor_portal_url", "host_url"})
_HREF = re.compile(r'\bhref="([^"]+)"')


def find_links(content: Content) -> dict[str, str]:
    """Every web address that readers can follow, with the key of the block it stands in ("" for the brand's)."""
    found: dict[str, str] = {}
    for name in ("brand", "publication"):
        found.update(dict.fromkeys(_links(content[name]), ""))
    for block in content["blocks"]:
        for url in _links(block):
            found.setdefault(url, block["key"])
    return {url: key for url, key in found.items() if url.startswith(("http://", "https://"))}


def look_at_links(*, now: datetime, fetcher: Fetcher, most: int = 10) -> int:
    """Look at links of open issues that nobody looked at for some hours, a few at a time. Returns how many."""
    due: dict[str, None] = {}
    for issue in Issue.objects.filter(state__in=OPEN).select_related("publication__brand", "slot"):
        try:
            due.update(dict.fromkeys(find_links(resolve_complete(issue))))
        except (DomainError, OSError):
            continue
    names = {name_of(url): url for url in due}
    fresh = LinkLook.objects.filter(sha256__in=names, looked_at__gt=now - OLD).values_list("sha256", flat=True)
    waiting = [name for name in names if name not in set(fresh)][:most]
    for name in waiting:
        state, says = _look(names[name], fetcher)
        LinkLook.objects.update_or_create(
            sha256=name, defaults={"url": names[name], "state": state, "says": says[:300], "looked_at": now}
        )
    return len(waiting)


def find_dead_links(content: Content, *, now: datetime) -> list[Finding]:
    """What the last looks found of this issue's links."""
    links = find_links(content)
    looks = {look.sha256: look for look in LinkLook.objects.filter(sha256__in=[name_of(url) for url in links])}
    online = LinkLook.objects.filter(state=LinkLook.State.GOOD, looked_at__gt=now - 2 * OLD).exists()
    findings = []
    for url, key in links.items():
        look = looks.get(name_of(url))
        if look is None or look.state == LinkLook.State.GOOD:
            continue
        if look.state == LinkLook.State.UNREACHED and not online:
            continue
        message = Message("The link to %(url)s leads nowhere: %(says)s", url=url[:90], says=look.says)
        findings.append(Finding("warning", "dead-link", message, block=key, field="url"))
    return findings


def name_of(url: str) -> str:
    return hashlib.sha256(url.encode()).hexdigest()


def _look(url: str, fetcher: Fetcher) -> tuple[str, str]:
    try:
        fetcher.fetch(url, limits=LOOK)
    except BadStatus as error:
        if error.status in GONE:
            return LinkLook.State.DEAD, Message("its site says that there is no such page.")
        return LinkLook.State.GOOD, str(error)
    except Unreachable as error:
        return LinkLook.State.UNREACHED, str(error)
    except FetchError as error:
        return LinkLook.State.GOOD, str(error)
    return LinkLook.State.GOOD, ""


def _links(value: Any, *, name: str = "") -> Iterator[str]:
    match value:
        case str() if name in _NAMES and value:
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
