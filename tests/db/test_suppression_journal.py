"""The suppression journal: people who unsubscribed or were erased after a backup stay so after its restore."""

import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import OperationalError, connection

from newsletter.organisation.health.sending import check_journal
from newsletter.sending.limits import installation_hold as hold
from newsletter.sending.limits.installation_hold import hold_installation
from newsletter.sending.settling.mark_uncertain_after_restore import mark_open_batches_uncertain, release_after_restore
from newsletter.sending.settling.sweep import prepare_for_work
from subscribers.audience.eligibility import eligible
from subscribers.consent.signup import SignupRequest, confirm_subscription, request_subscription
from subscribers.erasing.erasure import erase_person
from subscribers.erasing.journal_check import _Position, _write_position, repair_journal
from subscribers.erasing.journal_replay import ReplayResult, replay_journal
from subscribers.importing.writing.import_people import ConsentTerms, PeopleFile, import_people
from subscribers.importing.writing.undo import undo_now
from subscribers.links.signed_links import LinkTarget
from subscribers.models import (
    ConsentEvent,
    ImportBatch,
    MailingList,
    Reason,
    Subscriber,
    Subscription,
    Suppression,
)
from subscribers.people.merge import merge_people
from subscribers.unsubscribing import journal_file, suppression_journal
from subscribers.unsubscribing.suppression import remove_suppression, suppress
from subscribers.unsubscribing.suppression_journal import (
    AddressChange,
    JournalEntry,
    append_entries,
    flush_pending_entries,
    journal_path,
    read_journal_entries,
)
from subscribers.unsubscribing.unsubscribe import unsubscribe_from_all, unsubscribe_from_list
from tests.support.disk import fill_up, small_disk
from tests.support.journals import move_person
from tests.support.people import NOW, make_list, make_member
from tests.support.processes import wait_until

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True), pytest.mark.requirement("R3")]
LATER = NOW + timedelta(days=1)
NAMES = ("ada", "bea", "cleo", "dora", "eve")


@pytest.fixture(autouse=True)
def journal(settings: Any, tmp_path: Path) -> Path:
    path = tmp_path / "left.journal"
    settings.SUBSCRIBERS_JOURNAL = path
    return path


@pytest.fixture
def weekly() -> MailingList:
    weekly = make_list()
    for name in NAMES:
        make_member(weekly, f"{name}@example.org")
    return weekly


def person(name: str) -> Subscriber:
    return Subscriber.objects.get(email=f"{name}@example.org")


def readers(weekly: MailingList) -> set[str]:
    found = eligible(mailing_list=weekly, now=LATER).values_list("subscriber__email", flat=True)
    return {email.split("@")[0] for email in found}


def move(name: str, *, to: str, at: datetime = NOW) -> Subscriber:
    return move_person(person(name), to=f"{to}@example.org", at=at)


def restore_the_backup(weekly: MailingList) -> None:
    """As everybody was before any of them left."""
    Suppression.objects.all().delete()
    Subscription.objects.all()._raw_delete("default")
    ConsentEvent.objects.all()._raw_delete("default")
    for one in Subscriber.objects.all():
        one.delete()
    for name in NAMES:
        make_member(weekly, f"{name}@example.org")


def test_a_restore_keeps_what_people_left_at_a_new_address(weekly: MailingList) -> None:
    """The backup has them at the old address."""
    unsubscribe_from_list(subscriber=move("ada", to="ada.new"), mailing_list=weekly, now=LATER)
    unsubscribe_from_all(subscriber=move("bea", to="bea.new"), now=LATER)
    move("cleo", to="cleo.new")
    suppress(address_hash=bytes(move("cleo.new", to="cleo.newer").address_hash), reason=Reason.COMPLAINT, now=LATER)
    move("dora", to="dora.new")
    unsubscribe_from_list(subscriber=move("dora.new", to="dora"), mailing_list=weekly, now=LATER)
    suppress(address_hash=bytes(move("eve", to="eve.new").address_hash), reason=Reason.HARD, now=LATER)
    restore_the_backup(weekly)
    replay_journal(now=LATER)
    assert readers(weekly) == {"eve"}
    assert replay_journal(now=LATER) == ReplayResult()


def test_a_move_to_the_same_address_ends_the_replay_too(weekly: MailingList) -> None:
    """Somebody may ask twice for one new address, and press both links."""
    move("ada", to="ada.new")
    unsubscribe_from_list(subscriber=move("ada.new", to="ada.new"), mailing_list=weekly, now=LATER)
    hashes = [bytes(person("ada.new").address_hash)] * 2
    append_entries([AddressChange(*hashes, NOW)])
    restore_the_backup(weekly)
    replay_journal(now=LATER)
    assert "ada" not in readers(weekly)


