"""An import in the desk that stopped after a part can be started again, and still be undone."""

from datetime import timedelta

import pytest

from subscribers.confirmation_quota import use_confirmation_quota
from subscribers.importing.reading.errors import CannotImport
from subscribers.importing.writing import import_run as run
from subscribers.importing.writing.import_steps import (
    delete_old_import_files,
    discard_import,
    process_pending_imports,
    set_import_terms,
    start_run,
)
from subscribers.importing.writing.undo import undo_now
from subscribers.models import (
    Basis,
    Confirmation,
    ImportBatch,
    ImportKind,
    ImportPiece,
    ImportRefusal,
    ImportState,
    Subscriber,
    Subscription,
)
from tests.support.people import NOW, make_list, make_member
from tests.support.people_imports import import_text, keep_draft, make_terms, run_pending

pytestmark = [pytest.mark.postgres, pytest.mark.django_db, pytest.mark.requirement("D2")]
LATER = NOW + timedelta(minutes=5)
TEXT = "email,name\nno address,Bad\nann@example.org,Ann\nbea@example.org,Bea\nno address,Bad\n"


@pytest.fixture
def stopped(monkeypatch: pytest.MonkeyPatch) -> ImportBatch:
    """An import that failed after its first chunk, which has a refused line and a new person."""
    monkeypatch.setattr(run, "CHUNK_ROWS", 2)
    batch = keep_draft(make_list(), TEXT)
    import_first_chunk(batch)
    assert (batch.state, batch.rows_done, batch.counts["new"]) == (ImportState.FAILED, 2, 1)
    assert list_refused_lines() == [2]
    return batch


@pytest.fixture
def stopped_opt_outs(monkeypatch: pytest.MonkeyPatch) -> ImportBatch:
    """An import of two subscribers who opted out, which failed after the first of them."""
    monkeypatch.setattr(run, "CHUNK_ROWS", 2)
    weekly = make_list()
    for email in ("ann@example.org", "bea@example.org"):
        make_member(weekly, email)
    batch = keep_draft(weekly, TEXT)
    import_first_chunk(batch, kind=ImportKind.LEFT_ALL)
    assert Subscription.objects.open().count() == 1
    return batch


def import_first_chunk(batch: ImportBatch, **terms: object) -> None:
    set_import_terms(batch, terms=make_terms(batch, **terms), now=NOW, check=False)
    asked = iter([False, False])
    process_pending_imports(clock=lambda: NOW, stopping=lambda: next(asked, True))
    fail(batch)


def fail(batch: ImportBatch) -> None:
    """Let the next turn of the import fail, and the turns after it work again."""
    ImportBatch.objects.filter(pk=batch.pk).update(header=["other", "name"])
    run_pending()
    ImportBatch.objects.filter(pk=batch.pk).update(header=["email", "name"])
    batch.refresh_from_db()


def list_refused_lines() -> list[int]:
    return list(ImportRefusal.objects.values_list("line", flat=True))


@pytest.mark.parametrize("check", [True, False])
def test_an_import_that_stopped_after_a_part_can_be_started_again(stopped: ImportBatch, check: bool) -> None:
    set_import_terms(stopped, terms=make_terms(stopped), now=LATER, check=check)
    if check:
        run_pending()
        stopped.refresh_from_db()
        start_run(stopped, now=LATER)
    run_pending()
    stopped.refresh_from_db()
    assert (stopped.state, stopped.counts["rows"], stopped.counts["refused"]) == (ImportState.FINISHED, 4, 2)
    assert list_refused_lines() == [2, 5]
    assert Subscriber.objects.count() == 2


def test_an_import_that_adds_people_and_fails_twice_is_not_deleted(stopped: ImportBatch) -> None:
    set_import_terms(stopped, terms=make_terms(stopped), now=LATER)
    run_pending()
    stopped.refresh_from_db()
    start_run(stopped, now=LATER)
    fail(stopped)
    assert (stopped.state, stopped.counts["new"], list_refused_lines()) == (ImportState.FAILED, 1, [2])
    with pytest.raises(CannotImport, match="already added people"):
        discard_import(stopped)


