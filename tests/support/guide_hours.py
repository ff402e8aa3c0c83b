"""Let the demo send by readers' hours. Pictures of the staff guide show it."""

import json
import sys
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils import timezone

from newsletter.issues.assembly.assemble import assemble_slot
from newsletter.issues.assembly.slots import get_or_create_slot
from newsletter.models import MailLimits, Publication, Story
from subscribers.models import Topic

_TITLES = {
    "A library lends its reading room to the night advice desk": "legal-clinics",
    "What three hundred letters to employers taught us": "fair-wages",
    "The court that learned to wait for an interpreter": "access-to-courts",
    "Students read the new law aloud, and publish the recording": "safe-migration",
}
"""Titles of new stories, with their topics."""


def print_hours() -> None:
    """Assemble an issue whose hour is now in its publication's zone. Print the addresses of its pages as JSON."""
    now = timezone.now()
    _write_stories(now)
    MailLimits.objects.update(mails_in_7_days=None)
    weekly = Publication.objects.get(slug="weekly")
    Publication.objects.filter(pk=weekly.pk).update(send_at="local")
    weekly.refresh_from_db()
    due = now.astimezone(ZoneInfo(weekly.zone)).replace(minute=0)
    assembly = assemble_slot(slot=get_or_create_slot(publication=weekly, due=f"{due:%Y-%m-%dT%H:%M}", now=now), now=now)
    assert assembly.issue is not None, assembly.slot.reason
    page = f"/admin/issues/{assembly.issue.pk}/"
    sys.stdout.write(json.dumps({"audience": f"{page}audience/", "hours": f"{page}overview/"}))


def _write_stories(now: datetime) -> None:
    shown = Story.objects.filter(language="en").order_by("pk")[: len(_TITLES)]
    for number, (story, (title, topic)) in enumerate(zip(shown, _TITLES.items(), strict=True)):
        story.pk = None
        story.title, story.external_id, story.url = title, f"guide-{number}", f"{story.url}?guide={number}"
        story.published_at = story.seen_at = now - timedelta(hours=number + 1)
        story.save()
        story.topics.set([Topic.objects.get(slug=topic)])
