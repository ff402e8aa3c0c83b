"""An import can be undone, and files of refusals make suppressions."""

import threading
from collections.abc import Callable, Collection
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from django.db import IntegrityError, connection, transaction

from subscribers.audience.eligibility import list_contactable
from subscribers.consent.signup import SignupRequest, SignupResult, request_subscription
from subscribers.consent_events import record_preferences
from subscribers.importing.reading.errors import CannotImport
from subscribers.importing.writing import import_run as run
from subscribers.importing.writing import undo, undo_steps
from subscribers.importing.writing.undo import count_undone, request_undo, undo_now
from subscribers.models import (
    Confirmation,
    ConsentEvent,
    EndReason,
    ImportBatch,
    ImportState,
    MailingList,
    Reason,
    Reply,
    Subscriber,
    Subscription,
    Suppression,
)
from subscribers.people.bulk_actions import take_off_list
from subscribers.people.lookup import find_person
from subscribers.people.merge import merge_people
from subscribers.people.replies import record_reply
from subscribers.unsubscribing.suppression import suppress
from subscribers.unsubscribing.suppression_journal import read_journal_entries
from subscribers.unsubscribing.unsubscribe import unsubscribe_from_all, unsubscribe_from_list
from tests.support.meanwhile import start_in_thread
from tests.support.people import NOW, make_list, make_member, subscribe
from tests.support.people_imports import Killed, import_text, kill_after, run_pending

pytestmark = [pytest.mark.postgres, pytest.mark.django_db, pytest.mark.requirement("D2")]
LATER = NOW + timedelta(minutes=5)


@pytest.mark.requirement("D3")
def test_an_undo_removes_new_people_and_keeps_others() -> None:
    weekly, events = make_list(), make_list("events")
    known = make_member(events, "known@example.org", name="Known")
    report = import_text(
        weekly, "email,name\nknown@example.org,\nnew@example.org,New\nleft@example.org,\nboth@example.org,\n"
    )
    import_text(events, "email\nboth@example.org\n")
    unsubscribe_from_list(subscriber=find_person("left@example.org"), mailing_list=weekly, now=LATER)
    batch = ImportBatch.objects.get(pk=report.batch_id)
    done = undo_now(batch, by="kim", clock=lambda: LATER)
    assert done == {"removed": 1, "ended": 2, "stayed": 1, "ended_before": 0, "lifted": 0, "kept": 0}
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
    report = import_text(weekly, "email\nann@example.org\nbea@example.org\n", confirm=True)
    Subscription.objects.filter(subscriber=find_person("ann@example.org")).update(confirmed_at=LATER)
    batch = ImportBatch.objects.get(pk=report.batch_id)
    done = undo_now(batch, by="kim", clock=lambda: LATER)
    assert (done["removed"], done["stayed"]) == (1, 1)
    assert [row.subscriber.email for row in list_contactable(mailing_list=weekly)] == ["ann@example.org"]
    assert not Confirmation.objects.filter(subscriber__email="bea@example.org").exists()


def test_an_undo_counts_people_whom_staff_took_off_the_list() -> None:
    weekly = make_list()
    report = import_text(weekly, "email\nann@example.org\nbea@example.org\n")
    take_off_list(people=[find_person("ann@example.org").pk], mailing_list=weekly, by="kim", now=LATER)
    done = undo_now(ImportBatch.objects.get(pk=report.batch_id), by="kim", clock=lambda: LATER)
    assert (done["removed"], done["ended"], done["stayed"], done["ended_before"]) == (1, 0, 0, 1)


def test_an_undo_counts_people_who_signed_up_again_as_staying() -> None:
    weekly = make_list()
    report = import_text(weekly, "email\nann@example.org\nbea@example.org\ncleo@example.org\n")
    people = [find_person(f"{name}@example.org") for name in ("ann", "bea")]
    take_off_list(people=[person.pk for person in people], mailing_list=weekly, by="kim", now=NOW)
    for person in people:
        sign_up(person, weekly)
    unsubscribe_from_list(subscriber=people[1], mailing_list=weekly, now=LATER)
    done = undo_now(ImportBatch.objects.get(pk=report.batch_id), by="kim", clock=lambda: LATER)
    assert (done["removed"], done["ended"], done["stayed"], done["ended_before"]) == (1, 0, 2, 0)


@pytest.mark.parametrize(("taken_off", "stayed"), [(False, 1), (True, 0)])
def test_an_undo_counts_people_merged_with_a_subscriber(taken_off: bool, stayed: int) -> None:
    weekly = make_list()
    known = make_member(weekly, "known@example.org")
    report = import_text(weekly, "email\nann@example.org\n")
    merge_people(keep=known, absorb=find_person("ann@example.org"), now=LATER)
    if taken_off:
        take_off_list(people=[known.pk], mailing_list=weekly, by="kim", now=LATER)
    batch = ImportBatch.objects.get(pk=report.batch_id)
    assert Subscription.objects.get(import_batch=batch).end_reason == EndReason.MERGED
    done = undo_now(batch, by="kim", clock=lambda: LATER)
    assert (done["removed"], done["ended"], done["stayed"], done["ended_before"]) == (0, 0, stayed, 1 - stayed)


