"""Staff sign in: the first administrator, invitations, forgotten passwords, lost second factors."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from newsletter.desk.staff.password_pages import MAX_REQUESTS_PER_NETWORK
from newsletter.models import AuditEntry, PasswordLinkRequest, Publication, StaffLink
from newsletter.organisation.accounts.first_administrator import make_first_administrator_url
from newsletter.organisation.accounts.staff import add_staff, role_of
from newsletter.organisation.accounts.staff_links import make_staff_link_url
from tests.support.desk import PASSWORD, list_messages, sign_in, sign_in_superuser

pytestmark = pytest.mark.django_db
FORGOTTEN = "/accounts/password/"
CHOSEN = {"password": PASSWORD, "again": PASSWORD}


@pytest.fixture(autouse=True)
def _no_attempts_counted() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


def path_of(url: str) -> str:
    return "/" + url.split("/", 3)[3]


def person(email: str) -> User:
    return User.objects.get(username=email)


def test_an_empty_installation_says_how_to_find_the_set_up_link() -> None:
    page = Client().get("/accounts/login/").content.decode()
    assert "Ask whoever installed this for the set-up link" in page
    assert "<form" not in page


def test_the_set_up_link_makes_the_administrator_and_signs_in() -> None:
    client, link = Client(), path_of(make_first_administrator_url())
    assert client.get(link).status_code == 200
    response = client.post(link, {"email": "Ann@Example.org", "first_name": "Ann", **CHOSEN})
    assert response.headers["Location"] == "/admin/"
    assert person("ann@example.org").first_name == "Ann"
    assert role_of(person("ann@example.org")) == "admin"
    assert client.get("/admin/").headers["Location"] == "/accounts/2fa/totp/activate/"
    assert "Successfully signed in" not in client.get("/accounts/2fa/totp/activate/").content.decode()
    assert AuditEntry.objects.filter(action="newsletter.staff_added").exists()


def test_the_set_up_link_works_once() -> None:
    link = path_of(make_first_administrator_url())
    Client().post(link, {"email": "ann@example.org", **CHOSEN})
    response = Client().post(link, {"email": "bob@example.org", **CHOSEN})
    assert response.status_code == 410
    assert User.objects.count() == 1


def test_a_stranger_cannot_take_over_an_empty_installation() -> None:
    link = path_of(make_first_administrator_url())
    for wrong in ("/accounts/first/x/", link[:-3] + "/", link[:-2] + "x/"):
        assert Client().post(wrong, {"email": "eve@example.org", **CHOSEN}).status_code == 410
    with time_machine.travel(timezone.now() + timedelta(hours=25), tick=False):
        assert Client().post(link, {"email": "eve@example.org", **CHOSEN}).status_code == 410
    assert not User.objects.exists()


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"email": "x", **CHOSEN}, "valid email"),
        ({"email": "ann@example.org", "password": "short", "again": "short"}, "too short"),
        ({"email": "ann@example.org", "password": PASSWORD, "again": "other words"}, "not the same"),
    ],
)
def test_the_first_administrators_form_says_what_is_wrong(given: dict[str, str], error: str) -> None:
    page = Client().post(path_of(make_first_administrator_url()), given).content.decode()
    assert error in page
    assert not User.objects.exists()


def test_the_first_administrators_form_says_all_that_is_wrong_at_once() -> None:
    given = {"email": "ann@", "password": "short", "again": "other"}
    page = Client().post(path_of(make_first_administrator_url()), given).content.decode()
    assert [error in page for error in ("valid email", "too short", "not the same")] == [True] * 3
    assert not User.objects.exists()


def test_a_long_address_is_refused_together_with_a_short_password() -> None:
    given = {"email": f"{'a' * 64}@{'b' * 60}.{'c' * 60}.org", "password": "short", "again": "short"}
    page = Client().post(path_of(make_first_administrator_url()), given).content.decode()
    assert "may have 150 characters" in page
    assert "too short" in page


def test_an_invited_person_hears_all_that_is_wrong_with_a_password_at_once() -> None:
    invitation = {"email": "ann@example.org", "role": "writer", "language": "es", "first_name": "Ann"}
    sign_in("admin").post("/admin/users/new/", invitation)
    link = path_of(make_staff_link_url(StaffLink.objects.get()))
    page = Client().post(link, {"password": "short", "again": "other"}).content.decode()
    assert [error in page for error in ("too short", "not the same")] == [True] * 2
    assert Client().get(link).status_code == 200


def test_the_account_page_says_all_that_is_wrong_with_a_password_at_once() -> None:
    new = {"password-new_password1": "short", "password-new_password2": "other"}
    page = sign_in("editor").post("/admin/account/", {"password-old_password": PASSWORD, **new}).content.decode()
    assert [error in page for error in ("too short", "didn’t match")] == [True] * 2


def test_an_administrator_invites_somebody_who_then_signs_in() -> None:
    admin = sign_in("admin")
    invitation = {"email": "ann@example.org", "role": "writer", "language": "es", "first_name": "Ann"}
    response = admin.post("/admin/users/new/", invitation, follow=True)
    assert list_messages(response) == ["ann@example.org is invited."]
    link = path_of(make_staff_link_url(StaffLink.objects.get()))
    assert link in response.content.decode()
    client = Client()
    page = client.get(link).content.decode()
    assert "ann@example.org" in page
    assert 'name="first_name" value="Ann"' in page
    assert client.post(link, {**CHOSEN, "last_name": "Lee"}).headers["Location"] == "/admin/"
    assert person("ann@example.org").get_full_name() == "Ann Lee"
    assert client.get("/admin/").status_code == 200
    assert Client().get(link).status_code == 410


def test_the_invitation_link_is_not_shown_once_mail_can_leave(
    publication: Publication, settings, fake_provider
) -> None:  # type: ignore[no-untyped-def]
    settings.NEWSLETTER_PROVIDER_URL = fake_provider.provider_url
    admin = sign_in("admin")
    response = admin.post("/admin/users/new/", {"email": "ann@example.org", "role": "writer", "language": "es"})
    page = admin.get(response.headers["Location"]).content.decode()
    assert "We are mailing the link to ann@example.org." in page
    assert "/accounts/password/" not in page


def test_an_address_is_invited_once() -> None:
    admin = sign_in("admin")
    page = admin.post("/admin/users/new/", {"email": "admin@example.org", "role": "writer", "language": "es"})
    assert "has an account already" in page.content.decode()


def test_an_account_is_changed_and_switched_off() -> None:
    admin, writer = sign_in("admin"), sign_in("writer")
    row = person("writer@example.org")
    admin.post(f"/admin/users/edit/{row.pk}/", {"email": "w@example.org", "role": "editor", "first_name": "Wen"})
    row.refresh_from_db()
    assert (row.username, row.first_name, role_of(row), row.is_active) == ("w@example.org", "Wen", "editor", False)
    assert writer.get("/admin/").headers["Location"].startswith("/accounts/login/")
    actions = set(AuditEntry.objects.values_list("action", flat=True))
    assert {"newsletter.role_changed", "newsletter.switched_off"} <= actions


def test_the_last_administrator_cannot_give_up_the_role() -> None:
    admin = sign_in("admin")
    row = person("admin@example.org")
    page = admin.post(f"/admin/users/edit/{row.pk}/", {"email": row.email, "role": "writer", "active": "on"})
    assert "Nobody would be left" in page.content.decode()


def test_an_administrator_does_not_change_a_superuser() -> None:
    sign_in_superuser()
    admin, row = sign_in("admin"), person("root@example.org")
    for step in ("edit", "link", "factor"):
        admin.post(f"/admin/users/{step}/{row.pk}/", {"email": "x@example.org", "active": "on", "password": PASSWORD})
    row.refresh_from_db()
    assert row.email == "root@example.org"
    assert not StaffLink.objects.exists()


def test_an_administrator_makes_a_link_for_a_new_password() -> None:
    admin = sign_in("admin")
    add_staff(email="ann@example.org", role="writer", password=PASSWORD)
    page = admin.post(f"/admin/users/link/{person('ann@example.org').pk}/", follow=True).content.decode()
    assert path_of(make_staff_link_url(StaffLink.objects.get(kind="password"))) in page


def test_an_administrator_removes_a_second_factor_with_their_password() -> None:
    admin = sign_in("admin")
    sign_in("approver")
    lost = person("approver@example.org")
    Authenticator.objects.create(user=lost, type=Authenticator.Type.TOTP, data={})
    address = f"/admin/users/factor/{lost.pk}/"
    assert "Incorrect password" in " ".join(list_messages(admin.post(address, {"password": "wrong"}, follow=True)))
    assert Authenticator.objects.exists()
    admin.post(address, {"password": PASSWORD})
    assert not Authenticator.objects.exists()
    entry = AuditEntry.objects.get(action="newsletter.factor_forgotten")
    assert entry.user == person("admin@example.org")


def test_the_forgotten_password_page_does_not_reveal_accounts() -> None:
    add_staff(email="ann@example.org", role="writer", password=PASSWORD)
    known, unknown = (
        Client().post(FORGOTTEN, {"email": email}).content.decode().replace(email, "").split("<main")[1]
        for email in ("ann@example.org", "nobody@example.org")
    )
    assert known == unknown
    assert PasswordLinkRequest.objects.count() == 2


@pytest.mark.usefixtures("still_clock")
def test_a_network_asks_for_ten_links_an_hour() -> None:
    client = Client()
    for number in range(MAX_REQUESTS_PER_NETWORK + 1):
        page = client.post(FORGOTTEN, {"email": f"p{number}@example.org"}).content.decode()
    assert "Too many requests" in page
    assert PasswordLinkRequest.objects.count() == MAX_REQUESTS_PER_NETWORK


def test_a_new_password_does_not_replace_the_second_factor() -> None:
    add_staff(email="ann@example.org", role="approver", password=PASSWORD)
    ann = person("ann@example.org")
    Authenticator.objects.create(user=ann, type=Authenticator.Type.TOTP, data={"secret": ""})
    sign_in("admin").post(f"/admin/users/link/{ann.pk}/")
    client = Client()
    response = client.post(path_of(make_staff_link_url(StaffLink.objects.get(kind="password"))), CHOSEN)
    assert response.headers["Location"] == "/accounts/2fa/authenticate/"
    assert client.get("/admin/").headers["Location"].startswith("/accounts/login/")


def test_a_lost_second_factor_notifies_the_administrators() -> None:
    add_staff(email="ann@example.org", role="approver", password=PASSWORD)
    Authenticator.objects.create(user=person("ann@example.org"), type=Authenticator.Type.TOTP, data={"secret": ""})
    client = Client()
    client.post("/accounts/login/", {"login": "ann@example.org", "password": PASSWORD})
    alone = client.post("/accounts/2fa/lost/", follow=True)
    assert "no other administrator" in " ".join(list_messages(alone))
    admin = sign_in("admin")
    for _ in range(2):
        client.post("/accounts/2fa/lost/")
    assert AuditEntry.objects.filter(action="newsletter.factor_lost").count() == 1
    page = admin.get("/admin/").content.decode()
    assert f"/admin/users/edit/{person('ann@example.org').pk}/" in page
    assert "ann@example.org cannot give the code" in page


def test_a_stranger_reports_no_lost_factor() -> None:
    assert Client().post("/accounts/2fa/lost/").headers["Location"] == "/accounts/login/"
    assert not AuditEntry.objects.exists()
