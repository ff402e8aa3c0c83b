"""Imports resume after a kill and are exact to the line."""

import csv
import io
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import openpyxl
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from newsletter.bench.importing import BadCsvMaker, count_outcomes, create_suppressions
from subscribers.importing.reading.errors import BadFile, CannotImport
from subscribers.importing.writing import import_run as run
from subscribers.importing.writing import import_steps as batches
from subscribers.importing.writing.import_claim import ClaimLost, claim, renew_claim
from subscribers.importing.writing.import_steps import (
    process_pending_imports,
    set_import_terms,
    start_run,
)
from subscribers.importing.writing.refused_file import iterate_refusals, write_refused
from subscribers.models import (
    Basis,
    Confirmation,
    ConsentEvent,
    ImportBatch,
    ImportPiece,
    ImportRefusal,
    ImportState,
    Subscriber,
    Subscription,
    Topic,
)
from subscribers.people.lookup import find_person
from subscribers.segments.attributes import read_attributes
from tests.support.people import NOW, make_list
from tests.support.people_imports import Killed, import_text, keep_draft, kill_after, make_terms, run_pending

pytestmark = [pytest.mark.postgres, pytest.mark.django_db, pytest.mark.requirement("D2")]
LATER = NOW + timedelta(minutes=5)


@pytest.mark.requirement("F13")
def test_a_file_with_every_kind_of_badness_is_counted_to_the_line(tmp_path_factory: pytest.TempPathFactory) -> None:
    weekly = make_list()
    maker = BadCsvMaker(rows=2_000)
    create_suppressions(maker, now=NOW)
    path = tmp_path_factory.mktemp("bad") / "people.csv"
    maker.write(path)
    body = path.read_bytes()
    dry = import_text(weekly, body, dry_run=True)
    report = import_text(weekly, body)
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
            import_text(weekly, text)
    batch = ImportBatch.objects.get()
    assert (batch.state, batch.rows_done, Subscriber.objects.count()) == (ImportState.RUNNING, 30, 30)
    with pytest.raises(CannotImport, match="Wait a minute"):
        import_text(weekly, text)
    report = import_text(weekly, text, clock=lambda: LATER)
    assert (report.resumed_after, report.batch_id) == (30, batch.pk)
    assert report.counts() == {
        "rows": 61, "new": 40, "updated": 0, "unchanged": 0, "waiting": 0, "newly_suppressed": 0, "suppressed": 0,
        "elsewhere": 0, "repeated": 20, "refused": 1,
    }  # fmt: skip
    assert ConsentEvent.objects.count() == Subscription.objects.count() == 40
    assert set(Subscriber.objects.values_list("name", flat=True)) == {f"P{n}" for n in range(40)}


def test_a_worker_whose_turn_is_over_writes_nothing_more(monkeypatch: pytest.MonkeyPatch) -> None:
    batch = keep_draft(make_list(), "email\nann@example.org\n")
    set_import_terms(batch, terms=make_terms(batch), now=NOW)
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
    batch = keep_draft(weekly, "email,Shoe size\nann@example.org,7\nbad,8\n")
    assert (batch.state, batch.mapping, batch.stored) == (ImportState.DRAFT, ["email", "attribute:shoe_size"], True)
    set_import_terms(batch, terms=make_terms(batch), now=NOW)
    run_pending()
    batch.refresh_from_db()
    assert (batch.state, batch.checked["new"], batch.checked["reasons"]) == (
        ImportState.CHECKED, 1, {"bad_address": 1},
    )  # fmt: skip
    assert batch.checked["refusals"][0][0] == 3
    assert not Subscriber.objects.exists()
    start_run(batch, now=LATER)
    run_pending(LATER)
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
    batch = keep_draft(weekly, "email,Shoe size\nann@example.org,7\n")
    set_import_terms(batch, terms=make_terms(batch, mapping=["email", "name"]), now=NOW)
    assert keep_draft(weekly, "Email,shoe size\nbea@example.org,7\n").mapping == ["email", "attribute:shoe_size"]
    run_pending()
    assert keep_draft(weekly, "Email,shoe size\nbea@example.org,7\n").mapping == ["email", "name"]


