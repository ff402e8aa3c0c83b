"""Files of people are imported completely and once, respect suppressions, and exports can be imported again."""

import csv
import io
import time

import pytest
from django.apps import apps
from django.db import connection
from django.test.utils import CaptureQueriesContext

from subscribers.audience.counting import count_audience
from subscribers.erasing.erasure import erase_person
from subscribers.exporting import csv_export
from subscribers.exporting.csv_export import export_people, export_rows
from subscribers.importing.reading.errors import BadFile, CannotImport
from subscribers.importing.writing import import_run as run
from subscribers.importing.writing.report import ImportReport
from subscribers.models import (
    Confirmation,
    ConsentEvent,
    ImportBatch,
    ImportRefusal,
    MailingList,
    Reason,
    Subscriber,
    SubscriberLocation,
    Subscription,
    Suppression,
    Topic,
)
from subscribers.people.lookup import find_person
from subscribers.unsubscribing.suppression import suppress
from subscribers.unsubscribing.unsubscribe import unsubscribe_from_list
from tests.support.people import NOW, make_list, make_member, make_person, subscribe
from tests.support.people_imports import import_text

pytestmark = [pytest.mark.postgres, pytest.mark.django_db]


def bring(mailing_list: MailingList, text: str, **fields: object) -> ImportReport:
    return import_text(mailing_list, text, **{"by": "kim@charity.example", **fields})  # type: ignore[arg-type]


def _everything() -> list[object]:
    return [list(model.objects.order_by("pk").values()) for model in apps.get_app_config("subscribers").get_models()]


def balanced(report: ImportReport) -> bool:
    counts = report.counts()
    return counts.pop("rows") == sum(counts.values())


def test_people_come_in_with_their_details_basis_and_proof() -> None:
    weekly = make_list()
    Topic.objects.create(slug="land", name="Land rights")
    report = bring(
        weekly,
        "email,name,country,region,city,postcode,language,topics,giving,timezone,source\n"
        "Ada@example.org,Ada,US,TX,Houston,77002,en,Land Rights;land,monthly,America/Chicago,fair\n"
        "bea@example.org,,GB,,,,,,,,\n",
    )
    assert (report.new, report.refused, report.notes, balanced(report)) == (2, 0, [], True)
    ada = find_person("ada@example.org")
    assert (ada.email, ada.name, ada.language, ada.giving, ada.timezone, ada.source) == (
        "Ada@example.org", "Ada", "en", "monthly", "America/Chicago", "fair",
    )  # fmt: skip
    assert ada.place is not None
    assert ada.place.key == "US|US-TX|Houston|29.76|-95.36"
    assert [topic.slug for topic in ada.topics.all()] == ["land"]
    subscription = Subscription.objects.get(subscriber=ada)
    assert (subscription.basis, subscription.evidence, subscription.confirmed_at) == (
        "consent", "Sheet of the spring fair", None,
    )  # fmt: skip
    event = ConsentEvent.objects.get(subscriber=ada)
    assert (event.kind, event.wording, event.by, event.data) == (
        "imported", "Sheet of the spring fair", "kim@charity.example", {"basis": "consent"},
    )  # fmt: skip
    assert count_audience(mailing_list=weekly, now=NOW).eligible == 2
    batch = ImportBatch.objects.get(pk=report.batch_id)
    assert (batch.finished_at, batch.counts["new"], batch.encoding) == (NOW, 2, "utf-8")


def test_the_postcode_is_kept_nowhere() -> None:
    weekly = make_list()
    bring(weekly, "email,city,country,postcode\nada@example.org,London,GB,ZZ9 9ZZ\nbad,London,GB,\n")
    for model in (Subscriber, SubscriberLocation, ConsentEvent, ImportBatch, ImportRefusal):
        assert "ZZ9" not in str(list(model.objects.values()))


def test_only_the_town_of_a_postcode_is_kept() -> None:
    weekly = make_list()
    bring(weekly, "email,country,postcode\nada@example.org,GB,YO21 1RE\nbea@example.org,US,77002\n")
    places = [find_person(f"{name}@example.org").place for name in ("ada", "bea")]
    assert [place and (place.town, place.region) for place in places] == [("Whitby", "GB-ENG"), ("Houston", "US-TX")]
    for model in (Subscriber, SubscriberLocation, ConsentEvent, ImportBatch, ImportRefusal):
        kept = str(list(model.objects.values()))
        assert "YO21" not in kept
        assert "77002" not in kept


