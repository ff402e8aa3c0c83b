"""Steps of a send: start, pause, resume, end, cancel, and decide about an uncertain batch. Each calls one service."""

from collections.abc import Callable
from functools import partial

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST
from wagtail.log_actions import log

from newsletter.common.errors import NotReady
from newsletter.common.staff_pages import Done, ServiceAction
from newsletter.common.text import require_length
from newsletter.desk.issues.issue_page import ISSUES, overview_url, read_confirmed_people
from newsletter.desk.sends.progress import require_live_send
from newsletter.desk.sends.subject_test import is_stopped
from newsletter.desk.shell.labels import label_people
from newsletter.models import Batch, Issue, Send
from newsletter.models.variant_labels import LETTERS
from newsletter.sending.canaries.canary_decision import stop_waiting
from newsletter.sending.freezing.start import request_send
from newsletter.sending.settling.send_controls import (
    MAX_PAUSE_REASON,
    cancel_send,
    end_send,
    pause_send,
    resume_send,
)
from newsletter.sending.settling.uncertain_batches import (
    send_again,
    settle_as_accepted,
    write_off,
)
from newsletter.sending.subject_tests.decide_subject import decide_by_staff

ACTION_LABELS: dict[str, tuple[str | Promise, str | Promise]] = {
    "start": (gettext_lazy("Send now"), gettext_lazy("Send started by staff")),
    "pause": (gettext_lazy("Pause the send"), gettext_lazy("Send paused")),
    "go_on": (gettext_lazy("Resume the send"), gettext_lazy("Send resumed")),
    "no_canary": (
        gettext_lazy("Send without waiting for the canaries"),
        gettext_lazy("Send goes on without its canaries"),
    ),
    "end": (gettext_lazy("End the send"), gettext_lazy("Send ended")),
    "cancel": (gettext_lazy("Stop the send permanently"), gettext_lazy("Send stopped permanently")),
    "choose_subject": (gettext_lazy("Choose the subject of a test"), gettext_lazy("Subject chosen by staff")),
    "took": (gettext_lazy("Mark as accepted"), gettext_lazy("Uncertain batch marked as accepted")),
    "leave": (gettext_lazy("Leave uncertain"), gettext_lazy("Left uncertain")),
    "again": (gettext_lazy("Send again"), gettext_lazy("Uncertain batch sent again")),
    "move_account": (
        gettext_lazy("Move the rest to another account"),
        gettext_lazy("Rest moved to another provider account"),
    ),
    "retry": (gettext_lazy("Retry refused recipients"), gettext_lazy("Retried refused recipients")),
}
"""By log action without “newsletter.”: the name of a step in the staff log, and its message after it is done."""


ARMS = ("1", "2", "3", "4")
"""The subjects of a test, as its buttons name them."""

STEPS_WITH_TEXT = ("pause", "go-on")
STEPS_WITH_OWN_ENTRY = ("start", "go-on")


@require_POST
def run_send_step(request: HttpRequest, pk: int, step: str) -> HttpResponse:
    """Run one step of the issue's send and go back to the issue's page."""
    issue = get_object_or_404(ISSUES, pk=pk)
    action = ServiceAction(
        call=lambda: SEND_STEPS[step](request, issue),
        instance=issue,
        log_action=None if step in STEPS_WITH_OWN_ENTRY else f"newsletter.{step.replace('-', '_')}",
        keeps_form=step in STEPS_WITH_TEXT,
    )
    return action.respond(request, back=overview_url(issue))


@require_POST
def run_batch_step(request: HttpRequest, pk: int, batch: int, step: str) -> HttpResponse:
    """Decide about one uncertain batch and go back to the issue's page."""
    issue = get_object_or_404(ISSUES, pk=pk)
    row = get_object_or_404(Batch.objects.select_related("send"), pk=batch, send__issue=issue)
    action = ServiceAction(
        call=lambda: Done(BATCH_STEPS[step](request, row), {"batch": row.seq}),
        instance=issue,
        log_action=f"newsletter.{step}",
    )
    return action.respond(request, back=overview_url(issue))


