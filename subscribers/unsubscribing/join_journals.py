"""Add to this machine's suppression journal what the journal of another machine says, after a restore."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from newsletter.common.errors import NotReady
from subscribers.models import Reason
from subscribers.unsubscribing.suppression_journal import (
    AddressChange,
    Entry,
    JournalEntry,
    Key,
    StoryWithdrawal,
    append_entries,
    find_latest_withdrawals,
    read_journal,
    read_journal_file,
)

MAX_SKEW = timedelta(hours=1)
"""If entries of two machines are less than this apart, either may be the newer one: their clocks differ."""


@dataclass
class _Facts:
    """The entries of a journal: the last one about each suppression and story, and all changes of address."""

    suppressions: dict[Key, JournalEntry] = field(default_factory=dict)
    changes: dict[AddressChange, None] = field(default_factory=dict)
    stories: dict[bytes, StoryWithdrawal] = field(default_factory=dict)


@dataclass(frozen=True)
class JoinedJournal:
    """The number of entries of the other journal that nothing later replaced, and of those that this machine's lacked."""

    entries: int
    added: int


def join_journal(path: Path) -> JoinedJournal:
    """Append the entries of another machine's journal that this machine's lacks.

    If both say something about one suppression or story, the newer entry counts. Of two entries about one suppression that
    are less than ``MAX_SKEW`` apart, the one that suppresses counts.

    Raises:
        OSError: A file cannot be read or written.
        NotReady: The file has no line of a journal.
    """
    with path.open("rb") as file:
        is_empty = not file.read(1)
    theirs = _read_facts(read_journal_file(path))
    if not is_empty and not (theirs.suppressions or theirs.changes or theirs.stories):
        raise NotReady(
            "%(file)s is no suppression journal, so nothing was read from it. Name the file left.journal of the data folder "
            "of another machine.",
            file=str(path),
        )
    ours = _read_facts(read_journal())
    missing: list[Entry] = [change for change in theirs.changes if change not in ours.changes]
    missing += [entry for key, entry in theirs.suppressions.items() if _counts(entry, ours.suppressions.get(key))]
    missing += [story for key, story in theirs.stories.items() if _is_newer(story, ours.stories.get(key))]
    entries = len(theirs.changes) + len(theirs.suppressions) + len(theirs.stories)
    return JoinedJournal(entries, append_entries(missing))


def _read_facts(entries: Iterable[Entry]) -> _Facts:
    facts = _Facts()
    stories = []
    for entry in entries:
        if isinstance(entry, JournalEntry):
            facts.suppressions[entry.key] = entry
        elif isinstance(entry, AddressChange):
            facts.changes[entry] = None
        else:
            stories.append(entry)
    facts.stories = find_latest_withdrawals(stories)
    return facts


def _counts(theirs: JournalEntry, ours: JournalEntry | None) -> bool:
    if ours is None:
        return True
    if theirs.removed == ours.removed or theirs.reason == Reason.ERASURE or abs(theirs.at - ours.at) >= MAX_SKEW:
        return theirs.at > ours.at
    return ours.removed


def _is_newer(theirs: StoryWithdrawal, ours: StoryWithdrawal | None) -> bool:
    return ours is None or theirs.at > ours.at
