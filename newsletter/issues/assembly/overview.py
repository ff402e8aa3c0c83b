"""List publications, slots and issues as JSON data for `newsletter status` and the API."""

from datetime import datetime

from django.db.models import QuerySet

from newsletter.common.messages import Message
from newsletter.common.schedule import describe, due_after
from newsletter.issues.assembly.overdue import find_overdue
from newsletter.models import Issue, Publication, Slot

DEFAULT_LIMIT = 20
OVERDUE_REASON = Message("It is overdue. Check that the scheduler is running.")


def list_publications(publications: QuerySet[Publication], *, now: datetime) -> list[dict[str, object]]:
    """List publications with their schedule as text and their next slot, ISO 8601."""
    return [
        {
            "slug": publication.slug,
            "name": publication.name,
            "enabled": publication.enabled,
            "schedule": describe(
                schedule=publication.schedule, zone=publication.zone, lead_hours=publication.lead_hours
            ),
            "next": next(due_after(now, schedule=publication.schedule, zone=publication.zone)).at.isoformat(),
        }
        for publication in publications.only("slug", "name", "enabled", "schedule", "zone", "lead_hours")
    ]


def list_slots() -> list[dict[str, object]]:
    """List the newest slots."""
    return [
        {
            "publication": slot.publication.slug,
            "slot": slot.due_local,
            "due": slot.due_at.isoformat(),
            "state": slot.state,
            "reason": slot.reason,
        }
        for slot in Slot.objects.select_related("publication")[:DEFAULT_LIMIT]
    ]


def list_issues(
    *,
    now: datetime,
    publication: Publication | None = None,
    among: QuerySet[Publication] | None = None,
    limit: int = DEFAULT_LIMIT,
) -> list[dict[str, object]]:
    """List the newest issues, of all publications, of one, or of those `among`."""
    issues = Issue.objects.select_related("publication")
    overdue = set(find_overdue(now=now).values_list("pk", flat=True))
    if publication is not None:
        issues = issues.filter(publication=publication)
    if among is not None:
        issues = issues.filter(publication__in=among)
    return [
        {
            "id": issue.pk,
            "issue": issue.reference,
            "state": issue.state,
            "subject": issue.subject,
            "held": issue.held,
            "overdue": issue.pk in overdue,
            "reason": OVERDUE_REASON if issue.pk in overdue else issue.held_reason,
        }
        for issue in issues[:limit]
    ]
