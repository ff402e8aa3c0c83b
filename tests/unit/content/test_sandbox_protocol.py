"""The parser's child can send its parent only our own plain data."""

import io
import os
import pickle
import struct
from datetime import UTC, date, datetime

import pytest

from newsletter.content.parsing.entries import EventEntry, Parsed, SetAside, StoryEntry
from newsletter.content.parsing.sandbox.child import (
    MAX_MESSAGE_BYTES,
    SandboxProtocolError,
    read_message,
    write_message,
)


def framed(data: bytes) -> io.BytesIO:
    return io.BytesIO(struct.pack(">Q", len(data)) + data)


class Attack:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("exit 1",)


def test_entries_arrive_as_they_were_sent() -> None:
    moment = datetime(2026, 3, 4, 9, 30, tzinfo=UTC)
    parsed = Parsed(
        stories=(StoryEntry("1", "https://example.org/", "Verdict 🕊", published_at=moment),),
        events=(EventEntry("2", "Vigil", moment, day=date(2026, 3, 4), latitude=1.5),),
        set_aside=(SetAside("Entry 3", "No title."),),
        extra={"version": "rss20"},
    )
    stream = io.BytesIO()
    write_message(stream, parsed)
    stream.seek(0)
    assert read_message(stream) == parsed
    with pytest.raises(EOFError):
        read_message(stream)


@pytest.mark.requirement("X7")
def test_a_compromised_child_cannot_run_code_in_its_parent() -> None:
    with pytest.raises(SandboxProtocolError, match="system may not come from a parser"):
        read_message(framed(pickle.dumps(Attack())))


@pytest.mark.parametrize(
    "stream",
    [
        io.BytesIO(b"\0\0"),
        io.BytesIO(struct.pack(">Q", MAX_MESSAGE_BYTES + 1)),
        io.BytesIO(struct.pack(">Q", 100) + b"short"),
        framed(b"not a pickle"),
        framed(b""),
    ],
    ids=["half a length", "too long", "broken off", "nonsense", "empty"],
)
def test_a_broken_answer_is_refused(stream: io.BytesIO) -> None:
    stream.seek(0)
    with pytest.raises(SandboxProtocolError):
        read_message(stream)
