"""Show the results of a send's canaries in words, and if the send waits for them. Reads only."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TypedDict

from django.db.models import Count, Max
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from newsletter.common.translation import translate
from newsletter.desk.shell.labels import format_reason
from newsletter.models import CanaryMail, Publication, Send
from newsletter.sending.canaries.canary_decision import find_wait_end, is_waiting
from newsletter.sending.deliverability.findings import Finding
from subscribers.desk.listing import format_moment

_Decision, _State, _Result = Send.CanaryDecision, CanaryMail.State, CanaryMail.Result
_DECISIONS: dict[str, str | Promise] = {
    _Decision.WATCHED: gettext_lazy("This send did not wait for the canary results, as set in the publication."),
    _Decision.PASSED: gettext_lazy("The first canaries arrived well, so everybody else got the issue."),
    _Decision.TIMED_OUT: gettext_lazy(
        "Not all first canaries were found in time. The send went on, as chosen in the publication."
    ),
    _Decision.NOT_SENT: gettext_lazy("No canary got the issue. The send went on, as chosen in the publication."),
    _Decision.NO_MAILBOX: gettext_lazy("There was no canary mailbox in use, so the send went on."),
    _Decision.TO_FILES: gettext_lazy("Mail was written to files, so no canary got it."),
    _Decision.BY_STAFF: gettext_lazy("A member of staff decided that the send goes on. The staff log says who."),
}


@dataclass(frozen=True)
class CanaryResult:
    """One mail in words. ``problems`` and ``notes`` are sentences; ``tone`` is that of the tag."""

    mail: CanaryMail
    label: str
    tone: str
    placement: str
    problems: list[str]
    notes: list[str]
    good: list[str]


class CanaryContext(TypedDict, total=False):
    """The context of desk/parts/canaries.html. Without ``canary_shown``, there is nothing to say."""

    canary_shown: bool
    canary_waiting: bool
    canary_decision: str
    canary_results: list[CanaryResult]


def canary_context(send: Send, *, now: datetime) -> CanaryContext:
    """Return the results of a send's canaries, and why the send waits or continued."""
    mails = send.canary_mails.select_related("mailbox", "send__issue__publication").order_by("turn", "mailbox__address")
    results = describe_results(mails)
    uses = send.issue.publication.canary != Publication.Canary.OFF and not send.period
    return {
        "canary_shown": bool(results) or (uses and bool(send.started_at)),
        "canary_waiting": is_waiting(send),
        "canary_decision": _describe_decision(send, now=now),
        "canary_results": results,
    }


def name_canary_state(send: Send) -> str:
    """Return a text that changes whenever the page has something new about canaries."""
    figures = send.canary_mails.aggregate(mails=Count("pk"), sent=Max("sent_at"), measured=Max("measured_at"))
    return f"{send.canary_decision}-{figures['mails']}-{figures['sent'] or ''}-{figures['measured'] or ''}"


def describe_results(mails: Iterable[CanaryMail]) -> list[CanaryResult]:
    return [_describe_mail(mail) for mail in mails]


def _describe_decision(send: Send, *, now: datetime) -> str:
    if not is_waiting(send):
        return str(_DECISIONS.get(send.canary_decision, ""))
    until = find_wait_end(send)
    if until is None:
        return _("The canaries are sent in a moment. Everybody else waits for that.")
    publication = send.issue.publication
    values = {"until": format_moment(until, now=now), "then": str(publication.get_canary_silence_display()).lower()}
    return _("Everybody else waits for the first canaries, at the latest until %(until)s. Then: %(then)s.") % values


def _describe_mail(mail: CanaryMail) -> CanaryResult:
    findings = [Finding.from_row(row) for row in mail.findings]
    return CanaryResult(
        mail=mail,
        label=_label(mail),
        tone="held" if mail.result in (*CanaryMail.ALARMS, _Result.MISSING) or mail.state == _State.FAILED else "",
        placement=_describe_placement(mail),
        problems=[_describe_finding(finding) for finding in findings if finding.level == "error"],
        notes=[
            *_describe_reason(mail),
            *(_describe_finding(checked) for checked in findings if checked.level == "warning"),
        ],
        good=[
            f"{translate(checked.check)}: {translate(checked.says)}" for checked in findings if checked.level == "ok"
        ],
    )


def _label(mail: CanaryMail) -> str:
    if mail.state in CanaryMail.HANDED_OVER:
        return str(mail.get_result_display())
    return str(mail.get_state_display())


def _describe_placement(mail: CanaryMail) -> str:
    """Return where the mail is and how long it took, "" before it is found."""
    if mail.seconds is None:
        return ""
    placement = _("in %(folder)s") % {"folder": mail.folder}
    if mail.placement == CanaryMail.Placement.INBOX:
        placement = _("in the inbox")
    if mail.seconds < 120:
        took = ngettext("after %(seconds)s second", "after %(seconds)s seconds", mail.seconds)
        return f"{placement}, {took % {'seconds': mail.seconds}}"
    minutes = round(mail.seconds / 60)
    took = ngettext("after %(minutes)s minute", "after %(minutes)s minutes", minutes)
    return f"{placement}, {took % {'minutes': minutes}}"


def _describe_reason(mail: CanaryMail) -> list[str]:
    reasons = [format_reason(mail.reason)] if mail.reason else []
    if mail.result == _Result.UNKNOWN and mail.mailbox.error and mail.state in CanaryMail.HANDED_OVER:
        reasons.append(format_reason(mail.mailbox.error))
    return reasons


def _describe_finding(finding: Finding) -> str:
    return f"{translate(finding.check)}: {translate(finding.text)}"
