"""How far a send is, in numbers and words, and what of it waits for a person. Reads only."""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.humanize.templatetags.humanize import intcomma
from django.db.models import Min, Sum
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from newsletter.desk.shell.labels import format_reason, label_send_state
from newsletter.models import Batch, Installation, Send
from newsletter.models.feedback import AutomaticPause
from newsletter.sending.limits.recipient_allowlist import CLOSED, is_sending_blocked
from newsletter.sending.settling.sweep import OPEN_STATES
from subscribers.audience.recipient_allowlist import get_recipient_allowlist
from subscribers.desk.listing import format_moment

_STATE_HELP = {
    Send.State.PREPARING: _(
        "The audience is being fixed: whoever may be mailed at this moment gets it. It takes seconds."
    ),
    Send.State.READY: _("The audience is fixed. Mail begins to go out in a moment."),
    Send.State.SUBMITTING: _(
        "Mail is being handed to the provider. You can pause it; what is handed over cannot be called back."
    ),
    Send.State.PAUSED: _(
        "Nothing is handed over while it is paused. It goes on where it stopped, and nobody gets it twice."
    ),
    Send.State.NEEDS_ATTENTION: _(
        "Everything that could be done by itself is done. What is left needs a decision of yours."
    ),
    Send.State.SUBMITTED: _(
        "Everybody's mail was handed to the provider, or is accounted for. Reports still come in for days."
    ),
    Send.State.CANCELLED: _("It was ended for good. Whoever was not handed over by then does not get it."),
}
PACE_WINDOW = timedelta(seconds=60)
MAX_BATCHES_SHOWN = 50


@dataclass(frozen=True)
class Progress:
    """``done`` and ``recipients`` are people. ``version`` changes when the page must be drawn anew; ``moving``: ask again."""

    word: str
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
        return gettext("%(done)s of %(all)s people") % {"done": intcomma(self.done), "all": intcomma(self.recipients)}

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "people": self.people}


def describe_hold() -> str:
    """Why nothing at all is sent from here, in a sentence; empty where nothing holds it."""
    row = Installation.objects.filter(pk=1, held=True).first()
    return format_reason(row.reason or gettext("no reason was given")) if row else ""


def describe_allowlist() -> str:
    """Whom alone this installation mails, in a sentence; empty where it mails everyone."""
    if is_sending_blocked():
        return format_reason(CLOSED)
    only_to = get_recipient_allowlist()
    if only_to is None:
        return ""
    return gettext("Only these are mailed: %(only_to)s. The setting NEWSLETTER_ONLY_TO says so.") % {"only_to": only_to}


def find_send(issue: Any) -> Send | None:
    """The issue's send; a cancelled one too, if its audience had been fixed."""
    found: Send | None = issue.sends.exclude(recipients=0, state=Send.State.CANCELLED).first()
    return found


def measure_progress(send: Send, *, now: datetime) -> Progress:
    """Counted from rows; the rate is that of the last minute."""
    settled = send.batches.exclude(state__in=OPEN_STATES)
    done = settled.aggregate(people=Sum("size"))["people"] or 0
    recent = settled.filter(settled_at__gt=now - PACE_WINDOW).aggregate(people=Sum("size"))["people"] or 0
    uncertain = send.batches.filter(state=Batch.State.UNCERTAIN).count()
    word, tone = label_send_state(send)
    return Progress(
        word=word,
        tone=tone,
        done=done,
        recipients=send.recipients,
        pace=describe_pace(send, left=send.recipients - done, recent=recent, now=now),
        version=f"{send.state}-{uncertain}-{send.reason}",
        moving=send.state in (Send.State.PREPARING, Send.State.READY, Send.State.SUBMITTING),
    )


def describe_pace(send: Send, *, left: int, recent: int, now: datetime) -> str:
    """The rate and the time left, or what it waits for; nothing where it is not going on. ``recent``: people in a minute."""
    if send.state != Send.State.SUBMITTING or not left:
        return ""
    if send.not_before and send.not_before > now:
        return gettext("Quiet hours: it goes on %(not_before)s.") % {
            "not_before": format_moment(send.not_before, now=now)
        }
    if not recent:
        due = send.batches.filter(state=Batch.State.PENDING).aggregate(at=Min("not_before"))["at"]
        fits = send.batches.filter(state__in=OPEN_STATES, not_before__isnull=True).exists()
        if due and due > now and not fits:
            return gettext("It goes on %(due)s: the provider or a daily limit asked to wait.") % {
                "due": format_moment(due, now=now)
            }
        return gettext(
            "Nothing was handed over in the last minute. Mail goes out while `newsletter serve` or a worker runs."
        )
    minutes = max(round(left / _per_minute(send, recent=recent, now=now)), 1)
    time = (
        ngettext("%(minutes)s minute", "%(minutes)s minutes", minutes) % {"minutes": minutes}
        if minutes < 120
        else gettext("%(hours)s hours") % {"hours": round(minutes / 60)}
    )
    return gettext("%(recent)s people in the last minute; about %(time)s left.") % {
        "recent": f"{recent:,}",
        "time": time,
    }


def _per_minute(send: Send, *, recent: int, now: datetime) -> float:
    """People a minute: those of the last minute, or of the time since it began where that is less."""
    since = (now - send.started_at).total_seconds() if send.started_at else 0
    return recent * PACE_WINDOW.total_seconds() / min(max(since, 1), PACE_WINDOW.total_seconds())


def list_uncertain(send: Send) -> dict[str, Any]:
    """The batches of which nobody knows whether the provider took them, the oldest first, with when they were tried."""
    batches = send.batches.filter(state=Batch.State.UNCERTAIN)
    if send.state == Send.State.CANCELLED:
        batches = batches.none()
    total = batches.aggregate(people=Sum("size"))["people"] or 0
    shown = batches.annotate(tried_at=Min("attempts__started_at")).order_by("seq")[:MAX_BATCHES_SHOWN]
    return {
        "uncertain": [{"batch": batch, "reason": format_reason(batch.reason)} for batch in shown],
        "uncertain_people": total,
        "uncertain_more": max(batches.count() - MAX_BATCHES_SHOWN, 0),
    }


def describe_automatic_pause(stop: AutomaticPause) -> str:
    """The rule, with the number of cases if it counts any."""
    rule = str(stop.get_rule_display())
    return f"{rule} ({stop.cases:,})" if stop.cases else rule


def send_context(send: Send, *, now: datetime) -> dict[str, Any]:
    """What the overview shows of a send: progress, the reason of a stop, the uncertain batches, and which steps there are."""
    states = Send.State
    uncertain = list_uncertain(send)
    return {
        "progress": measure_progress(send, now=now),
        "means": _STATE_HELP[Send.State(send.state)],
        "preparing": send.state in (states.PREPARING, states.READY),
        "reason": format_reason(send.reason),
        "stops": [describe_automatic_pause(stop) for stop in send.automatic_pauses.order_by("at")],
        "can_pause": send.state == states.SUBMITTING,
        "can_go_on": send.state == states.PAUSED,
        "can_cancel": send.state not in (states.SUBMITTED, states.CANCELLED),
        "can_end": send.state == states.NEEDS_ATTENTION and not uncertain["uncertain"],
        **uncertain,
    }
