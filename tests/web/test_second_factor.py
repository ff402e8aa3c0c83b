"""Signing in, the second factor, and the end of sessions. No route avoids them."""

import re
from collections.abc import Iterator
from datetime import timedelta
from html import escape

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.contrib.auth.hashers import get_hashers, identify_hasher, make_password
from django.contrib.auth.models import Group, Permission, User
from django.core.cache import cache
from django.test import Client, override_settings
from django.utils import timezone
from django.utils.crypto import salted_hmac

from newsletter.desk.staff.accounts import MAX_FAILURES_PER_NETWORK
from newsletter.desk.staff.second_factor import make_fingerprint
from newsletter.models import AuditEntry
from newsletter.organisation.accounts.staff import add_staff, remove_second_factor
from newsletter.project import settings as product
from tests.support.desk import PASSWORD, list_messages, sign_in

pytestmark = pytest.mark.django_db
LOGIN = "/accounts/login/"


@pytest.fixture(autouse=True)
def _no_attempts_counted() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


def add(role: str = "approver", email: str = "ann@example.org") -> User:
    add_staff(email=email, role=role, password=PASSWORD)
    return User.objects.get(username=email)


def test_passwords_are_stored_as_argon2id() -> None:
    with override_settings(PASSWORD_HASHERS=product.PASSWORD_HASHERS):
        assert add().password.startswith("argon2$argon2id$v=19$m=19456,t=2,p=1$")
        assert get_hashers()[0].algorithm == "argon2"


def test_an_older_hash_is_replaced_at_the_next_sign_in() -> None:
    with override_settings(PASSWORD_HASHERS=product.PASSWORD_HASHERS):
        person = add("writer")
        User.objects.filter(pk=person.pk).update(password=make_password(PASSWORD, hasher="pbkdf2_sha256"))
        client = Client()
        assert give_password(client).headers["Location"] == "/admin/issues/"
        person.refresh_from_db()
        assert identify_hasher(person.password).algorithm == "argon2"
        assert opens(client)
        assert give_password(Client()).headers["Location"] == "/admin/issues/"


def test_a_new_version_ends_no_open_session_by_another_fingerprint() -> None:
    person = add("writer")
    own_group = person.groups.get().pk
    person.groups.add(Group.objects.exclude(pk=own_group).order_by("pk")[0])
    rights = Permission.objects.order_by("-pk")[:2]
    person.user_permissions.add(*rights)
    factor = Authenticator.objects.create(user=person, type=Authenticator.Type.TOTP, data={})
    groups = ",".join(str(pk) for pk in sorted(person.groups.values_list("pk", flat=True)))
    stored = f"{person.pk}|TrueFalse|{groups}|{rights[1].pk},{rights[0].pk}|{factor.pk}"
    assert make_fingerprint(person) == salted_hmac("newsletter.staff", stored, algorithm="sha256").hexdigest()
    assert make_fingerprint(add("writer", "bea@example.org")) != make_fingerprint(person)


def give_password(client: Client, *, password: str = PASSWORD, login: str = " Ann@Example.org ", **more: str) -> object:
    return client.post(f"{LOGIN}?next=/admin/issues/", {"login": login, "password": password, **more})


def code_of(secret: str) -> str:
    *_, counter = yield_hotp_counters_from_time()
    return format_hotp_value(hotp_value(secret, counter - 1))


def set_up(client: Client) -> str:
    """Set the second factor up as a person does. Returns the secret that the app keeps."""
    page = client.get("/accounts/2fa/totp/activate/").content.decode()
    assert 'href="otpauth://totp/' in page
    secret = re.search(r'nl-secret">([A-Z2-7]+)<', page)
    assert secret is not None
    response = client.post("/accounts/2fa/totp/activate/", {"code": code_of(secret[1])})
    assert response.headers["Location"] == "/accounts/2fa/recovery-codes/"
    return secret[1]


def opens(client: Client) -> bool:
    return client.get("/admin/issues/").status_code == 200


def test_a_writer_signs_in_with_email_and_password_whatever_the_case() -> None:
    add("writer")
    client = Client()
    assert client.get("/admin/issues/").headers["Location"] == f"{LOGIN}?next=/admin/issues/"
    wrong = give_password(client, password="something else")
    assert "Incorrect email or password" in wrong.content.decode()
    assert give_password(client).headers["Location"] == "/admin/issues/"
    assert opens(client)


