"""Labels for states, exclusion reasons and delivery outcomes, as the desk shows them."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from django.contrib.auth.models import AnonymousUser, User
from django.contrib.humanize.templatetags.humanize import intcomma
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext, gettext_lazy, ngettext

from newsletter.common.errors import BadRule
from newsletter.common.translation import translate
from newsletter.desk.issues.audience.recipient_counts import explain_manual_approval
from newsletter.issues.approval.approval_rules import is_automatic, is_unsubmitted
from newsletter.issues.approval.publication_switches import is_switched_off
from newsletter.issues.variants.exclusion_labels import get_exclusion_label
from newsletter.models import Issue, Send
from newsletter.providers.registry import OUTBOX
from newsletter.sending.settling.receipt import Receipt

_ISSUE_LABELS = {
    "draft": (gettext_lazy("Draft"), "off"),
    "waiting": (gettext_lazy("Waiting for approval"), "waits"),
    "automatic": (gettext_lazy("Will send automatically"), "busy"),
    "switched_off": (gettext_lazy("Will not be sent"), "off"),
    "held": (gettext_lazy("On hold"), "held"),
    "approved": (gettext_lazy("Approved"), "good"),
    "sending": (gettext_lazy("Sending"), "busy"),
    "paused": (gettext_lazy("Paused"), "held"),
    "needs_attention": (gettext_lazy("Needs attention"), "held"),
    "sent": (gettext_lazy("Sent"), "done"),
    "to_files": (gettext_lazy("Written to files"), "done"),
    "skipped": (gettext_lazy("Skipped"), "off"),
    "cancelled": (gettext_lazy("Cancelled"), "off"),
}
STATE_CHOICES = [(code, label) for code, (label, _tone) in _ISSUE_LABELS.items()]
_OVER = (Issue.State.SENT, Issue.State.CANCELLED)
_STOPPED = (Send.State.PAUSED, Send.State.NEEDS_ATTENTION)
_SKIPPED = Q(closed_at__isnull=False, slot__isnull=False)
_SEND_STATES = {
    Send.State.PREPARING: (gettext_lazy("Preparing"), "busy"),
    Send.State.READY: (gettext_lazy("Ready to send"), "busy"),
    Send.State.SUBMITTING: (gettext_lazy("Sending"), "busy"),
    Send.State.PAUSED: (gettext_lazy("Paused"), "held"),
    Send.State.SUBMITTED: (gettext_lazy("Sent"), "done"),
    Send.State.NEEDS_ATTENTION: (gettext_lazy("Needs attention"), "held"),
    Send.State.CANCELLED: (gettext_lazy("Cancelled"), "off"),
}
_DELIVERIES = {
    "accepted": gettext_lazy("accepted by the provider"),
    "rejected": gettext_lazy("rejected by the provider"),
    "skipped": gettext_lazy(
        "unsubscribed or suppressed after the recipient list was locked, or changed to an address that has the issue"
    ),
    "cancelled": gettext_lazy("not sent: the send was cancelled first"),
    "uncertain": gettext_lazy("uncertain: no clear answer from the provider, so not sent again"),
    "unanswered": gettext_lazy("waiting for the provider’s answer"),
    "pending": gettext_lazy("still to send"),
}


@dataclass(frozen=True)
class IssueStateLabel:
    """An issue's state for people. ``tone`` is the suffix of a CSS class; ``held_reason`` is a sentence or ""."""

    code: str
    label: str
    tone: str
    held: bool
    held_reason: str

    @property
    def is_to_be_sent(self) -> bool:
        """Return True if the issue is sent at its time without a person."""
        return self.code in (Issue.State.APPROVED, "automatic")


def label_in_publication(issue: Issue) -> str:
    """Return the issue's name without its publication's, such as “No. 3” or “Correction 1”."""
    if issue.kind == Issue.Kind.ISSUE:
        return gettext("No. %(number)s") % {"number": issue.number}
    return f"{capfirst(issue.get_kind_display())} {issue.number}"


def label_issue(issue: Issue) -> str:
    """Return the issue's whole name in the current language, such as “The weekly letter No. 3”."""
    if issue.kind == Issue.Kind.ISSUE:
        return f"{issue.publication.name} {label_in_publication(issue)}"
    return str(issue)


def link_issues(issues: Iterable[Issue], *, user: User | AnonymousUser) -> SafeString:
    """Return the names of issues as HTML, each a link to its page if the user may open it."""
    if not user.has_perm("newsletter.change_issue"):
        return format_html_join(", ", "{}", ((issue,) for issue in issues))
    pages = ((reverse("newsletter_issue_overview", args=[issue.pk]), issue) for issue in issues)
    return format_html_join(", ", '<a href="{}">{}</a>', pages)


def describe_paused(issues: Sequence[Issue], *, user: User | AnonymousUser) -> str:
    """Return which sends were paused, and where to see what to do next."""
    text = ngettext(
        "Sending is paused: {issues}. Its page says why, and what to do next.",
        "Sending is paused: {issues}. Their pages say why, and what to do next.",
        len(issues),
    )
    return format_html(text, issues=link_issues(issues, user=user))