def test_an_undo_counts_two_imported_records_of_one_person_once() -> None:
    weekly, events = make_list(), make_list("events")
    known = make_member(events, "known@example.org")
    report = import_text(weekly, "email\nknown@example.org\nann@example.org\n")
    merge_people(keep=known, absorb=find_person("ann@example.org"), now=LATER)
    done = undo_now(ImportBatch.objects.get(pk=report.batch_id), by="kim", clock=lambda: LATER)
    assert (done["removed"], done["ended"], done["stayed"], done["ended_before"]) == (0, 1, 0, 0)


@pytest.mark.parametrize(("reason", "removed"), [(Reason.HARD, 2), (Reason.SOFT_LIMIT, 2), (Reason.COMPLAINT, 1)])
def test_an_undo_removes_people_who_did_nothing_but_bounce(reason: Reason, removed: int) -> None:
    weekly = make_list()
    report = import_text(weekly, "email\nann@example.org\nbea@example.org\n")
    address_hash = bytes(find_person("ann@example.org").address_hash)
    suppress(address_hash=address_hash, reason=reason, now=LATER)
    done = undo_now(ImportBatch.objects.get(pk=report.batch_id), by="kim", clock=lambda: LATER)
    assert (done["removed"], done["stayed"]) == (removed, 2 - removed)
    assert Suppression.objects.live().filter(address_hash=address_hash).exists()


def test_an_undo_keeps_people_who_replied_since() -> None:
    weekly = make_list()
    report = import_text(weekly, "email\nann@example.org\nbea@example.org\n")
    record_reply(
        subscriber=find_person("ann@example.org"),
        replied_on=NOW.date(),
        issue=None,
        origin=Reply.Origin.STAFF,
        by="kim",
        now=LATER,
    )
    done = undo_now(ImportBatch.objects.get(pk=report.batch_id), by="kim", clock=lambda: LATER)
    assert (done["removed"], done["stayed"]) == (1, 1)
    assert (find_person("ann@example.org"), Reply.objects.count()) == (Subscriber.objects.get(), 1)
    assert list_contactable(mailing_list=weekly).count() == 1


def test_an_undo_keeps_people_whose_merged_record_acted_since() -> None:
    weekly = make_list()
    report = import_text(weekly, "email\nann@example.org\nann2@example.org\nbea@example.org\nbea2@example.org\n")
    record_preferences(find_person("ann@example.org"), {"stays": True}, now=LATER)
    for name in ("ann", "bea"):
        merge_people(keep=find_person(f"{name}2@example.org"), absorb=find_person(f"{name}@example.org"), now=LATER)
    done = undo_now(ImportBatch.objects.get(pk=report.batch_id), by="kim", clock=lambda: LATER)
    assert (done["removed"], done["stayed"]) == (1, 1)
    assert list(Subscriber.objects.values_list("email", flat=True)) == ["ann2@example.org"]


def test_an_undo_of_a_running_import_stops_it_and_is_ended_by_any_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    weekly = make_list()
    monkeypatch.setattr(run, "CHUNK_ROWS", 10)
    with monkeypatch.context() as patch:
        kill_after(2, patch)
        with pytest.raises(Killed):
            import_text(weekly, "email\n" + "".join(f"p{n}@example.org\n" for n in range(50)))
    batch = ImportBatch.objects.get()
    request_undo(batch, by="kim")
    run_pending()
    batch.refresh_from_db()
    assert (batch.state, Subscriber.objects.count()) == (ImportState.UNDONE, 0)


def test_an_unsubscribed_file_makes_suppressions_that_can_be_undone() -> None:
    weekly = make_list()
    here = make_member(weekly, "here@example.org")
    text = "email,left_on,left_because\nhere@example.org,2026-01-02,\ngone@example.org,,spam\n"
    report = import_text(weekly, text, kind="left_all", evidence="", basis="consent")
    assert (report.newly_suppressed, report.new, Subscriber.objects.count()) == (2, 0, 1)
    assert set(Suppression.objects.values_list("reason", "scope")) == {("unsubscribe", "all"), ("complaint", "all")}
    assert Suppression.objects.get(reason="unsubscribe").at == datetime(2026, 1, 2, tzinfo=UTC)
    assert not list_contactable(mailing_list=weekly).exists()
    assert import_text(weekly, text, kind="left_all", evidence="").suppressed == 2
    done = undo_now(ImportBatch.objects.get(pk=report.batch_id), by="kim", clock=lambda: LATER)
    assert (done["lifted"], done["kept"]) == (2, 0)
    assert [row.subscriber_id for row in list_contactable(mailing_list=weekly)] == [here.pk]