def test_people_who_follow_each_other_to_an_address_are_told_apart(weekly: MailingList) -> None:
    """Ada leaves the address that Bea then takes; Cleo has Dora's for a while."""
    unsubscribe_from_list(subscriber=move("ada", to="ada.new"), mailing_list=weekly, now=LATER)
    move("bea", to="ada")
    move("dora", to="dora.new")
    move("cleo", to="dora")
    unsubscribe_from_list(subscriber=move("dora", to="cleo.new"), mailing_list=weekly, now=LATER)
    restore_the_backup(weekly)
    replay_journal(now=LATER)
    assert readers(weekly) == {"bea", "dora", "eve"}


def test_an_address_that_a_merge_left_free_has_its_next_person(weekly: MailingList) -> None:
    merge_people(keep=person("bea"), absorb=person("ada"), now=NOW)
    move("cleo", to="ada")
    unsubscribe_from_list(subscriber=person("bea"), mailing_list=weekly, now=LATER)
    replay_journal(now=LATER)
    assert "ada" in readers(weekly)


def test_a_clock_that_was_set_back_hides_no_change_of_address(weekly: MailingList) -> None:
    move("ada", to="ada.new", at=NOW + timedelta(hours=2))
    moved = move("ada.new", to="ada.third", at=NOW + timedelta(hours=1))
    unsubscribe_from_list(subscriber=moved, mailing_list=weekly, now=LATER)
    restore_the_backup(weekly)
    replay_journal(now=LATER)
    assert "ada" not in readers(weekly)


def test_somebody_merged_into_another_stays_off_the_lists_that_they_left(weekly: MailingList) -> None:
    merge_people(keep=person("bea"), absorb=person("ada"), now=NOW)
    unsubscribe_from_list(subscriber=person("bea"), mailing_list=weekly, now=LATER)
    restore_the_backup(weekly)
    replay_journal(now=LATER)
    assert readers(weekly) == {"cleo", "dora", "eve"}


def test_somebody_who_confirmed_again_after_a_restore_stays(weekly: MailingList) -> None:
    unsubscribe_from_list(subscriber=move("ada", to="ada.new"), mailing_list=weekly, now=NOW)
    address = bytes(person("ada.new").address_hash)
    restore_the_backup(weekly)
    hash_before = bytes(person("ada").address_hash)
    append_entries([JournalEntry(hash_before, weekly.pk, Reason.UNSUBSCRIBE.value, LATER, removed=True)])
    assert address != hash_before
    replay_journal(now=LATER)
    assert "ada" in readers(weekly)


def test_an_address_that_somebody_else_has_now_keeps_their_mail(weekly: MailingList) -> None:
    moved = move("ada", to="ada.new")
    newcomer = make_member(weekly, "ada@example.org", created_at=LATER)
    Suppression.objects.all().delete()
    unsubscribe_from_list(subscriber=moved, mailing_list=weekly, now=LATER)
    ConsentEvent.objects.all()._raw_delete("default")
    Suppression.objects.all().delete()
    replay_journal(now=LATER)
    assert newcomer.email.split("@")[0] in readers(weekly)
    assert "ada.new" not in readers(weekly)


def test_a_change_of_address_that_the_database_has_suppresses_nobody(weekly: MailingList) -> None:
    moved = move("ada", to="ada.new")
    Subscriber.objects.filter(pk=moved.pk).update(created_at=NOW)
    make_member(weekly, "ada@example.org", created_at=NOW - timedelta(days=1))
    unsubscribe_from_list(subscriber=moved, mailing_list=weekly, now=LATER)
    Suppression.objects.all().delete()
    replay_journal(now=LATER)
    assert "ada" in readers(weekly)


@pytest.mark.skipif(connection.vendor != "postgresql", reason="a file does not break off")
@pytest.mark.requirement("U7")
@pytest.mark.requirement("P7")
def test_an_unsubscribe_with_a_lost_answer_is_journaled(weekly: MailingList, monkeypatch: pytest.MonkeyPatch) -> None:
    ada, commit = person("ada"), connection.commit

    def lose_the_answer() -> None:
        commit()
        raise OperationalError("server closed the connection unexpectedly")

    with monkeypatch.context() as patch:
        patch.setattr(connection, "commit", lose_the_answer)
        with pytest.raises(OperationalError):
            unsubscribe_from_list(subscriber=ada, mailing_list=weekly, now=NOW)
    assert "ada" not in readers(weekly)
    assert not unsubscribe_from_list(subscriber=ada, mailing_list=weekly, now=NOW), "the repeat finds it done"
    restore_the_backup(weekly)
    assert mark_open_batches_uncertain(now=LATER).suppressions_replayed == 1
    assert "ada" not in readers(weekly)


