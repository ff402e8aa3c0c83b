"""Turn a file with one JSON object a line into a file with named columns, which an import reads like any other."""

import csv
import io
import json
import tempfile
from collections.abc import Iterator
from typing import BinaryIO, cast

from newsletter.common.messages import Quantity
from subscribers.importing.reading.errors import BadFile

MAX_NAMES = 500
MAX_LINE_BYTES = 1024 * 1024
_MEMORY = 16 << 20


def convert_ndjson_to_csv(file: BinaryIO) -> BinaryIO:
    """Return a temporary CSV file. Its columns are the names of all objects, so each line moves down by one. Raises `BadFile`.

    A list becomes values with semicolons between, an object becomes JSON, null and a missing name become an empty cell.
    """
    names: dict[str, None] = {}
    for row in _read_objects(file):
        names.update(dict.fromkeys(row or {}))
        if len(names) > MAX_NAMES:
            raise BadFile(
                "The objects have more than %(max_names)s different names. Leave out those that you do not need.",
                max_names=Quantity(MAX_NAMES),
            )
    file.seek(0)
    out = cast(BinaryIO, tempfile.SpooledTemporaryFile(max_size=_MEMORY))  # noqa: SIM115  the caller closes it
    text = io.TextIOWrapper(out, encoding="utf-8", newline="", write_through=True)
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    for row in _read_objects(file):
        if row is None:
            text.write("\n")
        else:
            writer.writerow([_write_cell(row.get(name)) for name in names])
    text.detach()
    out.seek(0)
    return out


def _read_objects(file: BinaryIO) -> Iterator[dict[str, object] | None]:
    """Yield the object of each line, or None for an empty line."""
    number = 0
    while line := file.readline(MAX_LINE_BYTES + 1):
        number += 1
        if len(line) > MAX_LINE_BYTES:
            raise BadFile("Line %(line)s is longer than 1 MB. Nothing was stored. Shorten it.", line=number)
        if not line.strip():
            yield None
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            row = None
        if not isinstance(row, dict):
            raise BadFile(
                "Line %(line)s is not one JSON object, so nothing was stored. Write one object on each line, in UTF-8.",
                line=number,
            )
        yield row


def _write_cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return "; ".join(_write_cell(item) for item in value)
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return " ".join(text.encode("utf-8", "replace").decode().split())
