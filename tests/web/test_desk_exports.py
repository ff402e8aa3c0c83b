"""An export of more than 500 people needs a reason, a password and a second person's approval, and works once."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from wagtail.models import ModelLogEntry

from newsletter.jobs.notices.about_people import notify_waiting_exports
from newsletter.models import AuditEntry, StaffNotice
from subscribers.exporting import export_requests as exports
from subscribers.exporting.csv_export import export_rows
from subscribers.exporting.export_requests import (
    CannotExport,
    allow_export,
    delete_old_exports,
    record_disclosure,
    request_export,
    take_export,
)
from subscribers.models import (
    Disclosure,
    ExportRequest,
    ImportBatch,
    ImportRefusal,
    MailingList,
    Subscriber,
    Subscription,
)
from subscribers.models.exports import MAX_PEOPLE_WITHOUT_APPROVAL
from tests.support.desk import PASSWORD, list_messages, sign_in
from tests.support.fixtures import make_publication
from tests.support.people import NOW, make_list, make_person

pytestmark = pytest.mark.django_db
ACCOUNT = {
    "name_email-first_name": "Ann",
    "name_email-last_name": "Example",
    "name_email-email": "ann@example.org",
    "theme-theme": "system",
    "theme-contrast": "system",
    "theme-density": "default",
    "locale-preferred_language": "",
    "locale-current_time_zone": "",
}
URL = reverse("subscribers_export")


def fill(mailing_list: MailingList, people: int) -> MailingList:
    start = Subscriber.objects.count()
    made = [make_person(f"p{start + number}@example.org") for number in range(people)]
    Subscription.objects.bulk_create(
        Subscription(subscriber=one, mailing_list=mailing_list, basis="consent", evidence="sheet", requested_at=NOW)
        for one in made
    )
    return mailing_list


@pytest.fixture(autouse=True)
def _no_attempts_counted() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def ann() -> Client:
    return sign_in("data", email="ann@example.org")


@pytest.fixture
def bob() -> Client:
    return sign_in("data", email="bob@example.org")


@pytest.fixture
def weekly() -> MailingList:
    return fill(make_list(), MAX_PEOPLE_WITHOUT_APPROVAL + 1)


def ask(client: Client, mailing_list: MailingList | None) -> ExportRequest:
    fields = {"mailing_list": mailing_list.pk if mailing_list else "", "reason": "Print run", "password": PASSWORD}
    client.post(URL, fields)
    return ExportRequest.objects.latest("pk")


def step(client: Client, asked: ExportRequest, name: str, **fields: str) -> str:
    """The file, or the last thing that the page says."""
    answer = client.post(reverse("subscribers_export_step", args=[asked.pk, name]), fields)
    if answer.streaming:
        return b"".join(answer).decode()  # type: ignore[arg-type]
    return list_messages(client.get(answer["Location"]))[-1]


@pytest.mark.requirement("V10")
def test_a_large_file_waits_for_a_second_person_and_is_taken_once(
    ann: Client, bob: Client, weekly: MailingList
) -> None:
    asked = ask(ann, weekly)
    assert not asked.without_approval
    assert "nobody has allowed it yet" in step(ann, asked, "take")
    assert "A second person has to allow it" in step(ann, asked, "allow", password=PASSWORD)
    assert "Incorrect password" in step(bob, asked, "allow", password="guess")
    page = bob.get(URL).content.decode()
    assert "ann@example.org asked on" in page
    assert "for 501 people of Weekly, for “Print run”" in page
    assert "Export allowed" in step(bob, asked, "allow", password=PASSWORD)
    assert "Only the person who asked" in step(bob, asked, "take")
    assert "Ready to download" in ann.get(URL).content.decode()
    assert step(ann, asked, "take").count("@example.org") == MAX_PEOPLE_WITHOUT_APPROVAL + 1
    assert "it was downloaded already" in step(ann, asked, "take")
    actions = ModelLogEntry.objects.filter(action__startswith="subscribers.export").order_by("pk")
    assert list(actions.values_list("action", "user__username")) == [
        ("subscribers.export_asked", "ann@example.org"),
        ("subscribers.export_allowed", "bob@example.org"),
        ("subscribers.export", "ann@example.org"),
    ]


@pytest.mark.requirement("V10")
@pytest.mark.parametrize("account", ["closed", "without its role"])
def test_an_export_ends_with_the_rights_of_the_person_who_allowed_it(
    ann: Client, bob: Client, weekly: MailingList, account: str
) -> None:
    asked = ask(ann, weekly)
    step(bob, asked, "allow", password=PASSWORD)
    second = User.objects.get(username="bob@example.org")
    if account == "closed":
        User.objects.filter(pk=second.pk).update(is_active=False)
    else:
        second.groups.clear()
    assert "Ready to download" not in ann.get(URL).content.decode()
    assert "bob@example.org allowed this file and may not allow exports any more." in step(ann, asked, "take")
    asked.refresh_from_db()
    assert asked.used_at is None
    assert exports.find_export_state(asked, now=timezone.now()) == exports.ExportState.EXPIRED


def test_a_large_file_says_if_nobody_else_can_allow_it(ann: Client, weekly: MailingList) -> None:
    sign_in("writer", email="wen@example.org")
    alone = ann.post(URL, {"mailing_list": weekly.pk, "reason": "Print run", "password": PASSWORD}, follow=True)
    assert "Nobody else here can do that." in list_messages(alone)[-1]
    sign_in("data", email="bob@example.org")
    answer = ann.post(URL, {"mailing_list": weekly.pk, "reason": "Print run", "password": PASSWORD}, follow=True)
    assert "We have emailed them." in list_messages(answer)[-1]


def test_many_small_files_count_together(ann: Client) -> None:
    small = [fill(make_list(f"list-{number}"), 200) for number in range(3)]
    assert [ask(ann, one).without_approval for one in small] == [True, True, False]
    tomorrow = timezone.now() + timedelta(days=1, minutes=1)
    who = User.objects.get(username="ann@example.org")
    assert request_export(
        by=who, mailing_list=small[2], reason="Print run", has_bom=False, now=tomorrow
    ).without_approval


@pytest.mark.requirement("V10")
def test_an_approved_export_ends_after_a_day_an_open_one_after_a_week(
    ann: Client, bob: Client, weekly: MailingList
) -> None:
    first, second = User.objects.get(username="ann@example.org"), User.objects.get(username="bob@example.org")
    asked = [
        request_export(by=first, mailing_list=weekly, reason="Print run", has_bom=False, now=NOW) for _ in range(2)
    ]
    allow_export(request=asked[0], by=second, now=NOW)
    with pytest.raises(CannotExport, match="a day has passed"):
        take_export(request=asked[0], by=first, now=NOW + timedelta(days=1, seconds=1))
    with pytest.raises(CannotExport, match="not waiting any more"):
        allow_export(request=asked[1], by=second, now=NOW + timedelta(days=7))
    take_export(request=asked[0], by=first, now=NOW + timedelta(days=1))
    delete_old_exports(now=NOW + exports.EXPORT_RECORD_RETENTION + timedelta(seconds=1))
    assert not ExportRequest.objects.exists()


@pytest.mark.requirement("V10")
def test_an_export_that_outgrew_its_approval_needs_another_one(ann: Client, bob: Client, weekly: MailingList) -> None:
    asked = ask(ann, weekly)
    shown = bob.get(URL).content.decode()
    assert "501 people of" in shown
    assert "The file can contain at most 526 people when it is downloaded." in shown
    fill(weekly, 25)
    assert step(bob, asked, "allow", password=PASSWORD).startswith("Export allowed.")
    fill(weekly, 1)
    grown = "There are 527 people now. The file was asked for 501, and may hold 526 at most."
    assert grown in step(ann, asked, "take")
    asked.refresh_from_db()
    assert (asked.used_at, asked.people_in_file) == (None, None)
    again = ask(ann, weekly)
    fill(weekly, again.max_people - again.people_when_asked + 1)
    assert "people now" in step(bob, again, "allow", password=PASSWORD)
    again.refresh_from_db()
    assert again.allowed_by is None
    Subscription.objects.order_by("-pk")[0].delete()
    step(bob, again, "allow", password=PASSWORD)
    assert step(ann, again, "take").count("@example.org") == again.max_people
    entry = ModelLogEntry.objects.filter(action="subscribers.export").get()
    assert (entry.data["people"], entry.data["most"], entry.data["taken"]) == (
        again.people_when_asked,
        again.max_people,
        again.max_people,
    )


@pytest.mark.requirement("V10")
def test_people_who_join_during_a_download_are_not_in_the_file(weekly: MailingList) -> None:
    assert len(list(export_rows(weekly, max_people=10))) == 1 + 10


@pytest.mark.requirement("G6")
def test_wrong_passwords_at_an_export_count_with_those_of_the_sign_in(
    ann: Client, bob: Client, weekly: MailingList
) -> None:
    asked = ask(bob, weekly)
    for number in range(10):
        if number % 2:
            answer = ann.post(URL, {"mailing_list": "", "reason": "Print run", "password": f"guess {number}"})
            assert "Incorrect password." in answer.content.decode()
        else:
            assert "The export was not allowed." in step(ann, asked, "allow", password=f"guess {number}")
    for _ in range(2):
        answer = ann.post(URL, {"mailing_list": "", "reason": "Print run", "password": PASSWORD})
        assert (answer.status_code, "Too many attempts. Wait five minutes" in answer.content.decode()) == (400, True)
    assert "Too many attempts" in step(ann, asked, "allow", password=PASSWORD)
    assert (
        "Too many attempts"
        in Client().post("/accounts/login/", {"login": "ann@example.org", "password": PASSWORD}).content.decode()
    )
    assert step(bob, asked, "take", password=PASSWORD)  # nobody else is stopped
    entries = AuditEntry.objects.filter(action__startswith="newsletter.sign_in_").order_by("pk")
    assert list(entries.values_list("action", "user__username")) == [
        *[("newsletter.sign_in_failed", "ann@example.org")] * 10,
        ("newsletter.sign_in_stopped", "ann@example.org"),
    ]


@pytest.mark.requirement("G6")
def test_the_old_password_on_ones_own_page_is_guessed_a_few_times_only(ann: Client) -> None:
    def change(old: str) -> str:
        new = {"password-new_password1": "a lantern over the bay", "password-new_password2": "a lantern over the bay"}
        return ann.post("/admin/account/", {**ACCOUNT, **new, "password-old_password": old}).content.decode()

    for number in range(10):
        assert "Incorrect password." in change(f"guess {number}")
    assert AuditEntry.objects.filter(action="newsletter.sign_in_failed").count() == 10
    assert "Too many attempts" in change(PASSWORD)
    cache.clear()
    change(PASSWORD)
    assert User.objects.get(username="ann@example.org").check_password("a lantern over the bay")


def list_wrong_values(asked: ExportRequest) -> Iterator[dict[str, object]]:
    yield {"allowed_by": asked.asked_by, "allowed_at": NOW, "expires_at": NOW}
    yield {"used_at": NOW}
    yield {"allowed_at": NOW}
    yield {"without_approval": True}
    yield {"reason": ""}
    yield {"max_people": asked.people_when_asked - 1}
    yield {"max_people": asked.people_when_asked + asked.people_when_asked // 20 + 1}
    yield {"people_in_file": 1}
    second = {"allowed_by": User.objects.get(username="bob@example.org"), "allowed_at": NOW, "expires_at": NOW}
    yield {**second, "used_at": NOW}
    yield {**second, "used_at": NOW, "people_in_file": asked.max_people + 1}


@pytest.mark.requirement("V10")
def test_the_database_itself_refuses_what_may_not_be(ann: Client, bob: Client, weekly: MailingList) -> None:
    asked = ask(ann, weekly)
    for fields in list_wrong_values(asked):
        with pytest.raises(IntegrityError), transaction.atomic():
            ExportRequest.objects.filter(pk=asked.pk).update(**fields)


@pytest.mark.requirement("V10")
def test_everybody_who_may_allow_an_export_is_mailed_once(ann: Client, bob: Client, weekly: MailingList) -> None:
    sign_in("writer")
    sign_in("admin")
    make_publication()
    ask(ann, weekly)
    for _ in range(2):
        notify_waiting_exports(now=timezone.now())
    told = StaffNotice.objects.filter(key__startswith="export-").order_by("person__email")
    assert list(told.values_list("person__email", flat=True)) == ["admin@example.org", "bob@example.org"]
    assert "ann@example.org asks to export 501 people, for “Print run”." in told[0].paragraphs
    assert told[0].paragraphs[1].startswith("You allow at most 526 people.")
    assert told[0].link.endswith(URL)


def use_up(mailing_list: MailingList, client: Client, people: int) -> None:
    """Let the person at this browser take so many people alone."""
    fill(mailing_list, people)
    fields = {"mailing_list": mailing_list.pk, "reason": "Print", "password": PASSWORD}
    assert client.post(URL, fields).headers["Content-Type"].startswith("text/csv")


def test_single_downloads_and_looks_count_towards_the_500(ann: Client) -> None:
    use_up(make_list(), ann, MAX_PEOPLE_WITHOUT_APPROVAL - 2)
    person = Subscriber.objects.all()[0]
    data, reveal = (reverse(name, args=[person.pk]) for name in ("subscribers_person_data", "subscribers_reveal"))
    assert ann.post(data).headers["Content-Type"] == "application/json"
    assert person.email in ann.post(reveal).content.decode()
    for refused in (data, reveal):
        answer = ann.post(refused, follow=True)
        assert (
            "You have downloaded or viewed 500 people in the last 24 hours, and this is 1 more."
            in list_messages(answer)[0]
        )
        assert person.email not in answer.content.decode()
    assert sorted(Disclosure.objects.values_list("kind", "people")) == [("person_file", 1), ("reveal", 1)]
    assert sign_in("data", email="bob@example.org").post(data).headers["Content-Type"] == "application/json"


def test_many_single_downloads_leave_no_room_for_a_file(ann: Client) -> None:
    mailing_list = fill(make_list(), 10)
    person, by = Subscriber.objects.all()[0], User.objects.get(username="ann@example.org")
    for _ in range(2):
        record_disclosure(by=by, kind=Disclosure.Kind.REVEAL, people=245, about=person.pk, now=timezone.now())
    asked = request_export(by=by, mailing_list=mailing_list, reason="Print", has_bom=False, now=timezone.now())
    assert asked.without_approval
    asked = request_export(by=by, mailing_list=mailing_list, reason="Print", has_bom=False, now=timezone.now())
    assert not asked.without_approval
    later = timezone.now() + timedelta(days=1, minutes=1)
    assert request_export(by=by, mailing_list=mailing_list, reason="Print", has_bom=False, now=later).without_approval


def test_refused_lines_of_somebody_elses_import_count(ann: Client) -> None:
    batch = ImportBatch.objects.create(
        mailing_list=make_list(),
        file_name="people.csv",
        by="bob@example.org",
        started_at=NOW,
        header=["email"],
        mapping=["email"],
        state="finished",
        evidence="Sheet",
    )
    ImportRefusal.objects.bulk_create(
        ImportRefusal(batch=batch, line=number, reason="no address", raw=f"p{number}") for number in range(300)
    )
    refused = reverse("subscribers_import_refused", args=[batch.pk])
    assert ann.get(refused).headers["Content-Type"].startswith("text/csv")
    assert (
        "The person who uploaded the file can download its refused lines."
        in list_messages(ann.get(refused, follow=True))[0]
    )
    assert Disclosure.objects.get().people == 300
    bob = sign_in("data", email="bob@example.org")
    for _ in range(2):
        assert bob.get(refused).headers["Content-Type"].startswith("text/csv")


def test_single_downloads_are_forgotten_after_a_month(ann: Client) -> None:
    by = User.objects.get(username="ann@example.org")
    record_disclosure(by=by, kind=Disclosure.Kind.REVEAL, people=1, about=1, now=timezone.now() - timedelta(days=31))
    record_disclosure(by=by, kind=Disclosure.Kind.REVEAL, people=1, about=1, now=timezone.now())
    delete_old_exports(now=timezone.now())
    assert Disclosure.objects.count() == 1


@pytest.mark.parametrize("wrong", [{"people": 0}, {"people": MAX_PEOPLE_WITHOUT_APPROVAL + 1}, {"kind": "whim"}])
def test_the_database_refuses_a_download_that_cannot_be(ann: Client, wrong: dict[str, object]) -> None:
    fields = {"by": User.objects.get(), "at": NOW, "kind": "reveal", "people": 1, "about": 1, **wrong}
    with pytest.raises(IntegrityError), transaction.atomic():
        Disclosure.objects.create(**fields)
