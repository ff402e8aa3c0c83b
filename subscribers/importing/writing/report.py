"""The numbers of an import or dry run, which add up. Nothing is stored here."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from newsletter.common.messages import Message
from subscribers.importing.reading.parsed_rows import RefusedRow

MAX_NOTES = 1_000
MAX_REFUSALS = 10_000
_MAX_STORED_NOTES = 100
_MARK = "\N{REPLACEMENT CHARACTER}"
_UNSTORABLE = frozenset({"\x00", *map(chr, range(0xD800, 0xE000))})
OUTCOMES = (
    "new",
    "updated",
    "unchanged",
    "waiting",
    "newly_suppressed",
    "suppressed",
    "elsewhere",
    "repeated",
    "refused",
)
OUTCOME_LABELS = {
    "new": Message("added to the list"),
    "updated": Message("updated"),
    "unchanged": Message("unchanged"),
    "waiting": Message("waiting for confirmation"),
    "newly_suppressed": Message("suppressed by this import"),
    "suppressed": Message("already suppressed: they unsubscribed, complained, or the address does not work"),
    "elsewhere": Message("skipped: on other lists only"),
    "repeated": Message("also on an earlier row"),
    "refused": Message("refused"),
}


@dataclass
class ImportReport:
    """Counts of an import, by the outcomes of `OUTCOME_LABELS`. `rows` is their sum; `reasons` splits the refused ones.

    Only the first 10,000 refused lines and the first 1,000 different notes are held; `noted` counts all notes.
    `lines_by_note` maps a note to its first line and how many lines have it: one unknown country may be on all.
    `updated_before` are people who were updated before the import stopped and began again with the first row: they may count
    as unchanged. `unasked` are people on the list who were not asked to confirm, because of the quota of their mailboxes.
    """

    rows: int = 0
    new: int = 0
    updated: int = 0
    unchanged: int = 0
    waiting: int = 0
    newly_suppressed: int = 0
    suppressed: int = 0
    elsewhere: int = 0
    repeated: int = 0
    refused: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    refusals: list[RefusedRow] = field(default_factory=list)
    lines_by_note: dict[str, tuple[int, int]] = field(default_factory=dict)
    noted: int = 0
    encoding: str = ""
    layout: str = ""
    updated_before: int = 0
    unasked: int = 0
    header: list[str] = field(default_factory=list)
    columns: dict[str, str] = field(default_factory=dict)
    ignored_columns: list[str] = field(default_factory=list)
    resumed_after: int = 0
    batch_id: int | None = None

    def counts(self) -> dict[str, int]:
        """Return the rows and their outcomes."""
        return {"rows": self.rows} | {name: getattr(self, name) for name in OUTCOMES}

    def add(self, outcomes: Mapping[str, int]) -> None:
        for name, people in outcomes.items():
            setattr(self, name, getattr(self, name) + people)

    def refuse(self, rows: Iterable[RefusedRow]) -> None:
        for row in rows:
            self.refused += 1
            self.reasons[row.kind] = self.reasons.get(row.kind, 0) + 1
            if len(self.refusals) < MAX_REFUSALS:
                self.refusals.append(row)

    def note(self, line: int, text: str) -> None:
        self.noted += 1
        self._add_note(LineNote(line, make_storable(text)))

    def _add_note(self, note: "LineNote") -> None:
        first, lines = self.lines_by_note.get(note.text, (note.line, 0))
        if lines or len(self.lines_by_note) < MAX_NOTES:
            self.lines_by_note[note.text] = (min(first, note.line), lines + note.lines)

    @property
    def notes(self) -> list["LineNote"]:
        return [LineNote(line, text, lines) for text, (line, lines) in self.lines_by_note.items()]

    def discard_row_notes(self) -> None:
        """Keep only the numbers."""
        self.refusals, self.lines_by_note = [], {}

    def as_stored(self, *, refusals: int = 0) -> dict[str, object]:
        """Return the JSON that is stored with the batch."""
        return {
            **self.counts(),
            "reasons": dict(self.reasons),
            "noted": self.noted,
            "notes": [list(note if note.lines > 1 else note[:2]) for note in self.notes[:_MAX_STORED_NOTES]],
            **({"updated_before": self.updated_before} if self.updated_before else {}),
            **({"unasked": self.unasked} if self.unasked else {}),
            **(
                {"refusals": [[row.line, make_storable(row.reason)] for row in self.refusals[:refusals]]}
                if refusals
                else {}
            ),
        }

    def begin_again(self, stored: Mapping[str, int]) -> None:
        """Keep the numbers of an earlier run that its rows cannot produce again."""
        self.updated_before = int(stored.get("updated_before", 0)) + int(stored.get("updated", 0))

    def resume_from(self, stored: Mapping[str, Any]) -> None:
        """Continue counting from stored numbers."""
        for name in ("rows", *OUTCOMES, "noted", "updated_before", "unasked"):
            setattr(self, name, int(stored.get(name, 0)))
        self.reasons = dict(stored.get("reasons", {}))
        for note in iter_stored_notes(stored):
            self._add_note(note)


class LineNote(NamedTuple):
    """A note about rows of a file: the first row that has it, and how many have it."""

    line: int
    text: str
    lines: int = 1


def iter_stored_notes(stored: Mapping[str, Any]) -> Iterator[LineNote]:
    for line, text, *lines in stored.get("notes", []):
        yield LineNote(int(line), text, int(lines[0]) if lines else 1)


def make_storable(text: str) -> str:
    """Return the text or message with a mark for each character that no database stores, such as those with the number 0."""
    if isinstance(text, Message):
        values = {
            name: make_storable(value) if isinstance(value, str) else value for name, value in text.values.items()
        }
        return text if values == text.values else Message(text.template, **values)
    return text if text.isprintable() else "".join(_MARK if char in _UNSTORABLE else char for char in text)


def find_rows_to_skip(counts: Mapping[str, object]) -> int:
    """Return how many rows a run that stopped has written as they would be written again, by its stored numbers."""
    rows = counts.get("rows")
    return 0 if counts.get("read_otherwise") or "undone_by" in counts or not isinstance(rows, int) else rows
