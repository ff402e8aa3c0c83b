"""Home's tasks about issues: stopped sends, held and overdue issues, drafts, switched-off publications, bounces. Reads only."""

from datetime import datetime, timedelta

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import F, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from newsletter.common.errors import BadRule, DomainError
from newsletter.common.translation import format_percent, translate
from newsletter.desk.home.task_item import Task
from newsletter.desk.home.welcome_tasks import find_welcome_tasks
from newsletter.desk.issues.audience.recipient_counts import explain_manual_approval
from newsletter.desk.issues.issue_page import describe_time_left, overview_url
from newsletter.desk.sends.alarms import describe_domain_error
from newsletter.desk.sends.report_text import BOUNCE_ALARM_PERCENT
from newsletter.desk.shell.labels import format_reason
from newsletter.feedback.report import Figures
from newsletter.issues.approval.approval_rules import is_automatic, is_unsubmitted, needs_another_approver
from newsletter.issues.approval.open_comments import count_open_comments
from newsletter.issues.approval.publication_switches import make_switched_off_filter
from newsletter.issues.assembly.overdue import find_overdue
from newsletter.issues.assembly.stories_at_source import list_lost_stories
from newsletter.issues.variants.reader_zones import find_start
from newsletter.models import Issue, Send
from newsletter.sending.settling.receipt import make_receipt
from newsletter.sending.settling.stalled_sends import find_stalled_sends

LOOK_BACK = timedelta(days=30)


def find_issue_tasks(*, now: datetime, person: User | AnonymousUser) -> list[list[Task]]:
    """Return the tasks by kind, the most urgent kind first."""
    drafts = _draft_tasks(now, person=person)
    welcome = find_welcome_tasks(can_approve=person.has_perm("newsletter.approve_issue"))
    return [
        _stopped_send_tasks(),
        _stalled_send_tasks(now),
        _held_issue_tasks(now, can_approve=person.has_perm("newsletter.approve_issue")),
        [task for task in welcome if task.tone == "urgent"],
        _overdue_issue_tasks(now),
        [task for task in drafts if task.tone != "calm"],
        [task for task in welcome if task.tone != "urgent"],
        [task for task in drafts if task.tone == "calm"],
        _switched_off_tasks(now),
        _bounce_tasks(now),
    ]


def _stopped_send_tasks() -> list[Task]:
    sends = Send.objects.filter(state__in=[Send.State.NEEDS_ATTENTION, Send.State.PAUSED]).select_related(
        "issue__publication"
    )
    return [
        Task(
            title=(
                _("The send of %(issue)s is paused")
                if send.state == Send.State.PAUSED
                else _("The send of %(issue)s needs attention")
            )
            % {"issue": send.issue},
            detail=format_reason(send.reason) or _("See the delivery summary."),
            url=overview_url(send.issue),
            button=_("View"),
            tone="urgent",
        )
        for send in sends
    ]


def _stalled_send_tasks(now: datetime) -> list[Task]:
    return [
        Task(
            title=_("The send of %(issue)s makes no progress") % {"issue": send.issue},
            detail=_(
                "Nothing was sent for ten minutes. Ask your administrator whether `newsletter serve`, or a scheduler and a "
                "worker, are running. It goes on once they run."
            ),
            url=overview_url(send.issue),
            button=_("View"),
            tone="urgent",
        )
        for send in find_stalled_sends(now=now).select_related("issue__publication")
    ]


def _held_issue_tasks(now: datetime, *, can_approve: bool) -> list[Task]:
    held = Issue.objects.filter(held=True).exclude(state__in=[Issue.State.SENT, Issue.State.CANCELLED])
    held = held.exclude(kind=Issue.Kind.WELCOME)
    return [_held_issue_task(issue, now=now, can_approve=can_approve) for issue in _order_by_due(held)]


def _held_issue_task(issue: Issue, *, now: datetime, can_approve: bool) -> Task:
    late = issue.due_at is not None and issue.due_at < now
    if not late:
        next_step = _("It will not be sent until an approver releases it.")
    elif issue.state == Issue.State.APPROVED or _sends_unless_held(issue):
        next_step = _(
            "Whoever edits issues can choose a new time or skip it. If an approver releases it, it is sent within minutes."
        )
    else:
        next_step = _(
            "Whoever edits issues can choose a new time or skip it. If an approver approves and releases it, it is sent "
            "within minutes."
        )
    return Task(
        title=_("%(issue)s is on hold") % {"issue": issue},
        detail=" ".join(filter(None, [format_reason(issue.held_reason), next_step])),
        url=f"{overview_url(issue)}#nl-decide",
        button=_("Decide") if can_approve or late else _("Read"),
        tone="urgent",
    )


def _sends_unless_held(issue: Issue) -> bool:
    return is_automatic(issue) and issue.state == Issue.State.DRAFT and not _find_approval_reason(issue)


def _overdue_issue_tasks(now: datetime) -> list[Task]:
    return [
        Task(
            title=_("%(issue)s was not sent on time") % {"issue": issue},
            detail=_("The send never started. Ask your administrator whether the scheduler is running."),
            url=overview_url(issue),
            button=_("View"),
            tone="urgent",
        )
        for issue in find_overdue(now=now)
    ]


