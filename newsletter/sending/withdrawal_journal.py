"""Withdrawn stories in the journal beside the database, so that a restore from a backup can withdraw them again."""

import hashlib
import hmac
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from django.db.models import Q, QuerySet

from newsletter.content.parsing.urls import is_story_page, normalise_url
from newsletter.models import AuditEntry, Story
from subscribers.identity import address_key
from subscribers.unsubscribing.suppression_journal import (
    StoryWithdrawal,
    append_entries,
    find_latest_withdrawals,
    journal_after_commit,
    read_journal,
)

REINSTATED = "newsletter.reinstate_story"
"""The action of the staff log: the only row that has the time of a reinstatement."""


def journal_withdrawal(stories: Iterable[Story], *, now: datetime, removed: bool = False) -> None:
    """Write these stories into the journal once the transaction is committed."""
    journal_after_commit(_list_entries(stories, at=now, removed=removed))


def find_lost_withdrawals() -> list[Story]:
    """Return the stories that are withdrawn in the journal and not in the database."""
    latest = find_latest_withdrawals(read_journal())
    journaled = {story_hash for story_hash, entry in latest.items() if not entry.removed}
    if not journaled:
        return []
    shown = Story.objects.filter(withdrawn_at__isnull=True).only("url", "seen_at").order_by("pk")
    return [story for story in shown.iterator() if not journaled.isdisjoint(_identify(story))]


def repair_withdrawals() -> int:
    """Add each withdrawal and reinstatement that the journal misses. Return the number of lines. Raises OSError."""
    withdrawn, reinstated_at = [*_list_known_withdrawals()], _find_reinstatements()
    if not (withdrawn or reinstated_at):
        return 0
    journaled = find_latest_withdrawals(read_journal())
    known = [*withdrawn, *_list_known_reinstatements(reinstated_at, journaled=journaled)]
    return append_entries(entry for entry in known if _is_missing(entry, journaled.get(entry.story_hash)))


def find_copies(story: Story) -> QuerySet[Story]:
    """Return the story and its copies from other sources."""
    return Story.objects.filter(Q(pk=story.pk) | Q(same_as=story.pk) | Q(twins=story.pk))


def _is_missing(entry: StoryWithdrawal, latest: StoryWithdrawal | None) -> bool:
    """Return True if the journal lacks the entry: its ``latest`` one about the story is older and says the opposite."""
    if latest is None:
        return not entry.removed
    return latest.removed != entry.removed and latest.at < entry.at


def _list_known_withdrawals() -> Iterator[StoryWithdrawal]:
    for story in Story.objects.exclude(withdrawn_at=None).only("url", "seen_at", "withdrawn_at").order_by("pk"):
        if story.withdrawn_at:
            yield from _list_entries([story], at=story.withdrawn_at)


def _find_reinstatements() -> dict[int, datetime]:
    """Return, by story id, when the staff log says that the story was reinstated."""
    entries = AuditEntry.objects.filter(action=REINSTATED).order_by("pk").values_list("object_id", "timestamp")
    return {int(object_id): at for object_id, at in entries}


def _list_known_reinstatements(
    reinstated_at: Mapping[int, datetime], *, journaled: Mapping[bytes, StoryWithdrawal]
) -> Iterator[StoryWithdrawal]:
    """Yield reinstatements that the journal lacks, of these stories and their copies that are not withdrawn now."""
    for story in Story.objects.filter(pk__in=reinstated_at).order_by("pk"):
        entries = list(_list_entries([story], at=reinstated_at[story.pk], removed=True))
        if any(_is_missing(entry, journaled.get(entry.story_hash)) for entry in entries):
            copies = find_copies(story).filter(withdrawn_at=None)
            yield from _list_entries(copies, at=reinstated_at[story.pk], removed=True)


def _list_entries(stories: Iterable[Story], *, at: datetime, removed: bool = False) -> Iterator[StoryWithdrawal]:
    return (StoryWithdrawal(name, at, removed) for story in stories for name in _identify(story))


def _identify(story: Story) -> list[bytes]:
    """Return keyed hashes of the row, and of the page's address if it is the story's own."""
    names = [f"story {story.pk} {story.seen_at.isoformat()}"]
    if story.url and is_story_page(story.url):
        names.append(normalise_url(story.url))
    return [hmac.digest(address_key(), name.encode(), hashlib.sha256) for name in names]
