"""What staff see first: what needs them now, what comes next, how the last issue went. Reads only."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils import timezone
from wagtail.admin.ui.components import Component

from newsletter.desk.issue_pages import say_audience, time_left
from newsletter.desk.send_progress import say_hold
from newsletter.desk.sources import say_last_good
from newsletter.desk.words import say_reason
from newsletter.errors import BadSchedule
from newsletter.issues.schedule import check_schedule, due_after
from newsletter.models import EventNotice, Issue, Publication, Send, Slot, Source

SHOWN = 8


@dataclass(frozen=True)
class Task:
    """One thing that waits for a person. ``tone`` is urgent, waits or calm."""

    title: str
    detail: str
    url: str
    button: str
    tone: str = "waits"


@dataclass(frozen=True)
class Next:
    """The next due moment of a publication. ``at`` is None where its schedule cannot be read."""

    publication: Publication
    at: datetime | None
    detail: str
    url: str = field(default="")


class HomePanel(Component):
    template_name = "desk/home.html"
    order = 10

    def get_context_data(self, parent_context: Any) -> dict[str, Any]:
        now = timezone.now()
        last = (
            Issue.objects.filter(state=Issue.State.SENT)
            .select_related("publication", "slot")
            .order_by("-made_at")
            .first()
        )
        send = last.sends.exclude(state=Send.State.CANCELLED).first() if last else None
        return {
            "hold": say_hold(),
            "tasks": find_tasks(now=now),
            "next": find_next(now=now),
            "last": last,
            "send": send,
            **(say_audience(last, send) if last and send else {}),
        }


def find_tasks(*, now: datetime) -> list[Task]:
    """Everything that waits for a person, the most urgent kind first."""
    tasks = [*_sends(), *_held(), *_drafts(now), *_sources(), *_events(now)]
    return tasks[:SHOWN]


def find_next(*, now: datetime) -> list[Next]:
    """The next due moment of each publication in use, soonest first."""
    found = [_next(publication, now) for publication in Publication.objects.filter(enabled=True)]
    return sorted(found, key=lambda one: one.at or now)


def _overview(issue: Issue) -> str:
    return reverse("newsletter_issue_overview", args=[issue.pk])


def _sends() -> list[Task]:
    sends = Send.objects.filter(state__in=[Send.State.NEEDS_ATTENTION, Send.State.PAUSED]).select_related(
        "issue__publication"
    )
    return [
        Task(
            title=f"The send of {send.issue} {'is paused' if send.state == Send.State.PAUSED else 'needs attention'}",
            detail=say_reason(send.reason) or "Look at what became of each person.",
            url=_overview(send.issue),
            button="Look at it",
            tone="urgent",
        )
        for send in sends
    ]


def _held() -> list[Task]:
    held = (
        Issue.objects.filter(held=True)
        .exclude(state__in=[Issue.State.SENT, Issue.State.CANCELLED])
        .select_related("publication")
    )
    return [
        Task(
            title=f"{issue} is held",
            detail=issue.held_reason or "It does not go out until somebody releases it.",
            url=_overview(issue),
            button="Look at it",
            tone="urgent",
        )
        for issue in held
    ]


def _drafts(now: datetime) -> list[Task]:
    drafts = (
        Issue.objects.filter(state__in=[Issue.State.DRAFT, Issue.State.IN_REVIEW], held=False)
        .select_related("publication", "slot")
        .order_by("slot__due_at")
    )
    tasks = []
    for issue in drafts:
        left = time_left(issue, now=now)
        auto = issue.publication.approval == Publication.ApprovalPolicy.AUTO
        due = f"{left[0].upper()}{left[1:]}: " if left else ""
        tasks.append(
            Task(
                title=f"{issue} {'goes out by itself' if auto else 'waits for approval'}",
                detail=f"{due}“{issue.subject}”" + (" Hold it if it should not." if auto else ""),
                url=_overview(issue),
                button="Read it" if auto else "Read and approve",
                tone="calm" if auto else "waits",
            )
        )
    return tasks


def say_times(failures: int) -> str:
    return "Failed once" if failures == 1 else f"Failed {failures} times in a row"


def _sources() -> list[Task]:
    return [
        Task(
            title=f"The source “{source.name}” cannot be read",
            detail=f"{say_reason(source.error[:200])} {say_times(source.failures)}; {say_last_good(source)}.",
            url=reverse("wagtailsnippets_newsletter_source:edit", args=[source.pk]),
            button="Look at it",
        )
        for source in Source.objects.filter(enabled=True, failures__gt=0).order_by("-failures")
    ]


def _events(now: datetime) -> list[Task]:
    unsure = EventNotice.objects.filter(starts_at__gte=now, cancelled=False).exclude(note="").count()
    if not unsure:
        return []
    return [
        Task(
            title=f"{unsure} event{'s' if unsure > 1 else ''} to come {'have' if unsure > 1 else 'has'} something unsure",
            detail="A place or a time that could not be made out; readers of the region get it all the same.",
            url=reverse("wagtailsnippets_newsletter_eventnotice:list") + "?unsure=yes&when=ahead",
            button="Look through",
            tone="calm",
        )
    ]


def _next(publication: Publication, now: datetime) -> Next:
    try:
        schedule = check_schedule(schedule=publication.schedule, zone=publication.zone)
    except BadSchedule as error:
        return Next(publication=publication, at=None, detail=str(error))
    due = next(due_after(now, schedule=schedule, zone=publication.zone))
    slot = Slot.objects.filter(publication=publication, due_local=due.local).first()
    issue = Issue.objects.filter(slot=slot).first() if slot else None
    if issue:
        return Next(
            publication=publication,
            at=due.at,
            detail=f"{issue}: {issue.get_state_display().lower()}",
            url=_overview(issue),
        )
    if slot and slot.state == Slot.State.SKIPPED:
        return Next(publication=publication, at=due.at, detail=slot.reason)
    return Next(publication=publication, at=due.at, detail=f"to be assembled {publication.lead_hours} hours before")