def _leave_all(person: Subscriber, weekly: MailingList) -> None:
    unsubscribe_from_all(subscriber=person, now=LATER)


def _leave_list(person: Subscriber, weekly: MailingList) -> None:
    unsubscribe_from_list(subscriber=person, mailing_list=weekly, now=LATER)


def _complain(person: Subscriber, weekly: MailingList) -> None:
    suppress(address_hash=bytes(person.address_hash), reason=Reason.COMPLAINT, now=LATER)


@pytest.mark.requirement("D3")
@pytest.mark.parametrize("kind", ["left_all", "left_list", "complained", "bounced"])
@pytest.mark.parametrize("ask", [_leave_all, _leave_list, _complain])
def test_an_undo_mails_nobody_who_asked_again_after_the_import(
    kind: str, ask: Callable[[Subscriber, MailingList], None]
) -> None:
    weekly = make_list()
    person = make_member(weekly, "ann@example.org")
    report = import_text(weekly, "email\nann@example.org\n", kind=kind, evidence="")
    ask(person, weekly)
    undo_now(ImportBatch.objects.get(pk=report.batch_id), by="kim", clock=lambda: LATER)
    assert not list_contactable(mailing_list=weekly).exists()


def test_an_undo_keeps_the_suppression_of_people_who_unsubscribed() -> None:
    weekly = make_list()
    person = make_member(weekly, "ann@example.org")
    report = import_text(weekly, "email\nann@example.org\n", kind="left_list")
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
    report = import_text(make_list(), "email\nann@example.org\n", kind=kind)
    assert report.newly_suppressed == 1
    assert Suppression.objects.values_list("reason", "scope", "import_batch").get() == (reason, scope, report.batch_id)
    event = ConsentEvent.objects.get()
    assert (event.kind, event.by, event.data) == ("suppressed", "kim", {"reason": reason})


def test_an_undo_that_is_killed_continues_and_counts_everybody_once(monkeypatch: pytest.MonkeyPatch) -> None:
    weekly, events = make_list(), make_list("events")
    make_member(events, "known@example.org")
    monkeypatch.setattr(undo_steps, "STEP_SIZE", 10)
    lines = "".join(f"p{number}@example.org\n" for number in range(44))
    report = import_text(weekly, f"email\nknown@example.org\n{lines}")
    batch = ImportBatch.objects.get(pk=report.batch_id)
    with monkeypatch.context() as patch:
        kill_after(2, patch, module=undo)
        with pytest.raises(Killed):
            undo_now(batch, by="kim", clock=lambda: LATER)
    assert Subscriber.objects.count() == 26
    run_pending(NOW + timedelta(hours=1))
    batch.refresh_from_db()
    assert count_undone(batch) == {"removed": 44, "ended": 1, "lifted": 0, "stayed": 0, "ended_before": 0, "kept": 0}
    assert ConsentEvent.objects.filter(kind="ended").count() == 45
    assert list(Subscriber.objects.values_list("email", flat=True)) == ["known@example.org"]


