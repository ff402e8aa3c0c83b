"""V10: more than 500 people leave as a file only with a reason, a password, and the yes of a second person, once."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from wagtail.models import ModelLogEntry

from newsletter.jobs.tell_exports import tell_of_waiting_exports
from newsletter.models import StaffNotice
from subscribers import exports
from subscribers.exports import CannotExport, allow_export, ask_for_export, forget_old_exports, use_export
from subscribers.models import ExportRequest, MailingList, Subscriber, Subscription
from subscribers.models.exports import MOST_ALONE
from tests.support.fixtures import make_publication
from tests.support.people import NOW, make_list, make_person
from tests.web.desk import PASSWORD, said, sign_in

pytestmark = pytest.mark.django_db
URL = reverse("subscribers_export")


def fill(mailing_list: MailingList, people: int) -> MailingList:
    start = Subscriber.objects.count()
    made = [make_person(f"p{start + number}@example.org") for number in range(people)]
    Subscription.objects.bulk_create(
        Subscription(subscriber=one, mailing_list=mailing_list, basis="consent", evidence="sheet", requested_at=NOW)
        for one in made
    )
    return mailing_list


@pytest.fixture
def ann() -> Client:
    return sign_in("data", email="ann@example.org")


@pytest.fixture
def bob() -> Client:
    return sign_in("data", email="bob@example.org")


@pytest.fixture
def weekly() -> MailingList:
    return fill(make_list(), MOST_ALONE + 1)


def ask(client: Client, mailing_list: MailingList | None) -> ExportRequest:
    fields = {"mailing_list": mailing_list.pk if mailing_list else "", "reason": "Print run", "password": PASSWORD}
    client.post(URL, fields)
    return ExportRequest.objects.latest("pk")


def step(client: Client, asked: ExportRequest, name: str, **fields: str) -> str:
    """The file, or the last thing that the page says."""
    answer = client.post(reverse("subscribers_export_step", args=[asked.pk, name]), fields)
    if answer.streaming:
        return b"".join(answer).decode()  # type: ignore[arg-type]
    return said(client.get(answer["Location"]))[-1]


def test_v10_a_large_file_waits_for_a_second_person_and_is_taken_once(
    ann: Client, bob: Client, weekly: MailingList
) -> None:
    asked = ask(ann, weekly)
    assert not asked.alone
    assert "nobody has allowed it yet" in step(ann, asked, "take")
    assert "A second person has to allow it" in step(ann, asked, "allow", password=PASSWORD)
    assert "This is not your password" in step(bob, asked, "allow", password="guess")
    page = bob.get(URL).content.decode()
    assert "ann@example.org asked on" in page
    assert "for 501 people of Weekly, for “Print run”" in page
    assert "Allowed" in step(bob, asked, "allow", password=PASSWORD)
    assert "Only who asked" in step(bob, asked, "take")
    assert "Allowed, and yours to take" in ann.get(URL).content.decode()
    assert step(ann, asked, "take").count("@example.org") == MOST_ALONE + 1
    assert "it was taken already" in step(ann, asked, "take")
    actions = ModelLogEntry.objects.filter(action__startswith="subscribers.export").order_by("pk")
    assert list(actions.values_list("action", "user__username")) == [
        ("subscribers.export_asked", "ann@example.org"),
        ("subscribers.export_allowed", "bob@example.org"),
        ("subscribers.export", "ann@example.org"),
    ]


def test_v10_many_small_files_are_no_way_round(ann: Client) -> None:
    small = [fill(make_list(f"list-{number}"), 200) for number in range(3)]
    assert [ask(ann, one).alone for one in small] == [True, True, False]
    tomorrow = timezone.now() + timedelta(days=1, minutes=1)
    who = User.objects.get(username="ann@example.org")
    assert ask_for_export(by=who, mailing_list=small[2], reason="Print run", mark=False, now=tomorrow).alone


def test_v10_what_was_allowed_is_over_after_a_day_and_what_nobody_allowed_after_a_week(
    ann: Client, bob: Client, weekly: MailingList
) -> None:
    first, second = User.objects.get(username="ann@example.org"), User.objects.get(username="bob@example.org")
    asked = [ask_for_export(by=first, mailing_list=weekly, reason="Print run", mark=False, now=NOW) for _ in range(2)]
    allow_export(request=asked[0], by=second, now=NOW)
    with pytest.raises(CannotExport, match="a day is over"):
        use_export(request=asked[0], by=first, now=NOW + timedelta(days=1, seconds=1))
    with pytest.raises(CannotExport, match="not waiting any more"):
        allow_export(request=asked[1], by=second, now=NOW + timedelta(days=7))
    use_export(request=asked[0], by=first, now=NOW + timedelta(days=1))
    forget_old_exports(now=NOW + exports.USED_KEPT + timedelta(seconds=1))
    assert not ExportRequest.objects.exists()


def wrongs(asked: ExportRequest) -> Iterator[dict[str, object]]:
    yield {"allowed_by": asked.asked_by, "allowed_at": NOW, "expires_at": NOW}
    yield {"used_at": NOW}
    yield {"allowed_at": NOW}
    yield {"alone": True}
    yield {"reason": ""}


def test_v10_the_database_itself_refuses_what_may_not_be(ann: Client, weekly: MailingList) -> None:
    asked = ask(ann, weekly)
    for fields in wrongs(asked):
        with pytest.raises(IntegrityError), transaction.atomic():
            ExportRequest.objects.filter(pk=asked.pk).update(**fields)


def test_v10_those_who_may_allow_are_told_by_mail_once_and_who_asked_is_not(
    ann: Client, bob: Client, weekly: MailingList
) -> None:
    sign_in("writer")
    sign_in("admin")
    make_publication()
    ask(ann, weekly)
    for _ in range(2):
        tell_of_waiting_exports(now=timezone.now())
    told = StaffNotice.objects.filter(key__startswith="export-").order_by("person__email")
    assert list(told.values_list("person__email", flat=True)) == ["admin@example.org", "bob@example.org"]
    assert "ann@example.org asks to export 501 people, for “Print run”." in told[0].paragraphs
    assert told[0].link.endswith(URL)
