"""The words that the desk says for states and reasons. No decisions."""

from typing import Any

from django.contrib.humanize.templatetags.humanize import intcomma
from django.utils.translation import ngettext

from newsletter.models import Issue, Send

_STATES = {
    Issue.State.DRAFT: ("Draft", "waits"),
    Issue.State.IN_REVIEW: ("In review", "waits"),
    Issue.State.APPROVED: ("Approved", "good"),
    Issue.State.SENDING: ("Going out", "busy"),
    Issue.State.SENT: ("Sent", "done"),
    Issue.State.CANCELLED: ("Cancelled", "off"),
}
_SENDS = {
    Send.State.PREPARING: ("Being prepared", "busy"),
    Send.State.READY: ("Ready to go out", "busy"),
    Send.State.SUBMITTING: ("Going out", "busy"),
    Send.State.PAUSED: ("Paused", "held"),
    Send.State.SUBMITTED: ("Handed over", "done"),
    Send.State.NEEDS_ATTENTION: ("Needs attention", "held"),
    Send.State.CANCELLED: ("Cancelled", "off"),
}
_EXCLUDED = {
    "unconfirmed": "have not confirmed by mail yet",
    "paused": "asked for a pause",
    "every_issue": "asked for every issue, not this kind of mail",
    "monthly": "asked for one mail a month",
    "events_only": "asked for events near them only",
    "no_event_near": "asked for events near them only, and there is none",
    "not_on_the_list": "have left the list since they were shown it",
    "suppressed:unsubscribe": "left everything",
    "suppressed:complaint": "reported a mail as spam",
    "suppressed:hard": "have an address that does not exist any more",
    "suppressed:soft_limit": "could not be reached several times",
    "suppressed:staff": "were taken out by staff",
    "suppressed:erasure": "asked to be erased",
    "suppressed:legal": "may not be mailed for a legal reason",
}
_DELIVERIES = {
    "accepted": "taken by the provider",
    "rejected": "refused for good",
    "skipped": "left or were suppressed after the audience was fixed",
    "uncertain": "asked for without a clear answer; nobody is mailed twice while that is open",
    "pending": "still to go",
}


def say_issue_state(issue: Issue) -> dict[str, Any]:
    """``word`` for people, ``tone`` for the colour, ``held`` with its reason."""
    word, tone = _STATES[Issue.State(issue.state)]
    return {"word": word, "tone": tone, "held": issue.held, "held_reason": issue.held_reason}


def say_send_state(send: Send) -> tuple[str, str]:
    """The word for people and the tone for the colour."""
    return _SENDS[Send.State(send.state)]


def say_people(people: int) -> str:
    """“1 person”, “12,400 people”."""
    return ngettext("%(people)s person", "%(people)s people", people) % {"people": intcomma(people)}


def say_reason(reason: str) -> str:
    """A stored reason as a sentence: it begins with a capital and ends with a stop."""
    reason = reason.strip()
    if not reason:
        return ""
    return reason[0].upper() + reason[1:] + ("" if reason.endswith((".", "!", "?", "…")) else ".")


def say_excluded(excluded: dict[str, int]) -> list[tuple[int, str]]:
    """(people, why), most people first."""
    rows = [
        (people, _EXCLUDED.get(reason, reason.replace("suppressed:", "").replace("_", " ")))
        for reason, people in excluded.items()
    ]
    return sorted(rows, reverse=True)


def say_deliveries(deliveries: dict[str, int]) -> list[tuple[int, str]]:
    """(people, what became of them), those of nobody left out."""
    return [(deliveries[state], words) for state, words in _DELIVERIES.items() if deliveries.get(state)]
