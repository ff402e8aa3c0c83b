"""Somebody unsubscribes while an undo, an import or a merge opens a subscription of theirs. Only PostgreSQL shows it."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from subscribers.models import MailingList, Subscriber, Subscription, Suppression
from subscribers.people.merge import merge_people
from subscribers.person_locks import lock_people_to_delete
from subscribers.unsubscribing.undo import undo_unsubscribe
from subscribers.unsubscribing.unsubscribe import unsubscribe_from_list
from tests.support.meanwhile import start_in_thread
from tests.support.people import make_list, make_member
from tests.support.people_imports import import_text

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time"),
]


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as threads:
        yield threads


@pytest.fixture
def weekly() -> MailingList:
    return make_list(name="Weekly")


@pytest.fixture
def ada(weekly: MailingList) -> Subscriber:
    return make_member(weekly)


def end_by_staff(person: Subscriber) -> None:
    Subscription.objects.filter(subscriber=person).update(ended_at=timezone.now(), end_reason="staff")


def unsubscribe_in(pool: ThreadPoolExecutor, person: Subscriber, mailing_list: MailingList) -> Future[bool]:
    """Unsubscribe in another thread, and return once it waits for a lock."""
    later = timezone.now() + timedelta(seconds=9)

    started = start_in_thread(
        pool, lambda: unsubscribe_from_list(subscriber=person, mailing_list=mailing_list, now=later, source="link")
    )
    assert not started.done()
    return started


def undo(person: Subscriber, mailing_list: MailingList) -> None:
    assert undo_unsubscribe(
        subscriber=person, mailing_list=mailing_list, now=timezone.now(), wording="I pressed this by mistake"
    )


def import_again(person: Subscriber, mailing_list: MailingList) -> None:
    import_text(mailing_list, f"email\n{person.email}\n")


@pytest.mark.parametrize("opens", [undo, import_again])
def test_an_unsubscribe_ends_what_opened_while_it_waited(
    opens: Callable[[Subscriber, MailingList], None], pool: ThreadPoolExecutor, ada: Subscriber, weekly: MailingList
) -> None:
    if opens is undo:
        unsubscribe_from_list(subscriber=ada, mailing_list=weekly, now=timezone.now(), source="link")
    else:
        end_by_staff(ada)
    with transaction.atomic():
        opens(ada, weekly)
        assert Subscription.objects.open().exists()
        waiting = unsubscribe_in(pool, ada, weekly)
    assert waiting.result(timeout=60)
    assert not Subscription.objects.open().exists()
    assert Suppression.objects.live().count() == 1


def test_an_unsubscribe_ends_what_a_merge_moved_while_it_waited(
    pool: ThreadPoolExecutor, ada: Subscriber, weekly: MailingList
) -> None:
    make_member(weekly, "ada.old@example.org")
    end_by_staff(ada)
    with transaction.atomic():
        keep, absorb = lock_people_to_delete(Subscriber.objects.all())
        merge_people(keep=keep, absorb=absorb, now=timezone.now())
        assert Subscription.objects.open().exists()
        waiting = unsubscribe_in(pool, ada, weekly)
    assert waiting.result(timeout=60)
    assert not Subscription.objects.open().exists()
    assert Suppression.objects.live().exists()
