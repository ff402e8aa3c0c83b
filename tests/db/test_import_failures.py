"""An import that fails ends as stopped, with a reason that staff can act on, and can be started again."""

import csv
import errno
import io
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError

from subscribers.consent.confirmations import list_due_confirmations
from subscribers.erasing.retention import purge_expired_data
from subscribers.importing.reading.errors import BadFile
from subscribers.importing.reading.parsed_rows import PersonRow
from subscribers.importing.writing import import_run, undo
from subscribers.importing.writing.chunk_writer import ChunkWriter
from subscribers.importing.writing.import_claim import LEASE
from subscribers.importing.writing.import_failures import MAX_ATTEMPTS
from subscribers.importing.writing.import_run import ImportRun
from subscribers.importing.writing.import_steps import (
    delete_old_import_files,
    process_pending_imports,
    set_import_terms,
)
from subscribers.importing.writing.undo import request_undo
from subscribers.models import ImportBatch, ImportPiece, ImportState, Subscriber, Subscription
from tests.support.people import NOW, make_list, make_member
from tests.support.people_imports import Killed, import_text, keep_draft, kill_after, make_terms, run_pending

pytestmark = [pytest.mark.postgres, pytest.mark.django_db, pytest.mark.requirement("D2")]
TEXT = "email\nann@example.org\n"
DAY = timedelta(days=1)


def failing_with(error: BaseException) -> Callable[..., None]:
    def fail(*args: object, **kwargs: object) -> None:
        raise error

    return fail


def start(text: str = TEXT) -> ImportBatch:
    batch = keep_draft(make_list(), text)
    set_import_terms(batch, terms=make_terms(batch), now=NOW, check=False)
    return batch


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "The disk of the server is full"),
        (PermissionError(errno.EACCES, "Permission denied"), "could not use a temporary file"),
        (MemoryError(), "too little memory"),
        (UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates not allowed"), "text that cannot be stored"),
        (KeyError("ann@example.org"), "by a defect of this program"),
    ],
    ids=["full disk", "no file", "memory", "text", "defect"],
)
@pytest.mark.parametrize("check", [True, False], ids=["check", "run"])
def test_an_import_that_fails_stops_with_its_reason_and_starts_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, error: Exception, said: str, check: bool
) -> None:
    batch = keep_draft(make_list(), TEXT)
    set_import_terms(batch, terms=make_terms(batch), now=NOW, check=check)
    with monkeypatch.context() as patched:
        patched.setattr(ChunkWriter, "write", failing_with(error))
        run_pending()
    batch.refresh_from_db()
    assert (batch.state, said in batch.problem) == (ImportState.FAILED, True)
    assert f"import {batch.pk} stopped, {type(error).__name__}" in caplog.text
    assert "ann@example.org" not in caplog.text
    set_import_terms(batch, terms=make_terms(batch), now=NOW, check=False)
    run_pending()
    batch.refresh_from_db()
    assert (batch.state, batch.problem, batch.counts["new"]) == (ImportState.FINISHED, "", 1)


@pytest.mark.parametrize("damage", ["deleted", "cut", "altered"])
def test_an_import_whose_stored_file_is_damaged_imports_no_part_of_it(damage: str) -> None:
    batch = start()
    pieces = ImportPiece.objects.filter(batch=batch)
    if damage == "deleted":
        pieces.delete()
    else:
        data = bytes(pieces.get().data)
        pieces.update(data=data[:-4] if damage == "cut" else data[:8] + b"\xff" + data[9:])
    run_pending()
    batch.refresh_from_db()
    assert (batch.state, Subscriber.objects.count()) == (ImportState.FAILED, 0)
    assert batch.problem.startswith("The stored file is no longer complete")
    assert "What was imported before stays." in batch.problem


def test_an_import_waits_while_the_database_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    batch = start()
    with monkeypatch.context() as patched:
        patched.setattr(ChunkWriter, "write", failing_with(OperationalError("database is locked")))
        with pytest.raises(OperationalError):
            run_pending()
    assert ImportBatch.objects.get().state == ImportState.RUNNING
    run_pending(NOW + LEASE)
    batch.refresh_from_db()
    assert (batch.state, batch.attempts) == (ImportState.FINISHED, 0)


