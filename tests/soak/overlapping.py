"""Fill the database of a soak: python -m tests.soak.overlapping

Of one with an approved issue, whose readers now get it at their own hour. Two more publications have an approved issue for
people on the same list, with some of the same stories, and a person may get two mails in 7 days.
"""

import os
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import django

MAX_MAILS = 2
PUBLICATIONS = 3
REGION = "US-TX"
"""The region of the people who would get all three mails."""
_ZONES = {
    "Berlin": "Europe/Berlin",
    "Edinburgh": "Atlantic/Azores",
    "Toronto": "America/Toronto",
    "Houston": "America/Chicago",
}


def fill() -> None:
    from newsletter.models import MailLimits, Publication, Story
    from subscribers.models import Segment, SubscriberLocation

    now = datetime.now(UTC)
    first = Publication.objects.get()
    first.send_at = Publication.SendAt.LOCAL
    first.save()
    for town, zone in _ZONES.items():
        SubscriberLocation.objects.filter(town=town).update(zone=zone)
    MailLimits.objects.create(pk=1, mails_in_7_days=MAX_MAILS)
    for number in range(2):
        Story.objects.create(
            external_id=f"desk:new-{number}",
            url=f"https://example.org/new-{number}/",
            title=f"New story number {number} of the soak",
            teaser="A sentence about what happened, and another that says what it means. " * 2,
            language="en",
            published_at=now,
            seen_at=now,
        )
    region = Segment.objects.create(slug="region", name="One region", rule={"region": REGION})
    _approve(first, slug="region", stories=1, events=4, segment=region, now=now)
    _approve(first, slug="again", stories=7, events=0, segment=None, now=now)


def _approve(like: object, *, slug: str, now: datetime, **rules: object) -> None:
    """Make a publication for the same list, and approve an issue of it that is due."""
    from newsletter.issues.approval.approve import approve_by_policy
    from newsletter.issues.assembly.assemble import assemble_slot
    from newsletter.issues.assembly.slots import get_or_create_slot
    from newsletter.models import Publication

    assert isinstance(like, Publication)
    copied = ("brand_id", "mailing_list_id", "from_name", "from_email", "schedule", "zone", "approval", "intro")
    values = {name: getattr(like, name) for name in copied}
    publication = Publication.objects.create(slug=slug, name=slug, **values, **rules)
    due = (now - timedelta(minutes=1)).astimezone(ZoneInfo(publication.zone)).strftime("%Y-%m-%dT%H:%M")
    issue = assemble_slot(slot=get_or_create_slot(publication=publication, due=due, now=now), now=now).issue
    assert issue is not None, f"the issue of {slug} was not assembled"
    approve_by_policy(issue=issue, now=now)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "newsletter.project.settings")
    django.setup()
    fill()
