"""The steps of a slowed send as its page shows them: the reports, the current limit, and what to change. Reads only."""

from dataclasses import dataclass
from datetime import datetime
from typing import TypedDict

from django.contrib.humanize.templatetags.humanize import intcomma
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from newsletter.common.translation import translate
from newsletter.feedback.adjust_pace import describe_slowing
from newsletter.models import PaceStep, Send
from subscribers.desk.listing import format_moment

Code = PaceStep.Code


@dataclass(frozen=True)
class ShownStep:
    """A step, when it was taken, what happened, and what holds since."""

    label: str
    at: str
    why: str
    pace: str


class PaceContext(TypedDict, total=False):
    """The context of desk/parts/pace.html. ``pace_advice`` is "" unless the send is slowed or was paused by it."""

    pace_steps: list[ShownStep]
    pace_advice: str


def pace_context(send: Send, *, now: datetime) -> PaceContext:
    """Return the steps, the newest first, and what to change by the newest code of a mailbox provider."""
    steps = list(send.pace_steps.order_by("-number"))
    step_with_code = next((step for step in steps if step.status), None)
    is_over = not steps or steps[0].code == Code.ENDED
    return {
        "pace_steps": [_describe(step, now=now) for step in steps],
        "pace_advice": "" if step_with_code is None or is_over else translate(describe_slowing(step_with_code)),
    }


def _describe(step: PaceStep, *, now: datetime) -> ShownStep:
    why = ""
    if step.status:
        why = _("%(mailbox)s refused or delayed %(reports)s of %(mails)s mails because of the sender (%(status)s).") % {
            "mailbox": step.mailbox,
            "reports": intcomma(step.reports),
            "mails": intcomma(step.mails),
            "status": step.status,
        }
    elif step.code in (Code.RAISED, Code.ENDED):
        why = _("The reports stopped.")
    pace = ""
    if step.people_per_minute is not None:
        pace = ngettext(
            "At most %(people)s person a minute.", "At most %(people)s people a minute.", step.people_per_minute
        ) % {"people": intcomma(step.people_per_minute)}
    return ShownStep(step.get_code_display(), format_moment(step.at, now=now), why, pace)
