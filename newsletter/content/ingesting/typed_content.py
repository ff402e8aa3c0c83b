"""Complete a story or event that a person or another system writes here."""

import uuid
from collections.abc import Collection
from datetime import datetime

from newsletter.content.ingesting.store_stories import record_addresses
from newsletter.content.parsing.urls import hash_url, is_story_page
from newsletter.models import EventNotice, Story
from newsletter.outbound.publishing_facts import report_story
from subscribers.models import EventKind


def note_edits(row: Story | EventNotice, *, changed: Collection[str], now: datetime) -> None:
    """Note which fields were written here, so that no source overwrites them. The caller saves the row."""
    if row.pk is None:
        row.external_id = row.external_id or f"desk:{uuid.uuid4()}"
        row.seen_at = row.seen_at or now
    row.edited_fields = list(dict.fromkeys([*row.edited_fields, *changed]))


def report_typed_story(story: Story, *, is_new: bool, changed: Collection[str], now: datetime) -> None:
    """Report a saved story to other systems, and record its address, so that no source adds it a second time."""
    if is_new or changed:
        report_story(EventKind.STORY_NEW if is_new else EventKind.STORY_CORRECTED, story, now=now)
    if is_story_page(story.url):
        record_addresses(story, {hash_url(story.url): story.url})
