"""The input of every parser."""

from dataclasses import dataclass
from datetime import datetime, timedelta

CALENDAR_AHEAD = timedelta(days=400)


@dataclass(frozen=True)
class Document:
    """The answer of a source. ``kind`` is the name of a kind of source, or one of `parse.HELPERS`.

    ``now`` is an aware time; dates are compared with it.
    """

    kind: str
    body: bytes
    url: str
    content_type: str
    now: datetime
