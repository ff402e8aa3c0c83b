"""Records of an issue's content, for tests that need no database."""

from datetime import UTC, datetime
from typing import Any

from newsletter.issues.snapshot.records.blocks import Block
from newsletter.issues.snapshot.records.content import BrandRecord, IssueContent, IssueRecord, PublicationRecord
from newsletter.issues.snapshot.records.events import EventRecord
from newsletter.issues.snapshot.records.stories import ConsentRecord, StoryRecord

DUE_AT = datetime(2026, 3, 5, 9, tzinfo=UTC)


def make_event_record(**changes: Any) -> EventRecord:
    """A vigil in Leeds, with these changes."""
    fields = {
        "id": 1, "title": "Vigil", "url": "https://example.org/vigil/", "starts_at": datetime(2026, 12, 5, 18, 30, tzinfo=UTC),
        "ends_at": None, "zone": "Europe/London", "all_day": False, "day": None, "location": "Town Hall, Leeds", "town": "Leeds",
        "country": "GB", "region": "GB-ENG", "latitude": 53.8, "longitude": -1.5, "online": False, "cancelled": False,
    }  # fmt: skip
    return EventRecord(**(fields | changes))


def make_story_record(number: int, **changes: Any) -> StoryRecord:
    """A story that needs no consent and is for everybody, with these changes."""
    consent = ConsentRecord(
        needed=False, channels=(), identity="", given_by="", given_on=None, expires_on=None, form_holder=False, minor=False,
        embargo_until=None, withdrawn=False,
    )  # fmt: skip
    fields = {
        "id": number, "title": f"Story {number}", "own_title": f"Story {number}", "url": "https://example.org/",
        "teaser": "", "picture": None, "other_picture": None, "topic": "", "date": None, "notes": (),
        "excluded_regions": (), "consent": consent, "topic_ids": (),
    }  # fmt: skip
    return StoryRecord(**(fields | changes))


def make_content(*blocks: Block, zone: str = "Europe/London") -> IssueContent:
    """The content of an issue with these blocks."""
    return IssueContent(
        issue=IssueRecord(kind="issue", reference="weekly/1", public_id="a" * 24, due_at=DUE_AT),
        subject="News",
        preheader="",
        publication=PublicationRecord(
            slug="weekly", name="Weekly", language="en", from_name="Open Door", from_email="news@example.org", reply_to="",
            list_name="Weekly", list_id="b" * 16, max_events=4, radius_km=80, host_url="", zone=zone, consent_required=False,
        ),
        brand=BrandRecord(
            name="Open Door", logo=None, logo_dark=None, colour="#17414f", accent="#a8481b", background="#fdfbf7",
            font="serif", heading_font="", radius=8, masthead="plain", icons_url="", postal_address="1 Example Street",
            website="https://example.org/", donate_url="", donor_portal_url="", social=(),
        ),
        blocks=blocks,
    )  # fmt: skip