@pytest.mark.parametrize(
    ("city", "region", "country", "town"),
    [
        ("Totnes", "", "UK", "Totnes"),
        ("Whitby", "North Yorkshire", "GB", "Whitby"),
        ("Whitby", "ON", "CA", "Whitby"),
        ("Whitby", "", "", ""),
        ("Cobh", "", "Ireland", "Cobh"),
    ],
)
def test_small_towns_come_in_from_a_file(city: str, region: str, country: str, town: str) -> None:
    bring(make_list(), f"email,city,region,country\nada@example.org,{city},{region},{country}\n")
    place = find_person("ada@example.org").place
    assert (place.town if place else "") == town


def test_the_same_file_twice_changes_nothing() -> None:
    weekly = make_list()
    text = "email,name\nada@example.org,Ada\nbea@example.org,Bea\n"
    bring(weekly, text)
    before = list(Subscriber.objects.values()), Subscription.objects.count(), ConsentEvent.objects.count()
    report = bring(weekly, text)
    assert (report.new, report.unchanged) == (0, 2)
    assert before == (list(Subscriber.objects.values()), Subscription.objects.count(), ConsentEvent.objects.count())


@pytest.mark.requirement("D2")
def test_known_values_are_updated_and_never_blanked() -> None:
    weekly = make_list()
    land = Topic.objects.create(slug="land", name="Land")
    Topic.objects.create(slug="events", name="Events")
    person = make_member(weekly, name="Ada", language="fr", giving="donor")
    person.topics.add(land)
    report = bring(weekly, "email,name,language,giving,topics\nADA@example.org,Ada Lee,,,events\n")
    assert (report.updated, report.new, balanced(report)) == (1, 0, True)
    person.refresh_from_db()
    assert (person.email, person.name, person.language, person.giving) == ("ada@example.org", "Ada Lee", "fr", "donor")
    assert {topic.slug for topic in person.topics.all()} == {"land", "events"}


def test_someone_known_from_another_list_is_new_to_this_one() -> None:
    weekly, events = make_list(), make_list("events")
    make_member(events)
    assert bring(weekly, "email\nada@example.org\n").new == 1
    assert Subscriber.objects.count() == 1


@pytest.mark.parametrize("reason", Reason.values)
@pytest.mark.requirement("S5")
def test_the_suppressed_stay_suppressed(reason: str) -> None:
    weekly = make_list()
    person = make_person(name="Ada")
    suppress(address_hash=bytes(person.address_hash), reason=Reason(reason), now=NOW)
    report = bring(weekly, "email,name\nada@example.org,Changed\n")
    assert (report.suppressed, report.new, balanced(report)) == (1, 0, True)
    assert Subscriber.objects.get().name == "Ada"
    assert Suppression.objects.live().count() == 1
    assert not Subscription.objects.open().exists()


@pytest.mark.requirement("S5")
def test_someone_who_left_this_list_stays_away_and_may_join_another() -> None:
    weekly, events = make_list(), make_list("events")
    unsubscribe_from_list(subscriber=make_member(weekly), mailing_list=weekly, now=NOW)
    assert bring(weekly, "email\nada@example.org\n").suppressed == 1
    assert bring(events, "email\nada@example.org\n").new == 1


@pytest.mark.requirement("P6")
def test_an_erased_person_does_not_come_back_by_file() -> None:
    weekly = make_list()
    erase_person(subscriber=make_member(weekly), by="kim", now=NOW)
    assert bring(weekly, "email,name\nada@example.org,Ada\n").suppressed == 1
    assert not Subscriber.objects.exists()


def test_people_to_be_asked_first_are_not_mailable_and_get_one_mail_each() -> None:
    weekly, events = make_list(), make_list("events")
    make_member(events, "bea@example.org")
    report = bring(weekly, "email\nada@example.org\nbea@example.org\n", confirm=True)
    assert report.new == 2
    assert count_audience(mailing_list=weekly, now=NOW).excluded == {"unconfirmed": 2}
    assert Confirmation.objects.unsent().count() == 2
    again = bring(weekly, "email\nada@example.org\nbea@example.org\n", confirm=True)
    assert (again.waiting, balanced(again)) == (2, True)
    assert Confirmation.objects.unsent().count() == 2


def test_an_import_does_not_confirm_for_those_who_were_asked() -> None:
    weekly = make_list()
    subscribe(make_person(), weekly, basis="consent_double_opt_in")
    assert bring(weekly, "email\nada@example.org\n").waiting == 1
    assert count_audience(mailing_list=weekly, now=NOW).eligible == 0


