"""The suppression journal in tests: people who move, and lines that a full disk lost."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import pytest

from subscribers.models import MailedLink, MailingList, Subscriber
from subscribers.people.change_address import confirm_address_change
from subscribers.unsubscribing import suppression_journal
from tests.support.people import NOW


def move_person(person: Subscriber, *, to: str, at: datetime = NOW) -> Subscriber:
    """Move the person by a link that they confirm."""
    link = MailedLink.objects.create(
        subscriber=person,
        mailing_list=MailingList.objects.get(),
        kind=MailedLink.Kind.CONFIRM_ADDRESS,
        new_email=to,
        asked_at=at,
        sent_at=at,
    )
    return confirm_address_change(link=link, now=at)


@contextmanager
def lines_lost() -> Iterator[None]:
    """Lose each line, as a process does that ends while the disk is full."""
    with pytest.MonkeyPatch.context() as lost:
        lost.setattr(suppression_journal, "_append", lambda entries: None)
        yield