@pytest.mark.requirement("U7")
def test_a_failed_unsubscribe_is_not_in_the_journal(weekly: MailingList) -> None:
    """The answer says that nothing was written and asks the person to come again."""
    deadlock = OperationalError("deadlock detected")
    deadlock.__cause__ = psycopg.errors.DeadlockDetected("deadlock detected")

    def refuse(execute: Any, sql: str, *given: Any) -> Any:
        if "INSERT INTO" in sql and Suppression._meta.db_table in sql:
            raise deadlock
        return execute(sql, *given)

    with connection.execute_wrapper(refuse), pytest.raises(OperationalError):
        unsubscribe_from_list(subscriber=person("ada"), mailing_list=weekly, now=NOW)
    assert "ada" in readers(weekly)
    assert list(read_journal_entries()) == []


@pytest.mark.requirement("P7")
def test_a_restore_keeps_unsubscribes_complaints_and_erasures(weekly: MailingList) -> None:
    unsubscribe_from_list(subscriber=person("ada"), mailing_list=weekly, now=NOW)
    unsubscribe_from_all(subscriber=person("bea"), now=NOW)
    suppress(address_hash=bytes(person("cleo").address_hash), reason=Reason.COMPLAINT, now=NOW)
    erase_person(subscriber=person("dora"), by="kim", now=NOW)
    restore_the_backup(weekly)
    assert readers(weekly) == set(NAMES)
    assert mark_open_batches_uncertain(now=LATER).suppressions_replayed == 4
    assert readers(weekly) == {"eve"}
    assert not Subscriber.objects.filter(email="dora@example.org").exists()
    assert Subscription.objects.open().count() == 1
    assert release_after_restore(now=LATER) == ReplayResult()


def bring_leavers(weekly: MailingList) -> ImportBatch:
    text = (
        "email,status,left_on\n"
        "ada@example.org,unsubscribed,2025-01-02\nbea@example.org,bounced,\n"
        "cleo@example.org,complained,\ndora@example.org,blocklisted,\n"
    )
    import_people(
        PeopleFile(content=io.BytesIO(text.encode())),
        mailing_list=weekly,
        terms=ConsentTerms(basis="consent", evidence="the list of the old program"),
        by="kim",
        clock=lambda: NOW,
    )
    return ImportBatch.objects.get()


@pytest.mark.requirement("P7")
def test_people_suppressed_by_an_import_stay_so_after_a_restore(weekly: MailingList) -> None:
    bring_leavers(weekly)
    assert replay_journal(now=LATER) == ReplayResult()
    restore_the_backup(weekly)
    assert replay_journal(now=LATER) == ReplayResult(suppressed=4)
    assert readers(weekly) == {"eve"}


@pytest.mark.requirement("P7")
def test_marks_of_an_import_that_was_undone_are_not_played_back(weekly: MailingList) -> None:
    undo_now(bring_leavers(weekly), by="kim", clock=lambda: LATER)
    assert readers(weekly) == set(NAMES)
    assert replay_journal(now=LATER) == ReplayResult()
    restore_the_backup(weekly)
    assert replay_journal(now=LATER) == ReplayResult()
    assert readers(weekly) == set(NAMES)


@pytest.mark.requirement("P7")
def test_an_imported_suppression_removed_elsewhere_is_not_restored(weekly: MailingList, journal: Path) -> None:
    bring_leavers(weekly)
    of_this_machine, ada = journal.read_bytes(), person("ada")
    request_subscription(SignupRequest(email=ada.email, mailing_list=weekly, wording="yes", source="page"), now=LATER)
    confirm_subscription(target=LinkTarget(ada.uuid, weekly.public_id, LATER), now=LATER)
    journal.write_bytes(of_this_machine)
    assert replay_journal(now=LATER) == ReplayResult()
    assert "ada" in readers(weekly)


def test_nothing_is_played_back_that_the_database_remembers(weekly: MailingList) -> None:
    unsubscribe_from_list(subscriber=person("ada"), mailing_list=weekly, now=NOW)
    assert replay_journal(now=LATER) == ReplayResult()
    assert Suppression.objects.count() == 1


