"""PURE. Splits text into the records of a CSV file, so that one missing quotation mark spoils one line and no more."""

import csv
from collections import deque
from collections.abc import Iterable, Iterator
from typing import NamedTuple

_MAX_RECORD_LINES = 200
_MAX_RECORD_CHARACTERS = 100_000
csv.field_size_limit(1 << 23)


class Record(NamedTuple):
    """`cells` is None where the record cannot be read; `line` counts from 1, the header included."""

    line: int
    cells: list[str] | None
    text: str


class _LineFeed:
    """Gives a reader some lines and remembers whether it asked for more."""

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
    """The records of `lines`, the first of which has the number `first`. Empty lines are passed over.

    A quoted value may run over several lines; it ends unread where a later line is plainly a record of its own
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
            number += len(more)


def parse_complete_record(lines: list[str], *, delimiter: str, strict: bool = False) -> list[str] | None:
    """The one record that these lines are; None where it is not finished or cannot be read."""
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
    """The further lines that were looked at, and the record that they make with the first, if any."""
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
        own = parse_complete_record([following], delimiter=delimiter, strict=True)
        if own is not None and len(own) == width and "@" in own[email_at]:
            break
    return more, None


def _is_record(line: str, *, delimiter: str, width: int, email_at: int) -> bool:
    cells = line.rstrip("\r\n").split(delimiter)
    return len(cells) == width and "@" in cells[email_at] and " " not in cells[email_at].strip()
