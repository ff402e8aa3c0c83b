"""Check that the links of open issues work. A job fetches them; the desk's checks read the results.

Each address is fetched at most once a day. Our own pages are not fetched. A site that does not answer is a warning only if
another site answered: otherwise our own connection may be down.
"""

import hashlib
from collections import Counter
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User

from newsletter.common.database.change_watch import ending_no_rest
from newsletter.common.database.future_times import make_ahead_filter
from newsletter.common.errors import DomainError, NotAllowed
from newsletter.common.messages import Message
from newsletter.content.fetching.errors import BadStatus, FetchError, TooSlow, Unreachable
from newsletter.content.fetching.fetcher import Fetcher, Limits
from newsletter.issues.checks.issue_check import CheckedIssue, IssueCheck
from newsletter.issues.checks.recent_results import RecentResults, make_shown_stamp, make_stamp
from newsletter.issues.snapshot.content_links import find_web_links
from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.issues.snapshot.resolve import resolve_complete_content
from newsletter.models import Issue, LinkCheck
from newsletter.rendering.lint.findings import Finding

MAX_CHECK_AGE = timedelta(days=1)
FETCH_LIMITS = Limits(max_bytes=65_536, connect=4.0, first_byte=6.0, total=8.0)
"""A page that is larger exists, which is all we ask."""
GONE_STATUSES = (404, 410)


class DeadLinks(IssueCheck):
    """Links that lead nowhere, by the results of the job that fetches them."""

    interface = 1
    only_warns = True

    def check(self, issue: CheckedIssue) -> list[Finding]:
        return find_dead_links(issue.content, now=issue.now)


def check_due_links(
    *, now: datetime, fetcher: Fetcher, limit: int = 10, recent: RecentResults[list[str]] | None = None
) -> int:
    """Fetch at most ``limit`` links of open issues that were not checked for some hours. Return how many were fetched.

    ``recent`` has the links that the last runs found in issues that did not change since.
    """
    recent = RecentResults() if recent is None else recent
    due: dict[str, None] = {}
    issues = Issue.objects.filter(state__in=Issue.UNSENT_STATES)
    shown_stamp = make_shown_stamp(issues, now=now)
    for issue in issues.select_related("publication__brand", "slot"):
        stamp = make_stamp(issue, shown_stamp=shown_stamp)
        links = recent.find(stamp)
        if links is None:
            try:
                links = list(find_checked_links(resolve_complete_content(issue)))
            except (DomainError, OSError):
                continue
            recent.keep(stamp, links)
        due.update(dict.fromkeys(links))
    names = {hash_url(url): url for url in due}
    checked = LinkCheck.objects.filter(sha256__in=names, looked_at__gt=now - MAX_CHECK_AGE)
    fresh = set(checked.exclude(make_ahead_filter("looked_at", now=now)).values_list("sha256", flat=True))
    waiting = [name for name in names if name not in fresh][:limit]
    for name in waiting:
        state, message = _check_link(names[name], fetcher)
        with ending_no_rest():
            LinkCheck.objects.update_or_create(
                sha256=name, defaults={"url": names[name], "state": state, "message": message, "looked_at": now}
            )
    return len(waiting)


def check_links_again(*, issue: Issue, by: User | AnonymousUser, now: datetime) -> int:
    """Make the job fetch the issue's links at its next run. Until then their last results hold. Return how many.

    Raises NotAllowed if the person may neither edit nor approve issues; NotReady while a block is incomplete.
    """
    if not (by.has_perm("newsletter.change_issue") or by.has_perm("newsletter.approve_issue")):
        raise NotAllowed(
            "%(by)s may not check the links of issues. An administrator can give the role “writer”.", by=by
        )
    links = find_checked_links(resolve_complete_content(issue))
    due = now - MAX_CHECK_AGE
    LinkCheck.objects.filter(sha256__in=map(hash_url, links), looked_at__gt=due).update(looked_at=due)
    return len(links)


def find_checked_links(content: IssueContent) -> dict[str, str]:
    """Return the web addresses of a content that are fetched, with the key of their block: all but our own pages."""
    site = settings.NEWSLETTER_SITE_URL.rstrip("/")
    links = find_web_links(content).items()
    return {url: key for url, key in links if url != site and not url.startswith((f"{site}/", f"{site}?"))}


def find_dead_links(content: IssueContent, *, now: datetime) -> list[Finding]:
    """Return a warning for each link of the content that its site does not have, or whose site did not answer."""
    online = _is_online(now=now)
    links = find_checked_links(content)
    findings = (
        _make_finding(url, check, block=links[url], online=online)
        for url, check in _find_checks(content, now=now).items()
        if check
    )
    return [finding for finding in findings if finding]


def find_silent_links(content: IssueContent, *, now: datetime) -> list[str]:
    """Return the links that did not answer without being a warning: no other site answered, so our connection may be down."""
    silent = [
        url
        for url, check in _find_checks(content, now=now).items()
        if check and check.state == LinkCheck.State.UNREACHED
    ]
    return [] if silent and _is_online(now=now) else silent


def count_link_states(content: IssueContent, *, now: datetime) -> Counter[str]:
    """Count the content's links by the state of their last check. Those not checked yet count as ""."""
    return Counter(check.state if check else "" for check in _find_checks(content, now=now).values())


def _is_online(*, now: datetime) -> bool:
    return LinkCheck.objects.filter(state=LinkCheck.State.GOOD, looked_at__gt=now - 2 * MAX_CHECK_AGE).exists()


def _find_checks(content: IssueContent, *, now: datetime) -> dict[str, LinkCheck | None]:
    """Return the last check of each link, or None without a recent one."""
    names = {hash_url(url): url for url in find_checked_links(content)}
    checks = LinkCheck.objects.filter(sha256__in=names, looked_at__gt=now - 2 * MAX_CHECK_AGE)
    by_name = {check.sha256: check for check in checks}
    return {url: by_name.get(name) for name, url in names.items()}


def _make_finding(url: str, check: LinkCheck, *, block: str, online: bool) -> Finding | None:
    if check.state == LinkCheck.State.DEAD:
        message = Message("The link to %(url)s leads nowhere: %(says)s", url=url[:90], says=check.message)
        return Finding("warning", "dead-link", message, block=block, field="url")
    if check.state == LinkCheck.State.UNREACHED and online:
        message = Message("The site of the link to %(url)s does not answer: %(says)s", url=url[:90], says=check.message)
        return Finding("warning", "silent-link", message, block=block, field="url")
    return None


def hash_url(url: str) -> str:
    return hashlib.sha256(url.encode()).hexdigest()


def _check_link(url: str, fetcher: Fetcher) -> tuple[str, str]:
    try:
        fetcher.fetch(url, limits=FETCH_LIMITS)
    except BadStatus as error:
        if error.status in GONE_STATUSES:
            return LinkCheck.State.DEAD, Message("its site says that there is no such page.")
        return LinkCheck.State.GOOD, error.message
    except (Unreachable, TooSlow) as error:
        return LinkCheck.State.UNREACHED, error.message
    except FetchError as error:
        return LinkCheck.State.GOOD, error.message
    return LinkCheck.State.GOOD, ""