def _draft_tasks(now: datetime, *, person: User | AnonymousUser) -> list[Task]:
    drafts = (
        Issue.objects.filter(state__in=Issue.UNAPPROVED_STATES, held=False)
        .exclude(make_switched_off_filter())
        .exclude(kind=Issue.Kind.WELCOME)
        .exclude(pk__in=find_overdue(now=now).values("pk"))
    )
    return [_draft_task(issue, now=now, person=person) for issue in _order_by_due(drafts)]


def _draft_task(issue: Issue, *, now: datetime, person: User | AnonymousUser) -> Task:
    reason = _find_approval_reason(issue)
    automatic = _sends_unless_held(issue)
    domain_error = describe_domain_error(issue.publication) if automatic else ""
    open_comments = count_open_comments(issue)
    will_send = automatic and not domain_error and not open_comments
    time_left = describe_time_left(find_start(issue, now=now), now=now)
    due = f"{time_left[0].upper()}{time_left[1:]}: " if time_left else ""
    can_approve = not automatic and person.has_perm("newsletter.approve_issue")
    is_author = can_approve and needs_another_approver(issue, by=person)
    notes = [
        _("Put it on hold to stop it.") if will_send else reason or domain_error,
        _("You wrote or edited part of this issue, so somebody else must approve it.")
        if is_author and not reason
        else "",
        _describe_comments(open_comments),
        *map(format_reason, list_lost_stories(issue)),
    ]
    if is_unsubmitted(issue):
        return _unsubmitted_task(issue, notes=notes)
    title = _("%(issue)s will send automatically") if automatic else _("%(issue)s is waiting for approval")
    if automatic and not will_send:
        title = _("%(issue)s cannot be sent now")
    return Task(
        title=title % {"issue": issue},
        detail=" ".join([f"{due}“{issue.shown_subject}”.", *filter(None, notes)]),
        url=overview_url(issue),
        button=_("Review and approve") if can_approve and not is_author else _("Read"),
        tone="calm" if will_send else "waits",
    )


def _unsubmitted_task(issue: Issue, *, notes: list[str]) -> Task:
    subject = f"“{issue.shown_subject}”." if issue.shown_subject else _("It has no subject yet.")
    return Task(
        title=_("%(issue)s is a draft") % {"issue": issue},
        detail=" ".join(filter(None, [subject, _("It has no time yet."), *notes])),
        url=overview_url(issue),
        button=_("View"),
        tone="calm",
    )


def _describe_comments(number: int) -> str:
    if not number:
        return ""
    return ngettext(
        "%(number)s comment is open and must be resolved first.",
        "%(number)s comments are open and must be resolved first.",
        number,
    ) % {"number": number}


def _find_approval_reason(issue: Issue) -> str:
    """Return why an automatic issue needs approval after all, such as a segment that names something deleted."""
    if not is_automatic(issue):
        return ""
    try:
        return explain_manual_approval(issue)
    except BadRule as error:
        return translate(error)


def _switched_off_tasks(now: datetime) -> list[Task]:
    """List issues that are not sent because their publication, or its digest, is switched off."""
    waiting = Issue.objects.filter(
        make_switched_off_filter(),
        publication__archived=False,
        state__in=Issue.UNSENT_STATES,
        due_at__gt=now - LOOK_BACK,
    )
    return [
        Task(
            title=_("%(issue)s will not be sent: its publication is switched off") % {"issue": issue},
            detail=_("To send it, switch the publication on."),
            url=overview_url(issue),
            button=_("View"),
            tone="calm",
        )
        for issue in _order_by_due(waiting)
    ]


def _order_by_due(issues: QuerySet[Issue]) -> QuerySet[Issue]:
    return issues.select_related("publication", "slot").order_by(F("due_at").asc(nulls_first=True), "pk")


def _bounce_tasks(now: datetime) -> list[Task]:
    """List the publications whose latest send bounced more than providers tolerate."""
    sends = Send.objects.filter(state=Send.State.SUBMITTED, ended_at__gt=now - LOOK_BACK).select_related(
        "issue__publication__mailing_list"
    )
    latest: dict[int, Send] = {}
    for send in sends.order_by("-ended_at"):
        latest.setdefault(send.issue.publication_id, send)
    return [task for send in latest.values() if (task := _bounce_task(send))]


def _bounce_task(send: Send) -> Task | None:
    """Judge the share of the accepted mails, as the report does."""
    try:
        receipt = make_receipt(send)
    except DomainError:
        return None
    share = Figures(send.issue, send.started_at, receipt).share(receipt.bounced)
    if share is None or share <= BOUNCE_ALARM_PERCENT:
        return None
    return Task(
        title=_("Too many bounces on the list “%(list)s”") % {"list": send.issue.publication.mailing_list},
        detail=_(
            "%(share)s of %(issue)s bounced. Above 2 %%, providers start to refuse mail. Check where these addresses "
            "came from."
        )
        % {"share": format_percent(share), "issue": send.issue},
        url=overview_url(send.issue),
        button=_("View"),
    )
