"""Documents are parsed in a child process. It ends if one takes too much, and the next document is read."""

import os
import signal
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import BinaryIO

import pytest

from newsletter.content.parsing.parse import Document, parse_document
from newsletter.content.parsing.sandbox import process as sandbox_process
from newsletter.content.parsing.sandbox.process import (
    ParserCrashed,
    ParserProcess,
    ResourceLimitExceeded,
    ResourceLimits,
    parse_in_sandbox,
)

NOW = datetime(2026, 3, 4, 9, 30, tzinfo=UTC)
RSS = '<?xml version="1.0"?><rss version="2.0"><channel><title>Notes</title>%s</channel></rss>'
ITEM = (
    "<item><title>Verdict {n}</title><link>https://example.org/{n}</link>"
    "<pubDate>Mon, 02 Mar 2026 10:00:00 GMT</pubDate><description>&lt;p&gt;{text}&lt;/p&gt;</description></item>"
)
PAGE = b"<html lang=en><head><title>A verdict</title></head><body><h1>A verdict</h1><p>What happened, told.</p></body>"


def feed_of(entries: int, text: str = "What happened.") -> Document:
    body = RSS % "".join(ITEM.format(n=number, text=text) for number in range(entries))
    return document("feed", body.encode(), "application/rss+xml")


def document(kind: str, body: bytes, content_type: str = "text/html") -> Document:
    return Document(kind=kind, body=body, url="https://example.org/source", content_type=content_type, now=NOW)


def wait_for_exit(pid: int) -> None:
    """Wait until a child has exited, and leave its status to the product."""
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)


@pytest.fixture
def child() -> Iterator[ParserProcess]:
    made = ParserProcess(
        limits=ResourceLimits(cpu_seconds=1, wall_seconds=20.0, memory_bytes=96 * 1024 * 1024), max_documents=3
    )
    yield made
    made.close()


SAMPLES = [
    feed_of(3),
    document("page", PAGE),
    document(
        "calendar",
        b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//t//EN\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTAMP:20260301T000000Z\r\n"
        b"DTSTART;TZID=Europe/London:20260415T180000\r\nDTEND;TZID=Europe/London:20260415T200000\r\n"
        b"SUMMARY:Vigil\r\nGEO:53.8;-1.55\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nUID:2\r\nDTSTAMP:20260301T000000Z\r\n"
        b"DTSTART;VALUE=DATE:20260416\r\nSUMMARY:Fair\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
    ),
    document(
        "events",
        b'<script type="application/ld+json">{"@type":"Event","name":"Talk","startDate":"2026-05-01T19:00:00+02:00"}</script>',
    ),
    document("wordpress", b'[{"id": 1, "link": "https://example.org/p/1", "title": {"rendered": "Post"}}]'),
    document("wordpress", b"no"),
]


@pytest.mark.requirement("X7")
@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.kind)
def test_every_kind_of_source_gives_the_same_in_the_sandbox(sample: Document) -> None:
    apart = parse_in_sandbox(sample)
    assert apart == parse_document(sample)
    assert apart.stories or apart.events or apart.error


@pytest.mark.long
@pytest.mark.requirement("X7")
def test_after_a_document_that_takes_too_long_the_next_is_read(child: ParserProcess) -> None:
    with pytest.raises(ResourceLimitExceeded, match="takes too long or too much memory"):
        child.parse(feed_of(40_000))
    assert len(child.parse(feed_of(2)).stories) == 2


@pytest.mark.requirement("X7")
def test_after_a_document_that_needs_too_much_memory_the_next_is_read() -> None:
    lean = ParserProcess(limits=ResourceLimits(cpu_seconds=10, wall_seconds=20.0, memory_bytes=24 * 1024 * 1024))
    try:
        with pytest.raises(ResourceLimitExceeded, match="too long or too much memory"):
            lean.parse(feed_of(2, text="word " * 2_000_000))
        assert len(lean.parse(feed_of(2)).stories) == 2
    finally:
        lean.close()


@pytest.mark.requirement("X7")
def test_a_document_that_takes_too_long_on_the_clock_is_stopped() -> None:
    hasty = ParserProcess(limits=ResourceLimits(cpu_seconds=600, wall_seconds=0.2))
    try:
        with pytest.raises(ResourceLimitExceeded):
            hasty.parse(feed_of(40_000))
        assert hasty.pid is None
    finally:
        hasty.close()