def _start(request: HttpRequest, issue: Issue) -> str:
    people = read_confirmed_people(request)
    if people is None and request.user.has_perm("newsletter.send_issue"):
        raise NotReady("Start the send on the issue’s own page, so that you confirm how many people get it.")
    send = request_send(
        issue=issue,
        by=request.user,
        now=timezone.now(),
        confirmed_recipients=people,
        write_entry=partial(log, instance=issue, action="newsletter.start", user=request.user),
    )
    if send.state != Send.State.PREPARING:
        return _("The send of %(issue)s began before, so this changed nothing. Nobody gets it twice.") % {
            "issue": issue
        }
    return _("%(issue)s is being prepared and will be sent in a moment. This page shows its progress.") % {
        "issue": issue
    }


def _pause(request: HttpRequest, issue: Issue) -> str:
    reason = require_length(request.POST.get("reason", "").strip(), limit=MAX_PAUSE_REASON, name="reason")
    pause_send(send=require_live_send(issue), by=request.user, reason=reason)
    return _("The send of %(issue)s is paused. Batches already in progress will finish; no others will start.") % {
        "issue": issue
    }


def _resume(request: HttpRequest, issue: Issue) -> str:
    reason = request.POST.get("reason", "").strip()
    resume_send(
        send=require_live_send(issue),
        by=request.user,
        reason=reason,
        now=timezone.now(),
        write_entry=partial(log, instance=issue, action="newsletter.go_on", user=request.user),
    )
    return _("The send of %(issue)s has resumed.") % {"issue": issue}


def _stop_waiting_for_canaries(request: HttpRequest, issue: Issue) -> str:
    stop_waiting(send=require_live_send(issue), by=request.user)
    return _("The send of %(issue)s no longer waits for its canaries.") % {"issue": issue}


def _cancel(request: HttpRequest, issue: Issue) -> str:
    cancel_send(send=require_live_send(issue), by=request.user, now=timezone.now())
    return _("The send of %(issue)s is stopped permanently. People who have not been sent to will not get it.") % {
        "issue": issue
    }


def _end(request: HttpRequest, issue: Issue) -> str:
    end_send(send=require_live_send(issue), by=request.user, now=timezone.now())
    return _("The send of %(issue)s has ended. Its delivery summary still shows the uncertain recipients.") % {
        "issue": issue
    }


def _choose_subject(request: HttpRequest, issue: Issue) -> str:
    number = request.POST.get("subject", "")
    subject = int(number) if number in ARMS else 0
    send = require_live_send(issue)
    decide_by_staff(send=send, subject=subject, by=request.user, now=timezone.now())
    if is_stopped(send):
        text = _("The people who waited get subject %(letter)s once the send is resumed.")
        return text % {"letter": LETTERS[subject - 1]}
    return _("The people who waited get subject %(letter)s in a moment.") % {"letter": LETTERS[subject - 1]}


def _settle_as_accepted(request: HttpRequest, batch: Batch) -> str:
    settle_as_accepted(batch=batch, by=request.user, now=timezone.now())
    return _("Batch %(seq)s counts as accepted by the provider: %(size)s.") % _batch_values(batch)


def _write_off(request: HttpRequest, batch: Batch) -> str:
    write_off(batch=batch, by=request.user, now=timezone.now())
    return _("Batch %(seq)s stays uncertain (%(size)s). Some people may not have got the issue.") % _batch_values(batch)


def _send_again(request: HttpRequest, batch: Batch) -> str:
    send_again(batch=batch, by=request.user, now=timezone.now())
    return _("Batch %(seq)s will be sent again to %(size)s.") % _batch_values(batch)


def _batch_values(batch: Batch) -> dict[str, object]:
    return {"seq": batch.seq, "size": label_people(batch.size)}


SEND_STEPS: dict[str, Callable[[HttpRequest, Issue], str]] = {
    "start": _start,
    "pause": _pause,
    "go-on": _resume,
    "no-canary": _stop_waiting_for_canaries,
    "end": _end,
    "cancel": _cancel,
    "choose-subject": _choose_subject,
}
BATCH_STEPS: dict[str, Callable[[HttpRequest, Batch], str]] = {
    "took": _settle_as_accepted,
    "leave": _write_off,
    "again": _send_again,
}
