"""The contract of a kind of source."""

from datetime import UTC, datetime
from typing import ClassVar
from urllib.parse import urlsplit

from newsletter.content.parsing.documents import Document
from newsletter.content.parsing.entries import EventEntry, Parsed, StoryEntry
from newsletter.content.parsing.parse import parse_document
from newsletter.content.parsing.sandbox.process import parse_in_sandbox
from newsletter.content.parsing.source_kind import SOURCE_KINDS, gives_events
from newsletter.testing.registered import find_registered

NOW = datetime(2026, 3, 4, 9, 30, tzinfo=UTC)


class SourceContract:
    """Say the ``name`` of the kind, and a ``document`` that lists at least two entries."""

    name: ClassVar[str]
    document: ClassVar[bytes]
    content_type: ClassVar[str] = "application/octet-stream"
    url: ClassVar[str] = "https://example.org/source"

    def read(self, body: bytes) -> Parsed:
        """Parse a body as a document of this kind, in the child process that reads sources."""
        return parse_in_sandbox(Document(self.name, body, self.url, self.content_type, NOW))

    def test_it_is_installed_and_of_this_interface(self) -> None:
        kind = find_registered(SOURCE_KINDS, self.name)
        assert str(kind.label).strip(), "Give the kind a label for the desk."

    def test_the_child_process_reads_the_same_entries(self) -> None:
        document = Document(self.name, self.document, self.url, self.content_type, NOW)
        assert self.read(self.document) == parse_document(document)

    def test_the_document_gives_what_the_kind_says(self) -> None:
        parsed = self.read(self.document)
        assert not parsed.error, parsed.error
        assert bool(parsed.events) == gives_events(self.name), "The kind says that it gives something else."
        assert len(_entries(parsed)) >= 2, "The document lists fewer than two entries."

    def test_each_entry_has_its_own_lasting_identity(self) -> None:
        first, second = _entries(self.read(self.document)), _entries(self.read(self.document))
        names = [entry.external_id for entry in first]
        assert names == [entry.external_id for entry in second], "An identity changes from one reading to the next."
        assert len(set(names)) == len(names), "Two entries have one identity."
        assert all(0 < len(name) <= 500 for name in names), "An identity is empty or longer than 500 characters."

    def test_titles_and_links_can_be_shown(self) -> None:
        for entry in _entries(self.read(self.document)):
            assert entry.title.strip(), f"{entry.external_id} has no title."
            assert "<" not in entry.title, f"The title of {entry.external_id} has markup. Give plain text."
            schemes = ("http", "https", "") if isinstance(entry, EventEntry) else ("http", "https")
            assert urlsplit(entry.url).scheme in schemes, f"{entry.url} is no web address."

    def test_times_have_a_zone(self) -> None:
        parsed = self.read(self.document)
        moments = [story.published_at for story in parsed.stories] + [event.starts_at for event in parsed.events]
        assert all(moment is None or moment.tzinfo for moment in moments), "A time has no zone."

    def test_damaged_answers_are_an_error_or_nothing(self) -> None:
        half = self.document[: len(self.document) // 2]
        for body in (b"", b"\x00" * 1000, b"\xff\xfe\xfd" * 50, b"[" * 5000, b"<html><p>Not found", half):
            parsed = self.read(body)
            assert isinstance(parsed, Parsed)

    def test_a_long_answer_is_read_within_the_limits(self) -> None:
        self.read(self.document * max(1, 1_000_000 // max(1, len(self.document))))


def _entries(parsed: Parsed) -> list[StoryEntry | EventEntry]:
    return [*parsed.stories, *parsed.events]
