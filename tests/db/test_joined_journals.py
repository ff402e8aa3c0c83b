"""Several machines share a database, and each has a journal: after a restore, one run replays all of them."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.core.management import CommandError, call_command

from newsletter.common.errors import NotReady
from newsletter.models import Installation, Story
from newsletter.sending.withdraw_story import (
    reinstate_story,
    withdraw_story,
)
from subscribers.audience.eligibility import eligible
from subscribers.models import ConsentEvent, MailingList, Reason, Subscriber, Subscription, Suppression
from subscribers.unsubscribing.join_journals import join_journal
from subscribers.unsubscribing.suppression import remove_suppression, suppress
from subscribers.unsubscribing.suppression_journal import StoryWithdrawal, append_entries
from subscribers.unsubscribing.unsubscribe import unsubscribe_from_list
from tests.support.fixtures import make_approver, make_story
from tests.support.journals import move_person
from tests.support.people import NOW, make_list, make_member

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True), pytest.mark.requirement("R3")]
LATER = NOW + timedelta(days=1)


class Machines:
    """Two machines with a data folder each. The second is the one that runs doctor."""

    def __init__(self, folder: Path, settings: Any) -> None:
        self.first, self.second = folder / "first.journal", folder / "second.journal"
        self._settings = settings
        settings.SUBSCRIBERS_JOURNAL = self.second

    @contextmanager
    def on_first(self) -> Iterator[None]:
        self._settings.SUBSCRIBERS_JOURNAL = self.first
        yield
        self._settings.SUBSCRIBERS_JOURNAL = self.second

    def run_doctor(self) -> None:
        call_command("doctor", "--after-restore", "--journal", str(self.first))


@pytest.fixture
def machines(tmp_path: Path, settings: Any) -> Machines:
    return Machines(tmp_path, settings)


@pytest.fixture
def weekly() -> MailingList:
    return make_list()


@pytest.fixture
def editor() -> User:
    person = make_approver()
    person.user_permissions.add(Permission.objects.get(codename="change_story"))
    return User.objects.get(pk=person.pk)


def restore_people(weekly: MailingList, *names: str) -> None:
    """As everybody was at the backup."""
    Suppression.objects.all().delete()
    Subscription.objects.all()._raw_delete("default")
    ConsentEvent.objects.all()._raw_delete("default")
    for one in Subscriber.objects.all():
        one.delete()
    for name in names:
        make_member(weekly, f"{name}@example.org")


def list_readers(weekly: MailingList) -> set[str]:
    found = eligible(mailing_list=weekly, now=LATER).values_list("subscriber__email", flat=True)
    return {email.split("@")[0] for email in found}


def is_withdrawn(story: Story) -> bool:
    return Story.objects.filter(pk=story.pk, withdrawn_at__isnull=False).exists()


def test_a_move_and_an_unsubscribe_on_two_machines_are_joined(weekly: MailingList, machines: Machines) -> None:
    ada, bea = make_member(weekly, "ada@example.org"), make_member(weekly, "bea@example.org")
    with machines.on_first():
        moved = move_person(ada, to="ada.new@example.org")
    unsubscribe_from_list(subscriber=moved, mailing_list=weekly, now=LATER)
    moved = move_person(bea, to="bea.new@example.org")
    with machines.on_first():
        unsubscribe_from_list(subscriber=moved, mailing_list=weekly, now=LATER)
    restore_people(weekly, "ada", "bea", "cleo")
    machines.run_doctor()
    assert list_readers(weekly) == {"cleo"}


def test_moves_of_one_person_on_two_machines_are_joined_by_time(weekly: MailingList, machines: Machines) -> None:
    """The second of three moves is on the other machine, and its line is read last."""
    ada = make_member(weekly, "ada@example.org")
    move_person(ada, to="second@example.org", at=NOW)
    ada.refresh_from_db()
    with machines.on_first():
        move_person(ada, to="third@example.org", at=NOW + timedelta(hours=1))
    ada.refresh_from_db()
    last = move_person(ada, to="fourth@example.org", at=NOW + timedelta(hours=2))
    unsubscribe_from_list(subscriber=last, mailing_list=weekly, now=LATER)
    restore_people(weekly, "ada", "cleo")
    machines.run_doctor()
    assert list_readers(weekly) == {"cleo"}


def test_moves_are_joined_though_the_clock_of_a_machine_is_ahead(weekly: MailingList, machines: Machines) -> None:
    ada = make_member(weekly, "ada@example.org")
    with machines.on_first():
        move_person(ada, to="second@example.org", at=NOW + timedelta(minutes=6))
    ada.refresh_from_db()
    last = move_person(ada, to="third@example.org", at=NOW + timedelta(minutes=2))
    unsubscribe_from_list(subscriber=last, mailing_list=weekly, now=LATER)
    restore_people(weekly, "ada", "cleo")
    machines.run_doctor()
    assert list_readers(weekly) == {"cleo"}


def test_a_suppression_counts_if_the_clock_of_its_removal_may_be_ahead(weekly: MailingList, machines: Machines) -> None:
    ada = make_member(weekly, "ada@example.org")
    with machines.on_first():
        suppress(address_hash=bytes(ada.address_hash), reason=Reason.STAFF, now=NOW)
        ahead = NOW + timedelta(minutes=5)
        remove_suppression(suppression=Suppression.objects.get(), by="kim", reason="they asked us to", now=ahead)
    suppress(address_hash=bytes(ada.address_hash), reason=Reason.STAFF, now=NOW + timedelta(minutes=2))
    restore_people(weekly, "ada", "cleo")
    machines.run_doctor()
    assert list_readers(weekly) == {"cleo"}


def test_doctor_says_how_much_it_read_from_each_journal(
    weekly: MailingList, machines: Machines, capsys: pytest.CaptureFixture[str]
) -> None:
    ada = make_member(weekly, "ada@example.org")
    with machines.on_first():
        suppress(address_hash=bytes(ada.address_hash), reason=Reason.STAFF, now=NOW)
    machines.run_doctor()
    assert f"Read from {machines.first}: 1 entry, 1 of which this machine's journal lacked." in capsys.readouterr().out
    call_command("doctor", "--after-restore", "--json", "--journal", str(machines.first))
    assert json.loads(capsys.readouterr().out)["journals"] == {str(machines.first): {"entries": 1, "added": 0}}


@pytest.mark.parametrize("odd", ['"at": "2026-01-01T00:00:00"', '"at": "2026-01-01T00:00:00+00:00", "list": {}'])
def test_odd_lines_of_a_journal_are_skipped(weekly: MailingList, machines: Machines, odd: str) -> None:
    ada = make_member(weekly, "ada@example.org")
    with machines.on_first():
        suppress(address_hash=bytes(ada.address_hash), reason=Reason.STAFF, now=NOW)
    line = f'{{"hash": "{bytes(ada.address_hash).hex()}", "reason": "staff", "lifted": true, "list": null, {odd}}}\n'
    machines.first.write_text(machines.first.read_text() + line)
    restore_people(weekly, "ada", "cleo")
    machines.run_doctor()
    assert list_readers(weekly) == {"cleo"}


def test_a_suppression_that_was_removed_on_another_machine_stays_so(weekly: MailingList, machines: Machines) -> None:
    eve = make_member(weekly, "eve@example.org")
    suppress(address_hash=bytes(eve.address_hash), reason=Reason.STAFF, now=NOW)
    with machines.on_first():
        remove_suppression(suppression=Suppression.objects.get(), by="kim", reason="a mistake of ours", now=LATER)
    restore_people(weekly, "eve")
    machines.run_doctor()
    assert list_readers(weekly) == {"eve"}


def test_a_story_reinstated_on_another_machine_stays_reinstated(editor: User, machines: Machines) -> None:
    story = make_story("How Maya came home")
    withdraw_story(story=story, by=editor, reason="She asked us to.", now=NOW)
    with machines.on_first():
        reinstate_story(story=story, by=editor)
    machines.run_doctor()
    assert not is_withdrawn(story)


def test_a_story_withdrawn_again_on_another_machine_is_withdrawn(editor: User, machines: Machines) -> None:
    story = make_story("How Maya came home")
    with machines.on_first():
        withdraw_story(story=story, by=editor, reason="She asked us to.", now=NOW)
    reinstate_story(story=story, by=editor)
    with machines.on_first():
        story.refresh_from_db()
        withdraw_story(story=story, by=editor, reason="She asked again.", now=datetime.now(UTC))
    Story.objects.update(withdrawn_at=None, withdrawn_reason="")
    machines.run_doctor()
    assert is_withdrawn(story)


def test_the_release_knows_what_the_other_journal_said(editor: User, machines: Machines) -> None:
    story = make_story("How Maya came home")
    withdraw_story(story=story, by=editor, reason="She asked us to.", now=NOW)
    with machines.on_first():
        reinstate_story(story=story, by=editor)
    machines.run_doctor()
    call_command("doctor", "--after-restore", "--release")
    assert not is_withdrawn(story)
    assert not Installation.objects.get().held


def test_joining_a_journal_again_adds_no_line(weekly: MailingList, machines: Machines) -> None:
    with machines.on_first():
        moved = move_person(make_member(weekly), to="ada.new@example.org")
        unsubscribe_from_list(subscriber=moved, mailing_list=weekly, now=LATER)
        append_entries([StoryWithdrawal(b"s" * 32, NOW)])
    assert join_journal(machines.first).added == 3
    assert machines.second.read_bytes().count(b"\n") == 3
    assert join_journal(machines.first).added == 0


def test_an_empty_journal_of_another_machine_is_fine(machines: Machines) -> None:
    machines.first.touch()
    assert join_journal(machines.first).added == 0


def test_a_file_that_is_no_journal_is_refused(machines: Machines) -> None:
    machines.first.write_text(json.dumps({"send": 1}) + "\n")
    with pytest.raises(NotReady, match="is no suppression journal"):
        join_journal(machines.first)


def test_a_missing_journal_file_is_named(machines: Machines) -> None:
    with pytest.raises(CommandError, match=r"first\.journal cannot be read or written: No such file"):
        machines.run_doctor()
    assert not Installation.objects.filter(held=True).exists()


def test_a_journal_is_only_read_after_a_restore() -> None:
    with pytest.raises(CommandError, match="--journal needs --after-restore"):
        call_command("doctor", "--journal", "left.journal")
