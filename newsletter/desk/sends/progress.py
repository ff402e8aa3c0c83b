"""The progress of a send, and what in it waits for a person. Reads only."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.humanize.templatetags.humanize import intcomma
from django.db.models import Max, QuerySet, Sum
from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from newsletter.common.errors import WrongState
from newsletter.common.translation import format_percent
from newsletter.desk.sends.canary_results import CanaryContext, canary_context, name_canary_state
from newsletter.desk.sends.local_hours import LocalHoursContext, describe_next_hour, hours_under_way_context
from newsletter.desk.sends.pace import PaceContext, pace_context
from newsletter.desk.sends.subject_test import describe_subject_wait
from newsletter.desk.shell.labels import format_reason, label_people, label_send_state
from newsletter.feedback.webhook_setup.silence import SilentSend, find_silent_accounts
from newsletter.models import Batch, Issue, Send
from newsletter.models.sending.automatic_pauses import AutomaticPause
from newsletter.sending.canaries.canary_decision import is_waiting
from newsletter.sending.limits.gmail_spam_rate import needs_reason
from newsletter.sending.mails_with_story import explain_withdrawn
from subscribers.desk.listing import format_moment

_STATE_HELP: dict[Send.State, str | Promise] = {
    Send.State.PREPARING: _("We are locking the recipient list. This takes a few seconds."),
    Send.State.READY: _("The recipient list is locked. Sending starts in a moment."),
    Send.State.SUBMITTING: _("Mail is being sent. You can pause the send, but mails already sent cannot be recalled."),
    Send.State.PAUSED: _(
        "Nothing is sent while it is paused. If you resume, it continues where it stopped; nobody gets it twice."
    ),
    Send.State.NEEDS_ATTENTION: _("We can do no more by ourselves. The rest needs your decision."),
    Send.State.SUBMITTED: _("The send is complete. Delivery reports keep arriving for a few days."),
    Send.State.CANCELLED: _(
        "The send was stopped permanently. The delivery summary says who got it, who did not, and who is uncertain."
    ),
}
PACE_WINDOW = timedelta(seconds=60)


@dataclass(frozen=True)
class Progress:
    """``done`` and ``recipients`` count people.

    The page reloads when ``version`` changes, and asks for new numbers while ``moving`` is True.
    """

    label: str
    tone: str
    done: int
    recipients: int
    pace: str
    version: str
    moving: bool

    @property
    def left(self) -> int:
        return self.recipients - self.done

    @property
    def people(self) -> str:
        text = ngettext("%(done)s of %(all)s person", "%(done)s of %(all)s people", self.recipients)
        return text % {"done": intcomma(self.done), "all": intcomma(self.recipients)}

    def as_json(self) -> dict[str, object]:
        """Return what `progress.js` shows."""
        return {
            "done": self.done,
            "total": self.recipients,
            "count": self.people,
            "note": self.pace,
            "version": self.version,
            "moving": self.moving,
        }


class SendContext(LocalHoursContext, PaceContext, CanaryContext, total=False):
    """The context of desk/send.html, in addition to that of the issue's head.

    ``withdrawn`` says why a paused send cannot be resumed, unless ``reason`` says it.
    """

    progress: Progress
    state_help: str | Promise
    preparing: bool
    reason: str
    withdrawn: str
    automatic_pauses: list[str]
    can_pause: bool
    can_resume: bool
    resume_needs_reason: bool
    can_cancel: bool
    can_end: bool
    silences: list[SilentSend]


def find_send(issue: Issue) -> Send | None:
    """Return the issue's send. A cancelled one counts if its recipient list was locked."""
    return issue.sends.exclude(recipients=0, state=Send.State.CANCELLED).first()


def find_stopped_send(issue: Issue) -> Send | None:
    """Return the newest send of the issue that waits for a person."""
    return issue.sends.filter(state__in=[Send.State.PAUSED, Send.State.NEEDS_ATTENTION]).first()


def find_live_send(issue: Issue) -> Send | None:
    """Return the issue's send unless it was cancelled."""
    return issue.sends.exclude(state=Send.State.CANCELLED).first()


def require_live_send(issue: Issue) -> Send:
    """Return the issue's send. Raise WrongState if it has none, or if it was cancelled."""
    send = find_live_send(issue)
    if send is None:
        raise WrongState("%(issue)s has no active send. Somebody may have cancelled it. Reload the page.", issue=issue)
    return send


def measure_progress(send: Send, *, now: datetime) -> Progress:
    """Count the people of settled batches. The pace is that of the last minute."""
    settled = send.batches.exclude(state__in=Batch.OPEN_STATES)
    done = _count_people(settled)
    recent = _count_people(settled.filter(settled_at__gt=now - PACE_WINDOW))
    uncertain = send.batches.filter(state=Batch.State.UNCERTAIN).count()
    label, tone = label_send_state(send)
    return Progress(
        label=label,
        tone=tone,
        done=done,
        recipients=send.recipients,
        pace=describe_pace(send, left=_count_left(send), recent=recent, now=now),
        version=(
            f"{send.state}-{uncertain}-{send.checked_until or ''}-{send.people_per_minute or ''}-{send.reason}"
            f"-{name_canary_state(send)}"
        ),
        moving=send.state in (Send.State.PREPARING, Send.State.READY, Send.State.SUBMITTING),
    )


