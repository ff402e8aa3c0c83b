"""Rows of the page of a welcome: its mails, and the people in it. Reads only."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from django.db.models import Count, Min, QuerySet
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from newsletter.common.errors import InvariantViolated
from newsletter.common.messages import Message
from newsletter.common.translation import translate
from newsletter.desk.sends.progress import find_live_send
from newsletter.desk.shell.labels import format_reason, label_deliveries, label_issue_state
from newsletter.issues.approval.changes_since_approval import find_changes_since_any_approval
from newsletter.issues.approval.publication_switches import is_switched_off
from newsletter.issues.approval.welcome_rules import FIRST_STEP
from newsletter.models import Issue, Publication, Send, WelcomeStep
from newsletter.providers.registry import OUTBOX
from newsletter.sending.settling.receipt import make_receipt
from subscribers.models import Subscriber

MAX_PEOPLE, MAX_MONTHS = 20, 12
UNDER_WAY = (WelcomeStep.State.WAITING, WelcomeStep.State.SENDING)


@dataclass(frozen=True)
class MailState:
    """The state of a welcome mail for people. ``tone`` is the suffix of a CSS class; ``reason`` is a sentence or ""."""

    label: str
    tone: str
    reason: str = ""
    is_on: bool = False
    is_paused: bool = False


@dataclass(frozen=True)
class Month:
    """The delivery summary of a month: ``deliveries`` are (people, label)."""

    day: date | None
    recipients: int
    deliveries: list[tuple[int, str]]


@dataclass(frozen=True)
class MailRow:
    """One mail of the welcome. The numbers count people; ``not_sent`` are (people, reason).

    ``is_last``: no later mail is on.
    """

    issue: Issue
    state: MailState
    timing: str
    is_last: bool
    accepted: int = 0
    waiting: int = 0
    sending: int = 0
    uncertain: int = 0
    not_sent: list[tuple[int, str]] = field(default_factory=list)
    months: list[Month] = field(default_factory=list)


@dataclass(frozen=True)
class PersonRow:
    """Somebody who is in the welcome now, masked, and the next mail that they are to get."""

    pk: int
    who: str
    joined_at: datetime
    step: int
    due_at: datetime


def list_mail_rows(publication: Publication) -> list[MailRow]:
    """Return a row for each mail, in the order of the steps."""
    issues = list(publication.issues.filter(kind=Issue.Kind.WELCOME).select_related("publication").order_by("number"))
    last = max((issue.number for issue in issues if issue.on_since), default=0)
    return [_make_row(issue, is_last=issue.number >= last) for issue in issues]


def find_mail_state(issue: Issue) -> MailState:
    """Return a text that says if new subscribers get the mail, and if not, why."""
    if issue.on_since is None:
        state = label_issue_state(issue)
        return MailState(state.label, state.tone, _explain_order(issue))
    if is_switched_off(issue.kind, publication=issue.publication):
        return MailState(_("Paused"), "held", _("The publication is turned off."), is_on=True)
    if issue.held:
        return MailState(_("Paused"), "held", format_reason(issue.held_reason), is_on=True, is_paused=True)
    if issue.state != Issue.State.APPROVED:
        return MailState(_("Paused until approved"), "held", _explain_withdrawal(issue), is_on=True)
    send = find_live_send(issue)
    if send is not None and send.state == Send.State.PAUSED:
        return MailState(_("Paused"), "held", format_reason(send.reason), is_on=True)
    return MailState(_("On"), "good", is_on=True)


def _explain_order(issue: Issue) -> str:
    """Return why a later mail cannot be approved yet, or ""."""
    mails = Issue.objects.filter(publication=issue.publication_id, kind=Issue.Kind.WELCOME, number=FIRST_STEP)
    if issue.number == FIRST_STEP or mails.filter(on_since__isnull=False).exists():
        return ""
    return _("Approve the first mail of the welcome first. The later ones follow it.")


def _explain_withdrawal(issue: Issue) -> str:
    """Return what changed since the mail was approved, and what to do."""
    changes = find_changes_since_any_approval(issue)
    next_step = _("It goes on once it is approved again.")
    if not changes:
        return " ".join((_("Its approval was withdrawn."), next_step))
    changed = translate(Message.joined(changes))
    return " ".join((_("Since it was approved, this changed: %(what)s.") % {"what": changed}, next_step))


def describe_timing(issue: Issue) -> str:
    """Return when a new subscriber gets the mail."""
    if not issue.delay_days:
        return _("As soon as somebody confirms")
    return ngettext("%(days)s day after they confirm", "%(days)s days after they confirm", issue.delay_days) % {
        "days": issue.delay_days
    }


def count_waiting(issue: Issue) -> int:
    return issue.welcome_steps.filter(state__in=UNDER_WAY).count()


def count_people_in(publication: Publication) -> int:
    """Return how many people are to get at least one more mail of the welcome."""
    return _find_rows(publication).values("address_hash").distinct().count()


def list_people_in(publication: Publication) -> list[PersonRow]:
    """Return those who joined last, at most `MAX_PEOPLE`, each with the next mail."""
    delays = dict(publication.issues.filter(kind=Issue.Kind.WELCOME).values_list("number", "delay_days"))
    rows = _find_rows(publication).filter(subscriber_id__isnull=False).values("subscriber_id", "joined_at")
    newest = list(rows.annotate(next=Min("step")).order_by("-joined_at", "subscriber_id")[:MAX_PEOPLE])
    people = Subscriber.objects.in_bulk([row["subscriber_id"] for row in newest])
    return [
        PersonRow(
            pk=person.pk,
            who=str(person),
            joined_at=row["joined_at"],
            step=row["next"],
            due_at=row["joined_at"] + timedelta(days=delays.get(row["next"]) or 0),
        )
        for row in newest
        if (person := people.get(row["subscriber_id"] or 0)) is not None
    ]


def _find_rows(publication: Publication) -> QuerySet[WelcomeStep]:
    return WelcomeStep.objects.filter(issue__publication=publication, state__in=UNDER_WAY).order_by()


def _make_row(issue: Issue, *, is_last: bool) -> MailRow:
    states: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    counted = issue.welcome_steps.order_by().values_list("state", "code").annotate(people=Count("pk"))
    for state, code, people in counted:
        states[state] += people
        if code:
            reasons[code] += people
    return MailRow(
        issue=issue,
        state=find_mail_state(issue),
        timing=describe_timing(issue),
        is_last=is_last,
        accepted=states[WelcomeStep.State.ACCEPTED],
        waiting=states[WelcomeStep.State.WAITING],
        sending=states[WelcomeStep.State.SENDING],
        uncertain=states[WelcomeStep.State.UNCERTAIN],
        not_sent=[(people, str(WelcomeStep.Code(code).label)) for code, people in reasons.most_common()],
        months=[_make_month(send) for send in issue.sends.filter(recipients__gt=0).order_by("-period")[:MAX_MONTHS]],
    )


def _make_month(send: Send) -> Month:
    try:
        receipt = make_receipt(send)
    except InvariantViolated:
        return Month(parse_date(f"{send.period}-01"), send.recipients, [])
    return Month(
        parse_date(f"{send.period}-01"),
        receipt.recipients,
        label_deliveries(receipt, to_files=send.provider == OUTBOX),
    )
