"""Changes of address and withdrawn stories that found no room in the journal are added from the database."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import Permission, User
from wagtail.log_actions import log

from newsletter.models import Story
from newsletter.organisation.health.sending import check_journal
from newsletter.sending.repair_journal import repair_whole_journal
from newsletter.sending.withdraw_story import (
    reinstate_story,
    withdraw_again,
    withdraw_story,
)
from subscribers.models import MailingList, Subscriber
from subscribers.people.describe_person import describe_person
from subscribers.people.merge import merge_people
from subscribers.unsubscribing.suppression_journal import AddressChange, read_journal
from tests.support.fixtures import make_approver, make_story
from tests.support.journals import lines_lost, move_person
from tests.support.people import NOW, make_list, make_member

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True), pytest.mark.requirement("R3")]
LATER = NOW + timedelta(days=1)


@pytest.fixture(autouse=True)
def journal(settings: Any, tmp_path: Path) -> Path:
    settings.SUBSCRIBERS_JOURNAL = tmp_path / "left.journal"
    settings.SUBSCRIBERS_JOURNAL.touch()
    return tmp_path / "left.journal"


@pytest.fixture
def weekly() -> MailingList:
    return make_list()


@pytest.fixture
def editor() -> User:
    person = make_approver()
    person.user_permissions.add(Permission.objects.get(codename="change_story"))
    return User.objects.get(pk=person.pk)


def list_moves() -> list[AddressChange]:
    return [entry for entry in read_journal() if isinstance(entry, AddressChange)]


def hash_of(person: Subscriber) -> bytes:
    return bytes(person.address_hash)


def test_a_change_of_address_that_found_no_room_is_added(weekly: MailingList) -> None:
    ada = make_member(weekly, "ada@example.org")
    before = hash_of(ada)
    with lines_lost():
        moved = move_person(ada, to="ada.new@example.org")
    assert list_moves() == []
    assert repair_whole_journal(now=LATER) == 1
    assert list_moves() == [AddressChange(before, hash_of(moved), NOW)]
    assert repair_whole_journal(now=LATER) == 0
    assert before.hex() not in str(describe_person(moved, now=LATER)), "a hash tells the person nothing"


def test_each_of_several_changes_is_added_once(weekly: MailingList) -> None:
    ada = make_member(weekly, "ada@example.org")
    hashes = [hash_of(ada)]
    for number, name in enumerate(("second", "third", "fourth")):
        at = NOW + timedelta(hours=number)
        if name == "third":
            hashes.append(hash_of(move_person(ada, to=f"{name}@example.org", at=at)))
        else:
            with lines_lost():
                hashes.append(hash_of(move_person(ada, to=f"{name}@example.org", at=at)))
        ada.refresh_from_db()
    assert repair_whole_journal(now=LATER) == 2
    pairs = [(change.old_hash, change.new_hash) for change in sorted(list_moves(), key=lambda change: change.at)]
    assert pairs == list(pairwise(hashes))


def test_people_merged_into_others_are_added(weekly: MailingList) -> None:
    ada, bea = make_member(weekly, "ada@example.org"), make_member(weekly, "bea@example.org")
    with lines_lost():
        merge_people(keep=bea, absorb=ada, now=NOW)
    assert repair_whole_journal(now=LATER) == 1
    assert list_moves() == [AddressChange(hash_of(ada), hash_of(bea), NOW)]


def test_a_move_to_an_address_of_a_second_record_is_one_line(weekly: MailingList) -> None:
    ada, second = make_member(weekly, "ada@example.org"), make_member(weekly, "ada.new@example.org")
    before = hash_of(ada)
    with lines_lost():
        move_person(ada, to="ada.new@example.org")
    repair_whole_journal(now=LATER)
    assert list_moves() == [AddressChange(before, hash_of(second), NOW)]


def test_a_withdrawal_that_found_no_room_is_added(editor: User) -> None:
    story = make_story("How Maya came home")
    with lines_lost():
        withdraw_story(story=story, by=editor, reason="She asked us to.", now=NOW)
    assert repair_whole_journal(now=LATER) == 2, "the row and the page"
    assert repair_whole_journal(now=LATER) == 0
    Story.objects.update(withdrawn_at=None, withdrawn_reason="")
    assert withdraw_again(now=LATER) == [story]


def test_a_reinstatement_that_found_no_room_is_added(editor: User) -> None:
    story = make_story("How Maya came home")
    withdraw_story(story=story, by=editor, reason="She asked us to.", now=NOW)
    with lines_lost():
        reinstate_story(story=story, by=editor)
        log(instance=story, action="newsletter.reinstate_story", user=editor)
    assert repair_whole_journal(now=LATER) == 2
    assert repair_whole_journal(now=LATER) == 0
    assert withdraw_again(now=LATER) == []


def test_a_second_withdrawal_that_found_no_room_is_added(editor: User) -> None:
    story = make_story("How Maya came home")
    withdraw_story(story=story, by=editor, reason="She asked us to.", now=NOW)
    reinstate_story(story=story, by=editor)
    with lines_lost():
        story.refresh_from_db()
        withdraw_story(story=story, by=editor, reason="She asked again.", now=datetime.now(UTC))
    assert repair_whole_journal(now=LATER) == 2
    Story.objects.update(withdrawn_at=None, withdrawn_reason="")
    assert withdraw_again(now=LATER) == [story]


def test_an_older_database_reinstates_no_story_in_the_journal(editor: User) -> None:
    story = make_story("How Maya came home")
    withdraw_story(story=story, by=editor, reason="She asked us to.", now=NOW)
    Story.objects.update(withdrawn_at=None, withdrawn_reason="")
    assert repair_whole_journal(now=LATER) == 0
    assert withdraw_again(now=LATER) == [story]


def test_a_story_stays_withdrawn_though_a_clock_was_ahead_meanwhile(editor: User) -> None:
    story = make_story("How Maya came home")
    withdraw_story(story=story, by=editor, reason="She asked us to.", now=NOW)
    with time_machine.travel(LATER + timedelta(days=400), tick=False):
        reinstate_story(story=story, by=editor)
    story.refresh_from_db()
    withdraw_story(story=story, by=editor, reason="She asked us again.", now=LATER)
    Story.objects.update(withdrawn_at=None)
    assert withdraw_again(now=LATER) == [story]


def test_a_late_line_about_a_story_yields_to_a_newer_one(editor: User, journal: Path) -> None:
    story = make_story("How Maya came home")
    withdraw_story(story=story, by=editor, reason="She asked us to.", now=NOW)
    withdrawn = journal.read_bytes()
    reinstate_story(story=story, by=editor)
    log(instance=story, action="newsletter.reinstate_story", user=editor)
    journal.write_bytes(journal.read_bytes().removeprefix(withdrawn) + withdrawn)
    repair_whole_journal(now=LATER)
    assert withdraw_again(now=LATER) == []


def test_doctor_adds_changes_of_address_and_withdrawals(weekly: MailingList, editor: User) -> None:
    with lines_lost():
        move_person(make_member(weekly, "ada@example.org"), to="ada.new@example.org")
        withdraw_story(story=make_story("How Maya came home"), by=editor, reason="She asked us to.", now=NOW)
    assert "3 lines that had found no room were added" in check_journal(now=LATER).says
    assert "It misses nothing." in check_journal(now=LATER).says
