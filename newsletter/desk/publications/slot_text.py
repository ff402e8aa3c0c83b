"""Due times in the publication's time zone, not the desk's."""

from datetime import datetime

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from newsletter.desk.content.wall_clock import format_in_zone, zone_or_default
from newsletter.models import Issue


def format_due(at: datetime, *, zone: str, form: str = "") -> str:
    """Return “Thursday 5 March 2026, 09:00 (London time)”; in the desk's time zone if `zone` is none."""
    return format_in_zone(at, zone=zone_or_default(zone), form=form or _("l j F Y, H:i"))


def format_due_short(at: datetime, *, zone: str) -> str:
    """Return “Wed 4 Mar, 09:00”, for use next to a time that names the zone."""
    return date_format(at.astimezone(zone_or_default(zone)), _("D j M, H:i"))


def format_slot(issue: Issue) -> str:
    """Return when the issue is due; empty if no time is planned."""
    return format_due(issue.due_at, zone=issue.publication.zone) if issue.due_at else ""


def format_slot_short(issue: Issue) -> str:
    return _format_short(issue, issue.due_at) if issue.due_at else ""


def format_sent(issue: Issue, at: datetime | None) -> str:
    """Return “Fri 27 Nov, 17:31 (London time)”, for use next to the state of a sent issue, else "".

    ``at`` is when its send began.
    """
    return _format_short(issue, at) if issue.state == Issue.State.SENT and at is not None else ""


def format_sent_or_due(issue: Issue) -> str:
    """Return when the issue was sent, or else when it is due, for use next to its state.

    The issue's query annotates `send_began`.
    """
    return format_sent(issue, issue.sent_at) or format_slot_short(issue)


def format_created(issue: Issue) -> str:
    """Return when the issue was created, in the time zone of `format_sent_or_due`."""
    return _format_short(issue, issue.made_at)


def _format_short(issue: Issue, at: datetime) -> str:
    this_year = at.year == timezone.now().year
    return format_due(at, zone=issue.publication.zone, form=_("D j M, H:i") if this_year else _("D j M Y, H:i"))
