"""Staff sign in with the organisation's identity provider: who enters, as whom, and with which second factor."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import (
    TOTP,
    format_hotp_value,
    generate_totp_secret,
    hotp_value,
    yield_hotp_counters_from_time,
)
from allauth.socialaccount.models import SocialAccount, SocialToken
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from newsletter.desk.staff.log_details import label_details
from newsletter.jobs.staff_link_mails import choose_texts
from newsletter.models import AuditEntry, StaffLink
from newsletter.organisation.accounts.staff import add_staff, role_of
from newsletter.organisation.accounts.staff_accounts import change_staff, invite_staff
from newsletter.organisation.accounts.staff_links import (
    answer_password_requests,
    make_staff_link_url,
    request_password_link,
)
from tests.support.desk import PASSWORD, sign_in
from tests.support.identity_provider import Issuer, run_issuer, sign_in_with

pytestmark = pytest.mark.django_db


@pytest.fixture
def issuer(settings: Any) -> Iterator[Issuer]:
    with run_issuer() as running:
        settings.NEWSLETTER_OIDC = running.settings()
        yield running


def add(role: str = "writer", email: str = "ann@example.org") -> User:
    add_staff(email=email, role=role, password=PASSWORD)
    return User.objects.get(username=email)


def opens(client: Client, path: str = "/admin/issues/") -> bool:
    return client.get(path).status_code == 200


def refused(response: object) -> str:
    """The code of the refusal that a page shows."""
    text = response.content.decode()
    return text.partition('data-refused="')[2].partition('"')[0]


def test_the_sign_in_page_has_one_button_before_the_form(issuer: Issuer) -> None:
    add()
    page = Client().get("/accounts/login/?next=/admin/issues/").content.decode()
    assert page.count("Sign in with Example ID") == 1
    assert 'href="/accounts/oidc/?next=%2Fadmin%2Fissues%2F"' in page
    assert page.index("Sign in with Example ID") < page.index('name="password"')


def test_without_a_provider_there_is_no_button_and_no_page() -> None:
    add()
    assert "/accounts/oidc/" not in Client().get("/accounts/login/").content.decode()
    for path in ("/accounts/oidc/", "/accounts/oidc/callback/", "/accounts/oidc/again/"):
        assert Client().get(path).status_code == 404


def test_a_member_of_staff_signs_in_and_reaches_the_page_they_asked_for(issuer: Issuer) -> None:
    person = add()
    client = Client()
    done = sign_in_with(issuer, client, path="/accounts/oidc/?next=/admin/issues/")
    assert (done.status_code, done.headers["Location"]) == (302, "/admin/issues/")
    assert opens(client)
    entry = AuditEntry.objects.get(action="newsletter.signed_in")
    assert (entry.user_id, entry.data) == (person.pk, {"with": "Example ID"})
    link = SocialAccount.objects.get()
    assert (link.user, link.provider, link.uid, link.extra_data) == (person, issuer.url, "ann-1", {})
    assert not SocialToken.objects.exists()


def test_the_request_has_pkce_state_nonce_and_the_registered_address(issuer: Issuer) -> None:
    add()
    location = Client().get("/accounts/oidc/").headers["Location"]
    code = issuer.authorize(location)["code"]
    asked = issuer.codes[code]
    assert asked["code_challenge_method"] == "S256"
    assert len(asked["code_challenge"]) == 43
    assert len(asked["nonce"]) > 40
    assert len(asked["state"]) >= 16
    assert asked["redirect_uri"] == "http://127.0.0.1:8000/accounts/oidc/callback/"
    assert set(asked["scope"].split()) == {"openid", "email", "profile"}


def test_a_visitor_cannot_change_what_is_asked_of_the_provider(issuer: Issuer) -> None:
    add()
    way = "/accounts/oidc/?process=connect&scope=admin&auth_params=nonce%3Dx&next=https://evil.example/"
    asked = issuer.codes[issuer.authorize(Client().get(way).headers["Location"])["code"]]
    assert "admin" not in asked["scope"]
    assert asked["nonce"] != "x"
    done = sign_in_with(issuer, Client(), path=way)
    assert done.headers["Location"] == "/admin/"


def test_claims_are_taken_from_the_user_info_if_the_token_has_none(issuer: Issuer) -> None:
    add()
    issuer.only_user_info = True
    client = Client()
    sign_in_with(issuer, client)
    assert opens(client)


def test_an_invited_person_enters_and_the_invitation_is_used_up(issuer: Issuer) -> None:
    admin = add("admin", "chief@example.org")
    link = invite_staff(email="ann@example.org", role="editor", by=admin, now=timezone.now())
    issuer.person |= {"email": "Ann@Example.org", "given_name": "Ann", "family_name": "Lee"}
    client = Client()
    sign_in_with(issuer, client)
    assert opens(client)
    link.refresh_from_db()
    assert link.withdrawn_at is not None
    person = User.objects.get(username="ann@example.org")
    assert (person.get_full_name(), person.has_usable_password(), role_of(person)) == ("Ann Lee", False, "editor")


def test_the_invitation_page_offers_the_provider_first(issuer: Issuer) -> None:
    admin = add("admin", "chief@example.org")
    link = invite_staff(email="ann@example.org", role="editor", by=admin, now=timezone.now())
    page = Client().get(make_staff_link_url(link).partition(":8000")[2]).content.decode()
    assert page.index("Sign in with Example ID") < page.index("Or choose a password")


def test_a_stranger_of_an_allowed_domain_reads_whom_to_ask(issuer: Issuer, settings: Any) -> None:
    add("admin", "chief@example.org")
    settings.NEWSLETTER_OIDC = issuer.settings(domains=("example.org",))
    client = Client()
    page = sign_in_with(issuer, client)
    assert (page.status_code, refused(page)) == (403, "not_invited")
    assert "Ask for an invitation: chief@example.org." in page.content.decode()
    assert not User.objects.filter(username="ann@example.org").exists()
    assert not opens(client)


def test_a_stranger_reads_no_names_if_every_domain_is_allowed(issuer: Issuer) -> None:
    add("admin", "chief@example.org")
    page = sign_in_with(issuer, Client())
    assert refused(page) == "not_invited"
    assert "chief@example.org" not in page.content.decode()


def test_newcomers_get_the_role_that_the_settings_give(issuer: Issuer, settings: Any) -> None:
    add("admin", "chief@example.org")
    settings.NEWSLETTER_OIDC = issuer.settings(domains=("example.org",), new_role="writer")
    client = Client()
    sign_in_with(issuer, client)
    person = User.objects.get(username="ann@example.org")
    assert (role_of(person), person.has_usable_password()) == ("writer", False)
    assert opens(client)
    assert AuditEntry.objects.get(action="newsletter.staff_added", object_id=person.pk).data["with"] == "Example ID"


def test_a_newcomer_does_not_take_the_place_of_the_first_administrator(issuer: Issuer, settings: Any) -> None:
    settings.NEWSLETTER_OIDC = issuer.settings(domains=("example.org",), new_role="writer")
    assert refused(sign_in_with(issuer, Client())) == "no_administrator"
    assert not User.objects.exists()


@pytest.mark.parametrize(("people", "code"), [((), "foreign_address"), (("ann@partner.org",), "")])
def test_a_foreign_domain_is_refused_unless_the_person_is_named(
    issuer: Issuer, settings: Any, people: tuple[str, ...], code: str
) -> None:
    add(email="ann@partner.org")
    issuer.person["email"] = "ann@partner.org"
    settings.NEWSLETTER_OIDC = issuer.settings(domains=("example.org",), people=people)
    client = Client()
    assert refused(sign_in_with(issuer, client)) == code
    assert opens(client) is not bool(code)


@pytest.mark.parametrize("verified", [False, None, "false", "yes", 1])
def test_an_unverified_address_is_refused(issuer: Issuer, verified: object) -> None:
    person = add()
    issuer.person["email_verified"] = verified
    issuer.only_user_info = True
    client = Client()
    page = sign_in_with(issuer, client)
    assert (page.status_code, refused(page)) == (403, "email_unverified")
    assert not opens(client)
    assert not SocialAccount.objects.exists()
    entry = AuditEntry.objects.get(action="newsletter.sign_in_refused")
    assert (entry.object_id, entry.data["reason"]) == (str(person.pk), "email_unverified")


def test_an_address_of_a_trusted_domain_counts_as_verified(issuer: Issuer, settings: Any) -> None:
    add()
    del issuer.person["email_verified"]
    settings.NEWSLETTER_OIDC = issuer.settings(trusted_domains=("example.org",))
    assert refused(sign_in_with(issuer, Client())) == ""
    issuer.person["email_verified"] = False
    assert refused(sign_in_with(issuer, Client())) == "email_unverified"


def test_the_claim_of_another_address_verifies_nothing(issuer: Issuer) -> None:
    add("admin", "chief@example.org")
    issuer.token = {"email": "chief@example.org", "email_verified": None}
    issuer.user_info = {"sub": "ann-1", "email": "mallory@example.org", "email_verified": True}
    assert refused(sign_in_with(issuer, Client())) == "email_unverified"


@pytest.mark.parametrize("methods", [["pwd", "mfa"], ["hwk"], ["otp", "pwd"]])
def test_a_second_factor_of_the_provider_counts(issuer: Issuer, methods: list[str]) -> None:
    person = add("approver")
    Authenticator.objects.create(user=person, type=Authenticator.Type.TOTP, data={})
    issuer.person["amr"] = methods
    client = Client()
    assert sign_in_with(issuer, client).headers["Location"] == "/admin/"
    assert opens(client)


@pytest.mark.parametrize("methods", [None, ["pwd"], ["sms"], "mfa", []])
def test_without_one_there_our_second_factor_is_asked(issuer: Issuer, methods: object) -> None:
    add("approver")
    if methods is not None:
        issuer.person["amr"] = methods
    client = Client()
    sign_in_with(issuer, client)
    assert client.get("/admin/issues/").headers["Location"] == "/accounts/2fa/totp/activate/"
    page = " ".join(client.get("/accounts/2fa/totp/activate/").content.decode().split())
    assert "if somebody else gets the password or the account that you sign in with" in page
    assert "A password alone" not in page
    Authenticator.objects.create(
        user=User.objects.get(username="ann@example.org"), type=Authenticator.Type.TOTP, data={}
    )
    again = Client()
    assert sign_in_with(issuer, again).headers["Location"] == "/accounts/2fa/authenticate/"
    assert not opens(again)


def test_our_code_ends_a_sign_in_with_the_provider(issuer: Issuer) -> None:
    person = add("approver")
    secret = generate_totp_secret()
    TOTP.activate(person, secret)
    client = Client()
    assert sign_in_with(issuer, client).headers["Location"] == "/accounts/2fa/authenticate/"
    *_, counter = yield_hotp_counters_from_time()
    code = format_hotp_value(hotp_value(secret, counter - 1))
    done = client.post("/accounts/2fa/authenticate/", {"code": code})
    assert done.headers["Location"] == "/admin/"
    assert opens(client)
    assert AuditEntry.objects.get(action="newsletter.signed_in").data == {"with": "Example ID"}


def test_the_settings_say_which_second_factors_count(issuer: Issuer, settings: Any) -> None:
    add("approver")
    issuer.person["amr"] = ["mfa"]
    settings.NEWSLETTER_OIDC = issuer.settings(second_factors=())
    client = Client()
    sign_in_with(issuer, client)
    assert not opens(client)


def test_a_switched_off_account_is_refused_and_its_sessions_end(issuer: Issuer) -> None:
    admin, person = add("admin", "chief@example.org"), add()
    client = Client()
    sign_in_with(issuer, client)
    assert opens(client)
    off = {"person": person, "email": person.email, "role": "writer", "by": admin, "now": timezone.now()}
    change_staff(**off, active=False)
    assert not opens(client)
    page = sign_in_with(issuer, Client())
    assert (page.status_code, refused(page)) == (403, "switched_off")


def test_another_identity_with_the_same_address_waits_for_an_administrator(issuer: Issuer) -> None:
    admin, person = add("admin", "chief@example.org"), add()
    sign_in_with(issuer, Client())
    issuer.person["sub"] = "ann-2"
    assert refused(sign_in_with(issuer, Client())) == "other_identity"
    account = {"person": person, "email": person.email, "role": "writer", "by": admin, "now": timezone.now()}
    change_staff(**account, active=False)
    change_staff(**account, active=True)
    assert refused(sign_in_with(issuer, Client())) == ""
    assert SocialAccount.objects.get().uid == "ann-2"


def test_a_changed_address_is_taken_over_at_the_next_sign_in(issuer: Issuer) -> None:
    person = add()
    sign_in_with(issuer, Client())
    issuer.person["email"] = "ann.lee@example.org"
    sign_in_with(issuer, Client())
    person.refresh_from_db()
    assert (person.username, person.email) == ("ann.lee@example.org", "ann.lee@example.org")
    assert AuditEntry.objects.get(action="newsletter.address_changed").data["was"] == "ann@example.org"


def test_a_changed_address_that_another_account_has_is_refused(issuer: Issuer) -> None:
    person = add()
    sign_in_with(issuer, Client())
    add(email="bea@example.org")
    issuer.person["email"] = "bea@example.org"
    assert refused(sign_in_with(issuer, Client())) == "address_taken"
    person.refresh_from_db()
    assert person.username == "ann@example.org"


@pytest.mark.parametrize(
    ("groups", "role"),
    [
        (["staff", "mail-editors"], "editor"),
        ("mail-approvers", "approver"),
        (["mail-editors", "mail-approvers"], "approver"),
    ],
)
def test_a_claim_gives_the_highest_of_its_roles(issuer: Issuer, settings: Any, groups: object, role: str) -> None:
    add("admin", "chief@example.org")
    person = add("writer")
    roles = (("mail-editors", "editor"), ("mail-approvers", "approver"))
    settings.NEWSLETTER_OIDC = issuer.settings(role_claim="realm.groups", roles=roles)
    issuer.person["realm"] = {"groups": groups}
    earlier = sign_in("writer", email="ann@example.org")
    assert opens(earlier)
    sign_in_with(issuer, Client())
    assert role_of(User.objects.get(pk=person.pk)) == role
    assert not opens(earlier), "a session with another role ends"


def test_a_claim_without_a_role_is_refused_and_changes_nothing(issuer: Issuer, settings: Any) -> None:
    add("admin", "chief@example.org")
    person = add("editor")
    settings.NEWSLETTER_OIDC = issuer.settings(role_claim="groups", roles=(("mail", "writer"),))
    for groups in (["other"], [], None, {"a": 1}):
        issuer.person["groups"] = groups
        assert refused(sign_in_with(issuer, Client())) == "no_role"
    assert role_of(User.objects.get(pk=person.pk)) == "editor"
    assert not SocialAccount.objects.exists()


@pytest.mark.parametrize(
    ("groups", "detail"),
    [
        (["other", "mail-old"], "groups: mail-old, other"),
        ([], "groups: nothing was sent"),
        ([f"{number:036}" for number in range(20)], f"groups: {0:036}, {1:036}, {2:036} and 17 more"),
        (["x" * 500, "line\nwith\0 signs"], "groups: line with signs and 1 more"),
    ],
)
def test_the_staff_log_has_the_values_that_gave_no_role(
    issuer: Issuer, settings: Any, groups: list[str], detail: str
) -> None:
    add("admin", "chief@example.org")
    settings.NEWSLETTER_OIDC = issuer.settings(role_claim="groups", roles=(("mail", "writer"),))
    issuer.person["groups"] = groups
    assert refused(sign_in_with(issuer, Client())) == "no_role"
    data = AuditEntry.objects.get(action="newsletter.sign_in_refused").data
    assert data["detail"] == detail
    assert detail in label_details(data, action="newsletter.sign_in_refused")


def test_a_newcomer_without_a_role_is_not_told_to_ask_for_an_invitation(issuer: Issuer, settings: Any) -> None:
    add("admin", "chief@example.org")
    settings.NEWSLETTER_OIDC = issuer.settings(role_claim="groups", roles=(("mail", "writer"),))
    page = sign_in_with(issuer, Client())
    assert refused(page) == "no_role"
    assert "invitation" not in page.content.decode()


def test_a_claim_never_takes_the_last_administrator(issuer: Issuer, settings: Any) -> None:
    person = add("admin")
    settings.NEWSLETTER_OIDC = issuer.settings(role_claim="groups", roles=(("mail", "writer"),))
    issuer.person["groups"] = ["mail"]
    assert refused(sign_in_with(issuer, Client())) == "last_administrator"
    assert role_of(User.objects.get(pk=person.pk)) == "admin"


def test_passwords_can_be_for_administrators_only(issuer: Issuer, settings: Any) -> None:
    add()
    add("admin", "chief@example.org")
    settings.NEWSLETTER_OIDC = issuer.settings(passwords="administrators")
    fields = {"login": "ann@example.org", "password": PASSWORD}
    client = Client()
    page = client.post("/accounts/login/", fields)
    assert (page.status_code, refused(page)) == (403, "password_off")
    assert not opens(client)
    chief = Client()
    assert chief.post("/accounts/login/", {**fields, "login": "chief@example.org"}).status_code == 302
    settings.NEWSLETTER_OIDC = issuer.settings()
    assert client.post("/accounts/login/", fields).headers["Location"] == "/admin/"


def test_no_password_can_be_chosen_if_passwords_are_off(issuer: Issuer, settings: Any) -> None:
    admin, now = add("admin", "chief@example.org"), timezone.now()
    link = invite_staff(email="bea@example.org", role="editor", by=admin, now=now)
    add()
    settings.NEWSLETTER_OIDC = issuer.settings(passwords="administrators")
    way = make_staff_link_url(link).partition(":8000")[2]
    assert 'name="password"' not in Client().get(way).content.decode()
    Client().post(way, {"password": PASSWORD, "again": PASSWORD})
    assert not User.objects.get(username="bea@example.org").has_usable_password()
    request_password_link(email="ann@example.org", address="", now=now)
    assert answer_password_requests(now=now) == 0
    assert StaffLink.objects.filter(kind=StaffLink.Kind.PASSWORD).count() == 0


def test_staff_without_a_password_confirm_by_signing_in_again(issuer: Issuer) -> None:
    person = add("data")
    person.set_unusable_password()
    person.save()
    issuer.person["amr"] = ["mfa"]
    client = Client()
    sign_in_with(issuer, client)
    assert "That is enough." in client.get("/admin/people/download/").content.decode()
    session = client.session
    session["staff_began"] = (timezone.now() - timedelta(minutes=20)).timestamp()
    session.save()
    page = client.get("/admin/people/download/").content.decode()
    assert 'href="/accounts/oidc/again/?next=%2Fadmin%2Fpeople%2Fdownload%2F"' in page
    sent = client.post("/admin/people/download/", {"mailing_list": "", "reason": "Print"})
    assert "You signed in more than ten minutes ago." in sent.content.decode()
    done = sign_in_with(issuer, client, path="/accounts/oidc/again/?next=/admin/people/download/")
    assert done.headers["Location"] == "/admin/people/download/"
    sent = client.post("/admin/people/download/", {"mailing_list": "", "reason": "Print"})
    assert sent.headers["Content-Type"].startswith("text/csv")


def test_signing_in_again_asks_for_it_and_an_old_one_is_refused(issuer: Issuer) -> None:
    add()
    client = Client()
    sign_in_with(issuer, client)
    location = client.get("/accounts/oidc/again/").headers["Location"]
    assert "prompt=login" in location
    assert "max_age=0" in location
    issuer.token["auth_time"] = timezone.now().timestamp() - 3600
    assert refused(sign_in_with(issuer, client, path="/accounts/oidc/again/")) == "not_asked_again"


def test_our_second_factor_can_be_set_up_without_a_password(issuer: Issuer) -> None:
    person = add("approver")
    person.set_unusable_password()
    person.save()
    client = Client()
    sign_in_with(issuer, client)
    session = client.session
    session["staff_began"] = (timezone.now() - timedelta(minutes=20)).timestamp()
    session.save()
    asked = client.get("/accounts/2fa/totp/activate/")
    assert asked.headers["Location"] == "/accounts/oidc/again/?next=%2Faccounts%2F2fa%2Ftotp%2Factivate%2F"


def test_the_account_page_says_who_signs_in_with_the_provider(issuer: Issuer, settings: Any) -> None:
    admin, person = sign_in("admin"), add()
    page = f"/admin/users/edit/{person.pk}/"
    assert "They sign in with Example ID." not in admin.get(page).content.decode()
    sign_in_with(issuer, Client())
    settings.NEWSLETTER_OIDC = issuer.settings(passwords="administrators")
    shown = admin.get(page).content.decode()
    assert "They sign in with Example ID." in shown
    assert f"/admin/users/link/{person.pk}/" not in shown


def test_the_invitation_mail_names_the_provider(issuer: Issuer) -> None:
    admin = add("admin", "chief@example.org")
    link = invite_staff(email="ann@example.org", role="editor", by=admin, now=timezone.now())
    assert "Sign in with Example ID" in choose_texts(link)[1]