@pytest.mark.requirement("X7")
def test_after_a_document_that_breaks_the_parser_the_next_is_read(
    child: ParserProcess,
) -> None:
    child.parse(feed_of(1))
    first = child.pid
    assert first is not None

    def crash() -> None:
        os.kill(first, signal.SIGSEGV)
        os.kill(first, signal.SIGCONT)

    os.kill(first, signal.SIGSTOP)  # so that it has not answered yet, however late the thread is
    killer = threading.Timer(0.2, crash)
    killer.start()
    try:
        with pytest.raises(ParserCrashed, match="damaged and cannot be read"):
            child.parse(feed_of(1))
    finally:
        killer.join()
    assert len(child.parse(feed_of(2)).stories) == 2
    assert child.pid != first


@pytest.mark.long
@pytest.mark.requirement("X7")
def test_processor_time_is_limited_for_each_document() -> None:
    patient = ParserProcess(limits=ResourceLimits(cpu_seconds=1))
    try:
        read = [len(patient.parse(feed_of(500)).stories) for _ in range(15)]
    finally:
        patient.close()
    assert all(read)


def test_one_child_serves_many_threads_until_it_is_replaced(child: ParserProcess) -> None:
    children: set[int | None] = set()
    counts: list[int] = []

    def parse() -> None:
        counts.append(len(child.parse(feed_of(2)).stories))
        children.add(child.pid)

    threads = [threading.Thread(target=parse) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counts == [2] * 6
    assert 2 <= len(children - {None}) <= 3


@pytest.mark.long
def test_a_child_that_exited_is_replaced(child: ParserProcess) -> None:
    child.parse(feed_of(1))
    assert child.pid is not None
    os.kill(child.pid, signal.SIGTERM)
    wait_for_exit(child.pid)
    assert len(child.parse(feed_of(1)).stories) == 1


@pytest.mark.long
def test_a_closed_child_starts_again_when_needed(child: ParserProcess) -> None:
    child.parse(feed_of(1))
    pid = child.pid
    assert pid is not None
    child.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert len(child.parse(feed_of(1)).stories) == 1


def test_the_child_gets_no_secrets(child: ParserProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEWSLETTER_SECRET_KEY", "a secret")
    child.parse(feed_of(1))
    with open(f"/proc/{child.pid}/environ", "rb") as environment:
        assert b"NEWSLETTER" not in environment.read()


def test_a_child_that_does_not_start_is_reported(child: ParserProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox_process.sys, "executable", "/bin/true")
    with pytest.raises(ParserCrashed, match="does not start"):
        child.parse(feed_of(1))


@pytest.mark.long
def test_an_idle_child_exits_and_another_starts_when_needed() -> None:
    restless = ParserProcess(idle_seconds=0.5)
    try:
        restless.parse(feed_of(1))
        first = restless.pid
        assert first is not None
        wait_for_exit(first)
        assert len(restless.parse(feed_of(1)).stories) == 1
        assert restless.pid != first
    finally:
        restless.close()


@pytest.mark.parametrize("failures", [1, 2])
def test_a_child_that_exits_as_it_gets_work_is_replaced_once(
    child: ParserProcess, monkeypatch: pytest.MonkeyPatch, failures: int
) -> None:
    left = [BrokenPipeError] * failures
    send = sandbox_process.write_message

    def write(stream: BinaryIO, value: object) -> None:
        if left:
            raise left.pop()
        send(stream, value)

    monkeypatch.setattr(sandbox_process, "write_message", write)
    if failures == 1:
        assert len(child.parse(feed_of(1)).stories) == 1
    else:
        with pytest.raises(ParserCrashed, match="does not start"):
            child.parse(feed_of(1))


def test_an_answer_of_another_type_is_refused(child: ParserProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox_process, "read_message", lambda stream: sandbox_process.READY)
    with pytest.raises(ParserCrashed, match="answered something else"):
        child.parse(feed_of(1))
    assert child.pid is None


@pytest.mark.long
def test_a_child_that_does_not_exit_is_killed(child: ParserProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox_process, "_EXIT_SECONDS", 0.2)
    child.parse(feed_of(1))
    pid = child.pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    child.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


@pytest.mark.long
def test_a_fork_starts_a_child_of_its_own(child: ParserProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    child.parse(feed_of(1))
    parents = child._process
    assert parents is not None
    monkeypatch.setattr(child, "_owner", os.getpid() + 1)
    assert len(child.parse(feed_of(1)).stories) == 1
    assert child.pid != parents.pid
    os.kill(parents.pid, 0)
    parents.communicate()
    os.waitpid(parents.pid, 0)
