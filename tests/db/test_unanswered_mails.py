"""A mail that one person waits for is sent again if the provider gave no clear answer, but not without end."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, connection, transaction
from django.db.models import QuerySet

from newsletter.issues.approval.write_notices import write_notice
from newsletter.jobs.confirmation_mails import send_due_confirmations
from newsletter.jobs.heartbeat import find_trouble
from newsletter.jobs.link_mails import send_due_links
from newsletter.jobs.notices.mail_notices import has_waiting_notice, send_due_notices
from newsletter.jobs.silent_people import ask_and_rest, has_waiting_question, send_due_questions
from newsletter.jobs.staff_link_mails import send_due_staff_links
from newsletter.models import MailLimits, ProviderAccount, Publication, StaffLink, StaffNotice
from newsletter.organisation.accounts.staff_accounts import change_staff
from newsletter.organisation.accounts.staff_links import make_staff_link
from newsletter.sending.limits.installation_hold import OLDER, hold_installation, release_installation
from newsletter.sending.notices import single_mails
from newsletter.sending.notices.single_mails import must_wait
from subscribers.consent.confirmations import list_due_confirmations, queue_confirmation
from subscribers.models import (
    Basis,
    Confirmation,
    MailedLink,
    QueuedMail,
    Reason,
    StayQuestion,
    Subscriber,
    Subscription,
)
from subscribers.models.queued_mails import REPEATED_AFTER
from subscribers.people.inactivity import list_due_questions
from subscribers.people.mailed_links import forget_unsent_links, list_due_links, request_mailed_link
from subscribers.unsubscribing.suppression import suppress
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


def invite_staff(
    publication: Publication, kind: StaffLink.Kind = StaffLink.Kind.INVITATION
) -> tuple[type[QueuedMail], Job]:
    person = User.objects.create_user("ann@example.org", email="ann@example.org")
    with transaction.atomic():
        make_staff_link(person=person, kind=kind, by=None, now=NOW)
    return StaffLink, send_due_staff_links


def ask_for_a_password(publication: Publication) -> tuple[type[QueuedMail], Job]:
    return invite_staff(publication, StaffLink.Kind.PASSWORD)


KINDS = [ask_to_confirm, ask_for_a_link, ask_a_silent_person, notify_staff, invite_staff]


def run(job: Job, *, at: datetime) -> int:
    """Do as the worker does at this moment, when nobody has to wait for the provider any more."""
    ProviderAccount.objects.update(wait_until=0, failures=0)
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


@pytest.mark.parametrize("make", KINDS)
def test_a_mail_that_waits_by_a_clock_that_was_ahead_is_sent_again(
    weekly: Publication, fake_provider: FakeProvider, make: Callable[..., tuple[type[QueuedMail], Job]]
) -> None:
    rows, job = make(weekly)
    rows._default_manager.update(sent_at=NOW + timedelta(hours=5), repeat_at=NOW + timedelta(hours=29))
    assert run(job, at=NOW) == 0, "another machine, whose clock is somewhat ahead, has sent it"
    rows._default_manager.update(sent_at=NOW + timedelta(days=400), repeat_at=NOW + timedelta(days=401))
    assert run(job, at=NOW) == 1


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


@pytest.mark.parametrize("make", KINDS)
def test_a_mail_that_may_have_arrived_never_counts_as_unsent(
    weekly: Publication, fake_provider: FakeProvider, make: Callable[..., tuple[type[QueuedMail], Job]]
) -> None:
    """Unsent rows are deleted when they are old, and give their quota back. Their links stop working."""
    rows, job = make(weekly)
    fake_provider.fault_next(LOST, answer(429))
    run(job, at=NOW)
    run(job, at=NOW + REPEATED_AFTER[0])
    row = rows._default_manager.get()
    assert (row.sent_at, row.repeats) == (NOW, 0)
    assert run(job, at=NOW + REPEATED_AFTER[0] + timedelta(minutes=1)) == 1
    assert run(job, at=NOW + timedelta(days=3)) == 0


def read_notice() -> None:
    StaffNotice.objects.update(read_at=NOW)


def use_staff_link() -> None:
    StaffLink.objects.update(used_at=NOW)


def use_mailed_link() -> None:
    MailedLink.objects.update(used_at=NOW)


def answer_question() -> None:
    StayQuestion.objects.update(answered_at=NOW)


def confirm() -> None:
    Subscription.objects.update(confirmed_at=NOW)


@pytest.mark.parametrize(
    ("make", "act"),
    [
        (ask_to_confirm, confirm),
        (ask_for_a_link, use_mailed_link),
        (ask_a_silent_person, answer_question),
        (notify_staff, read_notice),
        (invite_staff, use_staff_link),
    ],
)
def test_a_mail_that_had_its_effect_is_not_sent_again(
    weekly: Publication,
    fake_provider: FakeProvider,
    make: Callable[..., tuple[type[QueuedMail], Job]],
    act: Callable[[], None],
) -> None:
    rows, job = make(weekly)
    fake_provider.fault_next(LOST)
    run(job, at=NOW)
    act()
    assert run(job, at=NOW + REPEATED_AFTER[0]) == 0
    assert rows._default_manager.get().sent_at == NOW
    assert len(fake_provider.ledger) == 1


def test_an_accepted_newer_confirmation_ends_the_older_repeats(
    weekly: Publication, fake_provider: FakeProvider
) -> None:
    _, job = ask_to_confirm(weekly)
    fake_provider.fault_always(LOST)
    for hours in (0, 1, 3, 10):
        run(job, at=NOW + timedelta(hours=hours))
    fake_provider.fault_always(None)
    calls = len(fake_provider.ledger)
    first = Confirmation.objects.get()
    later = NOW + timedelta(hours=25)
    assert queue_confirmation(subscriber=first.subscriber, mailing_list=first.mailing_list, now=later)
    assert run(job, at=later) == 1
    assert run(job, at=NOW + timedelta(days=3)) == 0
    assert len(fake_provider.ledger) == calls + 1


def test_a_newer_link_leaves_the_link_that_may_have_arrived(weekly: Publication, fake_provider: FakeProvider) -> None:
    _, job = ask_for_a_link(weekly)
    fake_provider.fault_next(LOST)
    run(job, at=NOW)
    first = MailedLink.objects.get()
    later = NOW + REPEATED_AFTER[0] + timedelta(seconds=1)
    assert request_mailed_link(subscriber=first.subscriber, mailing_list=first.mailing_list, kind=first.kind, now=later)
    assert run(job, at=later) == 1
    assert run(job, at=later + timedelta(minutes=30)) == 0
    assert MailedLink.objects.filter(pk=first.pk, sent_at=NOW).exists()


def test_a_link_too_old_to_repeat_still_works(weekly: Publication, fake_provider: FakeProvider) -> None:
    """A link to confirm an address is valid for seven days."""
    _, job = ask_for_a_link(weekly)
    fake_provider.fault_always(LOST)
    for hours in (0, 0.5, 2, 30):
        run(job, at=NOW + timedelta(hours=hours))
    assert len(fake_provider.ledger) == 2
    forget_unsent_links(MailedLink.objects.all(), now=NOW + timedelta(days=2))
    assert MailedLink.objects.get().sent_at == NOW + timedelta(hours=0.5)


@pytest.mark.parametrize("make", [ask_for_a_link, ask_for_a_password])
def test_the_log_promises_no_repeat_that_would_come_too_late(
    weekly: Publication,
    fake_provider: FakeProvider,
    caplog: pytest.LogCaptureFixture,
    make: Callable[..., tuple[type[QueuedMail], Job]],
) -> None:
    """These mails are of use for an hour, so the repeat after ten minutes is the last one."""
    rows, job = make(weekly)
    fake_provider.fault_always(answer(503))
    run(job, at=NOW)
    assert "is sent again later" in caplog.text
    caplog.clear()
    run(job, at=NOW + REPEATED_AFTER[0])
    assert rows._default_manager.get().repeat_at is None
    assert "is not sent again" in caplog.text


def test_staff_whose_account_is_off_get_no_waiting_notice(weekly: Publication, fake_provider: FakeProvider) -> None:
    _, job = notify_staff(weekly)
    lost = StaffNotice.objects.get()
    assert lost.claim(now=NOW)
    write_notice(weekly, "test-2", "It goes on", ["Look."], "https://example.org/", NOW, people=[lost.person])
    administrator = User.objects.create_superuser("admin@example.org", email="admin@example.org")
    change_staff(person=lost.person, email=lost.person.email, role="", active=False, by=administrator, now=NOW)
    later = NOW + REPEATED_AFTER[0]
    assert not has_waiting_notice(now=later)
    assert run(job, at=later) == 0
    assert fake_provider.ledger == []
    assert not find_trouble(now=NOW + timedelta(days=1))


@pytest.mark.parametrize("make", [ask_to_confirm, ask_for_a_link, ask_a_silent_person])
def test_no_reader_is_mailed_while_everything_is_held(
    weekly: Publication, fake_provider: FakeProvider, make: Callable[..., tuple[type[QueuedMail], Job]]
) -> None:
    """After a restore, the rows do not say what was mailed since the backup."""
    _, job = make(weekly)
    hold_installation(reason=OLDER, now=NOW)
    assert run(job, at=NOW) == 0
    assert fake_provider.ledger == []
    release_installation(now=NOW)
    assert run(job, at=NOW) == 1


@pytest.mark.parametrize("make", [ask_to_confirm, ask_for_a_link, ask_a_silent_person])
def test_whoever_is_suppressed_while_the_job_runs_gets_no_mail(
    weekly: Publication,
    fake_provider: FakeProvider,
    monkeypatch: pytest.MonkeyPatch,
    make: Callable[..., tuple[type[QueuedMail], Job]],
) -> None:
    """A job reads up to a hundred mails at once, and a slow provider takes minutes for them. Staff block somebody then."""
    _, job = make(weekly)

    def block_and_wait(**options: Any) -> bool:
        suppress(address_hash=Subscriber.objects.get().address_hash, reason=Reason.STAFF, now=NOW)
        return must_wait(**options)

    monkeypatch.setattr(single_mails, "must_wait", block_and_wait)
    assert run(job, at=NOW) == 0
    assert fake_provider.ledger == []


def test_a_question_that_may_have_arrived_is_kept(weekly: Publication, fake_provider: FakeProvider) -> None:
    _, job = ask_a_silent_person(weekly)
    fake_provider.fault_next(LOST)
    run(job, at=NOW)
    MailLimits.objects.update(silent_months=None)
    run(job, at=NOW + timedelta(days=1))
    ask_and_rest(now=NOW + timedelta(days=1))
    assert StayQuestion.objects.get().sent_at == NOW


def test_a_mail_is_not_sent_again_after_a_week(weekly: Publication, fake_provider: FakeProvider) -> None:
    """Nobody expects it any more, as after staff turned the questions off for a year."""
    _, job = ask_a_silent_person(weekly)
    fake_provider.fault_next(LOST)
    run(job, at=NOW)
    assert run(job, at=NOW + timedelta(days=8)) == 0
    assert not has_waiting_question(now=NOW + timedelta(days=8))


def test_a_late_refusal_does_not_undo_the_claim_of_another(weekly: Publication) -> None:
    ask_to_confirm(weekly)
    stalled, other = Confirmation.objects.get(), Confirmation.objects.get()
    assert stalled.claim(now=NOW)
    other.refresh_from_db()
    later = NOW + REPEATED_AFTER[0]
    assert other.claim(now=later)
    assert not Confirmation.objects.get().claim(now=later)
    stalled.release()
    assert Confirmation.objects.get().sent_at == later


def test_a_newer_address_replaces_one_that_was_refused_for_now(weekly: Publication) -> None:
    (person,) = add_subscribers(weekly, 1)
    of_person = {"subscriber": person, "mailing_list": weekly.mailing_list, "kind": MailedLink.Kind.CONFIRM_ADDRESS}
    link = MailedLink.objects.create(**of_person, new_email="a@example.org", asked_at=NOW)
    assert link.claim(now=NOW)
    newer = MailedLink.objects.create(**of_person, new_email="b@example.org", asked_at=NOW)
    link.release()
    assert list(list_due_links(now=NOW + REPEATED_AFTER[0])) == [newer]


@pytest.mark.skipif(connection.vendor != "sqlite", reason="the plan is SQLite's")
@pytest.mark.parametrize("list_due", [list_due_confirmations, list_due_links, list_due_questions])
def test_due_mails_are_found_by_an_index(list_due: Callable[..., QuerySet[QueuedMail]]) -> None:
    """The jobs look every few seconds, and these tables keep what was sent."""
    scans = [line for line in list_due(now=NOW).explain().splitlines() if "SCAN" in line]
    assert scans
    assert all("USING" in line for line in scans), scans


def test_a_repeat_belongs_to_a_mail_that_was_handed_over(weekly: Publication) -> None:
    ask_to_confirm(weekly)
    with pytest.raises(IntegrityError), transaction.atomic():
        Confirmation.objects.update(repeat_at=NOW)
    with pytest.raises(IntegrityError), transaction.atomic():
        Confirmation.objects.update(repeats=len(REPEATED_AFTER) + 1)
