"""Imports keep no more than needed, restore nobody who was erased, and pass no suppression."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from subscribers.addresses.normalise import normalise
from subscribers.audience.eligibility import list_contactable
from subscribers.consent.signup import SignupRequest, request_subscription
from subscribers.erasing.erasure import erase_person
from subscribers.identity import identify
from subscribers.importing.writing import import_run as run
from subscribers.importing.writing.chunk_writer import ChunkWriter
from subscribers.importing.writing.import_steps import (
    delete_old_import_files,
    set_import_terms,
    start_run,
)
from subscribers.importing.writing.undo import undo_now
from subscribers.models import (
    Confirmation,
    ConsentEvent,
    ImportBatch,
    ImportRefusal,
    ImportState,
    MailingList,
    Reason,
    Subscriber,
    Subscription,
    Suppression,
)
from subscribers.unsubscribing.suppression import suppress
from tests.support.people import NOW, make_list, make_member, make_person
from tests.support.people_imports import import_text, keep_draft, make_terms, run_pending

pytestmark = [pytest.mark.django_db, pytest.mark.requirement("D2")]
LATER = NOW + timedelta(minutes=5)


@pytest.mark.requirement("P8")
def test_undecided_files_and_old_refused_lines_are_deleted() -> None:
    weekly = make_list()
    keep_draft(weekly, "email\nann@example.org\n")
    report = import_text(weekly, "email\nbad\n")
    assert delete_old_import_files(now=NOW + timedelta(days=6)) == 0
    assert delete_old_import_files(now=NOW + timedelta(days=7, minutes=1)) == 2
    assert list(ImportBatch.objects.values_list("pk", flat=True)) == [report.batch_id]
    assert not ImportRefusal.objects.exists()


@pytest.mark.requirement("P6")
@pytest.mark.requirement("P8")
def test_row_notes_are_deleted_with_the_person_and_after_7_days() -> None:
    weekly = make_list()
    said = [
        [2, "There is no topic “Ann@Example.org”. The line is used without it."],
        [3, "There is no topic “shoes”. The line is used without it."],
    ]
    text = "email,topics\nbea@example.org,Ann@Example.org\ncleo@example.org,shoes\nann@example,\n"
    report = import_text(weekly, text)
    batch = keep_draft(weekly, text)
    set_import_terms(batch, terms=make_terms(batch), now=NOW)
    run_pending()
    batch.refresh_from_db()
    run_before = ImportBatch.objects.get(pk=report.batch_id)
    assert run_before.counts["notes"] == batch.checked["notes"] == said
    assert [line for line, _ in batch.checked["refusals"]] == [4]
    erase_person(subscriber=make_member(weekly, ADDRESS), by="kim", now=NOW)
    batch.refresh_from_db()
    run_before.refresh_from_db()
    assert run_before.counts["notes"] == batch.checked["notes"] == said[1:]
    assert (run_before.counts["new"], run_before.counts["noted"]) == (2, 2)
    ImportBatch.objects.filter(pk=batch.pk).update(counts={"rows": 3, "notes": said})
    delete_old_import_files(now=NOW + timedelta(days=6))
    assert ImportBatch.objects.filter(checked__has_key="notes", counts__has_key="notes").exists()
    delete_old_import_files(now=NOW + timedelta(days=7, minutes=1))
    for left in ImportBatch.objects.all():
        assert not {"notes", "refusals"} & {*left.counts, *left.checked}
        assert left.counts["rows"] == 3
    assert ImportBatch.objects.count() == 2


def erase_during_the_next_chunk(person: Subscriber, monkeypatch: pytest.MonkeyPatch) -> None:
    """The person is erased between the moment when a chunk was read and the one when it is written."""
    kept = ChunkWriter.write

    def write(self: ChunkWriter, *args: object, **kwargs: object) -> dict[str, int]:
        if Subscriber.objects.filter(pk=person.pk).exists():
            erase_person(subscriber=person, by="kim", now=NOW)
        return kept(self, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(ChunkWriter, "write", write)


@pytest.mark.parametrize("checking", [True, False])
@pytest.mark.requirement("P6")
def test_a_running_import_does_not_restore_erased_row_notes(monkeypatch: pytest.MonkeyPatch, checking: bool) -> None:
    weekly = make_list()
    monkeypatch.setattr(run, "CHUNK_ROWS", 1)
    batch = keep_draft(weekly, f"email,topics\nbea@example.org,{ADDRESS}\ncleo@example.org,\ndora@example.org,shoes\n")
    set_import_terms(batch, terms=make_terms(batch), now=NOW)
    with monkeypatch.context() as patch:
        if checking:
            erase_during_the_next_chunk(make_member(weekly, ADDRESS), patch)
        run_pending()
    if not checking:
        ImportBatch.objects.filter(pk=batch.pk).update(checked={})
        start_run(batch, now=NOW)
        erase_during_the_next_chunk(make_member(weekly, ADDRESS), monkeypatch)
        run_pending()
    batch.refresh_from_db()
    found = batch.checked if checking else batch.counts
    assert batch.state == (ImportState.CHECKED if checking else ImportState.FINISHED)
    assert ADDRESS not in str(found["notes"])
    assert (found["new"], found["noted"]) == (3, 2)


ADDRESS = "ann@example.org"
STEPS = ("import", "confirm", "undo", "sign_up", "desk", "kept_away", "spelling")


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    reason=st.sampled_from(Reason.values),
    here_first=st.booleans(),
    steps=st.lists(st.sampled_from(STEPS), min_size=1, max_size=5),
)
@pytest.mark.requirement("S5")
def test_no_way_of_writing_people_removes_or_passes_a_suppression(
    reason: str, here_first: bool, steps: list[str]
) -> None:
    clear_all()
    weekly = make_list()
    person = make_member(weekly, ADDRESS) if here_first else make_person(ADDRESS)
    suppress(address_hash=identify(normalise(ADDRESS)), reason=Reason(reason), now=NOW)
    if reason == Reason.ERASURE:
        erase_person(subscriber=person, by="kim", now=NOW)
    for step in steps:
        take(step, weekly)
        assert Suppression.objects.live().filter(reason=reason, scope="all").exists(), step
        assert not list_contactable(mailing_list=weekly).exists(), step


def take(step: str, weekly: MailingList) -> None:
    text = f"email,name\n{ADDRESS},Ann\n"
    match step:
        case "import":
            import_text(weekly, text)
        case "spelling":
            import_text(weekly, text.replace("ann", "ANN"))
        case "confirm":
            import_text(weekly, text, confirm=True)
        case "undo":
            for batch in ImportBatch.objects.filter(state=ImportState.FINISHED):
                undo_now(batch, by="kim", clock=lambda: LATER)
        case "sign_up":
            request_subscription(
                SignupRequest(email=ADDRESS, mailing_list=weekly, wording="Join", source="form"), now=LATER
            )
        case "kept_away":
            import_text(weekly, text, kind="bounced")
        case "desk":
            batch = keep_draft(weekly, text)
            set_import_terms(batch, terms=make_terms(batch), now=NOW)
            run_pending()
            start_run(batch, now=NOW)
            run_pending()


def clear_all() -> None:
    for model in (Subscription, Confirmation, ImportBatch, Suppression, Subscriber):
        model.objects.all()._raw_delete("default")  # type: ignore[attr-defined]
    ConsentEvent.objects.all()._raw_delete("default")
    MailingList.objects.all().delete()
