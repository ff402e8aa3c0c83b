"""Reading from the staff log whose data an account, an API key or an export touched."""

import io
import json
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from wagtail.log_actions import log

from newsletter.api_keys import make_key
from newsletter.common.errors import NotFound
from newsletter.models import Publication
from newsletter.organisation.breach_scope import list_api_key_entries, list_export_entries, list_staff_entries
from subscribers.consent import process_signup as arrivals
from subscribers.consent.signup_limits import Decision, SignupOutcome
from subscribers.erasing.erasure import erase_person
from subscribers.importing.writing.import_people import ConsentTerms, PeopleFile, import_people
from subscribers.models import ExportRequest, HeldSignup, ImportBatch, MailingList, Subscriber
from tests.support.desk import PASSWORD, sign_in
from tests.support.fixtures import add_subscribers, make_issue, make_story
from tests.support.people import make_list, make_member, make_person

pytestmark = pytest.mark.django_db


@pytest.fixture
def weekly() -> MailingList:
    return make_list()


@pytest.fixture
def ann(weekly: MailingList) -> Subscriber:
    return make_member(weekly, "ann@example.org")


@pytest.fixture
def bea(weekly: MailingList) -> Subscriber:
    return make_member(weekly, "bea@example.org")


def drill(capsys: pytest.CaptureFixture[str], *given: str) -> dict[str, Any]:
    call_command("breach_drill", *given, "--json")
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


@pytest.mark.requirement("P14")
def test_people_seen_by_an_account_in_a_period_are_listed(
    capsys: pytest.CaptureFixture[str], ann: Subscriber, bea: Subscriber
) -> None:
    client = sign_in("data")
    client.get(reverse("subscribers_person", args=[ann.pk]))
    found = drill(capsys, "--staff", "data@example.org")
    assert found["people"] == [{"id": ann.pk, "email": "ann@example.org", "acts": ["subscribers.look"]}]
    tomorrow = (timezone.now() + timedelta(days=1)).isoformat()
    assert drill(capsys, "--staff", "data@example.org", "--from", tomorrow)["people"] == []
    call_command("breach_drill", "--staff", "data@example.org")
    assert "ann@example.org" not in capsys.readouterr().out


@pytest.mark.requirement("P14")
def test_an_export_lists_the_people_of_its_list_and_counts_the_erased(
    capsys: pytest.CaptureFixture[str], weekly: MailingList, ann: Subscriber, bea: Subscriber
) -> None:
    client = sign_in("data")
    client.post(reverse("subscribers_export"), {"mailing_list": weekly.pk, "reason": "Print run", "password": PASSWORD})
    client.get(reverse("subscribers_person", args=[bea.pk]))
    make_person("not-on-it@example.org")
    number = ExportRequest.objects.get().pk
    assert [one["id"] for one in drill(capsys, "--export", str(number))["people"]] == [ann.pk, bea.pk]
    erase_person(subscriber=bea, by="kim", now=timezone.now())
    found = drill(capsys, "--staff", "data@example.org")
    assert ([one["id"] for one in found["people"]], found["erased"]) == ([ann.pk], 1)


@pytest.mark.requirement("P14")
def test_people_added_or_suppressed_by_an_import_are_listed(
    capsys: pytest.CaptureFixture[str], weekly: MailingList, ann: Subscriber, bea: Subscriber
) -> None:
    kim = User.objects.create(username="kim@example.org")
    for kind, text in (("left_list", "email\nann@example.org\n"), ("join", "email\ncleo@example.org\n")):
        import_people(
            PeopleFile(content=io.BytesIO(text.encode())),
            mailing_list=weekly,
            terms=ConsentTerms(kind=kind, basis="consent", evidence="Sheet"),
            by=kim.username,
        )
        log(instance=ImportBatch.objects.latest("pk"), action="subscribers.import", user=kim)
    cleo = Subscriber.objects.get(email="cleo@example.org")
    assert [one["id"] for one in drill(capsys, "--staff", kim.username)["people"]] == [ann.pk, cleo.pk]


