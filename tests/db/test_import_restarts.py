"""An import in the desk that stopped after a part can be started again, and still be undone."""

from datetime import timedelta

import pytest

from subscribers.importing.reading.errors import CannotImport
from subscribers.importing.writing import import_run as run
from subscribers.importing.writing.import_steps import (
    discard_import,
    process_pending_imports,
    set_import_terms,
    start_run,
)
from subscribers.importing.writing.undo import undo_now
from subscribers.models import ImportBatch, ImportKind, ImportRefusal, ImportState, Subscriber, Subscription
from tests.support.people import NOW, make_list, make_member
from tests.support.people_imports import keep_draft, make_terms, run_pending

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


def test_an_undo_also_reverts_the_part_before_an_import_was_started_again(stopped_opt_outs: ImportBatch) -> None:
    set_import_terms(stopped_opt_outs, terms=make_terms(stopped_opt_outs, kind=ImportKind.LEFT_ALL), now=LATER)
    run_pending()
    stopped_opt_outs.refresh_from_db()
    start_run(stopped_opt_outs, now=LATER)
    run_pending(LATER)
    assert not Subscription.objects.open().exists()
    undo_now(ImportBatch.objects.get(), by="kim", clock=lambda: LATER)
    assert Subscription.objects.open().count() == 2