@pytest.mark.requirement("G4")
def test_wagtails_own_log_in_leads_to_ours_and_takes_no_password() -> None:
    add("writer")
    client = Client()
    assert client.get("/admin/login/?next=/admin/").headers["Location"] == f"{LOGIN}?next=/admin/"
    client.post("/admin/login/", {"username": "ann@example.org", "password": PASSWORD})
    assert not opens(client)


@pytest.mark.requirement("G4")
def test_an_approver_without_a_second_factor_has_to_set_one_up() -> None:
    """until it is set up, the desk stays closed."""
    add()
    client = Client()
    give_password(client)
    assert client.get("/admin/issues/").headers["Location"] == "/accounts/2fa/totp/activate/"
    set_up(client)
    assert opens(client)
    codes = client.get("/accounts/2fa/recovery-codes/").content.decode()
    assert len(re.findall(r"<li><code>\d+</code>", codes)) == 10


@pytest.mark.parametrize(
    "path", ["2fa/totp/activate/", "2fa/", "logout/", "sessions/", "password/change/", "reauthenticate/"]
)
@pytest.mark.parametrize(("role", "leads"), [("approver", False), ("writer", True)])
def test_account_pages_lead_to_the_desk_only_if_the_desk_opens(role: str, leads: bool, path: str) -> None:
    add(role)
    client = Client()
    give_password(client)
    page = client.get(f"/accounts/{path}", follow=True).content.decode()
    assert opens(client) is leads
    assert ("Go to the desk" in page) is leads
    assert "Sign out" in page


def test_after_setting_up_a_factor_the_requested_page_opens_once() -> None:
    add()
    client = Client()
    give_password(client)
    asked = "/admin/issues/?state=draft&p=1"
    client.get(asked)
    client.post("/admin/tags/")
    set_up(client)
    codes = "/accounts/2fa/recovery-codes/"
    assert f'href="{escape(asked)}"' in client.get(codes).content.decode()
    assert client.get(asked).status_code == 200
    page = client.get(codes).content.decode()
    assert escape(asked) not in page
    assert 'class="button" href="/admin/"' in page


@pytest.mark.requirement("G4")
def test_the_next_sign_in_asks_for_a_code_that_works_once() -> None:
    """the same code a second time lets nobody in."""
    add()
    first = Client()
    give_password(first)
    secret = set_up(first)
    with time_machine.travel(timezone.now() + timedelta(minutes=2), tick=False):
        second, third = Client(), Client()
        assert give_password(second).headers["Location"] == "/accounts/2fa/authenticate/"
        assert not opens(second)
        assert "used already" in second.post("/accounts/2fa/authenticate/", {"code": "000000"}).content.decode()
        code = code_of(secret)
        assert second.post("/accounts/2fa/authenticate/", {"code": code}).headers["Location"] == "/admin/issues/"
        assert opens(second)
        give_password(third)
        third.post("/accounts/2fa/authenticate/", {"code": code})
        assert not opens(third)


@pytest.mark.requirement("G4")
@pytest.mark.parametrize(
    "more",
    [
        {"skip_mfa": "1", "mfa": "false", "code": "000000"},
        {"skipEmailVerification": "true", "trusted": "1", "authenticated": "true"},
        {"is_superuser": "1", "staff_second_factor": "1"},
    ],
)
def test_nothing_that_is_posted_beside_the_password_skips_the_code(more: dict[str, str]) -> None:
    add()
    first = Client()
    give_password(first)
    set_up(first)
    client = Client()
    give_password(client, **more)
    assert not opens(client)


@pytest.mark.requirement("G4")
def test_a_password_is_not_enough_to_remove_the_second_factor() -> None:
    add()
    first = Client()
    give_password(first)
    set_up(first)
    client = Client()
    give_password(client)
    for page in ("/accounts/2fa/", "/accounts/2fa/totp/deactivate/", "/accounts/2fa/recovery-codes/"):
        assert client.post(page).status_code in (302, 405)
    assert Authenticator.objects.filter(type="totp").exists()


def test_secrets_and_recovery_codes_are_not_in_the_database_as_they_are() -> None:
    add()
    client = Client()
    give_password(client)
    secret = set_up(client)
    assert all(secret not in str(row.data) for row in Authenticator.objects.all())


def test_a_recovery_code_works_once_and_admins_can_remove_the_factor() -> None:
    add()
    client = Client()
    give_password(client)
    set_up(client)
    code = re.findall(r"<li><code>(\d+)</code>", client.get("/accounts/2fa/recovery-codes/").content.decode())[0]
    for may in (True, False):
        again = Client()
        give_password(again)
        again.post("/accounts/2fa/authenticate/", {"code": code})
        assert opens(again) is may
    assert remove_second_factor(email="Ann@example.org") == 2
    assert not opens(client)
    give_password(client)
    assert client.get("/admin/").headers["Location"] == "/accounts/2fa/totp/activate/"