@pytest.mark.requirement("P14")
def test_reads_and_changes_by_an_api_key_are_listed(
    capsys: pytest.CaptureFixture[str], ann: Subscriber, bea: Subscriber
) -> None:
    make_person("cleo@example.org")
    key, text = make_key(name="Web site", scope="people", by="kim", now=timezone.now())
    client = Client(headers={"authorization": f"Bearer {text}"})
    client.post("/api/v1/people/find", {"email": "ann@example.org"}, content_type="application/json")
    client.patch(
        "/api/v1/people",
        {"people": [{"email": "bea@example.org", "giving": "donor"}, {"email": "nobody@example.org"}]},
        content_type="application/json",
    )
    assert {one["id"]: one["acts"] for one in drill(capsys, "--key", str(key.pk))["people"]} == {
        ann.pk: ["newsletter.api_read"],
        bea.pk: ["newsletter.api_changed"],
    }


@pytest.mark.requirement("P14")
def test_people_signed_up_by_an_api_key_are_listed_also_if_held_first(
    capsys: pytest.CaptureFixture[str], weekly: MailingList, ann: Subscriber, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, text = make_key(name="Web site", scope="people", by="kim", now=timezone.now())
    client = Client(headers={"authorization": f"Bearer {text}"})

    def sign_up(email: str) -> None:
        answer = client.post(
            "/api/v1/sign-ups",
            {"email": email, "list": "weekly", "wording": "Send me the weekly", "visitor": "198.51.100.7"},
            content_type="application/json",
        )
        assert answer.status_code == 202, answer.content

    sign_up("ann@example.org")
    sign_up("cleo@example.org")
    hold = Decision(SignupOutcome.HELD, reason="many from one network")
    monkeypatch.setattr(arrivals, "screen_signup", lambda **given: hold)
    sign_up("dora@example.org")
    cleo = Subscriber.objects.get(email="cleo@example.org")
    expected = {ann.pk: ["newsletter.api_signed_up"], cleo.pk: ["newsletter.api_signed_up"]}
    assert {one["id"]: one["acts"] for one in drill(capsys, "--key", str(key.pk))["people"]} == expected
    sign_in("data").post(reverse("subscribers_held"), {"in": HeldSignup.objects.get().pk})
    dora = Subscriber.objects.get(email="dora@example.org")
    found = drill(capsys, "--key", str(key.pk))
    assert [one["id"] for one in found["people"]] == [ann.pk, cleo.pk, dora.pk]
    assert [one["id"] for one in drill(capsys, "--staff", "data@example.org")["people"]] == [dora.pk]


@pytest.mark.requirement("P14")
def test_an_export_is_of_its_list_whatever_the_list_is_called_since(
    capsys: pytest.CaptureFixture[str], weekly: MailingList, ann: Subscriber
) -> None:
    given = {"mailing_list": weekly.pk, "reason": "Print run", "password": PASSWORD}
    sign_in("data").post(reverse("subscribers_export"), given)
    MailingList.objects.filter(pk=weekly.pk).update(slug="monthly")
    make_member(make_list(), "other@example.org")
    number = str(ExportRequest.objects.get().pk)
    assert [one["id"] for one in drill(capsys, "--export", number)["people"]] == [ann.pk]


@pytest.mark.requirement("P14")
def test_people_whose_mail_staff_previewed_are_listed(
    capsys: pytest.CaptureFixture[str], publication: Publication
) -> None:
    make_story("The clinic opens")
    reader = add_subscribers(publication, 1)[0]
    issue = make_issue(publication)
    sign_in("admin").post(reverse("newsletter_issue_people", args=[issue.pk]), {"q": reader.email})
    assert [one["id"] for one in drill(capsys, "--staff", "admin@example.org")["people"]] == [reader.pk]


@pytest.mark.requirement("P14")
def test_an_unknown_account_key_or_export_is_named() -> None:
    log(instance=User.objects.create(username="kim@example.org"), action="newsletter.staff_added")
    for find in (
        lambda: list_staff_entries("no@example.org"),
        lambda: list_api_key_entries(9),
        lambda: list_export_entries(9),
    ):
        with pytest.raises(NotFound):
            find()
