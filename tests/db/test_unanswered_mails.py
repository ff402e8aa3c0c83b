"""A mail that one person waits for is sent again if the provider gave no clear answer, but not without end."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from newsletter.issues.approval.write_notices import write_notice
from newsletter.jobs.confirmation_mails import send_due_confirmations
from newsletter.jobs.link_mails import send_due_links
from newsletter.jobs.notices.mail_notices import send_due_notices
from newsletter.jobs.silent_people import send_due_questions
from newsletter.jobs.staff_link_mails import send_due_staff_links
from newsletter.models import MailLimits, ProviderAccount, Publication, StaffLink, StaffNotice
from newsletter.organisation.accounts.staff_links import make_staff_link
from newsletter.sending.notices.single_mails import release_unanswered_mails
from subscribers.consent.confirmations import queue_confirmation
from subscribers.models import Basis, Confirmation, MailedLink, QueuedMail, StayQuestion, Subscription
from subscribers.models.queued_mails import REPEATED_AFTER
from subscribers.people.mailed_links import request_mailed_link
from tests.support.fake_provider import FakeProvider
from tests.support.fixtures import NOW, add_subscribers, make_publication
from tests.support.provider_faults import Fault, answer

pytestmark = pytest.mark.django_db(transaction=True)
LOST = Fault("reset_after_accepting")
Job = Callable[..., int]


@pytest.fixture
def weekly(fake_provider: FakeProvider, settings: Any) -> Publication:
    settings.NEWSLETTER_PROVIDER_URL = fake_provider.provider_url
    return make_publication()


def ask_to_confirm(publication: Publication) -> tuple[type[QueuedMail], Job]:
    (person,) = add_subscribers(publication, 1)
    Subscription.objects.update(confirmed_at=None, basis=Basis.DOUBLE_OPT_IN)
    assert queue_confirmation(subscriber=person, mailing_list=publication.mailing_list, now=NOW)
    return Confirmation, send_due_confirmations


def ask_for_a_link(publication: Publication) -> tuple[type[QueuedMail], Job]:
    (person,) = add_subscribers(publication, 1)
    kind = MailedLink.Kind.PREFERENCES
    assert request_mailed_link(subscriber=person, mailing_list=publication.mailing_list, kind=kind, now=NOW)
    return MailedLink, send_due_links


def ask_a_silent_person(publication: Publication) -> tuple[type[QueuedMail], Job]:
    (person,) = add_subscribers(publication, 1)
    MailLimits.objects.update_or_create(pk=1, defaults={"silent_months": 24})
    StayQuestion.objects.create(subscriber=person, mailing_list=publication.mailing_list, asked_at=NOW)
    return StayQuestion, send_due_questions


def notify_staff(publication: Publication) -> tuple[type[QueuedMail], Job]:
    person = User.objects.create_user("ann@example.org", email="ann@example.org")
    write_notice(
        publication, "test-1", "Something happened", ["Look at it."], "https://example.org/", NOW, people=[person]
    )
    return StaffNotice, send_due_notices


def invite_staff(publication: Publication) -> tuple[type[QueuedMail], Job]:
    person = User.objects.create_user("ann@example.org", email="ann@example.org")
    with transaction.atomic():
        make_staff_link(person=person, kind=StaffLink.Kind.INVITATION, by=None, now=NOW)
    return StaffLink, send_due_staff_links


KINDS = [ask_to_confirm, ask_for_a_link, ask_a_silent_person, notify_staff, invite_staff]


def run(job: Job, *, at: datetime) -> int:
    """Do as the worker does at this moment, when nobody has to wait for the provider any more."""
    ProviderAccount.objects.update(wait_until=0, failures=0)
    release_unanswered_mails(now=at)
    return job(now=at)


@pytest.mark.parametrize("make", KINDS)
def test_a_mail_without_an_answer_is_sent_again_after_a_while(
    weekly: Publication, fake_provider: FakeProvider, make: Callable[..., tuple[type[QueuedMail], Job]]
) -> None:
    rows, job = make(weekly)
    fake_provider.fault_next(answer(503))
    assert run(job, at=NOW) == 0
    assert rows._default_manager.get().sent_at == NOW
    assert run(job, at=NOW + REPEATED_AFTER[0] - timedelta(seconds=1)) == 0
    assert len(fake_provider.ledger) == 1
    assert run(job, at=NOW + REPEATED_AFTER[0]) == 1
    assert list(fake_provider.accepted_counts().values()) == [1]
    assert run(job, at=NOW + timedelta(days=3)) == 0


@pytest.mark.parametrize("make", KINDS)
def test_a_mail_of_a_killed_process_is_sent_again(
    weekly: Publication, fake_provider: FakeProvider, make: Callable[..., tuple[type[QueuedMail], Job]]
) -> None:
    rows, job = make(weekly)
    assert rows._default_manager.get().claim(now=NOW)
    assert run(job, at=NOW + REPEATED_AFTER[0] - timedelta(seconds=1)) == 0
    assert run(job, at=NOW + REPEATED_AFTER[0]) == 1


@pytest.mark.parametrize("fault", [None, answer(400, b'{"message": "to parameter is not a valid address"}')])
def test_a_mail_with_an_answer_is_never_sent_again(
    weekly: Publication, fake_provider: FakeProvider, fault: Fault | None
) -> None:
    _, job = ask_to_confirm(weekly)
    if fault:
        fake_provider.fault_next(fault)
    run(job, at=NOW)
    assert Confirmation.objects.get().repeat_at is None
    assert run(job, at=NOW + timedelta(days=3)) == 0
    assert len(fake_provider.ledger) == 1


def test_a_mail_that_the_provider_keeps_losing_is_sent_five_times(
    weekly: Publication, fake_provider: FakeProvider
) -> None:
    """Each of them may have arrived."""
    _, job = ask_to_confirm(weekly)
    fake_provider.fault_always(LOST)
    at = NOW
    for wait in (timedelta(0), *REPEATED_AFTER, *[timedelta(days=1)] * 3):
        at += wait
        run(job, at=at)
    assert len(fake_provider.ledger) == 1 + len(REPEATED_AFTER)
    row = Confirmation.objects.get()
    assert (row.repeat_at, row.sent_at) == (None, NOW + sum(REPEATED_AFTER, timedelta(0)))


def test_a_newer_request_takes_the_place_of_an_unanswered_one(weekly: Publication, fake_provider: FakeProvider) -> None:
    _, job = ask_to_confirm(weekly)
    fake_provider.fault_next(answer(503))
    run(job, at=NOW)
    first = Confirmation.objects.get()
    later = NOW + timedelta(days=2)
    assert queue_confirmation(subscriber=first.subscriber, mailing_list=first.mailing_list, now=later)
    assert run(job, at=later) == 1
    assert run(job, at=later + timedelta(days=2)) == 0
    assert list(fake_provider.accepted_counts().values()) == [1]


def test_a_repeat_belongs_to_a_mail_that_was_handed_over(weekly: Publication) -> None:
    ask_to_confirm(weekly)
    with pytest.raises(IntegrityError), transaction.atomic():
        Confirmation.objects.update(repeat_at=NOW)
    with pytest.raises(IntegrityError), transaction.atomic():
        Confirmation.objects.update(repeats=len(REPEATED_AFTER) + 1)
