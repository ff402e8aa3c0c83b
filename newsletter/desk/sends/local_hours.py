"""The hours of a send by readers' clocks, for pages: who gets the issue when, and how far each hour is. Reads only."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypedDict

from django.contrib.humanize.templatetags.humanize import intcomma
from django.db.models import Q, Sum
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from newsletter.common.errors import BadRule, NotReady
from newsletter.desk.content.wall_clock import label_zone
from newsletter.desk.publications.slot_text import format_due_short
from newsletter.issues.snapshot.resolve import resolve_complete_content
from newsletter.issues.variants.reader_zones import LocalHour, count_local_hours, find_local_time
from newsletter.models import Batch, Issue, Send

MAX_ZONES_NAMED = 6


@dataclass(frozen=True)
class HourRow:
    """One hour, by the publication's clock, with its people and where they are. ``state`` is "" before the send."""

    when: str
    people: int
    zones: str
    passed: bool
    done: int = 0
    state: str = ""


class LocalHoursContext(TypedDict, total=False):
    """The context of desk/parts/local_hours.html. ``late`` are people whose hour has passed, ``late_zones`` where."""

    hours: list[HourRow]
    local_time: str
    publication_zone: str
    late: int
    late_zones: str


def hours_ahead_context(issue: Issue, *, now: datetime) -> LocalHoursContext:
    """Return the hours at which the issue would be sent, or {} if everybody gets it at once or it is not complete."""
    try:
        content = resolve_complete_content(issue)
        hours = count_local_hours(issue, content=content, now=now)
    except (NotReady, BadRule, OSError):
        return {}
    if not hours:
        return {}
    rows = [_make_row(hour, issue=issue, now=now) for hour in hours]
    late = [hour for hour in hours if hour.at <= now]
    return {
        "hours": rows,
        "local_time": find_local_time(issue)[-5:],
        "publication_zone": label_zone(issue.publication.zone),
        "late": sum(hour.people for hour in late),
        "late_zones": _name_zones({zone: people for hour in late for zone, people in hour.zones.items()}),
    }


def hours_under_way_context(send: Send, *, now: datetime) -> LocalHoursContext:
    """Return the hours of a send with their progress, or {} if everybody gets it at once."""
    if not send.hours:
        return {}
    counted = send.batches.values_list("due_at").annotate(
        all=Sum("size"), left=Sum("size", filter=Q(state__in=Batch.OPEN_STATES), default=0)
    )
    counts = {at: (people, left) for at, people, left in counted.order_by()}
    rows = []
    for hour in read_hours(send):
        people, left = counts.get(hour.at, (0, 0))
        state = _label_state(send, at=hour.at, left=left, now=now)
        rows.append(_make_row(hour, issue=send.issue, now=now, done=people - left, state=state))
    return {
        "hours": rows,
        "local_time": send.local_time[-5:],
        "publication_zone": label_zone(send.issue.publication.zone),
    }


def describe_next_hour(send: Send, *, now: datetime) -> str:
    """Return the hour that a send waits for if all remaining batches have a later hour, else ""."""
    if not send.hours or send.batches.released().filter(state__in=Batch.OPEN_STATES).exists():
        return ""
    ahead = next((hour for hour in read_hours(send) if hour.at > now), None)
    if ahead is None:
        return ""
    return _("Waiting until it is %(time)s in %(zones)s: %(moment)s, %(zone)s time.") % {
        "time": send.local_time[-5:],
        "zones": _name_zones(ahead.zones),
        "moment": format_due_short(ahead.at, zone=send.issue.publication.zone),
        "zone": label_zone(send.issue.publication.zone),
    }


def read_hours(send: Send) -> list[LocalHour]:
    return [LocalHour(at=datetime.fromisoformat(hour["at"]), zones=hour["zones"]) for hour in send.hours]


def _make_row(hour: LocalHour, *, issue: Issue, now: datetime, done: int = 0, state: str = "") -> HourRow:
    return HourRow(
        when=format_due_short(hour.at, zone=issue.publication.zone),
        people=hour.people,
        zones=_name_zones(hour.zones, numbers=len(hour.zones) > 1),
        passed=hour.at <= now,
        done=done,
        state=state,
    )


def _label_state(send: Send, *, at: datetime, left: int, now: datetime) -> str:
    if not left:
        return _("Processed")
    if send.state in (Send.State.CANCELLED, Send.State.PAUSED):
        return str(send.get_state_display())
    return _("Waiting for its hour") if at > now else _("Being sent")


def _name_zones(zones: Mapping[str, int], *, numbers: bool = False) -> str:
    """Return the towns of the zones, with the number of people of each if there are several."""
    listed = list(zones.items())[:MAX_ZONES_NAMED]
    towns = [f"{label_zone(zone)} ({intcomma(people)})" if numbers else label_zone(zone) for zone, people in listed]
    more = len(zones) - len(listed)
    if more:
        rest_text = ngettext("%(more)s more time zone", "%(more)s more time zones", more)
        towns.append(rest_text % {"more": more})
    return ", ".join(towns)
