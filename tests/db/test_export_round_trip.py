"""An exported list can be imported into an empty installation unchanged, with the last day of implied consent."""

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from subscribers.exporting.csv_export import ALL_LISTS_COLUMNS, ONE_LIST_COLUMNS, export_people, export_rows
from subscribers.importing.writing.report import ImportReport
from subscribers.models import (
    Basis,
    ConsentEvent,
    Frequency,
    Giving,
    MailingList,
    Subscriber,
    SubscriberLocation,
    Subscription,
    Topic,
)
from subscribers.people.locations import get_location_row, locate
from subscribers.segments.attributes import write_attributes
from tests.support.people import NOW, make_list, make_member, make_person, subscribe
from tests.support.people_imports import import_text

pytestmark = [pytest.mark.postgres, pytest.mark.django_db]
OVER = datetime(2027, 2, 1, tzinfo=UTC)
PAUSED = datetime(2026, 5, 31, 9, 30, tzinfo=UTC)
EVIDENCE = "Moved from the old machine, export of 5 March 2026"


@pytest.fixture(autouse=True)
def _now() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


def bring(mailing_list: MailingList, text: str, **fields: object) -> ImportReport:
    return import_text(mailing_list, text, **{"evidence": EVIDENCE, **fields})  # type: ignore[arg-type]


def take(mailing_list: MailingList | None = None) -> str:
    out = io.StringIO()
    export_people(out=out, mailing_list=mailing_list)
    return out.getvalue()


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def begin() -> MailingList:
    Topic.objects.create(slug="land", name="Land rights")
    Topic.objects.create(slug="water", name="Water")
    return make_list()


def start_anew() -> MailingList:
    for model in (Subscriber, SubscriberLocation, Topic):
        model.objects.all().delete()
    Subscription.objects.all().delete()
    MailingList.objects.all().update(slug="old")
    return begin()


def fill(weekly: MailingList) -> None:
    for number, basis in enumerate(Basis):
        ends = {"expires_at": OVER} if basis == Basis.CASL_IMPLIED else {}
        confirmed = {"confirmed_at": NOW} if basis == Basis.DOUBLE_OPT_IN else {}
        asked = NOW - timedelta(days=20 - number, hours=number)
        person = make_person(f"{basis.value}@example.org")
        subscribe(person, weekly, basis=basis, requested_at=asked, **ends, **confirmed)
    full = make_member(
        weekly,
        "+everything@example.org",
        name="=Ada “A” Lee, PhD",
        place=get_location_row(locate(country="US", region="TX", town="Houston")),
        language="pt-BR",
        giving=Giving.MONTHLY,
        timezone="America/Chicago",
        source="-fair, spring\N{LATIN SMALL LETTER E WITH ACUTE}",
        radius_km=80,
    )
    full.subscriptions.update(frequency=Frequency.MONTHLY, paused_until=PAUSED)
    full.topics.set(Topic.objects.all())
    write_attributes([(full.pk, {"membership": "=gold", "since": "2019"})])


@pytest.mark.requirement("D1")
@pytest.mark.requirement("P10")
def test_every_column_and_basis_survives_an_export_and_import() -> None:
    weekly = begin()
    fill(weekly)
    first = take(weekly)
    rows = rows_of(first)
    columns = set(ONE_LIST_COLUMNS) | {"attribute:membership", "attribute:since"}
    assert set(rows[0]) == columns
    assert all(any(row[column] for row in rows) for column in columns)
    report = bring(start_anew(), first)
    assert (report.new, report.refused, report.notes, report.ignored_columns) == (len(rows), 0, [], [])
    assert take(MailingList.objects.get(slug="weekly")) == first


@pytest.mark.requirement("P10")
def test_implied_consent_stays_implied_in_a_file_of_another_basis() -> None:
    weekly = begin()
    bring(weekly, "email,expires_on\nann@example.org,2027-01-31\nbea@example.org,\n")
    found = Subscription.objects.order_by("subscriber__email").values_list("basis", "expires_at")
    assert list(found) == [(Basis.CASL_IMPLIED, OVER), (Basis.CONSENT, None)]
    events = ConsentEvent.objects.order_by("subscriber__email").values_list("data__basis", flat=True)
    assert list(events) == [Basis.CASL_IMPLIED, Basis.CONSENT]
    lines = "ann@example.org,2027-06-30\nbea@example.org,2027-06-30\n"
    assert bring(weekly, f"email,expires_on\n{lines}").updated == 1
    assert list(found.all()) == [(Basis.CASL_IMPLIED, datetime(2027, 7, 1, tzinfo=UTC)), (Basis.CONSENT, None)]
    assert bring(weekly, "email,expires_on\nann@example.org,\n").updated == 1
    assert list(found.all()) == [(Basis.CONSENT, None)] * 2


@pytest.mark.requirement("P10")
def test_an_impossible_last_day_is_refused_and_gives_no_consent() -> None:
    report = bring(
        begin(),
        "email,expires_on\nann@example.org,2026-03-04\nbea@example.org,31 January\ncleo@example.org,2029-01-01\n",
    )
    assert (report.new, report.reasons) == (0, {"run_out": 1, "no_expiry": 1, "too_long": 1})


@pytest.mark.requirement("P10")
def test_implied_consent_needs_no_day_of_the_soft_opt_in() -> None:
    report = bring(begin(), "email,expires_on\nann@example.org,2027-01-31\nbea@example.org,\n", basis="soft_opt_in")
    assert (report.new, report.reasons) == (1, {"no_day": 1})
    assert Subscription.objects.get().basis == Basis.CASL_IMPLIED


