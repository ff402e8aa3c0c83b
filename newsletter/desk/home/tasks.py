"""What waits for a person: stopped sends, held and overdue issues, drafts, people, sources, bounces, unsure events.

Reads only.
"""

from datetime import datetime, timedelta
from typing import Any

from django.db.models import F
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from newsletter.common.errors import BadRule, DomainError
from newsletter.common.translation import translate
from newsletter.desk.content.sources import describe_last_success
from newsletter.desk.home.event_tasks import find_event_tasks
from newsletter.desk.home.people_tasks import Task, find_people_tasks
from newsletter.desk.issues.overview import describe_time_left
from newsletter.desk.issues.recipient_counts import count_recipients_cached
from newsletter.desk.shell.labels import format_reason
from newsletter.issues.approval.approval_rules import find_manual_approval_reason, is_automatic
from newsletter.issues.approval.publication_switches import make_switched_off_filter
from newsletter.issues.assembly.overdue import find_overdue
from newsletter.issues.assembly.stories_at_source import list_lost_stories
from newsletter.models import EventNotice, Issue, Send, Source
from newsletter.sending.settling.receipt import make_receipt

MAX_TASKS_PER_KIND = 3
LOOK_BACK = timedelta(days=30)
HIGH_BOUNCE_RATE = 0.02


def find_tasks(*, now: datetime, person: Any) -> list[Task]:
    """Everything that waits for this person, the most urgent kind first; of many of a kind the first, and how many more.

    What they may not open is not shown to them.
    """
    kinds: list[tuple[list[Task], str]] = []
    if person.has_perm("newsletter.view_issue"):
        kinds += _issue_tasks(now, can_approve=person.has_perm("newsletter.approve_issue"))
    url = reverse("wagtailsnippets_newsletter_eventnotice:list")
    kinds.insert(1, (find_event_tasks(now=now, person=person), url))
    kinds += [([task], "") for task in find_people_tasks(now=now, person=person)]
    if person.has_perm("newsletter.view_source") or person.has_perm("newsletter.change_source"):
        kinds.append((_source_tasks(), reverse("wagtailsnippets_newsletter_source:list")))
    if person.has_perm("newsletter.view_eventnotice"):
        kinds.append((_unsure_event_tasks(now), ""))
    if person.has_perm("newsletter.change_eventnotice"):
        kinds.append((_event_location_tasks(now), ""))
    return [task for tasks, url in kinds for task in _limit_tasks(tasks, url)]


def _issue_tasks(now: datetime, *, can_approve: bool) -> list[tuple[list[Task], str]]:
    drafts = _draft_tasks(now, can_approve=can_approve)
    tasks = [
        _stopped_send_tasks(),
        _held_issue_tasks(),
        _overdue_issue_tasks(now),
        [task for task in drafts if task.tone != "calm"],
        [task for task in drafts if task.tone == "calm"],
        _switched_off_tasks(now),
        _bounce_tasks(now),
    ]
    url = reverse("wagtailsnippets_newsletter_issue:list")
    return [(of_a_kind, url) for of_a_kind in tasks]


def _limit_tasks(tasks: list[Task], url: str) -> list[Task]:
    more = len(tasks) - MAX_TASKS_PER_KIND
    if more <= 1:
        return tasks
    rest = Task(
        title=_("and %(more)s more of this kind") % {"more": more},
        detail=_("The list has them all."),
        url=url,
        button=_("Open the list"),
        tone="urgent" if tasks[0].tone == "urgent" else "calm",
    )
    return [*tasks[:MAX_TASKS_PER_KIND], rest]


def issue_url(issue: Issue) -> str:
    return reverse("newsletter_issue_overview", args=[issue.pk])


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
            detail=format_reason(send.reason) or _("Look at what became of each person."),
            url=issue_url(send.issue),
            button=_("Look at it"),
            tone="urgent",
        )
        for send in sends
    ]


def _held_issue_tasks() -> list[Task]:
    held = (
        Issue.objects.filter(held=True)
        .exclude(state__in=[Issue.State.SENT, Issue.State.CANCELLED])
        .select_related("publication", "slot")
        .order_by(F("slot__due_at").asc(nulls_first=True), "pk")
    )
    return [
        Task(
            title=_("%(issue)s is held") % {"issue": issue},
            detail=translate(issue.held_reason) or _("It does not go out until somebody releases it."),
            url=issue_url(issue),
            button=_("Look at it"),
            tone="urgent",
        )
        for issue in held
    ]


def _overdue_issue_tasks(now: datetime) -> list[Task]:
    return [
        Task(
            title=_("%(issue)s did not go out at its time") % {"issue": issue},
            detail=_("Nothing began it. Whoever runs this installation should see whether the scheduler runs."),
            url=issue_url(issue),
            button=_("Look at it"),
            tone="urgent",
        )
        for issue in find_overdue(now=now)
    ]


