"""Invitations and links for new passwords: once, for a time, to the right mailbox, on record."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError
from wagtail.users.models import UserProfile

from newsletter.common.errors import BadAddress
from newsletter.jobs.notices.mail_notices import send_due_notices
from newsletter.jobs.staff_link_mails import notify_account_changes, send_due_staff_links
from newsletter.models import AuditEntry, PasswordLinkRequest, StaffLink
from newsletter.organisation.accounts.administrators import LastAdministrator
from newsletter.organisation.accounts.staff import BadPassword, UnknownRole, add_staff, remove_second_factor, role_of
from newsletter.organisation.accounts.staff_accounts import EmailTaken, change_staff, invite_staff
from newsletter.organisation.accounts.staff_links import (
    UsedStaffLink,
    make_staff_link,
    make_staff_link_url,
    read_staff_link,
    request_password_link,
    use_staff_link,
)
from tests.support.fixtures import NOW, make_publication

pytestmark = pytest.mark.django_db
PASSWORD, NEW_PASSWORD = "a quiet harbour at dawn", "three lanterns by the river"
Kind = StaffLink.Kind


@pytest.fixture
def mailgun(fake_provider, settings):
    settings.NEWSLETTER_PROVIDER_URL = fake_provider.provider_url
    make_publication()
    return fake_provider


@pytest.fixture
def admin():
    add_staff(email="admin@example.org", role="admin", password=PASSWORD)
    return User.objects.get(username="admin@example.org")


def token_of(link):
    return make_staff_link_url(link).rstrip("/").rpartition("/")[2]


def invite(admin, email="Ann@Example.org", role="editor"):
    return invite_staff(email=email, role=role, by=admin, now=NOW)


def actions():
    return list(AuditEntry.objects.order_by("pk").values_list("action", flat=True))


def test_an_invited_person_chooses_their_own_password_once(admin):
    link = invite(admin)
    assert (link.person.username, role_of(link.person)) == ("ann@example.org", "editor")
    assert not link.person.has_usable_password()
    token = token_of(link)
    use_staff_link(link=read_staff_link(token, now=NOW), password=NEW_PASSWORD, now=NOW)
    assert User.objects.get(username="ann@example.org").check_password(NEW_PASSWORD)
    with pytest.raises(UsedStaffLink):
        read_staff_link(token, now=NOW)
    assert actions()[-3:] == ["newsletter.staff_added", "newsletter.invited", "newsletter.password_set"]


def test_two_uses_of_a_link_at_once_set_the_password_once(admin):
    link = invite(admin)
    twice = [read_staff_link(token_of(link), now=NOW) for _ in range(2)]
    use_staff_link(link=twice[0], password=NEW_PASSWORD, now=NOW)
    with pytest.raises(UsedStaffLink):
        use_staff_link(link=twice[1], password=PASSWORD, now=NOW)
    assert User.objects.get(pk=link.person_id).check_password(NEW_PASSWORD)


@pytest.mark.parametrize("kind", Kind)
def test_a_link_expires(admin, kind):
    link = make_staff_link(person=admin, kind=kind, by=None, now=NOW)
    read_staff_link(token_of(link), now=link.expires_at - timedelta(seconds=1))
    with pytest.raises(UsedStaffLink):
        read_staff_link(token_of(link), now=link.expires_at)


def test_a_new_link_replaces_the_one_before(admin):
    first = make_staff_link(person=admin, kind=Kind.PASSWORD, by=None, now=NOW)
    make_staff_link(person=admin, kind=Kind.PASSWORD, by=None, now=NOW)
    with pytest.raises(UsedStaffLink):
        read_staff_link(token_of(first), now=NOW)
    with pytest.raises(IntegrityError):
        StaffLink.objects.create(person=admin, kind=Kind.PASSWORD, made_at=NOW, expires_at=NOW)


@pytest.mark.parametrize("change", ["password", "address", "off"])
def test_a_link_ends_if_the_account_changes_in_another_way(admin, change):
    token = token_of(invite(admin))
    person = User.objects.get(username="ann@example.org")
    if change == "password":
        add_staff(email="ann@example.org", role="editor", password=PASSWORD)
    else:
        email = "bea@example.org" if change == "address" else person.email
        change_staff(person=person, email=email, role="editor", active=change != "off", by=admin, now=NOW)
    with pytest.raises(UsedStaffLink):
        read_staff_link(token, now=NOW)


@pytest.mark.parametrize("token", ["", "x", "WzEsICJ4Il0.AAAA"])
def test_a_forged_link_is_refused(admin, token):
    with pytest.raises(UsedStaffLink):
        read_staff_link(token, now=NOW)


def test_a_weak_password_leaves_the_link_open(admin):
    link = read_staff_link(token_of(invite(admin)), now=NOW)
    with pytest.raises(BadPassword):
        use_staff_link(link=link, password="short", now=NOW)
    read_staff_link(token_of(link), now=NOW)


@pytest.mark.parametrize(
    ("email", "role", "error"),
    [("admin@example.org", "editor", EmailTaken), ("x@y@z", "editor", BadAddress), ("b@example.org", "x", UnknownRole)],
)
def test_an_invitation_that_cannot_work_changes_nothing(admin, email, role, error):
    with pytest.raises(error):
        invite(admin, email=email, role=role)
    assert (User.objects.count(), StaffLink.objects.count()) == (1, 0)


def test_the_last_administrator_stays(admin):
    for role, active in (("editor", True), ("admin", False)):
        with pytest.raises(LastAdministrator):
            change_staff(person=admin, email=admin.email, role=role, active=active, by=admin, now=NOW)
        admin.refresh_from_db()
    assert (role_of(admin), admin.is_active) == ("admin", True)


def test_the_invitation_is_mailed_once_in_the_language_of_its_reader(admin, mailgun):
    link = invite(admin)
    UserProfile.objects.create(user=link.person, preferred_language="es")
    assert [send_due_staff_links(now=NOW) for _ in range(2)] == [1, 0]
    (mail,) = mailgun.mailbox("Ann@example.org")
    assert f"/accounts/password/{token_of(link)}/" in mail.text
    assert "siete días" in mail.text or "7 días" in mail.text


@pytest.mark.parametrize(
    ("kind", "said"),
    [("invitation", "Kim Lee gave you an account."), ("password", "Kim Lee had this link sent to you.")],
)
def test_a_link_that_an_administrator_made_names_them(admin, mailgun, kind, said):
    User.objects.filter(pk=admin.pk).update(first_name="Kim", last_name="Lee")
    admin.refresh_from_db()
    add_staff(email="ann@example.org", role="editor", password=PASSWORD)
    make_staff_link(person=User.objects.get(username="ann@example.org"), kind=Kind(kind), by=admin, now=NOW)
    assert send_due_staff_links(now=NOW) == 1
    assert said in mailgun.mailbox("ann@example.org")[0].text


def test_a_link_that_nobody_else_made_names_nobody(admin, mailgun):
    make_staff_link(person=admin, kind=Kind.PASSWORD, by=None, now=NOW)
    assert send_due_staff_links(now=NOW) == 1
    assert "sent to you" not in mailgun.mailbox("admin@example.org")[0].text


def test_an_administrator_without_a_name_is_named_by_their_address(admin, mailgun):
    invite(admin)
    send_due_staff_links(now=NOW)
    assert "admin@example.org gave you an account." in mailgun.mailbox("Ann@example.org")[0].text


def test_without_a_publication_the_invitation_waits(admin, fake_provider, settings):
    settings.NEWSLETTER_PROVIDER_URL = fake_provider.provider_url
    invite(admin)
    assert send_due_staff_links(now=NOW) == 0
    make_publication()
    assert send_due_staff_links(now=NOW) == 1


def test_a_forgotten_password_is_mended_by_mail(admin, mailgun):
    request_password_link(email=" Admin@example.org ", address="192.0.2.1", now=NOW)
    assert send_due_staff_links(now=NOW) == 1
    (mail,) = mailgun.mailbox("admin@example.org")
    token = mail.text.split("/accounts/password/")[1].split("/")[0]
    use_staff_link(link=read_staff_link(token, now=NOW), password=NEW_PASSWORD, now=NOW)
    assert actions()[-2:] == ["newsletter.link_made", "newsletter.password_set"]


def test_a_request_for_an_unknown_account_leaves_nothing(admin, mailgun):
    request_password_link(email="nobody@example.org", address="", now=NOW)
    assert send_due_staff_links(now=NOW) == 0
    assert not PasswordLinkRequest.objects.exists()
    assert not StaffLink.objects.exists()


def test_an_account_gets_five_links_a_day_and_one_in_ten_minutes(admin, mailgun):
    sent = 0
    for minutes in range(0, 120, 5):
        now = NOW + timedelta(minutes=minutes)
        request_password_link(email="admin@example.org", address="", now=now)
        sent += send_due_staff_links(now=now)
    assert sent == 5


def test_a_request_does_not_replace_an_open_invitation(admin, mailgun):
    link = invite(admin)
    send_due_staff_links(now=NOW)
    for hours, mails in ((1, 0), (6, 1)):
        now = NOW + timedelta(hours=hours)
        request_password_link(email="ann@example.org", address="", now=now)
        assert send_due_staff_links(now=now) == mails
    read_staff_link(token_of(link), now=NOW)


@pytest.mark.parametrize("what", ["password", "factor"])
def test_staff_are_notified_of_changes_to_their_account(admin, mailgun, what):
    if what == "password":
        add_staff(email=admin.email, role="admin", password=NEW_PASSWORD)
    else:
        admin.authenticator_set.create(type="totp", data={})
        remove_second_factor(email=admin.email)
    now = AuditEntry.objects.latest("pk").timestamp
    for _ in range(2):
        notify_account_changes(now=now)
    send_due_notices(now=now)
    (mail,) = mailgun.mailbox(admin.email)
    assert what in mail.subject
    assert "tell an administrator" in mail.text


def test_a_password_can_be_asked_for_though_a_clock_was_ahead(admin, mailgun):
    for now in (NOW + timedelta(days=400), NOW):
        request_password_link(email="admin@example.org", address="", now=now)
        assert send_due_staff_links(now=now) == 1