def test_an_import_that_only_refused_lines_before_it_failed_is_deleted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "CHUNK_ROWS", 1)
    batch = keep_draft(make_list(), TEXT)
    import_first_chunk(batch)
    assert (batch.state, batch.counts["refused"], batch.counts["new"]) == (ImportState.FAILED, 1, 0)
    discard_import(batch)
    assert not ImportBatch.objects.exists()
    assert not ImportRefusal.objects.exists()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"state": ImportState.RUNNING, "counts": {"refused": 1}}, "is running"),
        ({"state": ImportState.RUNNING, "counts": {"refused": 1, "new": 1}}, "already added people"),
        ({"state": ImportState.FAILED, "counts": {"newly_suppressed": 1}, "kind": ImportKind.LEFT_ALL}, "suppressed"),
        ({"state": ImportState.FINISHED, "counts": {"refused": 3}}, "changed nobody"),
        ({"state": ImportState.UNDOING, "counts": {"new": 1, "undone_by": "kim"}}, "being undone"),
        ({"state": ImportState.FAILED, "counts": {"refused": 1, "undone_by": "kim"}}, "being undone"),
        ({"state": ImportState.UNDONE, "counts": {"new": 1, "undone_by": "kim"}}, "is undone"),
    ],
)
def test_an_import_that_cannot_be_deleted_says_why(changes: dict[str, object], words: str) -> None:
    batch = keep_draft(make_list(), TEXT)
    ImportBatch.objects.update(evidence="Sheet", **changes)
    with pytest.raises(CannotImport, match=words):
        discard_import(batch)
    assert ImportBatch.objects.exists()


def test_an_import_that_was_deleted_while_it_ran_says_so() -> None:
    batch = keep_draft(make_list(), TEXT)
    ImportBatch.objects.all().delete()
    with pytest.raises(CannotImport, match="deleted meanwhile"):
        discard_import(batch)


def test_an_undo_also_reverts_the_part_before_an_import_was_started_again(stopped_opt_outs: ImportBatch) -> None:
    set_import_terms(stopped_opt_outs, terms=make_terms(stopped_opt_outs, kind=ImportKind.LEFT_ALL), now=LATER)
    run_pending()
    stopped_opt_outs.refresh_from_db()
    start_run(stopped_opt_outs, now=LATER)
    run_pending(LATER)
    assert not Subscription.objects.open().exists()
    undo_now(ImportBatch.objects.get(), by="kim", clock=lambda: LATER)
    assert Subscription.objects.open().count() == 2


def restart(batch: ImportBatch, **terms: object) -> ImportBatch:
    set_import_terms(batch, terms=make_terms(batch, **terms), now=LATER, check=False)
    run_pending(LATER)
    batch.refresh_from_db()
    assert batch.state == ImportState.FINISHED
    return batch


def test_the_numbers_of_a_restarted_import_cover_its_first_part_too(stopped: ImportBatch) -> None:
    counts = restart(stopped).counts
    assert (counts["new"], counts["unchanged"], counts["refused"], counts["rows"]) == (2, 0, 2, 4)


def test_people_read_again_from_other_columns_count_as_added_once(stopped: ImportBatch) -> None:
    counts = restart(stopped, mapping=["email", "attribute:label"]).counts
    assert (counts["new"], counts["unchanged"], counts["updated"]) == (2, 0, 0)


def test_addresses_suppressed_by_the_first_part_count_as_suppressed_here(stopped_opt_outs: ImportBatch) -> None:
    counts = restart(stopped_opt_outs, kind=ImportKind.LEFT_ALL, mapping=["email", ""]).counts
    assert (counts["newly_suppressed"], counts["suppressed"]) == (2, 0)


def test_people_updated_before_a_restart_are_reported_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "CHUNK_ROWS", 2)
    weekly = make_list()
    make_member(weekly, "ann@example.org")
    batch = keep_draft(weekly, TEXT)
    import_first_chunk(batch)
    assert batch.counts["updated"] == 1
    counts = restart(batch, mapping=["email", "attribute:label"]).counts
    assert counts["updated_before"] == 1


@pytest.mark.parametrize("known", [False, True])
def test_people_who_were_not_asked_are_counted_once_after_a_restart(
    monkeypatch: pytest.MonkeyPatch, known: bool
) -> None:
    monkeypatch.setattr(run, "CHUNK_ROWS", 2)
    assert use_confirmation_quota("ann@example.org", now=NOW - timedelta(hours=2))
    weekly = make_list()
    if known:
        import_text(weekly, "email\nann@example.org\n", confirm=True)
    batch = keep_draft(weekly, TEXT)
    import_first_chunk(batch, confirm=True)
    assert batch.counts["unasked"] == 1
    counts = restart(batch, mapping=["email", "attribute:label"], confirm=True).counts
    assert (counts["new"], counts["waiting"], counts["unasked"]) == (2 - known, known, 1)
    assert Confirmation.objects.get().subscriber.email == "bea@example.org"


