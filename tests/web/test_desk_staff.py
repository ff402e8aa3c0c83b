"""The list of staff: roles, second factors, language and time zone; and the keys of staff who leave."""

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import User
from django.utils import timezone
from wagtail.users.models import UserProfile

from newsletter.api_keys import make_key
from newsletter.common.errors import NotApproved
from newsletter.issues.approval.approve import approve_issue, require_approval
from newsletter.models import ApiScope, Approval
from tests.support.desk import sign_in
from tests.support.desk_forms import filled_in, save
from tests.support.fixtures import NOW, add_subscribers, make_issue, make_publication, make_story
from tests.support.page_html import compact_html
from tests.support.welcome import turn_on_welcome

pytestmark = pytest.mark.django_db


def test_the_staff_list_shows_roles_and_second_factors() -> None:
    admin = sign_in("admin")
    sign_in("writer")
    person = User.objects.get(username="admin@example.org")
    Authenticator.objects.create(user=person, type=Authenticator.Type.TOTP, data={})
    page = admin.get("/admin/users/").content.decode()
    for words in (">Administrator</td>", ">Writer</td>", ">set up</td>", ">not set up</td>"):
        assert words in page
    assert "data-bulk-action-checkbox" not in page
    assert "2 accounts" in page
    log = compact_html(admin.get("/admin/staff-log/").content.decode())
    assert "user<" not in log


def test_the_staff_list_shows_staff_without_a_role() -> None:
    admin = sign_in("admin")
    User.objects.create_user("nobody@example.org")
    assert "No role: cannot do anything here" in admin.get("/admin/users/").content.decode()


def test_staff_choose_a_time_zone_and_embargoes_name_it() -> None:
    client = sign_in("editor")
    person = User.objects.get(username="editor@example.org")
    fields = {"locale-preferred_language": "es", "locale-current_time_zone": "America/Chicago"}
    email = {"name_email-email": person.email, "name_email-first_name": "", "name_email-last_name": ""}
    theme = {"theme-theme": "system", "theme-density": "default", "theme-contrast": "system"}
    client.post("/admin/account/", {**fields, **email, **theme})
    profile = UserProfile.get_for_user(person)
    assert (profile.preferred_language, profile.current_time_zone) == ("es", "America/Chicago")
    assert "Idioma de la redacción (English)" in client.get("/admin/account/").content.decode()
    assert "Zona horaria de la redacción (UTC)" in client.get("/admin/account/").content.decode()
    assert ">Chicago</option>" in client.get("/admin/account/").content.decode()
    assert 'value="localtime"' not in client.get("/admin/account/").content.decode()
    assert "hora de Chicago" in client.get("/admin/stories/add/").content.decode()


@pytest.mark.parametrize("change", ["role", "off", "delete"])
def test_the_keys_that_a_former_administrator_knows_are_named(change: str) -> None:
    admin = sign_in("admin")
    sign_in("admin", email="kim@example.org")
    kim = User.objects.get(username="kim@example.org")
    for name, by in (("Shop", kim.username), ("Web site", "admin@example.org")):
        make_key(name=name, scope="read", by=by, now=timezone.now())
    address = f"/admin/users/edit/{kim.pk}/"
    told = "They created an API key that still works: Shop."
    assert told not in save(admin, address, first_name="Kim")
    if change == "delete":
        assert told in admin.post(f"/admin/users/delete/{kim.pk}/", follow=True).content.decode()
        return
    fields = filled_in(admin.get(address).content.decode())
    if change == "off":
        del fields["active"]
    else:
        fields["role"] = "writer"
    assert told in admin.post(address, fields, follow=True).content.decode()


@pytest.mark.parametrize("change", ["role", "off"])
def test_the_issues_that_a_former_approver_approved_are_named(change: str) -> None:
    admin = sign_in("admin")
    sign_in("approver", email="kim@example.org")
    kim = User.objects.get(username="kim@example.org")
    publication = make_publication()
    make_story("The first verdict")
    add_subscribers(publication, 1)
    issue = make_issue(publication)
    approve_issue(issue=issue, by=kim, now=NOW)
    address = f"/admin/users/edit/{kim.pk}/"
    told = (
        f'They approved an issue that is not sent yet: <a href="/admin/issues/{issue.pk}/overview/">{issue}</a>. '
        "Their approval no longer counts."
    )
    assert told not in save(admin, address, first_name="Kim")
    fields = filled_in(admin.get(address).content.decode())
    if change == "off":
        del fields["active"]
    else:
        fields["role"] = "writer"
    assert told in admin.post(address, fields, follow=True).content.decode()
    with pytest.raises(NotApproved, match="That approval no longer counts"):
        require_approval(issue, now=NOW)


def test_the_approval_of_a_welcome_mail_stays_valid_and_is_named() -> None:
    admin = sign_in("admin")
    sign_in("approver", email="kim@example.org")
    kim = User.objects.get(username="kim@example.org")
    first, *_others = turn_on_welcome(make_publication(), steps=1)
    Approval.objects.filter(issue=first).update(person=kim, by_policy=False)
    page = save(admin, f"/admin/users/edit/{kim.pk}/", role="writer")
    told = (
        f'They approved a welcome mail: <a href="/admin/issues/{first.pk}/overview/">{first}</a>. Their approval stays'
    )
    assert told in page
    assert "not sent yet" not in page


def test_the_keys_of_a_person_are_found_under_a_new_address() -> None:
    admin = sign_in("admin")
    sign_in("admin", email="kim@example.org")
    kim = User.objects.get(username="kim@example.org")
    make_key(name="Shop", scope="read", by=kim.username, now=timezone.now())
    address = f"/admin/users/edit/{kim.pk}/"
    save(admin, address, email="kim@example.com")
    fields = filled_in(admin.get(address).content.decode())
    del fields["active"]
    page = admin.post(address, fields, follow=True).content.decode()
    assert "They created an API key that still works: Shop." in page


def test_an_administrator_can_give_a_key_every_permission() -> None:
    page = sign_in("admin").get("/admin/api-keys/").content.decode()
    assert [scope for scope in ApiScope.values if f'value="{scope}"' not in page] == []