@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="Only SQLite counts the instructions of its statements")
@pytest.mark.parametrize("acted", [False, True])
def test_a_long_import_takes_no_more_work_for_each_person(acted: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(undo_steps, "STEP_SIZE", 50)
    work = []
    for people in (200, 1_600):
        weekly = make_list(f"list{people}")
        lines = "".join(f"person{number}of{people}@example.org\n" for number in range(people))
        batch = ImportBatch.objects.get(pk=import_text(weekly, f"email\n{lines}").batch_id)
        if acted:
            for person in Subscriber.objects.filter(import_batch=batch):
                choose(person, weekly)
        instructions: list[int] = []
        connection.connection.set_progress_handler(partial(instructions.append, 0), 100)
        undo_now(batch, by="kim", clock=lambda: LATER)
        connection.connection.set_progress_handler(None, 0)
        work.append(len(instructions) / people)
    assert work[1] < 1.3 * work[0]


def choose(person: Subscriber, mailing_list: MailingList) -> None:
    ConsentEvent.objects.create(
        subscriber=person, address_hash=person.address_hash, mailing_list=mailing_list, kind="preferences", at=LATER
    )


def sign_up(person: Subscriber, mailing_list: MailingList) -> None:
    subscribe(person, mailing_list, confirmed_at=LATER)
    ConsentEvent.objects.create(
        subscriber=person, address_hash=person.address_hash, mailing_list=mailing_list, kind="confirmed", at=LATER
    )


def test_an_undo_keeps_who_signs_up_just_before_their_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    weekly, monthly = make_list(), make_list("monthly")
    monkeypatch.setattr(undo_steps, "STEP_SIZE", 1)
    report = import_text(weekly, "email\nann@example.org\nben@example.org\n")
    ann = find_person("ann@example.org")
    lock = undo_steps.lock_ids_to_delete

    def act_first(ids: Collection[int]) -> None:
        if not ann.subscriptions.filter(mailing_list=monthly).exists():
            sign_up(ann, monthly)
        lock(ids)

    monkeypatch.setattr(undo_steps, "lock_ids_to_delete", act_first)
    done = undo_now(ImportBatch.objects.get(pk=report.batch_id), by="kim", clock=lambda: LATER)
    assert (done["removed"], done["stayed"]) == (1, 1)
    assert list(Subscription.objects.open().values_list("subscriber__email", "mailing_list__slug").order_by("pk")) == [
        ("ann@example.org", "weekly"),
        ("ann@example.org", "monthly"),
    ]


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite has one writer, so nobody signs up meanwhile")
def test_an_undo_deletes_no_sign_up_that_was_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    assert connection.vendor == "postgresql"
    weekly, monthly = make_list(), make_list("monthly")
    report = import_text(weekly, "email\nann@example.org\n")
    ann = Subscriber.objects.get()
    results: list[str] = []

    def try_it() -> None:
        try:
            sign_up(ann, monthly)
            results.append("accepted")
        except IntegrityError:
            results.append("refused")
        finally:
            connection.close()

    thread = threading.Thread(target=try_it)
    delete_people = undo_steps.delete_people

    def delete_later(ids: Collection[int]) -> None:
        if ids:
            thread.start()
            thread.join(2)
        delete_people(ids)

    monkeypatch.setattr(undo_steps, "delete_people", delete_later)
    undo_now(ImportBatch.objects.get(pk=report.batch_id), by="kim", clock=lambda: LATER)
    thread.join(60)
    assert (results, Subscriber.objects.count()) == (["refused"], 0)


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite has one writer, so nobody signs up meanwhile")
def test_a_sign_up_during_an_undo_is_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    weekly, monthly = make_list(), make_list("monthly")
    report = import_text(weekly, "email\nann@example.org\n")
    before = Subscriber.objects.get()
    with ThreadPoolExecutor(1) as pool:
        signing_up: list[Future[SignupResult]] = []
        delete_people = undo_steps.delete_people

        def sign_up_and_delete(ids: Collection[int]) -> None:
            if ids:
                signing_up.append(start_in_thread(pool, lambda: sign_up_for(monthly)))
            delete_people(ids)

        monkeypatch.setattr(undo_steps, "delete_people", sign_up_and_delete)
        done = undo_now(ImportBatch.objects.get(pk=report.batch_id), by="kim", clock=lambda: LATER)
        results = [each.result(timeout=60) for each in signing_up]
    assert (done["removed"], results) == (1, [SignupResult.ASKED])
    subscription = Subscription.objects.open().get()
    assert (subscription.mailing_list, subscription.subscriber.email) == (monthly, "ann@example.org")
    assert subscription.subscriber_id != before.pk


def sign_up_for(mailing_list: MailingList) -> SignupResult:
    return request_subscription(
        SignupRequest(email="ann@example.org", mailing_list=mailing_list, wording="Yes", source="form"), now=LATER
    )


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite has one writer, so nobody waits for a row")
@pytest.mark.parametrize("kind", ["join", "left_list"])
def test_an_undo_waits_for_unsubscribes_that_lock_in_another_order(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    weekly, monthly = make_list(), make_list("monthly")
    ann, ben = make_member(monthly, "ann@example.org"), make_member(monthly, "ben@example.org")
    report = import_text(weekly, "email\nben@example.org\nann@example.org\n", kind=kind)
    batch = ImportBatch.objects.get(pk=report.batch_id)
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            unsubscribe_from_list(subscriber=ann, mailing_list=weekly, now=LATER)
            undoing = start_in_thread(pool, lambda: undo_elsewhere(batch))
            assert not undoing.done()
            unsubscribe_from_list(subscriber=ben, mailing_list=weekly, now=LATER)
        done = undoing.result(timeout=60)
    assert (done["removed"], done["ended"], done["lifted"]) == (0, 0, 0)
    assert not list_contactable(mailing_list=weekly).exists()
    assert Suppression.objects.live().filter(reason=Reason.UNSUBSCRIBE, mailing_list=weekly).count() == 2
    assert not any(entry.removed for entry in read_journal_entries())


def undo_elsewhere(batch: ImportBatch) -> dict[str, int]:
    return undo_now(batch, by="kim", clock=lambda: LATER)
