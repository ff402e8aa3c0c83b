"""Documents of every shape, damaged at random: no crash, no script, no private event, at most one message an entry.

Each file below `tests/data/shapes` is changed 25 times; `make mutations` changes it 1,000 times. The changes are the same in
every run: a failure names the number of its change.
"""

import os
import random
import re
import string
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from newsletter.common.installed_entry_points import OWN_PACKAGE, list_entry_points
from newsletter.common.messages import Message
from newsletter.content.parsing.entries import Parsed
from newsletter.content.parsing.json_text import has_broken_characters
from newsletter.content.parsing.parse import Document, parse_document
from tests.support.sample_documents import MARKER

SHAPES = Path(__file__).parents[2] / "data" / "shapes"
KINDS = {
    "feed": ("feed", "application/xml"),
    "jsonfeed": ("feed", "application/feed+json"),
    "wordpress": ("wordpress", "application/json"),
    "page": ("page", "text/html"),
    "calendar": ("calendar", "text/calendar"),
    "eventpage": ("events", "text/html"),
    **dict.fromkeys(("ghost", "drupal", "eventbrite", "mobilize", "action_network"), ("", "application/json")),
}
TIMES = int(os.environ.get("NEWSLETTER_MUTATIONS", "25"))
NOW = datetime(2026, 3, 4, 9, 30, tzinfo=UTC)
URL = "https://example.org/source"
NODE = re.compile(rb"^  \{.*?^  \}", re.DOTALL | re.MULTILINE)
EVENT = re.compile(rb"BEGIN:VEVENT.*?END:VEVENT", re.DOTALL)
PRIVATE_ENTRIES = {
    "calendar/busy.ics": EVENT,
    "calendar/private-classes.ics": EVENT,
    "eventpage/private.html": re.compile(rb'\{"@context".*?\}(?=, \{|\])', re.DOTALL),
    "eventpage/private-microdata.html": re.compile(rb"<div itemscope.*?</div>", re.DOTALL),
    "eventpage/private-rdfa.html": re.compile(rb"<div vocab.*?</div>", re.DOTALL),
    "eventpage/the-events-calendar.json": NODE,
    "ghost/posts.json": NODE,
    "drupal/articles.json": NODE,
    "eventbrite/events.json": NODE,
    "mobilize/events.json": NODE,
    "action_network/events.json": NODE,
    "feed/protected.xml": re.compile(rb"<item>.*?</item>", re.DOTALL),
    "wordpress/protected.json": re.compile(rb"^\{.*?\}(?=,?$)", re.MULTILINE),
}
"""The entries of shapes whose private entries say themselves that they are private. Each of these has the marker."""
ENTRY_STARTS = {
    "feed": re.compile(rb"<\s*(?:\w+:)?(?:item|entry)", re.IGNORECASE),
    "jsonfeed": re.compile(rb"\{"),
    "wordpress": re.compile(rb"\{"),
    "page": re.compile(rb"\A"),
    "calendar": re.compile(rb"BEGIN:VEVENT", re.IGNORECASE),
    "eventpage": re.compile(rb"\{|itemscope|typeof", re.IGNORECASE),
    **dict.fromkeys(("ghost", "drupal", "eventbrite", "mobilize", "action_network"), re.compile(rb"\{")),
}
MAX_SUMMARIES = 4
"""Notes about a whole document: private, past and further entries, and repairs."""
PRIVATE = re.compile(rb"^CLASS[^\r\n]*:(?:PRIVATE|CONFIDENTIAL)\s*$", re.MULTILINE)
SUMMARY = re.compile(rb"^SUMMARY[^\r\n:]*:([^\r\n]{4,})", re.MULTILINE)
SCRIPT = re.compile(r"<\s*script|<[^<>]*\bon\w+\s*=|<[^<>]*javascript:", re.IGNORECASE)
TAG = re.compile(rb"<[^<>]{1,200}>")
FILES = sorted(path for kind in KINDS for path in (SHAPES / kind).glob("*") if path.is_file())

Mutation = Callable[[random.Random, bytes], bytes]


def test_every_kind_of_source_has_documents_here() -> None:
    declared = {entry.name for package, entry in list_entry_points("newsletter.sources") if package == OWN_PACKAGE}
    here = {kind or folder for folder, (kind, _media_type) in KINDS.items()}
    assert here ^ declared == set(), "Add a folder to tests/data/shapes, and name it in KINDS and ENTRY_STARTS."


def flip_bytes(chance: random.Random, body: bytes) -> bytes:
    changed = bytearray(body)
    for _ in range(chance.randint(1, 8)):
        changed[chance.randrange(len(changed))] = chance.randrange(256)
    return bytes(changed)


def cut_out(chance: random.Random, body: bytes) -> bytes:
    start = chance.randrange(len(body))
    return body[:start] + body[start + chance.randint(1, 200) :]


def double(chance: random.Random, body: bytes) -> bytes:
    start = chance.randrange(len(body))
    end = start + chance.randint(1, 400)
    return body[:end] + body[start:end] * chance.randint(1, 4) + body[end:]


def cut_off(chance: random.Random, body: bytes) -> bytes:
    return body[: chance.randrange(1, max(2, len(body)))]


