"""Many people unsubscribe from a list together: the rows that are written."""

from datetime import timedelta

import pytest
from django.db import transaction

from subscribers.audience.eligibility import eligible
from subscribers.identity import identify
from subscribers.models import (
    Confirmation,
    ConsentEvent,
    CountedUnsubscribe,
    MailingList,
    Reason,
    Subscriber,
    Subscription,
    Suppression,
)
from subscribers.people.merge import merge_people
from subscribers.unsubscribing.bulk_unsubscribe import Unsubscribe, write_unsubscribes
from subscribers.unsubscribing.suppression import suppress
from subscribers.unsubscribing.unsubscribe import unsubscribe_from_list, unsubscribe_from_lists
from tests.support.fixtures import NOW
from tests.support.people import make_list, make_member, make_person, subscribe

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]
MAILING = 7


def members(mailing_list: MailingList, number: int) -> list[Subscriber]:
    return [make_member(mailing_list, f"person{each}@example.org") for each in range(number)]


def unsubscribes(people: list[Subscriber], mailing_list: MailingList) -> list[Unsubscribe]:
    return [Unsubscribe(each.pk, bytes(each.address_hash), mailing_list.pk, MAILING) for each in people]


def test_each_of_many_people_gets_all_rows_once() -> None:
    weekly, other = make_list(), make_list("other")
    people = members(weekly, 230)
    stays = make_member(weekly, "stays@example.org")
    for person in (people[0], people[229], stays):
        for mailing_list, sent_at in ((weekly, None), (weekly, NOW), (other, None)):
            Confirmation.objects.create(subscriber=person, mailing_list=mailing_list, requested_at=NOW, sent_at=sent_at)
    given = unsubscribes(people, weekly)
    first = write_unsubscribes(given, now=NOW, source="link")
    again = write_unsubscribes(given, now=NOW, source="link")
    assert first.changed == set(given)
    assert first.suppressed == {(each.address_hash, weekly.pk) for each in given}
    assert again == (set(), set(), set(), set())
    assert first.undoable == {(each.pk, weekly.pk) for each in people}
    assert Subscription.objects.open().get().subscriber == stays
    ended = Subscription.objects.exclude(subscriber=stays)
    assert set(ended.values_list("ended_at", "end_reason")) == {(NOW, "unsubscribe")}
    suppressions = Suppression.objects.values_list("at", "scope", "reason", "note", "removed_by", "removal_reason")
    assert list(suppressions) == [(NOW, "list", "unsubscribe", "", "", "")] * 230
    events = ConsentEvent.objects.values_list("kind", "at", "source", "wording", "by", "data")
    assert list(events) == [("left", NOW, "link", "", "", {})] * 230
    assert set(ConsentEvent.objects.values_list("subscriber", flat=True)) == {each.pk for each in people}
    assert list(CountedUnsubscribe.objects.values_list("mailing", "at")) == [(MAILING, NOW)] * 230
    assert Confirmation.objects.filter(subscriber=stays).count() == 3
    left = Confirmation.objects.exclude(subscriber=stays).values_list("mailing_list", "sent_at")
    assert sorted(left, key=str) == sorted([(weekly.pk, NOW), (other.pk, None)] * 2, key=str)


def test_the_address_of_now_is_suppressed_and_deleted_people_are_named() -> None:
    weekly = make_list()
    moved, gone = members(weekly, 2)
    given = unsubscribes([moved, gone], weekly)
    new_hash = identify("new@example.org")
    Subscriber.objects.filter(pk=moved.pk).update(email="new@example.org", address_hash=new_hash)
    gone.delete()
    result = write_unsubscribes(given, now=NOW, source="link")
    assert result.suppressed == {(new_hash, weekly.pk)}
    assert result.gone == {given[1]}
    assert [bytes(event.address_hash) for event in ConsentEvent.objects.filter(kind="left")] == [new_hash]


def test_a_merged_person_is_unsubscribed_by_the_record_read_before() -> None:
    weekly = make_list()
    absorbed, keep = make_member(weekly, "old@example.org"), make_person("keep@example.org")
    with transaction.atomic():
        merge_people(keep=keep, absorb=Subscriber.objects.get(pk=absorbed.pk), now=NOW)
    assert unsubscribe_from_list(subscriber=absorbed, mailing_list=weekly, now=NOW)
    assert not Subscription.objects.open().exists()
    assert bytes(Suppression.objects.get(reason="unsubscribe").address_hash) == bytes(keep.address_hash)


def test_two_links_read_before_and_after_a_new_address_count_once() -> None:
    weekly = make_list()
    (person,) = members(weekly, 1)
    read_before, read_after = (Unsubscribe(person.pk, digest, weekly.pk) for digest in (b"old", person.address_hash))
    assert len(unsubscribe_from_lists([read_before, read_after], now=NOW).changed) == 1
    assert ConsentEvent.objects.count() == Suppression.objects.count() == 1


@pytest.mark.parametrize("scope", ["", "all", "list"])
@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"basis": "consent_double_opt_in", "confirmed_at": NOW},
        {"basis": "consent_double_opt_in"},
        {"basis": "casl_implied", "expires_at": NOW + timedelta(days=1)},
        {"basis": "casl_implied", "expires_at": NOW},
    ],
)
def test_only_an_unsubscribe_that_ends_mail_is_undoable(fields: dict[str, object], scope: str) -> None:
    weekly, ada = make_list(), make_person()
    subscribe(ada, weekly, **fields)
    if scope:
        mailing_list = weekly if scope == "list" else None
        suppress(address_hash=bytes(ada.address_hash), reason=Reason.HARD, now=NOW, mailing_list=mailing_list)
    got_mail = eligible(mailing_list=weekly, now=NOW).exists()
    result = unsubscribe_from_lists(unsubscribes([ada], weekly), now=NOW)
    assert result.undoable == ({(ada.pk, weekly.pk)} if got_mail else set())
