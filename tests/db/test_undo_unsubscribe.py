"""The undo of an unsubscribe: what it brings back, what it leaves alone, and whose rows it changes."""

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from subscribers.audience.eligibility import eligible
from subscribers.identity import identify
from subscribers.links.signed_links import LinkTarget
from subscribers.models import (
    CountedUnsubscribe,
    MailedLink,
    MailingList,
    StayQuestion,
    Subscriber,
    Subscription,
    Suppression,
)
from subscribers.people.change_address import confirm_address_change
from subscribers.unsubscribing.one_click import unsubscribe_batch
from subscribers.unsubscribing.undo import can_undo, undo_unsubscribe
from subscribers.unsubscribing.unsubscribe import unsubscribe_from_all, unsubscribe_from_list
from tests.support.people import make_list, make_member, make_person, subscribe
from tests.support.people_imports import import_text

pytestmark = [pytest.mark.postgres, pytest.mark.django_db]


@pytest.fixture
def weekly() -> MailingList:
    return make_list(name="Weekly")


@pytest.fixture
def ada(weekly: MailingList) -> Subscriber:
    return make_member(weekly)


def undo(person: Subscriber, mailing_list: MailingList | None, now: datetime, *, mailing: int = 0) -> list[MailingList]:
    return undo_unsubscribe(
        subscriber=person, mailing_list=mailing_list, now=now, wording="by mistake", mailing=mailing
    )


def is_mailed(mailing_list: MailingList) -> bool:
    return eligible(mailing_list=mailing_list, now=timezone.now()).exists()


def test_an_undo_uses_the_address_that_the_person_has_now(weekly: MailingList, ada: Subscriber) -> None:
    """They confirmed a new address after the page of the undo was read. Their suppression went with them."""
    now = timezone.now()
    unsubscribe_from_list(subscriber=ada, mailing_list=weekly, now=now, source="link")
    read_before = Subscriber.objects.get(pk=ada.pk)
    new = identify("new@example.org")
    Subscriber.objects.update(email="new@example.org", address_hash=new)
    Suppression.objects.create(
        address_hash=new, mailing_list=weekly, scope="list", reason="unsubscribe", at=now, note="moved"
    )
    assert undo(read_before, weekly, now) == [weekly]
    assert is_mailed(weekly)
    assert not Suppression.objects.live().filter(address_hash=new).exists()


def test_an_undo_restores_no_request_that_nobody_confirmed(weekly: MailingList, ada: Subscriber) -> None:
    events, now = make_list("events"), timezone.now()
    subscribe(ada, events, basis="consent_double_opt_in", confirmed_at=None)
    unsubscribe_from_all(subscriber=ada, now=now, source="link")
    assert undo(ada, None, now) == [weekly]
    assert Subscription.objects.open().get().mailing_list == weekly


@pytest.mark.parametrize(
    "fields",
    [
        {"basis": "consent_double_opt_in", "confirmed_at": None},
        {"basis": "casl_implied", "expires_at": timezone.now() - timedelta(days=1)},
    ],
)
def test_no_undo_is_offered_of_a_subscription_without_mail(weekly: MailingList, fields: dict[str, object]) -> None:
    ada, now = make_person(), timezone.now()
    subscribe(ada, weekly, **fields)
    unsubscribe_from_list(subscriber=ada, mailing_list=weekly, now=now, source="link")
    assert not can_undo(subscriber=ada, mailing_list=weekly, now=now)
    assert undo(ada, weekly, now) == []
    assert not Subscription.objects.open().exists()


@pytest.mark.parametrize("everything", [False, True])
def test_an_undo_is_an_answer_of_somebody_who_rests(weekly: MailingList, ada: Subscriber, everything: bool) -> None:
    """Without it, the page would promise mail that a resting person does not get."""
    now = timezone.now()
    asked = now - timedelta(days=90)
    StayQuestion.objects.create(
        subscriber=ada, asked_at=asked, sent_at=asked, resting_since=now - timedelta(days=30), mailing_list=weekly
    )
    if everything:
        unsubscribe_from_all(subscriber=ada, now=now, source="link")
    else:
        unsubscribe_from_list(subscriber=ada, mailing_list=weekly, now=now, source="link")
    assert undo(ada, None if everything else weekly, now) == [weekly]
    assert is_mailed(weekly)