@pytest.mark.requirement("D2")
def test_every_refused_line_is_kept_with_its_number_and_reason() -> None:
    weekly = make_list()
    report = bring(weekly, "email,name\nnot an address,Ada\nbea@example.org,Bea\n@example.org,Cy\n")
    assert [row.line for row in report.refusals] == [2, 4]
    assert (report.new, balanced(report)) == (1, True)
    kept = ImportRefusal.objects.filter(batch_id=report.batch_id)
    assert [(one.line, one.raw, one.reason) for one in kept] == [
        (row.line, raw, row.reason)
        for row, raw in zip(report.refusals, ["not an address,Ada", "@example.org,Cy"], strict=True)
    ]


def test_a_repeated_address_counts_once_and_says_so() -> None:
    weekly = make_list()
    report = bring(weekly, "email,name\nada@example.org,Ada\nADA@EXAMPLE.org,Again\n")
    assert (report.new, report.repeated, balanced(report)) == (1, 1, True)
    assert Subscriber.objects.get().name == "Ada"
    assert report.notes == [(3, "This address is on an earlier row too. We use that row.", 1)]


def test_people_whose_place_or_topic_is_not_understood_come_in_without_it() -> None:
    weekly = make_list()
    report = bring(weekly, "email,country,city,topics\nada@example.org,Narnia,,\nbea@example.org,GB,London,zzz\n")
    assert report.new == 2
    assert [note.line for note in report.notes] == [2, 3]
    assert find_person("ada@example.org").place is None
    assert str(find_person("bea@example.org").place) == "London, England, United Kingdom"


@pytest.mark.requirement("D2")
def test_a_dry_run_counts_as_the_import_would_and_writes_nothing() -> None:
    weekly = make_list()
    make_member(weekly, "known@example.org", name="Old")
    suppress(address_hash=bytes(make_person("left@example.org").address_hash), reason=Reason.HARD, now=NOW)
    text = (
        "email,name,city,country\nknown@example.org,New,Leeds,GB\nleft@example.org,,,\nnew@example.org,N,London,GB\n"
        "new@example.org,,,\nbad,,,\n"
    )
    before = _everything()
    dry = bring(weekly, text, dry_run=True)
    assert _everything() == before
    assert dry.batch_id is None
    assert dry.counts() == bring(weekly, text).counts()


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"basis": "hope"}, "is not a legal basis"),
        ({"basis": "consent_double_opt_in"}, "is not a legal basis"),
        ({"evidence": "  "}, "Enter the evidence"),
        ({"by": ""}, "who imports"),
    ],
)
@pytest.mark.requirement("P2")
def test_an_import_without_basis_evidence_or_name_is_refused(fields: dict[str, str], says: str) -> None:
    with pytest.raises(CannotImport, match=says):
        bring(make_list(), "email\nada@example.org\n", **fields)
    assert not ImportBatch.objects.exists()


def test_a_file_that_is_refused_leaves_no_batch() -> None:
    with pytest.raises(BadFile):
        bring(make_list(), "name\nAda\n")
    assert not ImportBatch.objects.exists()


