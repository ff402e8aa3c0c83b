"""Labels for states, exclusion reasons and delivery outcomes, as the desk shows them."""

from dataclasses import dataclass

from django.contrib.humanize.templatetags.humanize import intcomma
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy, ngettext

from newsletter.common.translation import translate
from newsletter.models import Issue, Send
from subscribers.desk.labels import EXCLUSION_LABELS

_ISSUE_STATES = {
    Issue.State.DRAFT: (gettext_lazy("Draft"), "waits"),
    Issue.State.IN_REVIEW: (gettext_lazy("In review"), "waits"),
    Issue.State.APPROVED: (gettext_lazy("Approved"), "good"),
    Issue.State.SENDING: (gettext_lazy("Sending"), "busy"),
    Issue.State.SENT: (gettext_lazy("Sent"), "done"),
    Issue.State.CANCELLED: (gettext_lazy("Cancelled"), "off"),
}
STATE_CHOICES = [(state.value, label) for state, (label, _tone) in _ISSUE_STATES.items()]
_SEND_STATES = {
    Send.State.PREPARING: (gettext_lazy("Preparing"), "busy"),
    Send.State.READY: (gettext_lazy("Ready to send"), "busy"),
    Send.State.SUBMITTING: (gettext_lazy("Sending"), "busy"),
    Send.State.PAUSED: (gettext_lazy("Paused"), "held"),
    Send.State.SUBMITTED: (gettext_lazy("Sent"), "done"),
    Send.State.NEEDS_ATTENTION: (gettext_lazy("Needs attention"), "held"),
    Send.State.CANCELLED: (gettext_lazy("Cancelled"), "off"),
}
_EXCLUSIONS: dict[str, str | Promise] = {
    **EXCLUSION_LABELS,
    "every_issue": gettext_lazy("chose to get every issue, not this type of mail"),
    "monthly": gettext_lazy("chose one mail a month"),
    "events_only": gettext_lazy("chose only events near them"),
    "no_event_near": gettext_lazy("chose only events near them, and there are none"),
    "not_on_the_list": gettext_lazy("unsubscribed since they received the event"),
}
_DELIVERIES = {
    "accepted": gettext_lazy("accepted by the provider"),
    "rejected": gettext_lazy("rejected by the provider"),
    "skipped": gettext_lazy("unsubscribed or suppressed after the recipient list was locked"),
    "cancelled": gettext_lazy("not sent: the send was cancelled first"),
    "uncertain": gettext_lazy("uncertain: no clear answer from the provider, so not sent again"),
    "pending": gettext_lazy("still to send"),
}


@dataclass(frozen=True)
class IssueStateLabel:
    """An issue's state for people. ``tone`` is the suffix of a CSS class; ``held_reason`` is a sentence or ""."""

    label: str
    tone: str
    held: bool
    held_reason: str


def label_issue_state(issue: Issue) -> IssueStateLabel:
    label, tone = _ISSUE_STATES[Issue.State(issue.state)]
    if issue.closed_at is not None and issue.slot_id is not None:
        label = gettext_lazy("Skipped")
    return IssueStateLabel(str(label), tone, held=issue.held, held_reason=format_reason(issue.held_reason))


def label_send_state(send: Send) -> tuple[str, str]:
    """Return the label of a send's state and the suffix of its CSS class."""
    label, tone = _SEND_STATES[Send.State(send.state)]
    return str(label), tone


def label_people(people: int) -> str:
    """Return “1 person” or “12,400 people”."""
    return ngettext("%(people)s person", "%(people)s people", people) % {"people": intcomma(people)}


def format_reason(reason: str) -> str:
    """Return a stored reason as a sentence in the current language, or "" if there is none."""
    reason = translate(reason).strip()
    if not reason:
        return ""
    return reason[0].upper() + reason[1:] + ("" if reason.endswith((".", "!", "?", "…")) else ".")


def label_exclusions(excluded: dict[str, int]) -> list[tuple[int, str]]:
    """Return (people, reason) for each exclusion, the largest number first."""
    return sorted(((people, label_exclusion(code)) for code, people in excluded.items()), reverse=True)


def label_exclusion(code: str) -> str:
    return str(_EXCLUSIONS.get(code, code.replace("suppressed:", "").replace("_", " ")))


def label_deliveries(deliveries: dict[str, int], *, cancelled: int = 0) -> list[tuple[int, str]]:
    """Return (people, outcome) for each outcome that anybody has.

    ``deliveries`` counts the cancelled people as skipped. The result shows them separately.
    """
    counts = {**deliveries, "skipped": deliveries.get("skipped", 0) - cancelled, "cancelled": cancelled}
    return [(counts[state], str(label)) for state, label in _DELIVERIES.items() if counts.get(state)]
