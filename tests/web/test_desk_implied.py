"""Implied consent in the desk: the end date is asked for, stored, shown in time and respected."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from subscribers.consent.implied_consent import end_lapsed_subscriptions
from subscribers.models import Basis, ConsentEvent, EndReason, ImportBatch, ImportState, Subscription
from tests.support.desk import sign_in
from tests.support.desk_imports import run_imports, upload
from tests.support.page_html import compact_html

pytestmark = pytest.mark.django_db
TERMS = {"kind": "join", "basis": "casl_implied", "evidence": "Gifts of 2026, ledger 4", "encoding": "utf-8"}


@pytest.fixture
def client() -> Client:
    return sign_in("data")


def decide(client: Client, batch: ImportBatch, **fields: str) -> str:
    """Posts the form; what the page says where it is not taken."""
    answer = client.post(reverse("subscribers_import_terms", args=[batch.pk]), {**TERMS, "column_0": "email", **fields})
    return answer.content.decode() if answer.status_code == 400 else ""


def bring_in(client: Client, batch: ImportBatch) -> str:
    """Has the file checked and brought in; the page that was shown in between."""
    run_imports()
    page = client.get(reverse("subscribers_import", args=[batch.pk])).content.decode()
    client.post(reverse("subscribers_import_step", args=[batch.pk, "run"]))
    run_imports()
    return page


def in_days(days: int) -> date:
    return (timezone.now() + timedelta(days=days)).astimezone(UTC).date()


def end_of(day: date) -> datetime:
    return datetime.combine(day + timedelta(days=1), time(), UTC)


@pytest.mark.requirement("P10")
def test_the_form_asks_for_a_last_day_or_a_column_that_holds_it(client: Client) -> None:
    batch = upload(client, "email,until\nann@example.org,\n")
    assert "Enter the date, or choose the column that has it." in decide(client, batch)
    batch.refresh_from_db()
    assert batch.state == ImportState.DRAFT
    assert decide(client, batch, column_1="expires_on") == ""
    batch.refresh_from_db()
    assert (batch.state, batch.basis, batch.expires_on) == (ImportState.CHECKING, Basis.CASL_IMPLIED, None)


@pytest.mark.requirement("P10")
def test_an_invalid_day_is_reported_at_its_field(client: Client) -> None:
    assert "Enter a valid date." in decide(client, upload(client, "email\nann@example.org\n"), expires_on="soon")


@pytest.mark.requirement("P10")
def test_dates_of_the_column_win_over_the_date_of_the_form(client: Client) -> None:
    own, rest = in_days(30), in_days(200)
    lines = (
        f"ann@example.org,{own}\nbea@example.org,\ncleo@example.org,{in_days(-1)}\ndora@example.org,{in_days(900)}\n"
    )
    batch = upload(client, f"email,expires_on\n{lines}")
    decide(client, batch, column_1="expires_on", expires_on=rest.isoformat())
    page = bring_in(client, batch)
    assert "Import 2 people" in page
    assert "expired on" in page
    assert "lasts two years at most" in page
    found = Subscription.objects.order_by("subscriber__email").values_list("subscriber__email", "basis", "expires_at")
    assert list(found) == [
        ("ann@example.org", Basis.CASL_IMPLIED, end_of(own)),
        ("bea@example.org", Basis.CASL_IMPLIED, end_of(rest)),
    ]
    assert {event.data["basis"] for event in ConsentEvent.objects.all()} == {Basis.CASL_IMPLIED}
    person = client.get(reverse("subscribers_person", args=[Subscription.objects.earliest("expires_at").subscriber_id]))
    assert "implied consent, for a time (Canada)" in person.content.decode()
    assert "expires on" in person.content.decode()


@pytest.mark.requirement("P10")
def test_a_last_day_in_a_file_of_consent_is_kept_for_what_it_is(client: Client) -> None:
    batch = upload(client, f"email,expires_on\nann@example.org,{in_days(30)}\nbea@example.org,\n")
    assert decide(client, batch, basis="consent", column_1="expires_on") == ""
    bring_in(client, batch)
    found = Subscription.objects.order_by("subscriber__email").values_list("basis", flat=True)
    assert list(found) == [Basis.CASL_IMPLIED, Basis.CONSENT]


@pytest.mark.requirement("P10")
def test_a_day_that_was_typed_for_another_basis_is_not_kept(client: Client) -> None:
    batch = upload(client, "email\nann@example.org\n")
    decide(client, batch, basis="consent", expires_on=in_days(30).isoformat())
    batch.refresh_from_db()
    assert batch.expires_on is None


@pytest.mark.requirement("P10")
def test_people_who_are_asked_by_mail_need_no_last_day(client: Client) -> None:
    batch = upload(client, "email\nann@example.org\n")
    assert decide(client, batch, confirm="on") == ""
    bring_in(client, batch)
    assert Subscription.objects.get().basis == Basis.DOUBLE_OPT_IN


@pytest.mark.requirement("P10")
def test_the_form_keeps_the_day_when_it_is_opened_again(client: Client) -> None:
    batch = upload(client, "email\nann@example.org\n")
    decide(client, batch, expires_on=in_days(30).isoformat())
    run_imports()
    page = compact_html(client.get(reverse("subscribers_import_terms", args=[batch.pk])).content.decode())
    assert f'value="{in_days(30).isoformat()}"' in page
    assert '<details class="nl-more" open><summary>Only for implied consent in Canada' in page


@pytest.mark.requirement("P10")
def test_consent_that_ends_within_60_days_is_listed_until_it_ends(
    client: Client,
) -> None:
    soon, later = in_days(50), in_days(90)
    batch = upload(client, f"email,expires_on\nann@example.org,{soon}\nbea@example.org,{later}\n")
    decide(client, batch, column_1="expires_on")
    bring_in(client, batch)
    page = client.get(reverse("subscribers_expiring")).content.decode()
    assert "a•••@e•••.org" in page
    assert "b•••@e•••.org" not in page
    assert "Gifts of 2026, ledger 4" in page
    assert end_lapsed_subscriptions(now=end_of(soon)) == 1
    assert "a•••@e•••.org" not in client.get(reverse("subscribers_expiring")).content.decode()
    assert Subscription.objects.get(subscriber__email="ann@example.org").end_reason == EndReason.LAPSED