@pytest.mark.requirement("G2")
def test_another_role_ends_the_sessions_that_are_open() -> None:
    """whoever changes it, and from wherever."""
    client = sign_in("editor", email="ann@example.org")
    assert opens(client)
    add_staff(email="ann@example.org", role="writer")
    assert client.get("/admin/issues/").headers["Location"].startswith(LOGIN)
    assert "Your role or your sign-in changed" in client.get(LOGIN).content.decode()


@pytest.mark.requirement("G2")
@pytest.mark.parametrize("how", ["password", "off", "groups"])
def test_a_new_password_or_a_closed_account_ends_open_sessions(how: str) -> None:
    client = sign_in("editor", email="ann@example.org")
    assert opens(client)
    person = User.objects.get(username="ann@example.org")
    if how == "password":
        add_staff(email="ann@example.org", role="editor", password="another-good-morning")
    elif how == "off":
        User.objects.update(is_active=False)
    else:
        person.groups.clear()
    assert not opens(client)


@pytest.mark.requirement("G2")
def test_setting_up_a_factor_ends_the_other_sessions_and_not_this_one() -> None:
    add("writer")
    mine, other = Client(), Client()
    give_password(mine)
    give_password(other)
    assert opens(mine)
    assert opens(other)
    set_up(mine)
    assert opens(mine)
    assert not opens(other)


@pytest.mark.requirement("G2")
@pytest.mark.parametrize(("steps", "stays"), [([50, 50, 50], True), ([70], False), ([50] * 15, False)])
def test_a_session_ends_after_an_hour_unused_and_after_twelve_in_any_case(steps: list[int], stays: bool) -> None:
    now = timezone.now()
    with time_machine.travel(now, tick=False) as clock:
        client = sign_in("writer")
        assert opens(client)
        for minutes in steps:
            clock.shift(timedelta(minutes=minutes))
            last = opens(client)
    assert last is stays


@pytest.mark.requirement("G6")
def test_ten_wrong_passwords_from_one_network_slow_down_the_right_one() -> None:
    add("writer")
    client = Client()
    for _ in range(10):
        give_password(client, password="wrong")
    assert "Too many attempts" in give_password(client).content.decode()
    assert not opens(client)


@pytest.mark.usefixtures("still_clock")
def test_wrong_passwords_for_others_do_not_refuse_a_right_one() -> None:
    add("writer")
    for number in range(MAX_FAILURES_PER_NETWORK + 10):
        last = Client().post(LOGIN, {"login": f"person{number}@example.org", "password": "wrong"})
    assert "Too many attempts" in last.content.decode()
    assert give_password(Client()).headers["Location"] == "/admin/issues/"


def test_wrong_passwords_from_elsewhere_do_not_lock_somebody_out() -> None:
    add("writer")
    for _ in range(12):
        last = Client(REMOTE_ADDR="192.0.2.66").post(LOGIN, {"login": "ann@example.org", "password": "wrong"})
    assert "Too many attempts" in last.content.decode()
    assert give_password(Client()).headers["Location"] == "/admin/issues/"


def test_a_known_browser_signs_in_whatever_others_typed_at_its_address() -> None:
    add("writer")
    known = Client()
    assert give_password(known).headers["Location"] == "/admin/issues/"
    known.post("/admin/logout/")
    stranger = Client()
    for _ in range(12):
        last = give_password(stranger, password="wrong")
    assert "Too many attempts" in last.content.decode()
    assert give_password(known).headers["Location"] == "/admin/issues/"


def test_a_known_browser_is_slowed_down_by_its_own_wrong_passwords() -> None:
    add("writer")
    known = Client()
    give_password(known)
    known.post("/admin/logout/")
    for _ in range(10):
        give_password(known, password="wrong")
    assert "Too many attempts" in give_password(known).content.decode()


def test_a_forged_or_borrowed_known_browser_cookie_counts_for_nothing() -> None:
    add("writer")
    add("writer")
    editor, client = add("writer", email="bea@example.org"), Client()
    give_password(client)
    borrowed = next(cookie.value for name, cookie in client.cookies.items() if name.startswith("known_browser_"))
    stranger = Client()
    stranger.cookies[f"known_browser_{editor.pk}"] = borrowed
    for _ in range(10):
        give_password(Client(), login=editor.username, password="wrong")
    assert "Too many attempts" in give_password(stranger, login=editor.username).content.decode()