def test_a_file_of_refused_lines_is_mapped_as_the_file_that_they_came_from() -> None:
    weekly = make_list()
    batch = keep_draft(weekly, "adresse,wohnort\nann@example.org,Leeds\nbad,York\n")
    set_import_terms(batch, terms=make_terms(batch, mapping=["email", "city"]), now=NOW)
    run_pending()
    start_run(ImportBatch.objects.get(), now=NOW)
    run_pending()
    out = io.StringIO()
    write_refused(out, header=batch.header, rows=iterate_refusals(batch))
    again = keep_draft(weekly, out.getvalue().replace("bad", "bea@example.org"))
    assert again.mapping == ["", "", "", "email", "city"]
    set_import_terms(again, terms=make_terms(again), now=NOW)
    run_pending()
    start_run(ImportBatch.objects.get(pk=again.pk), now=NOW)
    run_pending()
    assert keep_draft(weekly, "Adresse,Wohnort\nx,y\n").mapping == ["email", "city"]


def test_a_background_import_stops_when_asked_and_a_later_worker_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "CHUNK_ROWS", 2)
    batch = keep_draft(make_list(), "email\n" + "".join(f"p{n}@example.org\n" for n in range(7)))
    set_import_terms(batch, terms=make_terms(batch), now=NOW)
    run_pending()
    batch.refresh_from_db()
    start_run(batch, now=NOW)
    asked = iter([False, False, False, True, True])
    assert process_pending_imports(clock=lambda: NOW, stopping=lambda: next(asked)) == 0
    batch.refresh_from_db()
    assert (batch.state, batch.claimed_by, batch.rows_done) == (ImportState.RUNNING, "", 4)
    run_pending()
    batch.refresh_from_db()
    assert (batch.state, batch.counts["new"]) == (ImportState.FINISHED, 7)


def test_a_file_that_becomes_unreadable_stops_the_import_with_the_reason() -> None:
    batch = keep_draft(make_list(), "email\nann@example.org\n")
    set_import_terms(batch, terms=make_terms(batch), now=NOW)
    ImportBatch.objects.filter(pk=batch.pk).update(header=["other"])
    run_pending()
    batch.refresh_from_db()
    assert batch.state == ImportState.FAILED
    assert "columns changed since" in batch.problem
    batches.discard_import(batch)
    assert not ImportBatch.objects.exists()


def test_terms_that_law_or_file_do_not_allow_are_refused() -> None:
    batch = keep_draft(make_list(), "email\nann@example.org\n")
    for wrong, error in (
        ({"evidence": " "}, CannotImport),
        ({"basis": Basis.DOUBLE_OPT_IN}, CannotImport),
        ({"encoding": "klingon"}, CannotImport),
        ({"mapping": ["name"]}, BadFile),
    ):
        with pytest.raises(error):
            set_import_terms(batch, terms=make_terms(batch, **wrong), now=NOW)
    batch.refresh_from_db()
    assert batch.state == ImportState.DRAFT
    set_import_terms(batch, terms=make_terms(batch, encoding="cp1250"), now=NOW)
    assert batch.encoding == "cp1250"


@pytest.mark.requirement("P3")
def test_the_day_of_signing_up_is_kept_and_one_of_the_future_is_not() -> None:
    weekly = make_list()
    report = import_text(weekly, "email,signed up\nann@example.org,2024-05-06\nbea@example.org,2030-01-01\n")
    assert Subscription.objects.get(subscriber__email="ann@example.org").requested_at == datetime(
        2024, 5, 6, tzinfo=UTC
    )
    assert Subscription.objects.get(subscriber__email="bea@example.org").requested_at == NOW
    assert report.notes == [(3, "The date 2030-01-01 is in the future. The line is used without it.", 1)]
    soft = import_text(make_list("soft"), "email\ncy@example.org\n", basis="soft_opt_in", collected_on=date(2026, 2, 5))
    assert (soft.new, soft.refused) == (1, 0)
    early = import_text(
        make_list("early"), "email\ncy@example.org\n", basis="soft_opt_in", collected_on=date(2026, 2, 4)
    )
    assert (early.new, early.reasons) == (0, {"too_early": 1})


def test_attributes_and_topics_are_added_and_a_dry_run_counts_them() -> None:
    weekly = make_list()
    Topic.objects.create(slug="land", name="Land")
    import_text(weekly, "email,shoe\nann@example.org,7\nbea@example.org,8\ncy@example.org,9\n")
    text = "email,shoe,topics\nann@example.org,7,\nbea@example.org,9,\ncy@example.org,9,land\n"
    dry, wet = import_text(weekly, text, dry_run=True), import_text(weekly, text)
    assert dry.counts() == wet.counts()
    assert (wet.updated, wet.unchanged) == (2, 1)
    assert read_attributes(find_person("bea@example.org")) == {"shoe": "9"}