def _draft_tasks(now: datetime, *, can_approve: bool) -> list[Task]:
    drafts = (
        Issue.objects.filter(state__in=[Issue.State.DRAFT, Issue.State.IN_REVIEW], held=False)
        .exclude(make_switched_off_filter())
        .exclude(pk__in=find_overdue(now=now).values("pk"))
        .select_related("publication", "slot")
        .order_by(F("slot__due_at").asc(nulls_first=True), "pk")
    )
    tasks = []
    for issue in drafts:
        left = describe_time_left(issue, now=now)
        why = _why_approval_needed(issue)
        auto = is_automatic(issue) and issue.state == Issue.State.DRAFT and not why
        due = f"{left[0].upper()}{left[1:]}: " if left else ""
        tasks.append(
            Task(
                title=(_("%(issue)s goes out by itself") if auto else _("%(issue)s waits for approval"))
                % {"issue": issue},
                detail=f"{due}“{issue.subject}”"
                + (" " + (_("Hold it if it should not.") if auto else why)).rstrip()
                + "".join(f" {format_reason(lost)}" for lost in list_lost_stories(issue)),
                url=issue_url(issue),
                button=_("Read and approve") if can_approve and not auto else _("Read it"),
                tone="calm" if auto else "waits",
            )
        )
    return tasks


def _why_approval_needed(issue: Issue) -> str:
    """Why an automatic issue waits for a person; a segment that names something deleted is a reason too."""
    if not is_automatic(issue):
        return ""
    try:
        return find_manual_approval_reason(issue, people=count_recipients_cached(issue))
    except BadRule as error:
        return translate(error)


def _switched_off_tasks(now: datetime) -> list[Task]:
    """Issues that wait and do not go out, because their publication or its digest is switched off."""
    waiting = (
        Issue.objects.filter(
            make_switched_off_filter(),
            state__in=[Issue.State.DRAFT, Issue.State.IN_REVIEW, Issue.State.APPROVED],
            slot__due_at__gt=now - LOOK_BACK,
        )
        .select_related("publication", "slot")
        .order_by("slot__due_at", "pk")
    )
    return [
        Task(
            title=_("%(issue)s does not go out: its publication is switched off") % {"issue": issue},
            detail=_("Switch the publication on, or leave the issue as it is."),
            url=issue_url(issue),
            button=_("Look at it"),
            tone="calm",
        )
        for issue in waiting
    ]


def describe_failures(failures: int) -> str:
    return ngettext("Failed once", "Failed %(times)s times in a row", failures) % {"times": failures}


def _source_tasks() -> list[Task]:
    return [
        Task(
            title=_("The source “%(source)s” cannot be read") % {"source": source.name},
            detail=f"{format_reason(source.error)} {describe_failures(source.failures)}; {describe_last_success(source)}.",
            url=reverse("wagtailsnippets_newsletter_source:edit", args=[source.pk]),
            button=_("Look at it"),
        )
        for source in Source.objects.filter(enabled=True, failures__gt=0).order_by("-failures")
    ]


def _unsure_event_tasks(now: datetime) -> list[Task]:
    unsure = EventNotice.objects.filter(starts_at__gte=now, cancelled=False, place_question={}).exclude(note="").count()
    if not unsure:
        return []
    return [
        Task(
            title=ngettext(
                "%(events)s event to come has something unsure",
                "%(events)s events to come have something unsure",
                unsure,
            )
            % {"events": unsure},
            detail=_("A place or a time that could not be made out; readers of the region get it all the same."),
            url=reverse("wagtailsnippets_newsletter_eventnotice:list") + "?unsure=yes&when=ahead",
            button=_("Look through"),
            tone="calm",
        )
    ]


def _event_location_tasks(now: datetime) -> list[Task]:
    asked = EventNotice.objects.filter(starts_at__gte=now, cancelled=False).exclude(place_question={}).count()
    if not asked:
        return []
    return [
        Task(
            title=ngettext(
                "%(events)s event to come has no certain place",
                "%(events)s events to come have no certain place",
                asked,
            )
            % {"events": asked},
            detail=_("Nobody is invited to it by distance until you say where it is."),
            url=reverse("newsletter_event_places"),
            button=_("Say where"),
        )
    ]


def _bounce_tasks(now: datetime) -> list[Task]:
    """The last send of each publication, where more of it came back than providers put up with."""
    sends = Send.objects.filter(state=Send.State.SUBMITTED, ended_at__gt=now - LOOK_BACK).select_related(
        "issue__publication__mailing_list"
    )
    tasks: dict[int, Task | None] = {}
    for send in sends.order_by("-ended_at"):
        if send.issue.publication_id not in tasks:
            tasks[send.issue.publication_id] = _bounce_task(send)
    return [task for task in tasks.values() if task]


def _bounce_task(send: Send) -> Task | None:
    try:
        receipt = make_receipt(send)
    except DomainError:
        return None
    if not receipt.bounced or receipt.bounced < receipt.recipients * HIGH_BOUNCE_RATE:
        return None
    share = f"{receipt.bounced / receipt.recipients:.1%}"
    return Task(
        title=_("The list “%(list)s” bounces") % {"list": send.issue.publication.mailing_list},
        detail=_(
            "%(share)s of %(issue)s came back. Above 2%% providers begin to refuse mail: look where these came from."
        )
        % {"share": share, "issue": send.issue},
        url=issue_url(send.issue),
        button=_("Look at it"),
    )