def swap_tags(chance: random.Random, body: bytes) -> bytes:
    tags = list(TAG.finditer(body))
    if len(tags) < 2:
        return double(chance, body)
    first, second = sorted(chance.sample(tags, 2), key=lambda match: match.start())
    between = body[first.end() : second.start()]
    return body[: first.start()] + second[0] + between + first[0] + body[second.end() :]


def put_in(chance: random.Random, body: bytes) -> bytes:
    pieces = (
        b"\0", b"\xff\xfe", b"\xed\xa0\x80", b"&#xD800;", b"&#0;", b"]]>", b"<![CDATA[", b"<!--", b"\\ud800", b"\r\n ",
        b"<script>alert(1)</script>", b'"', b"{", b"[" * 300, b"<div>" * 300, b"99999999999999999999", b"9999-12-31", b"-1",
    )  # fmt: skip
    at = chance.randrange(len(body))
    return body[:at] + chance.choice(pieces) + body[at:]


def change_word(chance: random.Random, body: bytes) -> bytes:
    words = list(re.finditer(rb"\w{3,20}", body))
    if not words:
        return flip_bytes(chance, body)
    word = chance.choice(words)
    new = "".join(chance.choices(string.printable, k=chance.randint(0, 12))).encode()
    return body[: word.start()] + new + body[word.end() :]


MUTATIONS: tuple[Mutation, ...] = (flip_bytes, cut_out, double, cut_off, swap_tags, put_in, change_word)


def mutate(body: bytes, *, seed: str) -> bytes:
    chance = random.Random(seed)
    for _ in range(chance.randint(1, 3)):
        body = chance.choice(MUTATIONS)(chance, body) or b" "
    return body


def read(path: Path, body: bytes) -> Parsed:
    kind, content_type = KINDS[path.parent.name]
    if kind == "events" and path.suffix == ".json":
        kind, content_type = "tribe_events", "application/json"
    return parse_document(Document(kind or path.parent.name, body, URL, content_type, NOW))


def check(parsed: Parsed) -> None:
    """Assert what is true of the result of any document."""
    entries = (*parsed.stories, *parsed.events)
    assert not (parsed.error and entries), "a document is read or refused, not both"
    identities = [(type(entry), entry.external_id) for entry in entries]
    assert len(identities) == len(set(identities))
    for story in parsed.stories:
        assert story.title
        assert story.url.startswith(("http://", "https://"))
        assert not SCRIPT.search(story.body_html)
        for address in (story.picture_url, *(url for _, url in story.related)):
            assert address == "" or address.startswith(("http://", "https://"))
    for event in parsed.events:
        assert event.title
        assert event.url == "" or event.url.startswith(("http://", "https://"))
    assert not has_broken_characters(list(entries))
    assert not has_broken_characters([parsed.error, *((one.entry, one.reason) for one in parsed.set_aside)])
    assert all(isinstance(one.reason, Message) and one.reason for one in parsed.set_aside)


def check_messages(parsed: Parsed, body: bytes, folder: str) -> None:
    """Assert that each entry is read or has one message, beside the notes about the whole document."""
    begun = len(ENTRY_STARTS[folder].findall(body.replace(b"\0", b"")))
    assert len(parsed.set_aside) <= begun + MAX_SUMMARIES


def check_marker(parsed: Parsed, body: bytes, private: list[bytes]) -> bool:
    """Assert that nothing of a private entry is read. Return False if the mutation damaged a private entry itself."""
    marker = MARKER.encode()
    if body.count(marker) != sum(body.count(entry) * entry.count(marker) for entry in set(private)):
        return False
    assert MARKER not in repr((parsed.stories, parsed.events, parsed.title, parsed.error))
    return True


def check_private(parsed: Parsed, body: bytes, private: list[bytes]) -> None:
    """Assert that no title of a private event that the mutation left intact is in the result."""
    for block in private:
        for title in SUMMARY.findall(block):
            if body.count(title) == body.count(block):
                assert not any(title.decode("utf-8", "replace") in event.title for event in parsed.events)


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_shape_is_read_or_refused_with_a_reason(path: Path) -> None:
    parsed = read(path, path.read_bytes())
    check(parsed)
    assert parsed.error or parsed.set_aside or parsed.stories or parsed.events


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_damaged_document_crashes_nothing_and_reveals_nothing(path: Path) -> None:
    whole = path.read_bytes()
    private = [block for block in EVENT.findall(whole) if PRIVATE.search(block)]
    entries = PRIVATE_ENTRIES.get(f"{path.parent.name}/{path.name}")
    marked = [entry for entry in entries.findall(whole) if MARKER.encode() in entry] if entries else []
    assert not entries or b"".join(marked).count(MARKER.encode()) == whole.count(MARKER.encode())
    judged = 0
    for number in range(TIMES):
        body = mutate(whole, seed=f"{path.parent.name}/{path.name}/{number}")
        try:
            parsed = read(path, body)
            check(parsed)
            check_messages(parsed, body, path.parent.name)
            check_private(parsed, body, private)
            judged += bool(marked) and check_marker(parsed, body, marked)
        except Exception as error:
            error.add_note(f"change number {number} of {path.name}")
            raise
    assert judged or not marked, "every change damaged a private entry: nothing was judged"
