"""One damaged entry affects no other, in every kind of source."""

import json
import subprocess
import sys
from datetime import UTC, datetime
from typing import Any

import pytest

from newsletter.content.ingesting.kinds import documents
from newsletter.content.parsing import entry_rules
from newsletter.content.parsing.entries import Parsed
from newsletter.content.parsing.entry_rules import read_entries
from newsletter.content.parsing.json_text import has_broken_characters
from newsletter.content.parsing.parse import Document, parse_document
from newsletter.content.parsing.sandbox.process import ParserProcess

NOW = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)
URL = "https://news.example/source"


def parse_as(kind: str, body: bytes) -> Parsed:
    return parse_document(Document(kind, body, URL, "", NOW))


def json_feed(*titles: str) -> bytes:
    items = [{"id": str(n), "url": f"https://news.example/{n}", "title": title} for n, title in enumerate(titles)]
    return json.dumps({"version": "https://jsonfeed.org/version/1.1", "title": "F", "items": items}).encode()


def posts(*titles: str) -> bytes:
    return json.dumps(
        [
            {
                "id": n,
                "link": f"https://news.example/{n}",
                "title": {"rendered": title},
                "content": {"rendered": "<p>It.</p>"},
            }
            for n, title in enumerate(titles, 1)
        ]
    ).encode()


def rss(*titles: str) -> bytes:
    items = "".join(
        f"<item><title>{title}</title><link>https://news.example/{n}</link></item>" for n, title in enumerate(titles)
    )
    return f'<?xml version="1.0"?><rss version="2.0"><channel><title>F</title>{items}</channel></rss>'.encode()


@pytest.mark.parametrize(("kind", "make"), [("feed", json_feed), ("wordpress", posts)])
@pytest.mark.parametrize("bad", ["A \ud800 half", "A nul \x00 here"])
def test_a_damaged_character_in_json_affects_one_entry(kind: str, make: Any, bad: str) -> None:
    parsed = parse_as(kind, make("First", bad, "Third"))
    assert [story.title for story in parsed.stories] == ["First", "Third"]
    assert [aside.reason for aside in parsed.set_aside] == [entry_rules.BROKEN_CHARACTERS]


@pytest.mark.parametrize(("kind", "make"), [("feed", json_feed), ("wordpress", posts)])
def test_a_byte_that_is_not_utf8_affects_one_entry(kind: str, make: Any) -> None:
    parsed = parse_as(kind, make("First", "Second MARK", "Third").replace(b"MARK", b"\xff\xfe"))
    assert [story.title for story in parsed.stories] == ["First", "Third"]
    assert len(parsed.set_aside) == 1


@pytest.mark.parametrize("bad", ["A &#xD800; half", "A &nosuchthing; here", "A &#0; here", "A & sign", "A \x08 bell"])
def test_a_damaged_entity_in_a_feed_affects_at_most_one_entry(bad: str) -> None:
    parsed = parse_as("feed", rss("First", bad, "Third"))
    assert {"First", "Third"} <= {story.title for story in parsed.stories}
    assert len(parsed.set_aside) + len(parsed.stories) == 3
    assert not has_broken_characters(parsed.stories)


def test_text_that_mentions_nul_is_not_a_nul() -> None:
    assert not has_broken_characters("write \\u0000 for a NUL")
    assert has_broken_characters(["a \\ and \x00"])


@pytest.mark.parametrize(
    "error",
    [RecursionError(), MemoryError(), KeyError("x"), ValueError(), AssertionError(), UnicodeError(), OverflowError()],
)
def test_an_error_of_a_library_sets_one_entry_aside_with_a_reason(error: Exception) -> None:
    def read(raw: str) -> str:
        if raw == "bad":
            raise error
        return raw

    entries, aside = read_entries(["a", "bad", "b"], parse=read, label=lambda raw, number: raw, identify=str)
    assert entries == ("a", "b")
    assert aside[0].entry == "bad"
    assert aside[0].reason.endswith((".", "it."))


def test_an_error_in_a_whole_document_has_one_defined_outcome(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object, **kwargs: object) -> Parsed:
        raise RecursionError

    monkeypatch.setattr(documents, "parse_feed", fail)
    parsed = parse_as("feed", b"<rss/>")
    assert "damaged and cannot be read (RecursionError)" in parsed.error


HANGING_SECONDS = 600
"""An entry is limited in seconds of the processor, which take longer on a busy machine."""
SLOW = """
import sys, time
from newsletter.content.parsing.cpu_budget import limit_entries
from newsletter.content.parsing.entry_rules import read_entries
limit_entries()
def read(raw):
    while raw == "slow":
        try:
            sum(range(1000))
        except Exception:
            continue
    return raw
entries, aside = read_entries(sys.argv[1].split(","), parse=read, label=lambda raw, number: raw, identify=str)
print(entries, [one.entry for one in aside])
"""


def test_an_entry_that_takes_too_long_affects_no_other() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SLOW, "a,slow,b"], capture_output=True, text=True, timeout=HANGING_SECONDS, check=True
    )
    assert done.stdout.strip() == "('a', 'b') ['slow']"


@pytest.mark.long
def test_many_slow_entries_end_reading_and_keep_earlier_ones() -> None:
    slow = ",".join(["a", *["slow"] * 9])
    done = subprocess.run(
        [sys.executable, "-c", SLOW, slow], capture_output=True, text=True, timeout=HANGING_SECONDS, check=True
    )
    assert done.stdout.startswith("('a',)")
    assert "more entries" in done.stdout


def test_the_parsing_process_survives_a_damaged_entry() -> None:
    child = ParserProcess()
    try:
        first = child.parse(Document("feed", json_feed("First", "A \ud800 half"), URL, "", NOW))
        pid = child.pid
        child.parse(Document("feed", rss("Second"), URL, "", NOW))
        assert child.pid == pid
    finally:
        child.close()
    assert len(first.stories) == 1