def test_large_files_are_imported_in_chunks_with_bounded_statements(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    weekly = make_list()
    text = "email,country,city\n" + "".join(f"person{n}@example.org,GB,London\n" for n in range(4_500))
    told: list[int] = []
    monkeypatch.setattr(run, "CHUNK_ROWS", 2_000)
    started = time.process_time()
    with CaptureQueriesContext(connection) as queries:
        report = bring(weekly, text, progress=told.append)
    assert (report.new, told) == (4_500, [2_000, 4_000, 4_500])
    assert len(queries) < 200
    assert 4_500 / (time.process_time() - started) > 1_500


@pytest.mark.requirement("D1")
def test_an_export_is_defused_for_spreadsheets_and_comes_back_unchanged() -> None:
    weekly, copy = make_list(), make_list("copy")
    Topic.objects.create(slug="land", name="Land")
    bring(
        weekly,
        "email,name,country,region,city,language,topics,giving,timezone,source\n"
        'ada@example.org,"Ada ""A"" Lee, PhD",US,TX,Houston,en,land,donor,America/Chicago,fair\n'
        'bea@example.org,=1+1,GB,ENG,London,,,,,"@SUM(1)"\n'
        "+cy@example.org,'-dash,,,,,,,,\n",
    )
    out = io.StringIO()
    assert export_people(out=out, mailing_list=weekly) == 3
    rows = list(csv.DictReader(io.StringIO(out.getvalue())))
    assert [row["name"] for row in rows] == ['Ada "A" Lee, PhD', "'=1+1", "'-dash"]
    assert (rows[1]["source"], rows[2]["email"], rows[0]["city"]) == ("'@SUM(1)", "'+cy@example.org", "Houston")
    assert [row["lists"] for row in rows] == ["weekly"] * 3
    report = bring(copy, out.getvalue())
    assert (report.new, report.refused, report.notes, report.ignored_columns) == (3, 0, [], [])
    again = io.StringIO()
    export_people(out=again, mailing_list=weekly)
    assert again.getvalue() == out.getvalue().replace(",weekly\r\n", ",copy;weekly\r\n")


def test_only_people_who_may_be_mailed_are_exported() -> None:
    weekly, events = make_list(), make_list("events")
    make_member(weekly, "ada@example.org")
    make_member(events, "bea@example.org")
    subscribe(make_person("waiting@example.org"), weekly, basis="consent_double_opt_in")
    make_person("nolist@example.org")
    for name, mailing_list in (("all", None), ("one", weekly)):
        suppressed = make_member(weekly, f"{name}@example.org")
        suppress(address_hash=bytes(suppressed.address_hash), reason=Reason.STAFF, mailing_list=mailing_list, now=NOW)
    out = io.StringIO()
    assert export_people(out=out) == 2
    assert [row["email"] for row in csv.DictReader(io.StringIO(out.getvalue()))] == [
        "ada@example.org",
        "bea@example.org",
    ]
    assert export_people(out=io.StringIO(), mailing_list=events) == 1


@pytest.mark.parametrize(
    ("line", "place"),
    [
        (",,York", "York, England, United Kingdom"),
        (",,Boston", "Boston, England, United Kingdom"),
        (",,Toronto", "Toronto, Ontario, Canada"),
        (',,"York, PA"', "York, Pennsylvania, United States"),
        (",Pennsylvania,York", "York, Pennsylvania, United States"),
        ("US,,Boston", "Boston, Massachusetts, United States"),
        (",,Nowhereville", "United Kingdom"),
        (",,", "None"),
    ],
)
def test_the_country_of_the_import_counts_for_lines_without_one(line: str, place: str) -> None:
    bring(make_list(), f"email,country,region,city\nann@example.org,{line}\n", country="GB")
    assert str(Subscriber.objects.get().place) == place


def test_a_line_without_a_town_gets_no_location_from_the_import() -> None:
    bring(make_list(), "email,city\nann@example.org,\nben@example.org, \n", country="GB")
    assert not Subscriber.objects.filter(place__isnull=False).exists()


def test_the_country_of_the_import_replaces_no_known_place() -> None:
    weekly = make_list()
    bring(weekly, "email,country,city\nann@example.org,US,Boston\n")
    before = Subscriber.objects.get().place
    report = bring(weekly, "email,name\nann@example.org,Ann\n", country="United Kingdom")
    assert (report.updated, Subscriber.objects.get().place) == (1, before)
    assert bring(weekly, "email,city\nann@example.org,York\n", country="GB", dry_run=True).updated == 1


def test_a_town_outside_the_country_of_the_import_is_noted() -> None:
    report = bring(make_list(), "email,city\nann@example.org,Toronto\n", country="GB")
    assert [note.text for note in report.notes] == [
        "“Toronto” is not in United Kingdom; stored as Toronto, Ontario, Canada."
    ]


def test_a_postcode_is_read_in_the_country_of_the_import() -> None:
    bring(make_list(), "email,zip\nann@example.org,15213\nben@example.org,YO22 4AS\n", country="US")
    assert [str(person.place) for person in Subscriber.objects.order_by("email")] == [
        "Pittsburgh, Pennsylvania, United States",
        "Whitby, England, United Kingdom",
    ]


def test_a_list_that_is_made_during_an_export_does_not_end_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_export, "_BATCH_SIZE", 1)
    weekly = make_list("weekly")
    make_member(weekly, "ann@example.org")
    ben = make_member(weekly, "ben@example.org")
    rows = export_rows(weekly)
    lists = next(rows).index("lists")
    assert next(rows)[lists] == "weekly"
    subscribe(ben, make_list("monthly"))
    assert [row[lists] for row in rows] == ["monthly;weekly"]