def test_a_check_of_a_stopped_import_says_what_is_left_to_do(stopped: ImportBatch) -> None:
    set_import_terms(stopped, terms=make_terms(stopped), now=LATER)
    run_pending()
    stopped.refresh_from_db()
    assert (stopped.checked["new"], stopped.checked["unchanged"]) == (1, 1)


def test_an_import_that_was_half_undone_begins_again_with_the_first_row(stopped: ImportBatch) -> None:
    ImportBatch.objects.filter(pk=stopped.pk).update(counts={**stopped.counts, "undone_by": "kim"})
    Subscriber.objects.all().delete()
    stopped.refresh_from_db()
    assert restart(stopped).counts["new"] == 2
    assert Subscriber.objects.count() == 2


@pytest.mark.parametrize(
    "other",
    [
        {"basis": Basis.LEGITIMATE_INTEREST},
        {"evidence": "Another sheet"},
        {"confirm": True},
        {"kind": ImportKind.BOUNCED},
    ],
    ids=lambda other: next(iter(other)),
)
def test_the_reason_of_an_import_with_people_cannot_be_changed(stopped: ImportBatch, other: dict[str, object]) -> None:
    with pytest.raises(CannotImport, match="undo this import"):
        set_import_terms(stopped, terms=make_terms(stopped, **other), now=LATER)
    stopped.refresh_from_db()
    assert (stopped.state, stopped.evidence) == (ImportState.FAILED, "Sheet")


def test_a_reason_that_nobody_was_imported_with_can_be_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "CHUNK_ROWS", 1)
    batch = keep_draft(make_list(), TEXT)
    import_first_chunk(batch)
    assert (batch.counts["rows"], batch.counts["refused"]) == (1, 1)
    restart(batch, evidence="Another sheet", kind=ImportKind.LEFT_ALL)
    assert (batch.evidence, batch.counts["newly_suppressed"]) == ("Another sheet", 2)


def test_the_same_reason_in_other_lines_or_another_language_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "CHUNK_ROWS", 2)
    batch = keep_draft(make_list(), TEXT)
    soft = {"basis": Basis.SOFT_OPT_IN, "collected_on": NOW.date()}
    import_first_chunk(batch, **soft, evidence="Sheet\r\nof May\nWe are a charity.")
    restart(batch, **soft, evidence="Sheet\nof May\nSomos una ONG.")
    assert batch.evidence == "Sheet\r\nof May\nWe are a charity."


@pytest.mark.parametrize("is_checked", [True, False])
def test_a_rest_whose_file_was_deleted_says_so(stopped: ImportBatch, is_checked: bool) -> None:
    if is_checked:
        set_import_terms(stopped, terms=make_terms(stopped), now=LATER)
        run_pending()
    delete_old_import_files(now=NOW + timedelta(days=8))
    stopped.refresh_from_db()
    assert (stopped.state, stopped.stored) == (ImportState.FAILED, False)
    assert stopped.problem.startswith("The file was deleted 7 days after it was uploaded.")


def test_a_file_left_behind_by_a_killed_process_is_deleted_later() -> None:
    batch = keep_draft(make_list(), TEXT)
    set_import_terms(batch, terms=make_terms(batch), now=NOW, check=False)
    ImportBatch.objects.update(state=ImportState.FINISHED)
    delete_old_import_files(now=NOW + timedelta(days=8))
    assert (ImportPiece.objects.count(), ImportBatch.objects.get().stored) == (0, False)


def test_an_import_that_was_claimed_by_a_clock_ahead_goes_on(stopped: ImportBatch) -> None:
    set_import_terms(stopped, terms=make_terms(stopped), now=LATER, check=False)
    ImportBatch.objects.update(claimed_by="a lost worker", claimed_until=LATER + timedelta(days=400))
    run_pending()
    assert ImportBatch.objects.get().state == ImportState.FINISHED


def test_an_import_that_another_machine_has_is_left_to_it(stopped: ImportBatch) -> None:
    set_import_terms(stopped, terms=make_terms(stopped), now=LATER, check=False)
    ImportBatch.objects.update(claimed_by="a worker whose clock is ahead", claimed_until=LATER + timedelta(hours=1))
    run_pending()
    assert ImportBatch.objects.get().claimed_by == "a worker whose clock is ahead"
