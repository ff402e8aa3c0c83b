"""Redirect a counted link to its destination. It uses no cookies, and redirects even if the click cannot be counted."""

import logging
import time
from datetime import UTC, datetime

from django.db import DatabaseError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_safe

from newsletter.common.errors import BadLink
from newsletter.feedback.clicks import RecentClicks, count_click, looks_like_machine, recount_as_machine
from newsletter.models import Issue
from newsletter.web.clicked_destinations import find_destination, parse_arm
from subscribers.web.page import client_address_of

log = logging.getLogger(__name__)
_recent = RecentClicks()


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
