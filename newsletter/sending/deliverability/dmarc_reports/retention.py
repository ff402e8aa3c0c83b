"""Delete old DMARC reports."""

from datetime import UTC, datetime, timedelta

from newsletter.models import DmarcRefusal, DmarcReport

RETENTION = timedelta(days=100)
"""How long a report is kept after the last moment that it is about. The desk shows at most 90 days."""


def delete_old_reports(*, now: datetime) -> int:
    """Delete old reports, and the counts of refused ones. Return how many reports."""
    DmarcRefusal.objects.filter(day__lt=(now - RETENTION).astimezone(UTC).date()).delete()
    _, deleted = DmarcReport.objects.filter(ends_at__lt=now - RETENTION).delete()
    return deleted.get(DmarcReport._meta.label, 0)