@pytest.mark.requirement("P10")
def test_people_who_are_asked_by_mail_first_need_no_last_day() -> None:
    assert bring(begin(), "email,expires_on\nann@example.org,2026-03-04\n", confirm=True).new == 1
    assert Subscription.objects.get().basis == Basis.DOUBLE_OPT_IN


@pytest.mark.requirement("P10")
def test_a_file_of_all_lists_has_each_persons_first_last_day() -> None:
    weekly, events, alerts = make_list(), make_list("events"), make_list("alerts")
    ann = make_member(weekly, "ann@example.org")
    later = timezone.now() + timedelta(days=90)
    subscribe(ann, events, basis=Basis.CASL_IMPLIED, expires_at=later, requested_at=NOW - timedelta(days=9))
    subscribe(ann, alerts, basis=Basis.DOUBLE_OPT_IN)
    (row,) = rows_of(take())
    last = (later - timedelta(microseconds=1)).astimezone(UTC).date()
    assert (row["lists"], row["asked_on"], row["expires_on"]) == ("events;weekly", "2026-02-24", last.isoformat())
    (row,) = rows_of(take(weekly))
    assert (row["lists"], row["asked_on"], row["expires_on"]) == ("events;weekly", "2026-03-05", "")


def test_a_file_of_all_lists_is_split_into_the_terms_of_each_list() -> None:
    weekly, events = begin(), make_list("events")
    fill(weekly)
    ann = make_member(weekly, "ann@example.org")
    subscribe(ann, events, requested_at=NOW - timedelta(days=9), frequency=Frequency.EVENTS, paused_until=PAUSED)
    only = make_person("only@example.org")
    subscribe(only, events, basis=Basis.CASL_IMPLIED, expires_at=OVER)
    before, of_weekly, of_events = take(), take(weekly), take(events)
    assert set(rows_of(before)[0]) >= set(ALL_LISTS_COLUMNS)
    Subscriber.objects.all().delete()
    report = bring(weekly, before)
    assert (report.new, report.elsewhere, report.refused, report.ignored_columns) == (len(rows_of(of_weekly)), 1, 0, [])
    report = bring(events, before)
    assert (report.new, report.elsewhere) == (2, report.rows - 2)
    assert sorted(take().splitlines()) == sorted(before.splitlines())
    assert (take(weekly), sorted(take(events).splitlines())) == (of_weekly, sorted(of_events.splitlines()))


def test_a_file_never_changes_a_persons_own_preferences() -> None:
    weekly = begin()
    make_member(weekly, "bea@example.org")
    ann = make_member(weekly, "ann@example.org", radius_km=25)
    ann.subscriptions.update(frequency=Frequency.EVENTS)
    lines = "ann@example.org,300,monthly,2026-05-01\nbea@example.org,300,monthly,2026-05-01\n"
    report = bring(weekly, f"email,radius_km,mail_frequency,paused_until\n{lines}")
    assert report.unchanged == 2
    assert list(Subscription.objects.filter(subscriber__radius_km=None).values_list("frequency")) == [("every",)]
    ann.refresh_from_db()
    assert (ann.radius_km, list(ann.subscriptions.values_list("frequency", "paused_until"))) == (25, [("events", None)])


def test_an_impossible_frequency_distance_or_pause_is_left_out_and_noted() -> None:
    report = bring(
        begin(),
        "email,radius_km,mail_frequency,paused_until\n"
        "ann@example.org,far,daily,tomorrow\nbea@example.org,0,,2031-01-01\ncleo@example.org,,EVENTS,2026-03-04\n",
    )
    assert (report.new, [note.line for note in report.notes]) == (3, [2, 2, 2, 3, 3])
    found = Subscription.objects.order_by("subscriber__email")
    assert list(found.values_list("frequency", "paused_until")) == [("every", None), ("every", None), ("events", None)]
    assert not Subscriber.objects.exclude(radius_km=None).exists()


def test_a_frequency_column_of_another_program_is_ignored() -> None:
    bring(begin(), "email,frequency,lists\nann@example.org,Monthly,3\n")
    assert Subscription.objects.get().frequency == Frequency.EVERY


@pytest.mark.requirement("D1")
@pytest.mark.parametrize("name", ["Lee;=1+1", "=1;+2;-3", "o'Neil; '=1", 'a;"=b"'])
def test_a_name_with_formulas_after_semicolons_survives_a_round_trip(name: str) -> None:
    weekly = begin()
    make_member(weekly, name=name)
    text = take(weekly)
    assert ";=" not in text
    Subscriber.objects.all().delete()
    bring(weekly, text)
    assert Subscriber.objects.get().name == name


def test_an_export_asks_as_often_for_many_people_as_for_few() -> None:
    weekly = begin()
    counts = []
    for people in (2, 40):
        for number in range(people):
            person = make_member(weekly, f"person{number}of{people}@example.org")
            person.topics.add(Topic.objects.get(slug="land"))
        with CaptureQueriesContext(connection) as queries:
            take(weekly)
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_an_export_of_few_chosen_people_names_only_them() -> None:
    """The first and the last of the list are far apart; everybody between them has topics and lists too."""
    weekly = begin()
    people = [make_member(weekly, f"person{number}@example.org") for number in range(9)]
    for person in people:
        person.topics.add(Topic.objects.get(slug="land" if person is people[0] else "water"))
    chosen = [people[0].pk, people[8].pk]
    _header, *rows = export_rows(weekly, person_ids=chosen)
    assert [(row[0], row[7]) for row in rows] == [("person0@example.org", "land"), ("person8@example.org", "water")]
