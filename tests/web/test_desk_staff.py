"""The list of staff in the desk: who may do what, at a look."""

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import User
from wagtail.users.models import UserProfile

from tests.web.desk import sign_in

pytestmark = pytest.mark.django_db


def test_the_list_of_staff_says_each_ones_role_and_second_factor() -> None:
    admin = sign_in("admin")
    sign_in("writer")
    person = User.objects.get(username="admin@example.org")
    Authenticator.objects.create(user=person, type=Authenticator.Type.TOTP, data={})
    page = admin.get("/admin/users/").content.decode()
    for words in (">Administrator</td>", ">Writer</td>", ">set up</td>", ">not set up</td>"):
        assert words in page
    assert "data-bulk-action-checkbox" not in page


def test_somebody_without_a_role_is_seen_to_have_none() -> None:
    admin = sign_in("admin")
    User.objects.create_user("nobody@example.org")
    assert "No role: cannot do anything here" in admin.get("/admin/users/").content.decode()


def test_a_language_and_a_time_zone_are_chosen_without_a_name_and_the_embargo_says_on_which_clock_it_is() -> None:
    client = sign_in("editor")
    person = User.objects.get(username="editor@example.org")
    fields = {"locale-preferred_language": "es", "locale-current_time_zone": "America/Chicago"}
    email = {"name_email-email": person.email, "name_email-first_name": "", "name_email-last_name": ""}
    theme = {"theme-theme": "system", "theme-density": "default", "theme-contrast": "system"}
    client.post("/admin/account/", {**fields, **email, **theme})
    profile = UserProfile.get_for_user(person)
    assert (profile.preferred_language, profile.current_time_zone) == ("es", "America/Chicago")
    assert 'value="localtime"' not in client.get("/admin/account/").content.decode()
    assert "(America/Chicago)" in client.get("/admin/stories/add/").content.decode()
