"""D1, P10: a list that was exported comes back into an empty installation as it was, its implied consent with its last day."""

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from subscribers.attributes import write_attributes
from subscribers.exporter import EXPORTED, export_people
from subscribers.importer import ImportReport, import_people
from subscribers.locations import locate, place_for
from subscribers.models import (
    Basis,
    ConsentEvent,
    Giving,
    MailingList,
    Place,
    Subscriber,
    Subscription,
    Topic,
)
from tests.support.people import NOW, make_list, make_member, make_person, subscribe

pytestmark = pytest.mark.django_db
OVER = datetime(2027, 2, 1, tzinfo=UTC)
EVIDENCE = "Moved from the old machine, export of 5 March 2026"


def bring(mailing_list: MailingList, text: str, **fields: object) -> ImportReport:
    terms = {"basis": "consent", "evidence": EVIDENCE, "by": "kim", "now": NOW, "clock": lambda: NOW}
    return import_people(file=io.BytesIO(text.encode()), mailing_list=mailing_list, **{**terms, **fields})


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
    for model in (Subscriber, Place, Topic):
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
        place=place_for(locate(country="US", region="TX", town="Houston")),
        language="pt-BR",
        giving=Giving.MONTHLY,
        timezone="America/Chicago",
        source="-fair, spring\N{LATIN SMALL LETTER E WITH ACUTE}",
    )
    full.topics.set(Topic.objects.all())
    write_attributes([(full.pk, {"membership": "=gold", "since": "2019"})])


def test_d1_p10_every_column_and_every_basis_comes_back_into_an_empty_installation() -> None:
    weekly = begin()
    fill(weekly)
    first = take(weekly)
    rows = rows_of(first)
    columns = set(EXPORTED) | {"attribute:membership", "attribute:since"}
    assert set(rows[0]) == columns
    assert all(any(row[column] for row in rows) for column in columns)
    report = bring(start_anew(), first)
    assert (report.new, report.refused, report.notes, report.ignored_columns) == (len(rows), 0, [], [])
    assert take(MailingList.objects.get(slug="weekly")) == first


def test_p10_implied_consent_stays_implied_whatever_the_rest_of_the_file_is() -> None:
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


def test_p10_a_last_day_that_cannot_be_is_refused_and_is_not_taken_for_consent() -> None:
    report = bring(
        begin(),
        "email,expires_on\nann@example.org,2026-03-04\nbea@example.org,31 January\ncleo@example.org,2029-01-01\n",
    )
    assert (report.new, report.reasons) == (0, {"run_out": 1, "no_expiry": 1, "too_long": 1})


def test_p10_implied_consent_needs_no_day_of_the_charitable_soft_opt_in() -> None:
    report = bring(begin(), "email,expires_on\nann@example.org,2027-01-31\nbea@example.org,\n", basis="soft_opt_in")
    assert (report.new, report.reasons) == (1, {"no_day": 1})
    assert Subscription.objects.get().basis == Basis.CASL_IMPLIED


def test_p10_who_is_asked_by_mail_first_needs_no_last_day() -> None:
    assert bring(begin(), "email,expires_on\nann@example.org,2026-03-04\n", confirm=True).new == 1
    assert Subscription.objects.get().basis == Basis.DOUBLE_OPT_IN


def test_p10_a_file_of_all_lists_has_the_first_of_somebodys_last_days_and_the_lists_they_may_be_mailed_for() -> None:
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
