"""Mails of the system itself: confirmations and notices to staff."""

import re
from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import Permission, User
from wagtail.users.models import UserProfile

from newsletter.common.messages import Message
from newsletter.issues.approval.write_notices import write_notice
from newsletter.issues.assembly.assemble import assemble_slot
from newsletter.issues.assembly.slots import get_or_create_slot
from newsletter.issues.protected_terms.terms import add_terms
from newsletter.jobs import confirmation_mails
from newsletter.jobs.confirmation_mails import send_due_confirmations
from newsletter.jobs.notices.about_issues import notify_assembly
from newsletter.jobs.notices.mail_notices import send_due_notices
from newsletter.models import Brand, Picture, StaffNotice
from subscribers.consent.signup import SignupRequest, confirm_subscription, request_subscription
from subscribers.links.signed_links import Purpose, read_link
from subscribers.models import Confirmation, Subscription
from tests.support.fixtures import DUE, NOW, make_approver, make_publication, make_story
from tests.support.people import make_list
from tests.support.provider_faults import Fault, answer

pytestmark = pytest.mark.django_db
DUE_AT = datetime.fromisoformat("2026-03-05T09:00:00+00:00")


@pytest.fixture
def mailgun(fake_provider, settings):
    settings.NEWSLETTER_PROVIDER_URL = fake_provider.provider_url
    return fake_provider


def ask(publication, email="ada@example.org", **more):
    asked = {"mailing_list": publication.mailing_list, "wording": "Send me the letter.", "source": "/join/weekly"}
    request_subscription(SignupRequest(email=email, **asked, **more), now=NOW)


@pytest.mark.requirement("M7")
def test_a_confirmation_has_no_personal_data_and_no_unsubscribe_link(mailgun):
    publication = make_publication()
    ask(publication, name="WIN 500 http://evil.example")
    assert send_due_confirmations(now=NOW) == 1
    (mail,) = mailgun.mailbox("ada@example.org")
    assert "WIN" not in mail.html + mail.text + mail.subject
    assert "List-Unsubscribe" not in mail.headers
    assert mail.headers["Auto-Submitted"] == "auto-generated"
    assert "<img" not in mail.html


def test_a_confirmation_shows_the_logo_of_the_brand(mailgun):
    publication = make_publication()
    logo = Picture.objects.create(file="ab/logo.png", sha256="ab", width=400, height=120, alt="")
    Brand.objects.update(logo=logo)
    ask(publication)
    assert send_due_confirmations(now=NOW) == 1
    (mail,) = mailgun.mailbox("ada@example.org")
    assert mail.html.count("<img") == 1
    assert re.search(r'<img[^>]* alt=""', mail.html), "the name stands beneath it: read twice, it would be noise"
    assert "Open Door" in mail.html


def test_the_link_of_a_confirmation_confirms(mailgun):
    publication = make_publication()
    ask(publication)
    send_due_confirmations(now=NOW)
    (mail,) = mailgun.mailbox("ada@example.org")
    token = mail.text.split("/c/")[1].split()[0]
    confirm_subscription(target=read_link(token, purpose=Purpose.CONFIRM, now=NOW), now=NOW)
    assert Subscription.objects.get().confirmed_at == NOW


def test_a_list_without_a_sender_keeps_no_other_confirmation_back(mailgun, monkeypatch, caplog):
    monkeypatch.setattr(confirmation_mails, "BATCH_LIMIT", 2)
    silent = make_list("silent")
    for name in ("eve", "fay"):
        asked = SignupRequest(email=f"{name}@example.org", mailing_list=silent, wording="Send me it.", source="/join")
        request_subscription(asked, now=NOW - timedelta(hours=1))
    ask(make_publication())
    assert send_due_confirmations(now=NOW) == 1
    assert mailgun.mailbox("ada@example.org")
    assert [record.getMessage() for record in caplog.records] == [
        "No publication sends to the list Silent, so its confirmations have no sender. Create one."
    ]


def test_a_confirmation_is_sent_once(mailgun):
    ask(make_publication())
    assert [send_due_confirmations(now=NOW) for _ in range(2)] == [1, 0]
    assert len(mailgun.ledger) == 1


@pytest.mark.parametrize(("fault", "again"), [(answer(429, b"later"), True), (Fault("reset_after_accepting"), False)])
def test_a_refused_confirmation_is_retried_an_uncertain_one_is_not(mailgun, fault, again):
    ask(make_publication())
    mailgun.fault_next(fault)
    assert send_due_confirmations(now=NOW) == 0
    assert (Confirmation.objects.get().sent_at is None) == again
    assert send_due_confirmations(now=NOW + timedelta(seconds=2)) == 0
    assert send_due_confirmations(now=NOW + timedelta(seconds=10)) == int(again)


