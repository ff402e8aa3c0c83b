"""Our own small documents in the shapes that real sources have. Private entries in them bear the word PRIVATE-MARKER."""

from pathlib import Path

_SHAPES = Path(__file__).resolve().parents[1] / "data" / "shapes"
MARKER = "PRIVATE-MARKER"


def read_shape(kind: str, name: str) -> bytes:
    """The bytes of one shape, such as ``read_shape("calendar", "busy.ics")``."""
    return (_SHAPES / kind / name).read_bytes()


def list_shapes(kind: str) -> list[str]:
    """The file names of all shapes of a kind."""
    return sorted(path.name for path in (_SHAPES / kind).iterdir() if path.is_file())
