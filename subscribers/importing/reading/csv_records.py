"""Split text into CSV records, so that one missing quotation mark spoils one line only."""

import csv
from collections import deque
from collections.abc import Iterable, Iterator
from typing import NamedTuple

_MAX_RECORD_LINES = 200
_MAX_RECORD_CHARACTERS = 100_000
csv.field_size_limit(1 << 23)


class Record(NamedTuple):
    """One record. `cells` is None if it cannot be read; `line` is the row that a spreadsheet shows for it."""

    line: int
    cells: list[str] | None
    text: str


class _LineFeed:
    """Feed lines to a CSV reader and remember if it asked for more."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = iter(lines)
        self.exhausted = False

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        for line in self._lines:
            return line
        self.exhausted = True
        raise StopIteration


def split_records(lines: Iterator[str], *, delimiter: str, first: int, width: int, email_at: int) -> Iterator[Record]:
    """Yield the records of `lines`, numbered from `first` like the rows of a spreadsheet. Empty lines are counted and skipped.

    A quoted value may span several lines: they are one row. It ends unread if a later line is clearly a new record
    (`width` values with an address at `email_at`).
    """
    back: deque[str] = deque()
    number = first - 1
    while True:
        line = back.popleft() if back else next(lines, None)
        if line is None:
            return
        number += 1
        if '"' not in line:
            if line.strip(" \t\r\n"):
                yield Record(number, line.rstrip("\r\n").split(delimiter), line)
            continue
        cells = parse_complete_record([line], delimiter=delimiter)
        if cells is not None:
            yield Record(number, cells, line)
            continue
        more, cells = _read_multiline(line, lines, back, delimiter=delimiter, width=width, email_at=email_at)
        if cells is None:
            back.extendleft(reversed(more))
            yield Record(number, None, line)
        else:
            yield Record(number, cells, line + "".join(more))


def parse_complete_record(lines: list[str], *, delimiter: str, strict: bool = False) -> list[str] | None:
    """Return the one record of these lines, or None if it is unfinished or cannot be read."""
    feed = _LineFeed(lines)
    reader = csv.reader(feed, delimiter=delimiter, strict=strict)
    try:
        cells = next(reader, [])
    except csv.Error:
        return None
    return None if feed.exhausted or next(feed, None) is not None else cells


def _read_multiline(
    line: str, lines: Iterator[str], back: deque[str], *, delimiter: str, width: int, email_at: int
) -> tuple[list[str], list[str] | None]:
    """Return the further lines that were read, and the record that they complete, if any."""
    more: list[str] = []
    size = len(line)
    while len(more) < _MAX_RECORD_LINES and size < _MAX_RECORD_CHARACTERS:
        following = back.popleft() if back else next(lines, None)
        if following is None:
            break
        more.append(following)
        size += len(following)
        if '"' not in following:
            if _is_record(following, delimiter=delimiter, width=width, email_at=email_at):
                break
            continue
        cells = parse_complete_record([line, *more], delimiter=delimiter, strict=True)
        if cells is not None:
            return more, cells if len(cells) == width else None
        record = parse_complete_record([following], delimiter=delimiter, strict=True)
        if record is not None and len(record) == width and "@" in record[email_at]:
            break
    return more, None


def _is_record(line: str, *, delimiter: str, width: int, email_at: int) -> bool:
    cells = line.rstrip("\r\n").split(delimiter)
    return len(cells) == width and "@" in cells[email_at] and " " not in cells[email_at].strip()