def test_approvers_are_notified_with_a_link(mailgun):
    publication = make_publication()
    make_story("The first verdict")
    make_approver()
    notify_assembly(assemble_slot(slot=get_or_create_slot(publication=publication, due=DUE, now=NOW), now=NOW), now=NOW)
    send_due_notices(now=NOW)
    (mail,) = mailgun.mailbox("approver@example.org")
    assert mail.subject == "The weekly letter No. 1 is ready to read"
    assert "/admin/decide/" in mail.text
    assert "without approval nothing is sent" in mail.text


def test_a_superuser_who_may_approve_is_notified_too(mailgun):
    publication = make_publication()
    make_story("The first verdict")
    User.objects.create_superuser("root@example.org", "root@example.org", "a quiet harbour at dawn")
    notify_assembly(assemble_slot(slot=get_or_create_slot(publication=publication, due=DUE, now=NOW), now=NOW), now=NOW)
    send_due_notices(now=NOW)
    (mail,) = mailgun.mailbox("root@example.org")
    assert mail.subject == "The weekly letter No. 1 is ready to read"


@pytest.mark.requirement("V3")
def test_a_term_protected_later_is_in_no_staff_mail(mailgun):
    publication = make_publication()
    make_story("Marisol Quintanilla came home")
    keeper = make_approver()
    notify_assembly(assemble_slot(slot=get_or_create_slot(publication=publication, due=DUE, now=NOW), now=NOW), now=NOW)
    keeper.user_permissions.add(Permission.objects.get(codename="change_protectedterm"))
    add_terms(lines="Marisol Quintanilla", note="", by=type(keeper).objects.get(pk=keeper.pk), now=NOW)
    send_due_notices(now=NOW)
    (mail,) = mailgun.mailbox("approver@example.org")
    assert "uintanilla" not in mail.html + mail.text + mail.subject
    assert "Read it in the desk" in mail.text
    assert "without approval nothing is sent" in mail.text


def test_staff_are_notified_of_a_skipped_slot(mailgun):
    publication = make_publication()
    make_approver()
    notify_assembly(assemble_slot(slot=get_or_create_slot(publication=publication, due=DUE, now=NOW), now=NOW), now=NOW)
    send_due_notices(now=NOW)
    (mail,) = mailgun.mailbox("approver@example.org")
    assert "nothing will be sent" in mail.subject
    assert "Nothing new" in mail.text
    assert "the issue is made after all" in mail.text
    assert f"/admin/issues/new/?publication={publication.pk}&beginning=empty" in mail.text


def test_a_slot_skipped_after_its_time_promises_no_issue():
    publication = make_publication()
    make_approver()
    slot, late = get_or_create_slot(publication=publication, due=DUE, now=NOW), DUE_AT + timedelta(minutes=15)
    notify_assembly(assemble_slot(slot=slot, now=late), now=late)
    paragraphs = StaffNotice.objects.get().paragraphs
    assert paragraphs[-1] == "To send something else, write an issue yourself."
    assert not any("is made after all" in paragraph for paragraph in paragraphs)


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        ("account-move-1", "you may approve issues"),
        ("account-move-failed-1-0-backup", "you may approve issues"),
        ("staff-account-1", "it is about an account of the desk"),
        ("webhook-1-202603040930", "you may change webhooks"),
        ("canary-mailbox-1-2026-03-04", "you may change canary mailboxes"),
        ("canary-1-spam", "you may approve issues"),
        ("export-1", "you look after people"),
    ],
)
def test_a_notice_says_why_this_person_gets_it(mailgun, key, reason):
    publication = make_publication()
    person = make_approver()
    write_notice(publication, key, Message("Something happened"), [], "https://example.org/", NOW, people=[person])
    send_due_notices(now=NOW)
    (mail,) = mailgun.mailbox(person.email)
    assert f"You get this because {reason}" in mail.text


def test_staff_mails_are_in_each_persons_language(mailgun):
    publication = make_publication()
    spanish, english = make_approver("ines@example.org"), make_approver("erin@example.org")
    UserProfile.objects.create(user=spanish, preferred_language="es")
    make_story("The clinic opens")
    notify_assembly(assemble_slot(slot=get_or_create_slot(publication=publication, due=DUE, now=NOW), now=NOW), now=NOW)
    assert send_due_notices(now=NOW) == 2
    (mail,) = mailgun.mailbox(spanish.email)
    assert "está listo para leer" in mail.subject
    assert "espera aprobación" in mail.text
    assert "Abrirlo en la redacción" in mail.html
    assert 'lang="es"' in mail.html
    (mail,) = mailgun.mailbox(english.email)
    assert "is ready to read" in mail.subject
    assert "Open it in the desk" in mail.html
