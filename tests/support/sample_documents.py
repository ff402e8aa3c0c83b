"""Our own small documents in the shapes that real sources have. Private entries in them bear the word PRIVATE-MARKER."""

import json
from pathlib import Path
from typing import Any

_SHAPES = Path(__file__).resolve().parents[1] / "data" / "shapes"
MARKER = "PRIVATE-MARKER"


def read_shape(kind: str, name: str) -> bytes:
    """The bytes of one shape, such as ``read_shape("calendar", "busy.ics")``."""
    return (_SHAPES / kind / name).read_bytes()


def list_shapes(kind: str) -> list[str]:
    """The file names of all shapes of a kind."""
    return sorted(path.name for path in (_SHAPES / kind).iterdir() if path.is_file())


def read_json_shape(kind: str) -> dict[str, Any]:
    """The data of the only shape of a kind."""
    document: dict[str, Any] = json.loads(read_shape(kind, list_shapes(kind)[0]))
    return document
