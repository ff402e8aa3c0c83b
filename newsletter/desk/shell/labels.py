"""The words that the desk says for states and reasons. No decisions."""

from typing import Any

from django.contrib.humanize.templatetags.humanize import intcomma
from django.utils.translation import gettext_lazy, ngettext

from newsletter.common.translation import translate
from newsletter.models import Issue, Send
from subscribers.desk.labels import EXCLUSION_LABELS

_ISSUE_STATES = {
    Issue.State.DRAFT: (gettext_lazy("Draft"), "waits"),
    Issue.State.IN_REVIEW: (gettext_lazy("In review"), "waits"),
    Issue.State.APPROVED: (gettext_lazy("Approved"), "good"),
    Issue.State.SENDING: (gettext_lazy("Going out"), "busy"),
    Issue.State.SENT: (gettext_lazy("Sent"), "done"),
    Issue.State.CANCELLED: (gettext_lazy("Cancelled"), "off"),
}
STATE_CHOICES = [(state.value, word) for state, (word, _tone) in _ISSUE_STATES.items()]
_SEND_STATES = {
    Send.State.PREPARING: (gettext_lazy("Being prepared"), "busy"),
    Send.State.READY: (gettext_lazy("Ready to go out"), "busy"),
    Send.State.SUBMITTING: (gettext_lazy("Going out"), "busy"),
    Send.State.PAUSED: (gettext_lazy("Paused"), "held"),
    Send.State.SUBMITTED: (gettext_lazy("Handed over"), "done"),
    Send.State.NEEDS_ATTENTION: (gettext_lazy("Needs attention"), "held"),
    Send.State.CANCELLED: (gettext_lazy("Cancelled"), "off"),
}
_EXCLUDED = {
    **EXCLUSION_LABELS,
    "every_issue": gettext_lazy("asked for every issue, not this kind of mail"),
    "monthly": gettext_lazy("asked for one mail a month"),
    "events_only": gettext_lazy("asked for events near them only"),
    "no_event_near": gettext_lazy("asked for events near them only, and there is none"),
    "not_on_the_list": gettext_lazy("have left the list since they were shown it"),
}
_DELIVERIES = {
    "accepted": gettext_lazy("taken by the provider"),
    "rejected": gettext_lazy("refused for good"),
    "skipped": gettext_lazy("left or were suppressed after the audience was fixed"),
    "cancelled": gettext_lazy("not handed over: the send was cancelled before"),
    "uncertain": gettext_lazy("asked for without a clear answer; nobody is mailed twice while that is open"),
    "pending": gettext_lazy("still to go"),
}


def label_issue_state(issue: Issue) -> dict[str, Any]:
    """``word`` for people, ``tone`` for the colour, ``held`` with its reason."""
    word, tone = _ISSUE_STATES[Issue.State(issue.state)]
    return {"word": str(word), "tone": tone, "held": issue.held, "held_reason": format_reason(issue.held_reason)}


def label_send_state(send: Send) -> tuple[str, str]:
    """The word for people and the tone for the colour."""
    word, tone = _SEND_STATES[Send.State(send.state)]
    return str(word), tone


def label_people(people: int) -> str:
    """“1 person”, “12,400 people”."""
    return ngettext("%(people)s person", "%(people)s people", people) % {"people": intcomma(people)}


def format_reason(reason: str) -> str:
    """A stored reason as a sentence, in the language of whoever reads it: it begins with a capital and ends with a stop."""
    reason = translate(reason).strip()
    if not reason:
        return ""
    return reason[0].upper() + reason[1:] + ("" if reason.endswith((".", "!", "?", "…")) else ".")


def label_exclusions(excluded: dict[str, int]) -> list[tuple[int, str]]:
    """(people, why), most people first."""
    rows = [
        (people, str(_EXCLUDED.get(reason, reason.replace("suppressed:", "").replace("_", " "))))
        for reason, people in excluded.items()
    ]
    return sorted(rows, reverse=True)


def label_deliveries(deliveries: dict[str, int], *, cancelled: int = 0) -> list[tuple[int, str]]:
    """(people, what became of them), those of nobody left out. ``cancelled`` of the skipped are told of apart."""
    apart = {**deliveries, "skipped": deliveries.get("skipped", 0) - cancelled, "cancelled": cancelled}
    return [(apart[state], str(words)) for state, words in _DELIVERIES.items() if apart.get(state)]