@pytest.mark.parametrize("error", [Killed(), OperationalError("too many SQL variables")], ids=["killed", "refused"])
def test_an_import_that_ends_its_process_each_time_is_not_begun_for_ever(
    monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    batch, now = start(), NOW
    with monkeypatch.context() as patched:
        patched.setattr(ChunkWriter, "write", failing_with(error))
        for _attempt in range(MAX_ATTEMPTS):
            with pytest.raises(type(error)):
                run_pending(now)
            now += LEASE
        run_pending(now)
    batch.refresh_from_db()
    assert (batch.state, batch.problem.startswith("The work on this import was begun 5 times")) == (
        ImportState.FAILED,
        True,
    )
    set_import_terms(batch, terms=make_terms(batch), now=now, check=False)
    run_pending(now)
    batch.refresh_from_db()
    assert batch.state == ImportState.FINISHED


def work_until_it_ends(batch: ImportBatch, error: type[BaseException]) -> None:
    """Let a worker begin again after each end of a lease, until nothing is left to do."""
    for turn in range(MAX_ATTEMPTS + 3):
        with suppress(error):
            run_pending(NOW + turn * LEASE)
    batch.refresh_from_db()


def test_a_check_that_never_gets_further_is_not_begun_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_run, "CHUNK_ROWS", 2)
    batch = keep_draft(make_list(), "email\nann@example.org\nbea@example.org\ncyd@example.org\n")
    set_import_terms(batch, terms=make_terms(batch), now=NOW)
    kept = ChunkWriter.write

    def write(self: ChunkWriter, people: dict[bytes, PersonRow], **more: Any) -> object:
        if any(row.email == "cyd@example.org" for row in people.values()):
            raise Killed
        return kept(self, people, **more)

    monkeypatch.setattr(ChunkWriter, "write", write)
    work_until_it_ends(batch, Killed)
    assert (batch.state, batch.rows_done) == (ImportState.FAILED, 2)
    assert batch.problem.startswith("The work on this import was begun 5 times")


def test_an_undo_that_never_gets_further_is_not_begun_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    batch = start()
    run_pending()
    batch.refresh_from_db()
    request_undo(batch, by="kim")
    monkeypatch.setattr(undo, "remove_suppressions", failing_with(OperationalError("statement timeout")))
    work_until_it_ends(batch, OperationalError)
    assert (batch.state, Subscriber.objects.count()) == (ImportState.FAILED, 0)
    assert batch.problem.startswith("The undo stopped")


def stop_after_claim() -> None:
    asked = iter([False])
    process_pending_imports(clock=lambda: NOW, stopping=lambda: next(asked, True))


def test_a_stopped_worker_does_not_count_as_a_failed_attempt() -> None:
    batch = start()
    for _stop in range(MAX_ATTEMPTS + 1):
        stop_after_claim()
    run_pending()
    batch.refresh_from_db()
    assert batch.state == ImportState.FINISHED


def test_an_undo_that_fails_stops_with_its_reason_and_starts_again(monkeypatch: pytest.MonkeyPatch) -> None:
    batch = start()
    run_pending()
    batch.refresh_from_db()
    request_undo(batch, by="kim")
    with monkeypatch.context() as patched:
        patched.setattr(undo, "remove_people", failing_with(MemoryError()))
        run_pending()
    batch.refresh_from_db()
    assert (batch.state, batch.problem.startswith("The undo stopped")) == (ImportState.FAILED, True)
    delete_old_import_files(now=NOW + 8 * DAY)
    batch.refresh_from_db()
    assert batch.problem.startswith("The undo stopped")
    request_undo(batch, by="kim")
    run_pending()
    batch.refresh_from_db()
    assert (batch.state, batch.problem, Subscriber.objects.count()) == (ImportState.UNDONE, "", 0)


