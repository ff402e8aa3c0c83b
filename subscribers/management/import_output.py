"""The output of `newsletter subscribers import` and `undo`, for people and for programs."""

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from subscribers.importing.reading.file_format import ENCODINGS, UTF8_ENCODINGS
from subscribers.importing.reading.parsed_rows import REFUSAL_LABELS, RefusalKind
from subscribers.importing.writing.report import MAX_NOTES, OUTCOME_LABELS, ImportReport

SHOWN_LINES = 20
UNDONE_LABELS = {
    "removed": "people removed whom it had added",
    "ended": "subscriptions ended of people who were known before",
    "stayed": "people stay: they acted themselves after the import, or have another subscription",
    "ended_before": "people were off the list already: staff or an expiry ended their subscription",
    "lifted": "suppressions of this import removed",
    "kept": "suppressions stay: something else happened to the addresses since",
}


@contextmanager
def show_import_progress(total: int) -> Iterator[Callable[[int], None]]:
    """Show a bar on a terminal's standard error that follows how many of `total` lines are read."""
    console = Console(file=sys.stderr)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("Importing", total=total)
        yield lambda rows: bar.update(task, completed=rows)
        bar.update(task, completed=total)


def report_as_json(report: ImportReport, *, mailing_list: str, dry_run: bool) -> dict[str, object]:
    return {
        "list": mailing_list,
        "dry_run": dry_run,
        **report.counts(),
        "unasked": report.unasked,
        "reasons": report.reasons,
        "refusals": [{"line": row.line, "kind": str(row.kind), "reason": row.reason} for row in report.refusals],
        "notes": [{"line": line, "note": note, "lines": lines} for line, note, lines in report.notes],
        "encoding": report.encoding,
        "layout": report.layout,
        "columns": report.columns,
        "ignored_columns": report.ignored_columns,
        "resumed_after": report.resumed_after,
        "import": report.batch_id,
    }


def format_report(report: ImportReport, *, name: str, dry_run: bool) -> Iterator[str]:
    counts = report.counts()
    if report.layout:
        yield f"Recognised: {report.layout}."
    if report.encoding not in UTF8_ENCODINGS:
        yield f"Detected encoding: {ENCODINGS.get(report.encoding, report.encoding)}."
    if report.resumed_after:
        yield f"An import of this file had stopped after {report.resumed_after:,} lines and continued there."
    lines = "1 line" if report.rows == 1 else f"{report.rows:,} lines"
    yield f"{'Nothing was written. ' if dry_run else ''}{lines} for the list “{name}”:"
    for word, meaning in OUTCOME_LABELS.items():
        if counts[word] or (word == "new" and not counts["newly_suppressed"]):
            yield f"{counts[word]:>9,}  {meaning}"
    if len(report.reasons) > 1:
        for kind, refused in sorted(report.reasons.items(), key=lambda item: -item[1]):
            yield f"{refused:>13,}  {REFUSAL_LABELS[RefusalKind(kind)]}"
    if report.unasked:
        yield (
            f"{report.unasked:,} of them {'was' if report.unasked == 1 else 'were'} not asked to confirm, because the mailbox "
            "had a confirmation mail in the last 24 hours, or three in all. Import the file again after a day "
            "to ask those who had fewer than three."
        )
    for row in report.refusals[:SHOWN_LINES]:
        yield f"  row {row.line}: {row.reason}"
    if report.refused > SHOWN_LINES:
        yield f"  … and {report.refused - SHOWN_LINES:,} more; use --refused FILE to save all of them for correction."
    if report.noted:
        many = (
            "1 value was left out or needs" if report.noted == 1 else f"{report.noted:,} values were left out or need"
        )
        yield f"{many} checking:"
        listed = sorted(report.notes)[:SHOWN_LINES]
        yield from (f"  {_describe_rows(first, lines)}: {note}" for first, note, lines in listed)
        shown = sum(note.lines for note in listed)
        if report.noted > shown:
            yield f"  … and {report.noted - shown:,} more; --json lists the first {MAX_NOTES:,} different notes."
    if report.ignored_columns:
        yield f"Columns that were not used: {', '.join(report.ignored_columns)}."
    attributes = [target.partition(":")[2] for target in report.columns.values() if ":" in target]
    if attributes:
        yield f"Kept as extra fields: {', '.join(attributes)}."
    if report.batch_id:
        yield f"To undo it: newsletter subscribers undo {report.batch_id}"


def _describe_rows(first: int, rows: int) -> str:
    return f"row {first}" + (f" and {rows - 1:,} more" if rows > 1 else "")


def format_undone(done: Mapping[str, int], *, number: int) -> Iterator[str]:
    yield f"Import {number} was undone:"
    for word, meaning in UNDONE_LABELS.items():
        if done[word] or word == "removed":
            yield f"{done[word]:>9,}  {meaning}"
