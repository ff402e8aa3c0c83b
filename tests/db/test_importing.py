"""Imports resume after a kill, are exact to the line, can be undone and respect suppressions."""

import csv
import io
from datetime import UTC, date, datetime, timedelta

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from newsletter.bench.importing import BadCsvMaker, count_outcomes, create_suppressions
from subscribers.addresses.normalise import normalise
from subscribers.audience.eligibility import list_contactable
from subscribers.consent.signup import request_subscription
from subscribers.erasing.erasure import erase_person
from subscribers.identity import identify
from subscribers.importing.reading.errors import BadFile, CannotImport
from subscribers.importing.writing import claims
from subscribers.importing.writing import import_run as run
from subscribers.importing.writing import import_steps as batches
from subscribers.importing.writing.chunk_writer import ChunkWriter
from subscribers.importing.writing.claims import ClaimLost, claim, renew_claim
from subscribers.importing.writing.import_people import import_people
from subscribers.importing.writing.import_steps import (
    ImportOptions,
    create_draft_import,
    delete_old_import_files,
    process_pending_imports,
    set_import_terms,
    start_run,
)
from subscribers.importing.writing.refused_file import iterate_refusals, write_refused
from subscribers.importing.writing.report import ImportReport
from subscribers.importing.writing.undo import request_undo, undo_now
from subscribers.models import (
    Basis,
    Confirmation,
    ConsentEvent,
    ImportBatch,
    ImportKind,
    ImportPiece,
    ImportRefusal,
    ImportState,
    MailingList,
    Reason,
    Subscriber,
    Subscription,
    Suppression,
    Topic,
)
from subscribers.people.lookup import find_person
from subscribers.segments.attributes import read_attributes
from subscribers.unsubscribing.suppression import suppress
from subscribers.unsubscribing.unsubscribe import unsubscribe_from_all, unsubscribe_from_list
from tests.support.people import NOW, make_list, make_member, make_person

pytestmark = [pytest.mark.django_db, pytest.mark.requirement("D2")]
LATER = NOW + timedelta(minutes=5)


def bring(mailing_list: MailingList, text: str | bytes, **fields: object) -> ImportReport:
    terms = {"basis": "consent", "evidence": "Sheet of the spring fair", "by": "kim", "now": NOW, "clock": lambda: NOW}
    body = text if isinstance(text, bytes) else text.encode()
    return import_people(file=io.BytesIO(body), mailing_list=mailing_list, **{**terms, **fields})


def leave(mailing_list: MailingList, text: str) -> ImportBatch:
    return create_draft_import(
        file=io.BytesIO(text.encode()), name="people.csv", mailing_list=mailing_list, by="kim", now=NOW
    )


def terms(batch: ImportBatch, **fields: object) -> ImportOptions:
    given = {"mapping": batch.mapping, "kind": ImportKind.JOIN, "basis": Basis.CONSENT, "evidence": "Sheet", **fields}
    return ImportOptions(**given)  # type: ignore[arg-type]


def work(now: datetime = NOW) -> None:
    process_pending_imports(clock=lambda: now)


class Killed(BaseException):
    """The process is gone."""