def test_an_import_that_fails_while_another_worker_has_it_writes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    batch = start()

    def lose_then_fail(*args: object, **kwargs: object) -> None:
        ImportBatch.objects.update(claimed_by="another")
        raise BadFile("This file is broken.")

    monkeypatch.setattr(ImportRun, "go", lose_then_fail)
    assert process_pending_imports(clock=lambda: NOW) == 0
    batch.refresh_from_db()
    assert (batch.state, batch.claimed_by, batch.problem) == (ImportState.RUNNING, "another", "")


def test_a_command_that_fails_says_so_and_continues_when_run_again(monkeypatch: pytest.MonkeyPatch) -> None:
    weekly = make_list()
    with monkeypatch.context() as patched:
        patched.setattr(ChunkWriter, "write", failing_with(MemoryError()))
        with pytest.raises(MemoryError):
            import_text(weekly, TEXT)
    batch = ImportBatch.objects.get()
    assert (batch.state, "too little memory" in batch.problem) == (ImportState.FAILED, True)
    assert import_text(weekly, TEXT).new == 1
    batch.refresh_from_db()
    assert (batch.state, batch.problem, ImportBatch.objects.count()) == (ImportState.FINISHED, "", 1)


def test_people_imported_a_week_after_the_start_are_asked_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_run, "CHUNK_ROWS", 1)
    weekly, later = make_list(), NOW + 8 * DAY
    make_member(make_list("events"), "cyd@example.org")
    text = "email\nann@example.org\nbea@example.org\ncyd@example.org\n"
    with monkeypatch.context() as patched:
        kill_after(1, patched)
        with pytest.raises(Killed):
            import_text(weekly, text, confirm=True)
    import_text(weekly, text, confirm=True, clock=lambda: later)
    asked = list_due_confirmations(now=later).values_list("subscriber__email", flat=True)
    assert sorted(asked) == ["bea@example.org", "cyd@example.org"]
    purge_expired_data(now=later)
    waiting = Subscription.objects.open().filter(mailing_list=weekly).values_list("subscriber__email", flat=True)
    assert sorted(waiting) == ["bea@example.org", "cyd@example.org"]


def test_an_import_of_a_process_that_was_killed_ends_after_a_day(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ChunkWriter, "write", failing_with(Killed()))
    with pytest.raises(Killed):
        import_text(make_list(), TEXT)
    delete_old_import_files(now=NOW + LEASE)
    assert ImportBatch.objects.get().state == ImportState.RUNNING
    delete_old_import_files(now=NOW + DAY + LEASE + LEASE)
    batch = ImportBatch.objects.get()
    assert (batch.state, "was stopped before the end" in batch.problem) == (ImportState.FAILED, True)


@pytest.mark.parametrize("check", [True, False], ids=["check", "run"])
def test_characters_that_no_database_stores_stop_no_import(check: bool) -> None:
    rows = [
        ("ann@example.org", "Mars\x00Base", "", '{"a\\u0000": {"b": 1}, "\\ud800": "x"}'),
        ("bea\x00@example.org", "", "", ""),
        ("cyd\ud7ff@example.org", "", "a\x00b", ""),
        ("dee@example.org", "", "\x00", '{"label": "a\\ud800b\\u0000", "text": "' + "x" * 290 + '"}'),
    ]
    out = io.StringIO(newline="")
    csv.writer(out).writerows([("email", "timezone", "topics", "attributes"), *rows])
    batch = keep_draft(make_list(), out.getvalue())
    mapping = ["email", "timezone", "topics", "attributes"]
    set_import_terms(batch, terms=make_terms(batch, mapping=mapping), now=NOW, check=check)
    run_pending()
    batch.refresh_from_db()
    found = batch.checked if check else batch.counts
    assert batch.state == (ImportState.CHECKED if check else ImportState.FINISHED)
    assert (found["rows"], found["new"], found["refused"]) == (4, 2, 2)
    assert any("Mars\N{REPLACEMENT CHARACTER}Base" in note for _line, note in found["notes"])
