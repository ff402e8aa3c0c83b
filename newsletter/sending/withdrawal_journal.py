"""Withdrawn stories in the journal beside the database, so that a restore from a backup can withdraw them again."""

import hashlib
import hmac
from collections.abc import Iterable
from datetime import datetime

from newsletter.content.parsing.urls import is_story_page, normalise_url
from newsletter.models import Story
from subscribers.identity import address_key
from subscribers.unsubscribing.suppression_journal import (
    StoryWithdrawal,
    journal_after_commit,
    read_withdrawn_stories,
)


def journal_withdrawal(stories: Iterable[Story], *, now: datetime, removed: bool = False) -> None:
    """Write these stories into the journal once the transaction is committed."""
    journal_after_commit(StoryWithdrawal(name, now, removed) for story in stories for name in _identify(story))


def find_lost_withdrawals() -> list[Story]:
    """Return the stories that are withdrawn by the journal and not by the database."""
    journaled = read_withdrawn_stories()
    if not journaled:
        return []
    shown = Story.objects.filter(withdrawn_at__isnull=True).only("url", "seen_at").order_by("pk")
    return [story for story in shown.iterator() if not journaled.isdisjoint(_identify(story))]


def _identify(story: Story) -> list[bytes]:
    """Return keyed hashes of the row, and of the page's address if it is the story's own."""
    names = [f"story {story.pk} {story.seen_at.isoformat()}"]
    if story.url and is_story_page(story.url):
        names.append(normalise_url(story.url))
    return [hmac.digest(address_key(), name.encode(), hashlib.sha256) for name in names]