def test_an_undo_keeps_the_count_of_another_press(weekly: MailingList, ada: Subscriber) -> None:
    """Links of two mails were used in one commit, so both presses have the same time."""
    events, now = make_list("events"), timezone.now()
    subscribe(ada, events)
    unsubscribe_batch(
        [
            LinkTarget(ada.uuid, weekly.public_id, now, mailing=7),
            LinkTarget(ada.uuid, events.public_id, now, mailing=8),
        ],
        now=now,
    )
    assert undo(ada, weekly, now, mailing=7) == [weekly]
    assert list(CountedUnsubscribe.objects.values_list("mailing", flat=True)) == [8]


def test_an_undo_by_another_mails_link_removes_the_count(weekly: MailingList, ada: Subscriber) -> None:
    now = timezone.now()
    unsubscribe_from_list(subscriber=ada, mailing_list=weekly, now=now, source="link", mailing=7)
    assert undo(ada, weekly, now, mailing=8) == [weekly]
    assert not CountedUnsubscribe.objects.exists()


@pytest.mark.parametrize("everything", [False, True])
def test_an_undo_after_a_merge_removes_the_count(weekly: MailingList, ada: Subscriber, everything: bool) -> None:
    """The press was counted with the number of the record that the merge deleted."""
    now, keep = timezone.now(), make_person("ada.old@example.org")
    if everything:
        unsubscribe_from_all(subscriber=ada, now=now, source="link", mailing=7)
    else:
        unsubscribe_from_list(subscriber=ada, mailing_list=weekly, now=now, source="link", mailing=7)
    link = MailedLink.objects.create(
        subscriber=keep,
        mailing_list=weekly,
        kind=MailedLink.Kind.CONFIRM_ADDRESS,
        new_email=ada.email,
        asked_at=now,
        sent_at=now,
    )
    CountedUnsubscribe.objects.create(mailing=7, subscriber_id=keep.pk + ada.pk, at=now)
    person = confirm_address_change(link=link, now=now)
    assert undo(person, None if everything else weekly, now, mailing=7) == [weekly]
    assert CountedUnsubscribe.objects.get().subscriber_id == keep.pk + ada.pk


@pytest.mark.parametrize("everything", [False, True])
def test_an_undo_brings_back_each_value_of_a_subscription(weekly: MailingList, everything: bool) -> None:
    """An import's is still an import's: else the person would be welcomed as somebody who joins."""
    now = timezone.now()
    import_text(weekly, "email,name\nbob@example.org,Bob\n", clock=lambda: now - timedelta(days=1))
    held = Subscription.objects.filter(subscriber__email="bob@example.org")
    held.update(frequency="monthly", paused_until=now + timedelta(days=9))
    before = held.get()
    if everything:
        unsubscribe_from_all(subscriber=before.subscriber, now=now, source="link")
    else:
        unsubscribe_from_list(subscriber=before.subscriber, mailing_list=weekly, now=now, source="link")
    undo(before.subscriber, None if everything else weekly, now)
    values = held.open().values().get()
    assert values | {"id": before.pk} == held.values().get(pk=before.pk) | {"ended_at": None, "end_reason": ""}


@pytest.mark.parametrize(("left_later", "kept"), [("weekly", []), ("another", [8])])
def test_an_undo_of_all_removes_the_count_of_a_later_press_it_undoes(
    weekly: MailingList, ada: Subscriber, left_later: str, kept: list[int]
) -> None:
    """They left all mail, then a list by the link of another mail. Only what comes back is counted no more."""
    later, now = weekly if left_later == "weekly" else make_list("another"), timezone.now()
    unsubscribe_from_all(subscriber=ada, now=now - timedelta(minutes=2), source="link", mailing=7)
    unsubscribe_from_list(subscriber=ada, mailing_list=later, now=now - timedelta(minutes=1), source="link", mailing=8)
    assert CountedUnsubscribe.objects.count() == 2
    assert undo(ada, None, now, mailing=7) == [weekly]
    assert list(CountedUnsubscribe.objects.values_list("mailing", flat=True)) == kept
