"""Redirect a counted link to its destination. It uses no cookies, and redirects even if the click cannot be counted."""

import logging
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime

from django.db import DatabaseError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_safe

from newsletter.common.errors import BadLink
from newsletter.feedback.clicks import RecentClicks, count_click, looks_like_machine, recount_as_machine
from newsletter.issues.variants.mail_links import verify_click
from newsletter.models import Issue
from newsletter.web.layers.mended_links import LINE_BREAK, WHITE_SPACE
from subscribers.web.page import client_address_of

log = logging.getLogger(__name__)
_recent = RecentClicks()
_ADDED = ".,;:!?=)>]'\""
_MAX_ADDED = 5
_ARM = re.compile(r"[1-4](?!\d)")


class _ExternalRedirect(HttpResponseRedirect):
    """A redirect to the destination of a link whose signature was checked."""

    allowed_schemes = ["http", "https"]


@require_safe
def follow_link(request: HttpRequest, issue: str, mac: str) -> HttpResponse:
    arm = parse_arm(request.GET.get("subject", ""))
    try:
        url = find_destination(issue=issue, mac=mac, to=request.GET.get("to", ""), arm=arm)
    except BadLink as error:
        raise Http404(str(error)) from error
    if request.method == "GET":
        try:
            _count_click(request, issue=issue, url=url, arm=arm)
        except DatabaseError as error:
            log.warning("The database did not count a click (%s). The visitor was redirected.", type(error).__name__)
    response = _ExternalRedirect(url)
    response["Referrer-Policy"] = "no-referrer"
    response["Cache-Control"] = "no-store"
    response["X-Robots-Tag"] = "noindex"
    return response


def _count_click(request: HttpRequest, *, issue: str, url: str, arm: int) -> None:
    row = Issue.objects.filter(public_id=issue).first()
    if row is None:
        return
    now = datetime.now(UTC)
    machine = looks_like_machine({name.lower(): value for name, value in request.headers.items()})
    client = f"{client_address_of(request)}|{request.headers.get('User-Agent', '')}"
    if not machine:
        at = time.monotonic()
        if _recent.is_repeated(client=client, issue=issue, url=url, at=at):
            return
        earlier = _recent.note(client=client, issue=issue, url=url, at=at)
        recount_as_machine(issue=row, urls=earlier, arm=arm, now=now)
        machine = _recent.is_burst(client=client, issue=issue, at=at)
    count_click(issue=row, url=url, arm=arm, machine=machine, now=now)


def find_destination(*, issue: str, mac: str, to: str, arm: int) -> str:
    """Return the destination that we signed for readers of this subject. Raise BadLink if there is none."""
    for url in _list_destinations(to):
        try:
            verify_click(issue=issue, mac=mac, url=url, arm=arm)
        except BadLink:
            continue
        return url
    verify_click(issue=issue, mac=mac, url=to, arm=arm)
    return to


def parse_arm(text: str) -> int:
    """Return the number of the tested subject in a link, 0 without one. Text after it is ignored."""
    match = _ARM.match(text)
    return int(match[0]) if match else 0


def _list_destinations(to: str) -> Iterator[str]:
    """Return the text as it is, then without line breaks or what follows white space, and without marks at its end."""
    yield to
    unbroken = LINE_BREAK.sub("", to)
    cut = (WHITE_SPACE.split(unbroken)[0], WHITE_SPACE.split(to)[0])
    joined = (WHITE_SPACE.sub("", unbroken), WHITE_SPACE.sub("", to))
    for text in dict.fromkeys((*cut, *joined)):
        yield text
        for end in range(1, _MAX_ADDED + 1):
            if len(text) < end or text[-end] not in _ADDED:
                break
            yield text[:-end]
