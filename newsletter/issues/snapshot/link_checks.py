"""Check whether the links of open issues lead somewhere. A job fetches them; the desk's checks read the results.

A link is dead only if its site says so, or if the site cannot be reached while others can.
"""

import hashlib
from datetime import datetime, timedelta

from newsletter.common.errors import DomainError
from newsletter.common.messages import Message
from newsletter.content.fetching.errors import BadStatus, FetchError, Unreachable
from newsletter.content.fetching.fetcher import Fetcher, Limits
from newsletter.issues.snapshot.completeness import resolve_complete_content
from newsletter.issues.snapshot.content_links import find_web_links
from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.models import Issue, LinkCheck
from newsletter.rendering.lint.findings import Finding

MAX_CHECK_AGE = timedelta(hours=12)
FETCH_LIMITS = Limits(max_bytes=65_536, connect=4.0, first_byte=6.0, total=8.0)
"""A page that is larger exists, which is all we ask."""
OPEN_STATES = (Issue.State.DRAFT, Issue.State.IN_REVIEW, Issue.State.APPROVED)
GONE_STATUSES = (404, 410)


def check_due_links(*, now: datetime, fetcher: Fetcher, limit: int = 10) -> int:
    """Fetch at most ``limit`` links of open issues that were not checked for some hours. Return how many were fetched."""
    due: dict[str, None] = {}
    for issue in Issue.objects.filter(state__in=OPEN_STATES).select_related("publication__brand", "slot"):
        try:
            due.update(dict.fromkeys(find_web_links(resolve_complete_content(issue))))
        except (DomainError, OSError):
            continue
    names = {hash_url(url): url for url in due}
    fresh = LinkCheck.objects.filter(sha256__in=names, looked_at__gt=now - MAX_CHECK_AGE).values_list(
        "sha256", flat=True
    )
    waiting = [name for name in names if name not in set(fresh)][:limit]
    for name in waiting:
        state, message = _check_link(names[name], fetcher)
        LinkCheck.objects.update_or_create(
            sha256=name, defaults={"url": names[name], "state": state, "message": message, "looked_at": now}
        )
    return len(waiting)


def find_dead_links(content: IssueContent, *, now: datetime) -> list[Finding]:
    """Return a warning for each link of the content that was dead when it was last checked."""
    links = find_web_links(content)
    looks = {look.sha256: look for look in LinkCheck.objects.filter(sha256__in=[hash_url(url) for url in links])}
    online = LinkCheck.objects.filter(state=LinkCheck.State.GOOD, looked_at__gt=now - 2 * MAX_CHECK_AGE).exists()
    findings = []
    for url, key in links.items():
        look = looks.get(hash_url(url))
        if look is None or look.state == LinkCheck.State.GOOD:
            continue
        if look.state == LinkCheck.State.UNREACHED and not online:
            continue
        message = Message("The link to %(url)s leads nowhere: %(says)s", url=url[:90], says=look.message)
        findings.append(Finding("warning", "dead-link", message, block=key, field="url"))
    return findings


def hash_url(url: str) -> str:
    return hashlib.sha256(url.encode()).hexdigest()


def _check_link(url: str, fetcher: Fetcher) -> tuple[str, str]:
    try:
        fetcher.fetch(url, limits=FETCH_LIMITS)
    except BadStatus as error:
        if error.status in GONE_STATUSES:
            return LinkCheck.State.DEAD, Message("its site says that there is no such page.")
        return LinkCheck.State.GOOD, error.message
    except Unreachable as error:
        return LinkCheck.State.UNREACHED, error.message
    except FetchError as error:
        return LinkCheck.State.GOOD, error.message
    return LinkCheck.State.GOOD, ""