def test_people_who_subscribed_again_are_not_unsubscribed_again(weekly: MailingList, journal: Path) -> None:
    ada = person("ada")
    unsubscribe_from_list(subscriber=ada, mailing_list=weekly, now=NOW)
    of_another_machine = journal.read_bytes()
    request_subscription(SignupRequest(email=ada.email, mailing_list=weekly, wording="yes", source="page"), now=LATER)
    confirm_subscription(target=LinkTarget(ada.uuid, weekly.public_id, LATER), now=LATER)
    for notes in (journal.read_bytes(), of_another_machine):
        journal.write_bytes(notes)
        assert replay_journal(now=LATER) == ReplayResult()
    assert "ada" in readers(weekly)


def test_a_suppression_that_staff_removed_is_not_restored(weekly: MailingList) -> None:
    suppress(address_hash=bytes(person("eve").address_hash), reason=Reason.STAFF, now=NOW)
    remove_suppression(suppression=Suppression.objects.get(), by="kim", reason="a mistake of ours", now=LATER)
    restore_the_backup(weekly)
    assert replay_journal(now=LATER) == ReplayResult()
    assert "eve" in readers(weekly)


def test_the_notes_hold_no_address_and_survive_a_line_that_was_cut_off(weekly: MailingList, journal: Path) -> None:
    unsubscribe_from_list(subscriber=person("ada"), mailing_list=weekly, now=NOW)
    assert b"ada" not in journal.read_bytes()
    with journal.open("ab") as file:
        file.write(b'{"hash": "00')
    assert [one.reason for one in read_journal_entries()] == [Reason.UNSUBSCRIBE]
    unsubscribe_from_list(subscriber=person("bea"), mailing_list=weekly, now=NOW)
    assert [one.reason for one in read_journal_entries()] == [Reason.UNSUBSCRIBE] * 2


@pytest.fixture
def full(tmp_path: Path, settings: Any) -> Iterator[Path]:
    """The journal lies on a small disk of its own that is full; `make_room` ends that."""
    (tmp_path / "small").mkdir()
    with small_disk(tmp_path / "small", megabytes=1) as disk:
        settings.SUBSCRIBERS_JOURNAL = disk / "left.journal"
        (disk / "left.journal").touch()
        fill_up(disk / "filler")
        yield disk / "left.journal"


def make_room(journal: Path) -> None:
    (journal.parent / "filler").unlink()


def left(journal: Path) -> list[bool]:
    """Return for everybody whose last entry is an unsubscribe if they subscribed again."""
    return [one.removed for one in {one.key: one for one in read_journal_entries()}.values()]


def count_pending_entries() -> int:
    """Return how many entries of this process are not in the file yet, because the disk is full."""
    return suppression_journal._file().pending


def test_a_full_disk_does_not_prevent_unsubscribing(weekly: MailingList, full: Path) -> None:
    assert unsubscribe_from_list(subscriber=person("ada"), mailing_list=weekly, now=NOW)
    assert "ada" not in readers(weekly)
    assert count_pending_entries() == 1


def test_unsubscribes_on_a_full_disk_are_written_when_there_is_space(weekly: MailingList, full: Path) -> None:
    unsubscribe_from_list(subscriber=person("ada"), mailing_list=weekly, now=NOW)
    unsubscribe_from_all(subscriber=person("bea"), now=NOW)
    assert not flush_pending_entries()
    make_room(full)
    unsubscribe_from_list(subscriber=person("cleo"), mailing_list=weekly, now=NOW)
    assert count_pending_entries() == 0
    restore_the_backup(weekly)
    assert mark_open_batches_uncertain(now=LATER).suppressions_replayed == 3
    assert readers(weekly) == {"dora", "eve"}


def test_waiting_entries_are_written_automatically(
    weekly: MailingList, full: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_file, "RETRY_SECONDS", 0.1)
    unsubscribe_from_list(subscriber=person("ada"), mailing_list=weekly, now=NOW)
    make_room(full)
    wait_until(lambda: not count_pending_entries(), what="the note")
    assert left(full) == [False]


def test_a_disk_that_takes_half_a_line_loses_nobody(weekly: MailingList, full: Path) -> None:
    full.write_bytes(b"")
    make_room(full)
    filler = full.parent / "filler"
    unsubscribe_from_list(subscriber=person("ada"), mailing_list=weekly, now=NOW)
    full.write_bytes(full.read_bytes() + b" " * (4096 - 60 - full.stat().st_size - 1) + b"\n")
    fill_up(filler)
    unsubscribe_from_list(subscriber=person("bea"), mailing_list=weekly, now=NOW)
    assert full.stat().st_size == 4096, "the disk took a part of the line without an error"
    assert count_pending_entries() == 1
    make_room(full)
    assert flush_pending_entries()
    assert left(full) == [False, False]


