"""Withdrawn stories in the journal beside the database, so that a restore from a backup can withdraw them again."""

import hashlib
import hmac
from collections.abc import Iterable
from datetime import datetime

from newsletter.content.parsing.urls import normalise_url
from newsletter.models import Story
from subscribers.identity import address_key
from subscribers.unsubscribing.suppression_journal import (
    StoryWithdrawal,
    journal_after_commit,
    read_withdrawn_stories,
)


def journal_withdrawal(stories: Iterable[Story], *, now: datetime, removed: bool = False) -> None:
    """Write these stories into the journal once the transaction is committed."""
    journal_after_commit(StoryWithdrawal(_identify(story), now, removed) for story in stories)


def find_lost_withdrawals() -> list[Story]:
    """Return the stories that are withdrawn by the journal and not by the database."""
    journaled = read_withdrawn_stories()
    if not journaled:
        return []
    shown = Story.objects.filter(withdrawn_at__isnull=True).order_by("pk")
    return [story for story in shown.iterator() if _identify(story) in journaled]


def _identify(story: Story) -> bytes:
    """Return the keyed hash of its page's address. A story without a page is the row that was made at its moment."""
    name = normalise_url(story.url) if story.url else f"story {story.pk} {story.seen_at.isoformat()}"
    return hmac.digest(address_key(), name.encode(), hashlib.sha256)