def test_columns_can_be_named_and_unknown_ones_are_reported() -> None:
    weekly = make_list()
    text = "Adresse,Vorname,Notiz\nann@example.org,Ann,x\n"
    report = import_text(weekly, text, columns={"adresse": "email", "Vorname": "first_name", "Notiz": ""})
    assert (report.new, report.ignored_columns, find_person("ann@example.org").name) == (1, ["notiz"], "Ann")
    with pytest.raises(BadFile, match="no column “schuh”"):
        import_text(weekly, text, columns={"Schuh": "email"})


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
    report = import_text(make_list(), out.getvalue())
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
        import_text(make_list(), body)


def test_refused_lines_keep_their_columns_and_import_once_corrected() -> None:
    weekly = make_list()
    report = import_text(weekly, 'Email;Name;Shoe\nann example.org;"Ann; =Lee";7\nbea@example.org;"Bea;8\n')
    assert (report.new, report.refused) == (0, 2)
    out = io.StringIO()
    batch = ImportBatch.objects.get()
    write_refused(out, header=batch.header, rows=iterate_refusals(batch))
    first, second = csv.DictReader(io.StringIO(out.getvalue()))
    assert (first["Row in the file"], first["Email"], first["Name"], first["Shoe"]) == (
        "2", "ann example.org", "Ann;' =Lee", "7",
    )  # fmt: skip
    assert (second["Email"], second["Name"]) == ("bea@example.org", '"Bea;8')
    assert (first["Refusal code"], second["Refusal code"]) == ("bad_address", "unreadable")
    mended = out.getvalue().replace("ann example.org", "ann@example.org")
    reworded = mended.replace(second["Why it was refused"], "Another sentence")
    assert import_text(weekly, reworded, dry_run=True).reasons == {"unreadable": 1}
    half = import_text(weekly, mended)
    assert (half.new, half.reasons, half.ignored_columns) == (1, {"unreadable": 1}, [])
    assert find_person("ann@example.org").name == "Ann; =Lee"
    assert import_text(weekly, mended.replace('"""Bea;8"', "Bea,8")).new == 1
    assert read_attributes(find_person("bea@example.org")) == {"shoe": "8"}


@pytest.mark.parametrize(
    ("added", "values"),
    [
        (("Line in the file", "Why it was refused"), ("3", "A sentence of an earlier version")),
        (("Why it was refused",), ("A sentence",)),
        (("why it was  refused",), ("A sentence",)),
        (("LINE IN THE FILE", "WHY IT WAS REFUSED", "REFUSAL CODE"), ("3", "A sentence", "unreadable")),
    ],
    ids=["two columns", "reason alone", "small letters", "capital letters"],
)
def test_an_older_file_of_refused_lines_lets_no_unreadable_line_in(added: Sequence[str], values: Sequence[str]) -> None:
    weekly = make_list()
    lines = [[*added, "email", "name"], [*values, "bea@example.org", '"Bea,8'], [*values, "ann@example.org", "Ann"]]
    out = io.StringIO()
    csv.writer(out).writerows(lines)
    report = import_text(weekly, out.getvalue())
    assert (report.new, report.reasons) == (1, {"unreadable": 1})
    assert import_text(weekly, out.getvalue().replace('"""Bea,8"', "Bea")).new == 1


def test_a_name_that_begins_with_a_quotation_mark_is_imported() -> None:
    report = import_text(make_list(), 'email,name\nann@example.org,"""><b>Ann</b>"\n')
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
    report = import_text(weekly, lines)
    assert report.refused == 4
    for _ in range(2):
        out = io.StringIO()
        write_refused(out, header=report.header, rows=iterate_refusals(ImportBatch.objects.latest("pk")))
        again = import_text(weekly, out.getvalue())
        assert (again.new, again.reasons) == (0, report.reasons)
        report = again
    assert import_text(weekly, out.getvalue().replace(" at ", "@")).new == 1
    assert find_person("dora@example.org").name == "=Dora"


@pytest.mark.requirement("S5")
def test_one_file_of_subscribed_and_opted_out_people_does_both() -> None:
    weekly = make_list()
    text = "email,name,subscribed_to_emails\nann@example.org,Ann,true\nbea@example.org,Bea,false\n"
    report = import_text(weekly, text)
    assert (report.new, report.newly_suppressed) == (1, 1)
    assert [row.subscriber.email for row in Subscription.objects.all()] == ["ann@example.org"]
    assert import_text(weekly, "email\nbea@example.org\n").new == 0


def test_an_import_that_renews_nobody_looks_for_no_subscription_to_renew() -> None:
    with CaptureQueriesContext(connection) as queries:
        import_text(make_list(), "email\nann@example.org\n")
    assert not [query for query in queries if query["sql"].strip().startswith("UPDATE subscribers_subscription ")]