def test_people_back_before_there_is_space_are_not_in_the_journal(weekly: MailingList, full: Path) -> None:
    ada = person("ada")
    unsubscribe_from_list(subscriber=ada, mailing_list=weekly, now=NOW)
    make_room(full)
    came_back = JournalEntry(bytes(ada.address_hash), weekly.pk, Reason.UNSUBSCRIBE.value, LATER, removed=True)
    append_entries([came_back])
    assert flush_pending_entries()
    assert left(full) == [True]


def test_entries_of_a_killed_process_are_journaled_at_the_next_start(
    weekly: MailingList, journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unsubscribe_from_list(subscriber=person("ada"), mailing_list=weekly, now=NOW)
    assert repair_journal(now=NOW) == 0
    with monkeypatch.context() as lost:
        lost.setattr("subscribers.unsubscribing.suppression_journal._append", lambda notes: None)
        unsubscribe_from_list(subscriber=person("bea"), mailing_list=weekly, now=NOW)
        bring_leavers_of_long_ago(weekly)
    monkeypatch.setattr(hold, "_REPLAYED", [])
    prepare_for_work(now=LATER)
    restore_the_backup(weekly)
    assert replay_journal(now=LATER).suppressed == 3
    assert readers(weekly) == {"dora", "eve"}


def bring_leavers_of_long_ago(weekly: MailingList) -> None:
    """Their marks carry a day before anything that was compared."""
    import_people(
        PeopleFile(content=io.BytesIO(b"email,status,left_on\ncleo@example.org,unsubscribed,2020-01-02\n")),
        mailing_list=weekly,
        terms=ConsentTerms(basis="consent", evidence="the list of the old program"),
        by="kim",
        clock=lambda: NOW,
    )


def test_a_mark_that_was_lifted_unnoted_is_not_set_again(
    weekly: MailingList, journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    suppress(address_hash=bytes(person("eve").address_hash), reason=Reason.STAFF, now=NOW)
    repair_journal(now=NOW)
    with monkeypatch.context() as lost:
        lost.setattr("subscribers.unsubscribing.suppression_journal._append", lambda notes: None)
        remove_suppression(suppression=Suppression.objects.get(), by="kim", reason="a mistake of ours", now=LATER)
    assert repair_journal(now=LATER) == 1
    assert repair_journal(now=LATER) == 0
    restore_the_backup(weekly)
    assert replay_journal(now=LATER) == ReplayResult()


def test_an_older_database_removes_no_unsubscribe_from_the_journal(weekly: MailingList, journal: Path) -> None:
    unsubscribe_from_list(subscriber=person("ada"), mailing_list=weekly, now=NOW)
    repair_journal(now=NOW)
    restore_the_backup(weekly)
    assert repair_journal(now=LATER) == 0
    assert replay_journal(now=LATER).suppressed == 1


def test_doctor_completes_the_journal_or_says_why_it_cannot(weekly: MailingList, full: Path) -> None:
    unsubscribe_from_list(subscriber=person("ada"), mailing_list=weekly, now=NOW)
    found = check_journal(now=LATER)
    assert (found.level, "No space left on device" in found.says) == ("error", True)
    make_room(full)
    assert check_journal(now=LATER).level == "ok"
    assert left(full) == [False]


def test_a_list_that_is_gone_since_is_passed_over(weekly: MailingList) -> None:
    other = make_list("other")
    ada = person("ada")
    unsubscribe_from_list(subscriber=ada, mailing_list=other, now=NOW)
    Suppression.objects.all().delete()
    ConsentEvent.objects.filter(mailing_list=other)._raw_delete("default")
    other.delete()
    assert replay_journal(now=LATER) == ReplayResult()


def test_every_machine_replays_its_journal_at_start_and_in_each_hold(weekly: MailingList) -> None:
    unsubscribe_from_list(subscriber=person("ada"), mailing_list=weekly, now=NOW)
    prepare_for_work(now=NOW)
    restore_the_backup(weekly)
    hold_installation(reason="the database was restored", now=LATER)
    prepare_for_work(now=LATER)
    assert "ada" not in readers(weekly)


def test_processes_that_start_together_note_how_far_they_compared(tmp_path: Path) -> None:
    """A file that all of them wrote first and then renamed was there for one of them only."""
    with ThreadPoolExecutor(4) as threads:
        for _ in range(50):
            list(threads.map(lambda number: _write_position(_Position(number, number, NOW)), range(4)))
    assert [file.name for file in journal_path().parent.iterdir()] == ["left.journal.checked"]