def kill_after(chunks: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next import is killed when it begins to commit one chunk more."""
    kept = claims.renew_claim
    calls = iter(range(chunks))

    def hold_or_die(*args: object, **kwargs: object) -> None:
        if next(calls, None) is None:
            raise Killed
        kept(*args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(claims, "renew_claim", hold_or_die)


@pytest.mark.requirement("F13")
def test_a_file_with_every_kind_of_badness_is_counted_to_the_line(tmp_path_factory: pytest.TempPathFactory) -> None:
    weekly = make_list()
    maker = BadCsvMaker(rows=2_000)
    create_suppressions(maker, now=NOW)
    path = tmp_path_factory.mktemp("bad") / "people.csv"
    maker.write(path)
    body = path.read_bytes()
    dry = bring(weekly, body, dry_run=True)
    report = bring(weekly, body)
    assert count_outcomes(dry) == count_outcomes(report) == dict(maker.expected)
    assert sum(report.counts().values()) == 2 * report.rows
    assert ImportRefusal.objects.count() == report.refused
    assert Subscription.objects.count() == report.new
    assert not Confirmation.objects.exists(), "importing sends no mail"
    assert report.encoding == "utf-8+cp1252"
    assert set(Subscriber.objects.filter(name__startswith="Zo").values_list("name", flat=True)) == {"Zoë Pérez"}


def test_a_killed_import_resumes_after_its_last_committed_row(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    weekly = make_list()
    text = "email,name\n" + "".join(f"p{n % 40}@example.org,P{n}\n" for n in range(60)) + "bad,\n"
    monkeypatch.setattr(run, "CHUNK_ROWS", 10)
    with monkeypatch.context() as patch:
        kill_after(3, patch)
        with pytest.raises(Killed):
            bring(weekly, text)
    batch = ImportBatch.objects.get()
    assert (batch.state, batch.rows_done, Subscriber.objects.count()) == (ImportState.RUNNING, 30, 30)
    with pytest.raises(CannotImport, match="Wait a minute"):
        bring(weekly, text)
    report = bring(weekly, text, clock=lambda: LATER)
    assert (report.resumed_after, report.batch_id) == (30, batch.pk)
    assert report.counts() == {
        "rows": 61, "new": 40, "updated": 0, "unchanged": 0, "waiting": 0, "barred": 0, "suppressed": 0,
        "elsewhere": 0, "repeated": 20, "refused": 1,
    }  # fmt: skip
    assert ConsentEvent.objects.count() == Subscription.objects.count() == 40
    assert set(Subscriber.objects.values_list("name", flat=True)) == {f"P{n}" for n in range(40)}


def test_a_worker_whose_turn_is_over_writes_nothing_more(monkeypatch: pytest.MonkeyPatch) -> None:
    batch = leave(make_list(), "email\nann@example.org\n")
    set_import_terms(batch, terms=terms(batch), now=NOW)
    slow = claim(batch, states=[ImportState.CHECKING], now=NOW)
    assert claim(batch, states=[ImportState.CHECKING], now=NOW) == ""
    quick = claim(batch, states=[ImportState.CHECKING], now=LATER)
    with pytest.raises(ClaimLost):
        renew_claim(batch, token=slow, now=LATER, rows_done=5)
    renew_claim(batch, token=quick, now=LATER, rows_done=1)
    batch.refresh_from_db()
    assert batch.rows_done == 1


def test_in_the_desk_a_file_is_kept_checked_run_and_forgotten() -> None:
    weekly = make_list()
    batch = leave(weekly, "email,Shoe size\nann@example.org,7\nbad,8\n")
    assert (batch.state, batch.mapping, batch.stored) == (ImportState.DRAFT, ["email", "attribute:shoe_size"], True)
    set_import_terms(batch, terms=terms(batch), now=NOW)
    work()
    batch.refresh_from_db()
    assert (batch.state, batch.checked["new"], batch.checked["reasons"]) == (
        ImportState.CHECKED, 1, {"bad_address": 1},
    )  # fmt: skip
    assert batch.checked["refusals"][0][0] == 3
    assert not Subscriber.objects.exists()
    start_run(batch, now=LATER)
    work(LATER)
    batch.refresh_from_db()
    assert (batch.state, batch.counts["new"], batch.finished_at, batch.stored) == (
        ImportState.FINISHED,
        1,
        LATER,
        False,
    )
    assert read_attributes(find_person("ann@example.org")) == {"shoe_size": "7"}
    assert not ImportPiece.objects.exists()
    with pytest.raises(CannotImport, match="changed since you opened"):
        start_run(batch, now=LATER)


def test_the_mapping_of_a_header_is_remembered_once_it_was_used() -> None:
    weekly = make_list()
    batch = leave(weekly, "email,Shoe size\nann@example.org,7\n")
    set_import_terms(batch, terms=terms(batch, mapping=["email", "name"]), now=NOW)
    assert leave(weekly, "Email,shoe size\nbea@example.org,7\n").mapping == ["email", "attribute:shoe_size"]
    work()
    assert leave(weekly, "Email,shoe size\nbea@example.org,7\n").mapping == ["email", "name"]


def test_a_file_of_refused_lines_is_mapped_as_the_file_that_they_came_from() -> None:
    weekly = make_list()
    batch = leave(weekly, "adresse,wohnort\nann@example.org,Leeds\nbad,York\n")
    set_import_terms(batch, terms=terms(batch, mapping=["email", "city"]), now=NOW)
    work()
    start_run(ImportBatch.objects.get(), now=NOW)
    work()
    out = io.StringIO()
    write_refused(out, header=batch.header, rows=iterate_refusals(batch))
    again = leave(weekly, out.getvalue().replace("bad", "bea@example.org"))
    assert again.mapping == ["", "", "email", "city"]
    set_import_terms(again, terms=terms(again), now=NOW)
    work()
    start_run(ImportBatch.objects.get(pk=again.pk), now=NOW)
    work()
    assert leave(weekly, "Adresse,Wohnort\nx,y\n").mapping == ["email", "city"]


def test_a_background_import_stops_when_asked_and_a_later_worker_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "CHUNK_ROWS", 2)
    batch = leave(make_list(), "email\n" + "".join(f"p{n}@example.org\n" for n in range(7)))
    set_import_terms(batch, terms=terms(batch), now=NOW)
    work()
    batch.refresh_from_db()
    start_run(batch, now=NOW)
    asked = iter([False, False, False, True, True])
    assert process_pending_imports(clock=lambda: NOW, stopping=lambda: next(asked)) == 0
    batch.refresh_from_db()
    assert (batch.state, batch.claimed_by, batch.rows_done) == (ImportState.RUNNING, "", 4)
    work()
    batch.refresh_from_db()
    assert (batch.state, batch.counts["new"]) == (ImportState.FINISHED, 7)


def test_a_file_that_becomes_unreadable_stops_the_import_with_the_reason() -> None:
    batch = leave(make_list(), "email\nann@example.org\n")
    set_import_terms(batch, terms=terms(batch), now=NOW)
    ImportBatch.objects.filter(pk=batch.pk).update(header=["other"])
    work()
    batch.refresh_from_db()
    assert batch.state == ImportState.FAILED
    assert "columns changed since" in batch.problem
    batches.discard_import(batch)
    assert not ImportBatch.objects.exists()


def test_terms_that_law_or_file_do_not_allow_are_refused() -> None:
    batch = leave(make_list(), "email\nann@example.org\n")
    for wrong, error in (
        ({"evidence": " "}, CannotImport),
        ({"basis": Basis.DOUBLE_OPT_IN}, CannotImport),
        ({"encoding": "klingon"}, CannotImport),
        ({"mapping": ["name"]}, BadFile),
    ):
        with pytest.raises(error):
            set_import_terms(batch, terms=terms(batch, **wrong), now=NOW)
    batch.refresh_from_db()
    assert batch.state == ImportState.DRAFT
    set_import_terms(batch, terms=terms(batch, encoding="cp1250"), now=NOW)
    assert batch.encoding == "cp1250"


@pytest.mark.requirement("D3")
def test_an_undo_removes_new_people_and_keeps_others() -> None:
    weekly, events = make_list(), make_list("events")
    known = make_member(events, "known@example.org", name="Known")
    report = bring(
        weekly, "email,name\nknown@example.org,\nnew@example.org,New\nleft@example.org,\nboth@example.org,\n"
    )
    bring(events, "email\nboth@example.org\n")
    unsubscribe_from_list(subscriber=find_person("left@example.org"), mailing_list=weekly, now=LATER)
    batch = ImportBatch.objects.get(pk=report.batch_id)
    done = undo_now(batch, by="kim", clock=lambda: LATER)
    assert done == {"removed": 1, "ended": 2, "stayed": 0, "lifted": 0, "kept": 0}
    assert set(Subscriber.objects.values_list("email", flat=True)) == {
        "known@example.org", "left@example.org", "both@example.org",
    }  # fmt: skip
    assert not Subscription.objects.open().filter(mailing_list=weekly).exists()
    assert Subscription.objects.open().filter(subscriber=known, mailing_list=events).exists()
    ended = ConsentEvent.objects.filter(kind="ended", by="kim").values_list("source", flat=True)
    assert list(ended) == [f"import {batch.pk} undone"] * 3
    batch.refresh_from_db()
    assert (batch.state, batch.undone_at) == (ImportState.UNDONE, LATER)
    with pytest.raises(CannotImport, match="already undone"):
        undo_now(batch, by="kim", clock=lambda: LATER)


@pytest.mark.requirement("D3")
def test_an_undo_keeps_and_counts_people_who_acted_since() -> None:
    weekly = make_list()
    report = bring(weekly, "email\nann@example.org\nbea@example.org\n", confirm=True)
    Subscription.objects.filter(subscriber=find_person("ann@example.org")).update(confirmed_at=LATER)
    batch = ImportBatch.objects.get(pk=report.batch_id)
    done = undo_now(batch, by="kim", clock=lambda: LATER)
    assert (done["removed"], done["stayed"]) == (1, 1)
    assert [row.subscriber.email for row in list_contactable(mailing_list=weekly)] == ["ann@example.org"]
    assert not Confirmation.objects.filter(subscriber__email="bea@example.org").exists()


def test_an_undo_of_a_running_import_stops_it_and_is_ended_by_any_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    weekly = make_list()
    monkeypatch.setattr(run, "CHUNK_ROWS", 10)
    with monkeypatch.context() as patch:
        kill_after(2, patch)
        with pytest.raises(Killed):
            bring(weekly, "email\n" + "".join(f"p{n}@example.org\n" for n in range(50)))
    batch = ImportBatch.objects.get()
    request_undo(batch, by="kim")
    work()
    batch.refresh_from_db()
    assert (batch.state, Subscriber.objects.count()) == (ImportState.UNDONE, 0)


def test_an_unsubscribed_file_makes_suppressions_that_can_be_undone() -> None:
    weekly = make_list()
    here = make_member(weekly, "here@example.org")
    text = "email,left_on,left_because\nhere@example.org,2026-01-02,\ngone@example.org,,spam\n"
    report = bring(weekly, text, kind="left_all", evidence="", basis="consent")
    assert (report.barred, report.new, Subscriber.objects.count()) == (2, 0, 1)
    assert set(Suppression.objects.values_list("reason", "scope")) == {("unsubscribe", "all"), ("complaint", "all")}
    assert Suppression.objects.get(reason="unsubscribe").at == datetime(2026, 1, 2, tzinfo=UTC)
    assert not list_contactable(mailing_list=weekly).exists()
    assert bring(weekly, text, kind="left_all", evidence="").suppressed == 2
    done = undo_now(ImportBatch.objects.get(pk=report.batch_id), by="kim", clock=lambda: LATER)
    assert (done["lifted"], done["kept"]) == (2, 0)
    assert [row.subscriber_id for row in list_contactable(mailing_list=weekly)] == [here.pk]


def test_an_undo_keeps_the_suppression_of_people_who_unsubscribed() -> None:
    weekly = make_list()
    person = make_member(weekly, "ann@example.org")
    report = bring(weekly, "email\nann@example.org\n", kind="left_list")
    unsubscribe_from_all(subscriber=person, now=LATER)
    done = undo_now(ImportBatch.objects.get(pk=report.batch_id), by="kim", clock=lambda: LATER)
    assert (done["lifted"], done["kept"]) == (0, 1)
    assert not list_contactable(mailing_list=weekly).exists()


@pytest.mark.parametrize(
    ("kind", "reason", "scope"),
    [
        ("left_list", "unsubscribe", "list"),
        ("left_all", "unsubscribe", "all"),
        ("bounced", "hard", "all"),
        ("complained", "complaint", "all"),
    ],
)
@pytest.mark.requirement("S4")
def test_each_kind_of_file_has_its_own_reason_and_scope(kind: str, reason: str, scope: str) -> None:
    report = bring(make_list(), "email\nann@example.org\n", kind=kind)
    assert report.barred == 1
    assert Suppression.objects.values_list("reason", "scope", "import_batch").get() == (reason, scope, report.batch_id)
    event = ConsentEvent.objects.get()
    assert (event.kind, event.by, event.data) == ("suppressed", "kim", {"reason": reason})


@pytest.mark.requirement("P3")
def test_the_day_of_signing_up_is_kept_and_one_of_the_future_is_not() -> None:
    weekly = make_list()
    report = bring(weekly, "email,signed up\nann@example.org,2024-05-06\nbea@example.org,2030-01-01\n")
    assert Subscription.objects.get(subscriber__email="ann@example.org").requested_at == datetime(
        2024, 5, 6, tzinfo=UTC
    )
    assert Subscription.objects.get(subscriber__email="bea@example.org").requested_at == NOW
    assert report.notes == [(3, "The date 2030-01-01 is in the future; left out.")]
    soft = bring(make_list("soft"), "email\ncy@example.org\n", basis="soft_opt_in", collected_on=date(2026, 2, 5))
    assert (soft.new, soft.refused) == (1, 0)
    early = bring(make_list("early"), "email\ncy@example.org\n", basis="soft_opt_in", collected_on=date(2026, 2, 4))
    assert (early.new, early.reasons) == (0, {"too_early": 1})


def test_attributes_and_topics_are_added_and_a_dry_run_counts_them() -> None:
    weekly = make_list()
    Topic.objects.create(slug="land", name="Land")
    bring(weekly, "email,shoe\nann@example.org,7\nbea@example.org,8\ncy@example.org,9\n")
    text = "email,shoe,topics\nann@example.org,7,\nbea@example.org,9,\ncy@example.org,9,land\n"
    dry, wet = bring(weekly, text, dry_run=True), bring(weekly, text)
    assert dry.counts() == wet.counts()
    assert (wet.updated, wet.unchanged) == (2, 1)
    assert read_attributes(find_person("bea@example.org")) == {"shoe": "9"}


def test_columns_can_be_named_and_unknown_ones_are_said() -> None:
    weekly = make_list()
    text = "Adresse,Vorname,Notiz\nann@example.org,Ann,x\n"
    report = bring(weekly, text, columns={"adresse": "email", "Vorname": "first_name", "Notiz": ""})
    assert (report.new, report.ignored_columns, find_person("ann@example.org").name) == (1, ["notiz"], "Ann")
    with pytest.raises(BadFile, match="no column “schuh”"):
        bring(weekly, text, columns={"Schuh": "email"})


def test_a_workbook_is_read_row_by_row_as_a_csv_file_would_be() -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (
        ["Email", "Name", "Joined", "Number", "Member"],
        ["ann@example.org", "Ann\nLee", datetime(2024, 5, 6), 7.0, True],
        [],
        ["bad", None, None, None, None],
        ["bea@example.org", "=1+1", None, 7.5, False],
    ):
        sheet.append(row)
    out = io.BytesIO()
    book.save(out)
    report = bring(make_list(), out.getvalue())
    assert (report.new, [row.line for row in report.refusals]) == (2, [4])
    ann = find_person("ann@example.org")
    assert (ann.name, read_attributes(ann)) == ("Ann Lee", {"number": "7", "member": "yes"})
    assert Subscription.objects.get(subscriber=ann).requested_at == datetime(2024, 5, 6, tzinfo=UTC)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"PK\x03\x04 nothing", "damaged"),
        (b"\xd0\xcf\x11\xe0 old", "old Excel"),
        (b"email\n" + b"x" * (5 << 20), "four million"),
    ],
)
def test_files_that_are_no_lists_of_people_are_refused_whole(body: bytes, says: str) -> None:
    with pytest.raises(BadFile, match=says):
        bring(make_list(), body)


def test_refused_lines_keep_their_columns_and_import_once_corrected() -> None:
    weekly = make_list()
    report = bring(weekly, 'Email;Name;Shoe\nann example.org;"Ann; =Lee";7\nbea@example.org;"Bea;8\n')
    assert (report.new, report.refused) == (0, 2)
    out = io.StringIO()
    batch = ImportBatch.objects.get()
    write_refused(out, header=batch.header, rows=iterate_refusals(batch))
    first, second = csv.DictReader(io.StringIO(out.getvalue()))
    assert (first["Line in the file"], first["Email"], first["Name"], first["Shoe"]) == (
        "2", "ann example.org", "Ann;' =Lee", "7",
    )  # fmt: skip
    assert (second["Email"], second["Name"]) == ("bea@example.org", '"Bea;8')
    mended = out.getvalue().replace("ann example.org", "ann@example.org")
    half = bring(weekly, mended)
    assert (half.new, half.reasons, half.ignored_columns) == (1, {"unreadable": 1}, [])
    assert find_person("ann@example.org").name == "Ann; =Lee"
    assert bring(weekly, mended.replace('"""Bea;8"', "Bea,8")).new == 1
    assert read_attributes(find_person("bea@example.org")) == {"shoe": "8"}


def test_a_name_that_begins_with_a_quotation_mark_is_imported() -> None:
    report = bring(make_list(), 'email,name\nann@example.org,"""><b>Ann</b>"\n')
    assert (report.new, report.refused) == (1, 0)
    assert find_person("ann@example.org").name.startswith('"')


def test_an_uncorrected_line_is_refused_again_unchanged() -> None:
    weekly = make_list()
    lines = f"""email,name,notes
ann@example.org,{"x" * 10_001},
bea@example.org,"Bea,
cleo@example.org,Cleo,a,b,c
dora at example.org,'=Dora,
"""
    report = bring(weekly, lines)
    assert report.refused == 4
    for _ in range(2):
        out = io.StringIO()
        write_refused(out, header=report.header, rows=iterate_refusals(ImportBatch.objects.latest("pk")))
        again = bring(weekly, out.getvalue())
        assert (again.new, again.reasons) == (0, report.reasons)
        report = again
    assert bring(weekly, out.getvalue().replace(" at ", "@")).new == 1
    assert find_person("dora@example.org").name == "=Dora"


@pytest.mark.requirement("P8")
def test_undecided_files_and_old_refused_lines_are_deleted() -> None:
    weekly = make_list()
    leave(weekly, "email\nann@example.org\n")
    report = bring(weekly, "email\nbad\n")
    assert delete_old_import_files(now=NOW + timedelta(days=6)) == 0
    assert delete_old_import_files(now=NOW + timedelta(days=7, minutes=1)) == 2
    assert list(ImportBatch.objects.values_list("pk", flat=True)) == [report.batch_id]
    assert not ImportRefusal.objects.exists()


@pytest.mark.requirement("P6")
@pytest.mark.requirement("P8")
def test_row_notes_are_deleted_with_the_person_and_after_7_days() -> None:
    weekly = make_list()
    said = [[2, "There is no topic “Ann@Example.org”; left out."], [3, "There is no topic “shoes”; left out."]]
    text = "email,topics\nbea@example.org,Ann@Example.org\ncleo@example.org,shoes\nann@example,\n"
    report = bring(weekly, text)
    batch = leave(weekly, text)
    set_import_terms(batch, terms=terms(batch), now=NOW)
    work()
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
    batch = leave(weekly, f"email,topics\nbea@example.org,{ADDRESS}\ncleo@example.org,\ndora@example.org,shoes\n")
    set_import_terms(batch, terms=terms(batch), now=NOW)
    with monkeypatch.context() as patch:
        if checking:
            erase_during_the_next_chunk(make_member(weekly, ADDRESS), patch)
        work()
    if not checking:
        ImportBatch.objects.filter(pk=batch.pk).update(checked={})
        start_run(batch, now=NOW)
        erase_during_the_next_chunk(make_member(weekly, ADDRESS), monkeypatch)
        work()
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
            bring(weekly, text)
        case "spelling":
            bring(weekly, text.replace("ann", "ANN"))
        case "confirm":
            bring(weekly, text, confirm=True)
        case "undo":
            for batch in ImportBatch.objects.filter(state=ImportState.FINISHED):
                undo_now(batch, by="kim", clock=lambda: LATER)
        case "sign_up":
            request_subscription(email=ADDRESS, mailing_list=weekly, wording="Join", source="form", now=LATER)
        case "kept_away":
            bring(weekly, text, kind="bounced")
        case "desk":
            batch = leave(weekly, text)
            set_import_terms(batch, terms=terms(batch), now=NOW)
            work()
            start_run(batch, now=NOW)
            work()


def clear_all() -> None:
    for model in (Subscription, Confirmation, ImportBatch, Suppression, Subscriber):
        model.objects.all()._raw_delete("default")  # type: ignore[attr-defined]
    ConsentEvent.objects.all()._raw_delete("default")
    MailingList.objects.all().delete()
