"""Pause sends of a domain that too many people at Gmail reported as spam, before their first mail or in the middle.

A person resumes such a send with a reason. After that, only a rate twice as high pauses it again.
"""

from datetime import datetime
from functools import partial

from django.db import transaction

from newsletter.common.errors import BadValue
from newsletter.common.messages import Message
from newsletter.common.text import clean_line, require_length
from newsletter.models import Issue, PostmasterFigure, Send, transition
from newsletter.models.sending.automatic_pauses import AutomaticPause
from newsletter.sending.deliverability.gmail_figures.spam_rate_level import (
    JUDGED_KINDS,
    Level,
    describe_rate,
    find_worst_rate,
    judge_rate,
    list_accounts_in_use,
    may_pause,
)
from newsletter.sending.limits.each_send import act_on_each

RULE = AutomaticPause.Rule.GMAIL
MAX_REASON = 300


def pause_reported(*, now: datetime) -> list[Send]:
    """Pause the running sends whose rate is too high. Return them. Part of the sweep; safe to repeat.

    An error in one send does not stop others.
    """
    if not PostmasterFigure.objects.exists():
        return []
    running = Send.objects.filter(
        state=Send.State.SUBMITTING, issue__kind__in=JUDGED_KINDS, issue__publication__gmail_pause=True
    )
    running = running.select_related("issue__publication")
    judged = act_on_each(running, partial(pause_if_reported, now=now), failure="Gmail's rate of send %s was not judged")
    return [send for send, is_paused in judged if is_paused]


@transaction.atomic
def pause_if_reported(send: Send, *, now: datetime) -> bool:
    """Pause a running send if the rate is too high and nobody allowed it. Return True if this call paused it.

    The switch is read again, because the publication may have changed since it was loaded.
    """
    issue = Issue.objects.select_related("publication").get(pk=send.issue_id)
    if not may_pause(issue):
        return False
    worst = find_worst_rate(issue.publication, now=now, accounts=list_accounts_in_use(send))
    if worst is None or judge_rate(worst.value) is not Level.TOO_HIGH:
        return False
    cases = round(worst.value * AutomaticPause.CASES_PER_SHARE)
    pause = AutomaticPause.objects.filter(send=send, rule=RULE).first()
    if pause is not None and cases < 2 * pause.cases:
        return False
    reason = Message(
        "Stopped automatically. %(rate)s The limit is 0.3 %%. Gmail refuses or hides mail of senders above it. Check who is "
        "on the list and how they joined. Then resume the send with a reason, or cancel it",
        rate=describe_rate(worst),
    )
    submitting = [Send.State.SUBMITTING]
    if not transition(
        send, from_states=submitting, to=Send.State.PAUSED, reason=reason, code=Send.Code.GMAIL_SPAM_RATE
    ):
        return False
    AutomaticPause.objects.update_or_create(
        send=send,
        rule=RULE,
        defaults={"cases": cases, "at": now, "lifted_at": None, "lifted_by": "", "lifted_reason": ""},
    )
    return True


def needs_reason(send: Send) -> bool:
    """Return True if the person who resumes the send must give a reason."""
    return send.state == Send.State.PAUSED and send.code == Send.Code.GMAIL_SPAM_RATE


def record_resume_reason(send: Send, *, by: str, reason: str, now: datetime) -> None:
    """Store why a person resumes a send that Gmail's spam rate paused. Other pauses need none.

    The send is read again, because another person may have acted on it. Raise BadValue without a reason, or if it is too long.
    """
    row = Send.objects.select_for_update().get(pk=send.pk)
    if not needs_reason(row):
        return
    reason = require_length(clean_line(reason), limit=MAX_REASON, name="reason")
    if not reason:
        raise BadValue(
            "The send of %(issue)s is still paused, because Gmail’s spam rate is too high. Enter a reason, then resume it.",
            name="reason",
            issue=send.issue,
        )
    AutomaticPause.objects.filter(send=row, rule=RULE).update(lifted_at=now, lifted_by=by, lifted_reason=reason)