def written_to_files() -> Exists:
    """Return the annotation ``to_files`` of a query of issues: True if their mails were written to files."""
    return Exists(_live_sends().filter(provider=OUTBOX))


def send_began() -> Subquery:
    """Return the annotation ``sent_at`` of a query of issues: when their send began."""
    return Subquery(_live_sends().order_by("-started_at").values("started_at")[:1])


def _live_sends() -> QuerySet[Send]:
    return Send.objects.filter(issue=OuterRef("pk")).exclude(state=Send.State.CANCELLED)


def label_issue_state(issue: Issue, *, to_files: bool = False) -> IssueStateLabel:
    """Return the issue's state. ``to_files`` is True if its mails were written to files."""
    code = _find_issue_code(issue, to_files=to_files)
    label, tone = _ISSUE_LABELS[code]
    return IssueStateLabel(code, str(label), tone, held=issue.held, held_reason=format_reason(issue.held_reason))


def filter_by_state_label(issues: QuerySet[Issue], code: str) -> QuerySet[Issue]:
    """Return the issues that `label_issue_state` gives this label, a code of `STATE_CHOICES`."""
    if code == "skipped":
        return issues.filter(_SKIPPED)
    unskipped = issues.exclude(_SKIPPED)
    if code in (Issue.State.SENT, "to_files"):
        return unskipped.filter(
            written_to_files() if code == "to_files" else ~written_to_files(), state=Issue.State.SENT
        )
    if code in _OVER:
        return unskipped.filter(state=code)
    others = unskipped.exclude(state__in=_OVER).select_related("publication")
    return issues.filter(pk__in=[issue.pk for issue in others if _find_issue_code(issue) == code])


def _find_issue_code(issue: Issue, *, to_files: bool = False) -> str:
    if issue.closed_at is not None and issue.slot_id is not None:
        return "skipped"
    if issue.state == Issue.State.SENDING:
        return _find_stop(issue) or str(issue.state)
    if issue.state in _OVER:
        return "to_files" if to_files and issue.state == Issue.State.SENT else str(issue.state)
    if issue.held:
        return "held"
    if is_switched_off(issue.kind, publication=issue.publication):
        return "switched_off"
    if issue.state == Issue.State.APPROVED:
        return _find_stop(issue) or str(issue.state)
    if is_unsubmitted(issue):
        return "draft"
    return "automatic" if issue.state == Issue.State.DRAFT and _will_send(issue) else "waiting"


def _find_stop(issue: Issue) -> str:
    """Return the state of the issue's send if the send waits for a person, or ""."""
    return issue.sends.filter(state__in=_STOPPED).values_list("state", flat=True).first() or ""


def _will_send(issue: Issue) -> bool:
    if not is_automatic(issue):
        return False
    try:
        return not explain_manual_approval(issue)
    except BadRule:
        return False


def label_send_state(send: Send) -> tuple[str, str]:
    """Return the label of a send's state and the suffix of its CSS class."""
    label, tone = _SEND_STATES[Send.State(send.state)]
    return str(label), tone


def label_people(people: int) -> str:
    """Return “1 person” or “12,400 people”."""
    return ngettext("%(people)s person", "%(people)s people", people) % {"people": intcomma(people)}


def format_reason(reason: str) -> str:
    """Return a stored reason as a sentence in the current language, or ""."""
    reason = translate(reason).strip()
    if not reason:
        return ""
    return reason[0].upper() + reason[1:] + ("" if reason.rstrip('"”').endswith((".", "!", "?", "…")) else ".")


def label_exclusions(excluded: dict[str, int]) -> list[tuple[int, str]]:
    """Return (people, reason) for each exclusion, the largest number first."""
    return sorted(((people, label_exclusion(code)) for code, people in excluded.items()), reverse=True)


def label_exclusion(code: str) -> str:
    return translate(get_exclusion_label(code))


def label_deliveries(
    receipt: Receipt, *, to_files: bool = False, without: Collection[str] = ()
) -> list[tuple[int, str]]:
    """Return (people, outcome) for each outcome that anybody has, but for those ``without``.

    People whom a cancelled send did not reach, and those without an answer, have an outcome of their own. ``to_files`` is
    True if the mails were written to files.
    """
    counts = {
        **receipt.deliveries,
        "skipped": receipt.deliveries.get("skipped", 0) - receipt.cancelled,
        "cancelled": receipt.cancelled,
        "pending": receipt.deliveries.get("pending", 0) - receipt.unanswered,
        "unanswered": receipt.unanswered,
    }
    labels = {**_DELIVERIES, "accepted": gettext_lazy("written to files")} if to_files else _DELIVERIES
    return [
        (counts[state], str(label)) for state, label in labels.items() if counts.get(state) and state not in without
    ]
