"""A person is deleted while a page, a mail or an import writes about them. SQLite has one writer, so only PostgreSQL shows it."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, transaction
from django.http import HttpResponse
from django.test import Client

from subscribers.consent import signup
from subscribers.desk import person_actions
from subscribers.erasing.erasure import erase_person
from subscribers.identity import identify
from subscribers.links.signed_links import Purpose
from subscribers.models import Case, FormerIdentity, MailingList, Reason, Subscriber, Subscription, Suppression
from subscribers.people import change_address
from subscribers.people.mailed_links import Kind
from subscribers.people.merge import merge_people
from subscribers.unsubscribing import one_click
from subscribers.unsubscribing.suppression import suppress
from subscribers.web import own_data, preference_page, reconfirm_page, request_link_page, unsubscribe_page
from tests.support.desk import sign_in
from tests.support.meanwhile import start_in_thread
from tests.support.people import NOW, make_list, make_member, make_person, path_to

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time"),
]
Meanwhile = Callable[[Any, str, Callable[[], object]], list[Future[object]]]


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as threads:
        yield threads


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch, pool: ThreadPoolExecutor) -> Meanwhile:
    """Do the work in another thread just before a function is called for the first time."""

    def arrange(owner: Any, name: str, work: Callable[[], object]) -> list[Future[object]]:
        original, started = getattr(owner, name), list[Future[object]]()

        def call(*args: object, **named: object) -> object:
            if not started:
                started.append(start_in_thread(pool, work))
            return original(*args, **named)

        monkeypatch.setattr(owner, name, call)
        return started

    return arrange


@pytest.fixture
def weekly() -> MailingList:
    return make_list()


@pytest.fixture
def person(weekly: MailingList) -> Subscriber:
    return make_member(weekly)


def erase(person: Subscriber) -> Callable[[], None]:
    return lambda: erase_person(subscriber=Subscriber.objects.get(pk=person.pk), by="kim", now=NOW)


PREFERENCES, UNSUBSCRIBE = Purpose.PREFERENCES, Purpose.UNSUBSCRIBE
PAGES: dict[str, tuple[Any, str, Purpose, str, dict[str, str]]] = {
    "preferences": (preference_page, "activate_language_of", PREFERENCES, "", {"language": "es"}),
    "fewer emails": (preference_page, "activate_language_of", PREFERENCES, "/less", {}),
    "a case": (preference_page, "activate_language_of", PREFERENCES, "?case=river", {"do": "follow"}),
    "asking for a link": (own_data, "activate_language_of", PREFERENCES, f"/{Kind.DOWNLOAD}", {}),
    "asking for a new link": (own_data, "activate_language_of", PREFERENCES, "/fresh", {}),
    "staying": (reconfirm_page, "find_subscribed_lists", Purpose.STAY, "", {}),
    "a new address": (own_data, "activate_language_of", Purpose.CHANGE_ADDRESS, "", {"email": "new@example.org"}),
    "confirming an address": (change_address, "identify", Purpose.CONFIRM_ADDRESS, "", {}),
    "a download": (own_data, "activate_language_of", Purpose.DOWNLOAD, "", {}),
    "an erasure": (own_data, "activate_language_of", Purpose.ERASE, "", {}),
    "a confirmation": (signup, "remove_own_suppressions", Purpose.CONFIRM, "", {}),
    "unsubscribing": (one_click, "unsubscribe_from_lists", UNSUBSCRIBE, "", {}),
    "unsubscribing from all": (unsubscribe_page, "activate_language_of", UNSUBSCRIBE, "/all", {}),
    "an undo": (unsubscribe_page, "activate_language_of", UNSUBSCRIBE, "/undo", {}),
}


@pytest.mark.parametrize("page", PAGES)
def test_a_page_answers_while_its_person_is_deleted(
    page: str, meanwhile: Meanwhile, person: Subscriber, weekly: MailingList
) -> None:
    owner, name, purpose, rest, data = PAGES[page]
    Case.objects.create(slug="river", name="The river case")
    person.subscriptions.update(basis="consent_double_opt_in" if purpose is Purpose.CONFIRM else "consent")
    path = path_to(person, weekly, purpose) + rest
    if page == "an undo":
        Client().post(path_to(person, weekly))
    started = meanwhile(owner, name, erase(person))
    response = Client().post(path, {"lists": [weekly.pk], **data})
    assert [each.result(timeout=60) for each in started] == [None]
    assert response.status_code in (200, 410)
    assert not Subscriber.objects.exists()


@pytest.mark.parametrize(
    ("owner", "name", "rest"),
    [(one_click, "unsubscribe_from_lists", ""), (unsubscribe_page, "activate_language_of", "/all")],
)
def test_unsubscribing_during_a_merge_unsubscribes_the_other_record(
    owner: Any, name: str, rest: str, meanwhile: Meanwhile, person: Subscriber, weekly: MailingList
) -> None:
    keep = make_person("ada.new@example.org")

    def merge() -> None:
        with transaction.atomic():
            merge_people(keep=keep, absorb=Subscriber.objects.select_for_update().get(pk=person.pk), now=NOW)

    started = meanwhile(owner, name, merge)
    response = Client().post(path_to(person, weekly, UNSUBSCRIBE) + rest, {"List-Unsubscribe": "One-Click"})
    assert ([each.result(timeout=60) for each in started], response.status_code) == ([None], 200)
    assert Suppression.objects.live().get().address_hash == keep.address_hash
    assert not Subscription.objects.open().exists()


def test_a_page_that_fails_after_unsubscribing_does_not_undo_it(
    monkeypatch: pytest.MonkeyPatch, person: Subscriber, weekly: MailingList
) -> None:
    monkeypatch.setattr(unsubscribe_page, "_render_left", lambda *args, **named: 1 // 0)
    client = Client(raise_request_exception=False)
    assert client.post(path_to(person, weekly, UNSUBSCRIBE) + "/all").status_code == 500
    assert Suppression.objects.live().get().reason == Reason.UNSUBSCRIBE


def test_mail_for_a_known_address_that_is_deleted_gives_no_error(
    meanwhile: Meanwhile, person: Subscriber, weekly: MailingList
) -> None:
    started = meanwhile(request_link_page, "request_mailed_link", erase(person))
    response = Client().post("/my-mail", {"email": person.email})
    assert ([each.result(timeout=60) for each in started], response.status_code) == ([None], 200)
    assert "Check your inbox" in response.content.decode()


@pytest.mark.parametrize("purpose", [PREFERENCES, Purpose.STAY, Purpose.ERASE, Purpose.CONFIRM_ADDRESS])
def test_a_page_that_waited_for_an_erasure_says_so(
    purpose: Purpose, pool: ThreadPoolExecutor, person: Subscriber, weekly: MailingList
) -> None:
    path, work = path_to(person, weekly, purpose), erase(person)
    with transaction.atomic():
        work()
        waiting = start_in_thread(pool, lambda: Client().post(path))
        assert not waiting.done()
    page = waiting.result(timeout=60).content.decode()
    assert "This link no longer leads to you" in page or "This link was used already" in page


def test_a_page_that_waited_for_a_merge_saves_for_the_other(
    pool: ThreadPoolExecutor, person: Subscriber, weekly: MailingList
) -> None:
    Case.objects.create(slug="river", name="The river case")
    keep, path = make_person("ada.new@example.org"), path_to(person, weekly, PREFERENCES) + "?case=river"
    with transaction.atomic():
        merge_people(keep=keep, absorb=Subscriber.objects.select_for_update().get(pk=person.pk), now=NOW)
        waiting = start_in_thread(pool, lambda: Client().post(path, {"do": "follow"}))
        assert not waiting.done()
    assert "You follow this case" in waiting.result(timeout=60).content.decode()
    assert keep.case_follows.count() == FormerIdentity.objects.count() == 1


def test_an_own_erasure_that_waited_for_a_merge_erases_the_other(
    pool: ThreadPoolExecutor, person: Subscriber, weekly: MailingList
) -> None:
    keep, path = make_person("ada.new@example.org"), path_to(person, weekly, Purpose.ERASE)
    with transaction.atomic():
        merge_people(keep=keep, absorb=Subscriber.objects.select_for_update().get(pk=person.pk), now=NOW)
        waiting = start_in_thread(pool, lambda: Client().post(path))
        assert not waiting.done()
    assert "You have been erased" in waiting.result(timeout=60).content.decode()
    assert not Subscriber.objects.exists()
    assert list_erased() == {bytes(person.address_hash), bytes(keep.address_hash)}


def test_an_own_erasure_that_waited_for_a_new_address_stops_both(
    pool: ThreadPoolExecutor, person: Subscriber, weekly: MailingList
) -> None:
    path, arrival = path_to(person, weekly, Purpose.ERASE), path_to(person, weekly, Purpose.CONFIRM_ADDRESS)
    with transaction.atomic():
        assert Client().post(arrival).status_code == 200
        waiting = start_in_thread(pool, lambda: Client().post(path))
        assert not waiting.done()
    assert waiting.result(timeout=60).status_code == 200
    assert list_erased() == {bytes(person.address_hash), identify("new@example.org")}


def list_erased() -> set[bytes]:
    erased = Suppression.objects.live().filter(reason=Reason.ERASURE)
    return {bytes(address_hash) for address_hash in erased.values_list("address_hash", flat=True)}


ACTIONS: dict[str, tuple[str, str, dict[str, str]]] = {
    "name": ("correct_name", "name/", {"name": "Ada L."}),
    "corrected": ("request_correction", "corrected/", {"email": "ada.l@example.org"}),
    "reply": ("record_day", "reply/", {"replied_on": "2026-03-02"}),
    "suppress": ("suppress", "suppress/", {"why": "asked by phone"}),
    "allow": ("remove_suppression", "remove-suppression/{}/", {"why": "asked by phone to get it again"}),
    "erase": ("erase_person", "erase/", {}),
}


def staff_path(person: Subscriber, rest: str) -> str:
    suppress(address_hash=bytes(person.address_hash), reason=Reason.HARD, now=NOW)
    return f"/admin/people/{person.pk}/{rest.format(Suppression.objects.get().pk)}"


@pytest.mark.parametrize("action", ACTIONS)
def test_a_change_by_staff_ends_before_the_person_is_deleted(
    action: str, meanwhile: Meanwhile, person: Subscriber
) -> None:
    name, rest, data = ACTIONS[action]
    path, staff = staff_path(person, rest), sign_in("admin")
    started = meanwhile(person_actions, name, erase(person))
    response = staff.post(path, data)
    assert response.status_code == 302
    if action != "erase":
        assert [each.result(timeout=60) for each in started] == [None]
    assert not Subscriber.objects.exists()


@pytest.mark.parametrize("action", ACTIONS)
def test_staff_read_that_the_person_was_just_deleted(action: str, pool: ThreadPoolExecutor, person: Subscriber) -> None:
    _, rest, data = ACTIONS[action]
    path, staff, work = staff_path(person, rest), sign_in("admin"), erase(person)

    def act() -> HttpResponse:
        return staff.post(path, data, follow=True)

    with transaction.atomic():
        work()
        waiting = start_in_thread(pool, act)
        assert not waiting.done()
    page = waiting.result(timeout=60).content.decode()
    assert "This person was deleted or merged with another one meanwhile. Nothing was changed." in page