def describe_pace(send: Send, *, left: int, recent: int, now: datetime) -> str:
    """Return the pace and the time left, or the reason to wait; "" if it is not sending.

    ``recent`` is the number of people in the last minute.
    """
    if send.state != Send.State.SUBMITTING:
        return ""
    if next_hour := describe_next_hour(send, now=now):
        return next_hour
    if is_waiting(send):
        return gettext("Waiting for the canaries.")
    if not left:
        return describe_subject_wait(send)
    if send.not_before and send.not_before > now:
        not_before = format_moment(send.not_before, now=now)
        return gettext("Quiet hours: sending resumes %(not_before)s.") % {"not_before": not_before}
    open_batches = send.batches.released().filter(state__in=Batch.OPEN_STATES)
    wait = _describe_wait(send, open_batches, at_least=PACE_WINDOW if recent else timedelta(), now=now)
    if wait:
        return wait
    if not recent:
        if unanswered := _count_people(open_batches.filter(state=Batch.State.SUBMITTING)):
            return gettext("Waiting for the provider’s answer for %(people)s.") % {"people": label_people(unanswered)}
        hour = open_batches.aggregate(at=Max("due_at"))["at"]
        if any(moment and moment > now - PACE_WINDOW for moment in (send.started_at, hour)):
            return gettext("Sending has just begun.")
        return gettext(
            "Nothing was sent in the last minute. Ask your administrator whether `newsletter serve` or a worker is "
            "running."
        )
    minutes = max(round(left / _per_minute(send, recent=recent, now=now)), 1)
    time = (
        ngettext("%(minutes)s minute", "%(minutes)s minutes", minutes) % {"minutes": minutes}
        if minutes < 120
        else gettext("%(hours)s hours") % {"hours": round(minutes / 60)}
    )
    return gettext("%(people)s in the last minute; about %(time)s left.") % {
        "people": label_people(recent),
        "time": time,
    }


def _describe_wait(send: Send, open_batches: QuerySet[Batch], *, at_least: timedelta, now: datetime) -> str:
    """Return when and why sending resumes if all that is left waits, and longer than ``at_least``; else ""."""
    waiting = open_batches.filter(state=Batch.State.PENDING, not_before__isnull=False)
    due, reason = waiting.order_by("not_before").values_list("not_before", "reason").first() or (None, "")
    if due is None or due <= now + at_least or open_batches.filter(not_before__isnull=True).exists():
        return ""
    if send.people_per_minute is not None:
        return gettext("Sending resumes %(due)s: the send was slowed.") % {"due": format_moment(due, now=now)}
    if reason:
        return gettext("Sending resumes %(due)s. The last attempt did not succeed: %(reason)s") % {
            "due": format_moment(due, now=now),
            "reason": format_reason(reason),
        }
    return gettext("Sending resumes %(due)s: the provider or a daily limit requires a wait.") % {
        "due": format_moment(due, now=now)
    }


def _count_left(send: Send) -> int:
    """Return the number of people who are still to be sent to now, without those whose hour is to come."""
    return _count_people(send.batches.released().filter(state__in=Batch.OPEN_STATES))


def _count_people(batches: QuerySet[Batch]) -> int:
    return batches.aggregate(people=Sum("size"))["people"] or 0


def _per_minute(send: Send, *, recent: int, now: datetime) -> float:
    """Return people per minute, over the last minute or over the time since the start if that is less."""
    since = (now - send.started_at).total_seconds() if send.started_at else 0
    return recent * PACE_WINDOW.total_seconds() / min(max(since, 1), PACE_WINDOW.total_seconds())


def has_uncertain_batch(send: Send) -> bool:
    return send.batches.filter(state=Batch.State.UNCERTAIN).exists()


def describe_automatic_pause(pause: AutomaticPause) -> str:
    """Return the rule that paused the send, with the number of cases if it counts any, and why somebody resumed it."""
    rule = str(pause.get_rule_display())
    if pause.rule == AutomaticPause.Rule.GMAIL:
        rule = f"{rule} ({format_percent(100 * pause.cases / AutomaticPause.CASES_PER_SHARE)})"
    elif pause.cases:
        rule = f"{rule} ({intcomma(pause.cases)})"
    if pause.lifted_at is None:
        return rule
    return gettext("%(rule)s; resumed by %(by)s: “%(reason)s”") % {
        "rule": rule,
        "by": pause.lifted_by,
        "reason": pause.lifted_reason,
    }


def send_context(send: Send, *, now: datetime) -> SendContext:
    """Return the progress, the reason for a pause, and the possible steps."""
    states = Send.State
    reason = format_reason(send.reason)
    withdrawn = format_reason(explain_withdrawn(send) or "") if send.state == states.PAUSED else ""
    return {
        "progress": measure_progress(send, now=now),
        "state_help": _STATE_HELP[Send.State(send.state)],
        "preparing": send.state in (states.PREPARING, states.READY),
        "reason": reason,
        "withdrawn": "" if withdrawn == reason else withdrawn,
        "automatic_pauses": [describe_automatic_pause(pause) for pause in send.automatic_pauses.order_by("at")],
        "can_pause": send.state == states.SUBMITTING,
        "can_resume": send.state == states.PAUSED and not withdrawn,
        "resume_needs_reason": needs_reason(send),
        "can_cancel": send.state not in (states.SUBMITTED, states.CANCELLED),
        "can_end": send.state == states.NEEDS_ATTENTION and not has_uncertain_batch(send),
        "silences": find_silent_accounts(send, now=now),
        **hours_under_way_context(send, now=now),
        **pace_context(send, now=now),
        **canary_context(send, now=now),
    }
