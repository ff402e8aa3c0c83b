"""What a person decides about a send: start it now, pause, go on, cancel, settle an uncertain batch. One service call each."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST
from wagtail.log_actions import log

from newsletter.common.errors import DomainError, NotReady, WrongState
from newsletter.common.translation import translate
from newsletter.desk.issues.overview import ISSUES
from newsletter.desk.shell.confirmed_numbers import read_confirmed_people
from newsletter.desk.shell.labels import label_people
from newsletter.models import Batch, Issue, Send
from newsletter.sending.freezing.start import request_send
from newsletter.sending.settling.send_controls import (
    cancel_send,
    end_send,
    pause_send,
    resume_send,
    send_again,
    settle_as_accepted,
    write_off,
)


@require_POST
def run_send_step(request: HttpRequest, pk: int, step: str) -> HttpResponse:
    """Do one step with the issue's send and go back to the issue's page with a word about it."""
    issue = get_object_or_404(ISSUES, pk=pk)
    return _run_step(request, issue, action=step, call=lambda: STEPS[step](request, issue))


@require_POST
def settle(request: HttpRequest, pk: int, batch: int, step: str) -> HttpResponse:
    """Say what became of one uncertain batch."""
    issue = get_object_or_404(ISSUES, pk=pk)
    row = get_object_or_404(Batch.objects.select_related("send"), pk=batch, send__issue=issue)
    return _run_step(request, issue, action=step, call=lambda: BATCH_STEPS[step](request, row), data={"batch": row.seq})


def _run_step(
    request: HttpRequest, issue: Issue, *, action: str, call: Any, data: dict[str, Any] | None = None
) -> HttpResponse:
    try:
        message = call()
    except DomainError as error:
        messages.error(request, translate(error))
    else:
        log(instance=issue, action=f"newsletter.{action.replace('-', '_')}", user=request.user, data=data)
        messages.success(request, message)
    return redirect("newsletter_issue_overview", issue.pk)


def _start(request: HttpRequest, issue: Issue) -> str:
    asked = read_confirmed_people(request)
    if asked is None and request.user.has_perm("newsletter.send_issue"):
        raise NotReady(
            _("A send is started for a number of people. Open the issue's page and choose “Send it now” there.")
        )
    request_send(issue=issue, by=request.user, now=timezone.now(), confirmed_recipients=asked)
    return _("%(issue)s is being prepared and goes out in a moment. This page follows it.") % {"issue": issue}


def _pause(request: HttpRequest, issue: Issue) -> str:
    pause_send(send=_get_live_send(issue), by=request.user, reason=request.POST.get("reason", "").strip())
    return _("The send of %(issue)s is paused. Calls that were under way are finished; no new one is made.") % {
        "issue": issue
    }


def _go_on(request: HttpRequest, issue: Issue) -> str:
    resume_send(send=_get_live_send(issue), by=request.user)
    return _("The send of %(issue)s goes on where it stopped.") % {"issue": issue}


def _cancel(request: HttpRequest, issue: Issue) -> str:
    cancel_send(send=_get_live_send(issue), by=request.user, now=timezone.now())
    return _("The send of %(issue)s is cancelled. Whoever was not handed over yet does not get it.") % {"issue": issue}


def _end(request: HttpRequest, issue: Issue) -> str:
    end_send(send=_get_live_send(issue), by=request.user, now=timezone.now())
    return _("The send of %(issue)s has ended. Its receipt keeps what is not known.") % {"issue": issue}


def _settle_as_accepted(request: HttpRequest, batch: Batch) -> str:
    settle_as_accepted(batch=batch, by=request.user, now=timezone.now())
    return _("Batch %(seq)s counts as taken by the provider: %(size)s.") % {
        "seq": batch.seq,
        "size": label_people(batch.size),
    }


def _write_off(request: HttpRequest, batch: Batch) -> str:
    write_off(batch=batch, by=request.user, now=timezone.now())
    return _("Batch %(seq)s is left as it is (%(size)s): some may not have got the issue.") % {
        "seq": batch.seq,
        "size": label_people(batch.size),
    }


def _send_again(request: HttpRequest, batch: Batch) -> str:
    send_again(batch=batch, by=request.user, now=timezone.now())
    return _("Batch %(seq)s is sent again to %(size)s.") % {"seq": batch.seq, "size": label_people(batch.size)}


def _get_live_send(issue: Issue) -> Send:
    send = issue.sends.exclude(state=Send.State.CANCELLED).first()
    if send is None:
        raise WrongState(
            _("%(issue)s has no send that could be steered. Somebody may have cancelled it meanwhile.")
            % {"issue": issue}
        )
    return send


STEPS: dict[str, Any] = {"start": _start, "pause": _pause, "go-on": _go_on, "end": _end, "cancel": _cancel}
BATCH_STEPS: dict[str, Any] = {"took": _settle_as_accepted, "leave": _write_off, "again": _send_again}
STEP_LABELS = {
    "start": (gettext_lazy("Send now"), gettext_lazy("Sending started by hand")),
    "pause": (gettext_lazy("Pause the send"), gettext_lazy("Send paused")),
    "go_on": (gettext_lazy("Go on with the send"), gettext_lazy("Send went on")),
    "end": (gettext_lazy("End the send"), gettext_lazy("Send ended as it is")),
    "cancel": (gettext_lazy("Cancel the send"), gettext_lazy("Send cancelled")),
    "took": (gettext_lazy("Settle as taken"), gettext_lazy("Uncertain batch settled as taken")),
    "leave": (gettext_lazy("Leave as it is"), gettext_lazy("Uncertain batch left as it is")),
    "again": (gettext_lazy("Send again"), gettext_lazy("Uncertain batch sent again")),
}
