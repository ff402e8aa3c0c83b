"""What a person decides about a send: start it now, pause, go on, cancel, settle an uncertain batch. One service call each."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST
from wagtail.log_actions import log

from newsletter.desk.issue_pages import ISSUES
from newsletter.errors import WrongState
from newsletter.models import Batch, Issue, Send
from newsletter.sending.control import (
    cancel_send,
    end_send,
    pause_send,
    resume_send,
    send_again,
    settle_as_accepted,
    write_off,
)
from newsletter.sending.start import begin_send
from subscribers.errors import DomainError


@require_POST
def steer(request: HttpRequest, pk: int, step: str) -> HttpResponse:
    """Do one step with the issue's send and go back to the issue's page with a word about it."""
    issue = get_object_or_404(ISSUES, pk=pk)
    return _do(request, issue, action=step, call=lambda: STEPS[step](request, issue))


@require_POST
def settle(request: HttpRequest, pk: int, batch: int, step: str) -> HttpResponse:
    """Say what became of one uncertain batch."""
    issue = get_object_or_404(ISSUES, pk=pk)
    row = get_object_or_404(Batch.objects.select_related("send"), pk=batch, send__issue=issue)
    return _do(request, issue, action=step, call=lambda: BATCH_STEPS[step](request, row), data={"batch": row.seq})


def _do(
    request: HttpRequest, issue: Issue, *, action: str, call: Any, data: dict[str, Any] | None = None
) -> HttpResponse:
    try:
        message = call()
    except DomainError as error:
        messages.error(request, str(error))
    else:
        log(instance=issue, action=f"newsletter.{action.replace('-', '_')}", user=request.user, data=data)
        messages.success(request, message)
    return redirect("newsletter_issue_overview", issue.pk)


def _start(request: HttpRequest, issue: Issue) -> str:
    begin_send(issue=issue, by=request.user, now=timezone.now())
    return _("%(issue)s is being prepared and goes out in a moment. This page follows it.") % {"issue": issue}


def _pause(request: HttpRequest, issue: Issue) -> str:
    pause_send(send=_live(issue), by=request.user, reason=request.POST.get("reason", "").strip())
    return f"The send of {issue} is paused. Calls that were under way are finished; no new one is made."


def _go_on(request: HttpRequest, issue: Issue) -> str:
    resume_send(send=_live(issue), by=request.user)
    return f"The send of {issue} goes on where it stopped."


def _cancel(request: HttpRequest, issue: Issue) -> str:
    cancel_send(send=_live(issue), by=request.user, now=timezone.now())
    return f"The send of {issue} is cancelled. Whoever was not handed over yet does not get it."


def _end(request: HttpRequest, issue: Issue) -> str:
    end_send(send=_live(issue), by=request.user, now=timezone.now())
    return f"The send of {issue} has ended. Its receipt keeps what is not known."


def _took(request: HttpRequest, batch: Batch) -> str:
    settle_as_accepted(batch=batch, by=request.user, now=timezone.now())
    return f"Batch {batch.seq} counts as taken by the provider: {batch.size:,} people."


def _leave(request: HttpRequest, batch: Batch) -> str:
    write_off(batch=batch, by=request.user, now=timezone.now())
    return f"Batch {batch.seq} is left as it is: some of its {batch.size:,} people may not have got the issue."


def _again(request: HttpRequest, batch: Batch) -> str:
    send_again(batch=batch, by=request.user, now=timezone.now())
    return f"Batch {batch.seq} is sent again to {batch.size:,} people."


def _live(issue: Issue) -> Send:
    send = issue.sends.exclude(state=Send.State.CANCELLED).first()
    if send is None:
        raise WrongState(f"{issue} has no send that could be steered. Somebody may have cancelled it meanwhile.")
    return send


STEPS: dict[str, Any] = {"start": _start, "pause": _pause, "go-on": _go_on, "end": _end, "cancel": _cancel}
BATCH_STEPS: dict[str, Any] = {"took": _took, "leave": _leave, "again": _again}
WORDS = {
    "start": ("Send now", "Sending started by hand"),
    "pause": ("Pause the send", "Send paused"),
    "go_on": ("Go on with the send", "Send went on"),
    "end": ("End the send", "Send ended as it is"),
    "cancel": ("Cancel the send", "Send cancelled"),
    "took": ("Settle as taken", "Uncertain batch settled as taken"),
    "leave": ("Leave as it is", "Uncertain batch left as it is"),
    "again": ("Send again", "Uncertain batch sent again"),
}