def test_visitors_behind_a_trusted_proxy_are_counted_separately() -> None:
    add("writer")
    with override_settings(SUBSCRIBERS_TRUSTED_PROXIES=["127.0.0.1/32"]):
        for number in range(12):
            wrong = Client(headers={"x-forwarded-for": f"198.51.100.{number}, 192.0.2.66"})
            give_password(wrong, password="wrong")
        assert "Too many attempts" in give_password(wrong).content.decode()
        assert give_password(Client(headers={"x-forwarded-for": "192.0.2.67"})).headers["Location"] == "/admin/issues/"
    assert set(AuditEntry.objects.filter(action="newsletter.sign_in_failed").values_list("address", flat=True)) == {
        "192.0.2.66"
    }


def test_the_code_that_sets_an_app_up_signs_nobody_in() -> None:
    add()
    with time_machine.travel(timezone.now(), tick=False):
        first, second = Client(), Client()
        give_password(first)
        secret = set_up(first)
        give_password(second)
        cache.clear()
        second.post("/accounts/2fa/authenticate/", {"code": code_of(secret)})
        assert not opens(second)


@pytest.mark.parametrize("spelling", ["{0}", " {0} ", "{0[0]} {0[1]}{0[2]}-{0[3]}{0[4]}{0[5]}"])
def test_a_used_code_is_used_up_even_if_the_cache_was_emptied(spelling: str) -> None:
    add()
    first = Client()
    give_password(first)
    secret = set_up(first)
    with time_machine.travel(timezone.now() + timedelta(minutes=2), tick=False):
        second, third = Client(), Client()
        give_password(second)
        second.post("/accounts/2fa/authenticate/", {"code": code_of(secret)})
        assert opens(second)
        cache.clear()
        give_password(third)
        third.post("/accounts/2fa/authenticate/", {"code": spelling.format(code_of(secret))})
        assert not opens(third)


def test_a_used_code_is_not_taken_when_it_is_asked_for_again() -> None:
    add()
    first = Client()
    give_password(first)
    secret = set_up(first)
    with time_machine.travel(timezone.now() + timedelta(minutes=2), tick=False) as clock:
        second = Client()
        give_password(second)
        code = code_of(secret)
        second.post("/accounts/2fa/authenticate/", {"code": code})
        cache.clear()
        page = second.post("/accounts/2fa/reauthenticate/", {"code": code})
        assert "used already" in page.content.decode()
        clock.shift(timedelta(seconds=30))
        assert second.post("/accounts/2fa/reauthenticate/", {"code": code_of(secret)}).status_code == 302


@pytest.mark.requirement("G6")
def test_a_stranger_cannot_tell_whether_an_account_exists() -> None:
    add("writer")
    known = give_password(Client(), password="wrong").content.decode()
    unknown = Client().post(LOGIN, {"login": "nobody@example.org", "password": "wrong"}).content.decode()
    say = re.compile(r'role="alert">([^<]*)<')
    assert say.findall(known) == say.findall(unknown) != []


def test_nobody_can_create_an_account_or_use_allauths_own_reset() -> None:
    for page in ("/accounts/signup/", "/accounts/password/reset/key/1-x/", "/accounts/email/", "/accounts/login/code/"):
        assert Client().get(page).status_code == 404


@pytest.mark.requirement("G3")
def test_following_a_link_signs_nobody_out() -> None:
    client = sign_in("writer")
    client.get("/admin/logout/")
    client.get("/accounts/logout/")
    assert opens(client)
    client.post("/admin/logout/")
    assert not opens(client)


def test_the_demo_asks_nobody_for_a_second_factor() -> None:
    client = sign_in("admin", factor=False)
    assert not opens(client)
    with override_settings(NEWSLETTER_DEMO=True):
        assert opens(client)


@pytest.mark.requirement("G10")
def test_signing_in_and_failing_to_are_in_the_staff_log() -> None:
    add("writer")
    give_password(Client(), password="wrong")
    give_password(Client())
    assert list(AuditEntry.objects.order_by("pk").values_list("action", "address")) == [
        ("newsletter.staff_added", ""),
        ("newsletter.sign_in_failed", "127.0.0.1"),
        ("newsletter.signed_in", "127.0.0.1"),
    ]


def test_the_sessions_page_lists_and_ends_other_sessions() -> None:
    add("writer")
    mine, other = Client(), Client()
    give_password(mine)
    give_password(other)
    assert mine.get("/accounts/sessions/").content.decode().count("since ") == 2
    assert list_messages(mine.post("/accounts/sessions/", follow=True)) != []
    assert opens(mine)
    assert not opens(other)
