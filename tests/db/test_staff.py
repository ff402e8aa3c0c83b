"""Staff: accounts named by address, one role each, and the rights of each role."""

import pytest
from django.contrib.auth.models import Group, User
from wagtail.images import get_image_model
from wagtail.permissions import policy_registry

from newsletter.common.errors import BadAddress, NotFound
from newsletter.organisation.accounts.roles import ROLES
from newsletter.organisation.accounts.staff import BadPassword, UnknownRole, add_staff, is_staff, list_staff

pytestmark = pytest.mark.django_db
PASSWORD = "a-calm-harbour-morning"
MAY = {
    "wagtailadmin.access_admin": "writer editor approver data admin",
    "newsletter.change_issue": "writer editor approver admin",
    "newsletter.change_story": "writer editor approver admin",
    "newsletter.change_eventnotice": "writer editor approver admin",
    "newsletter.add_issue": "editor approver admin",
    "newsletter.delete_story": "editor approver admin",
    "newsletter.change_appeal": "editor approver admin",
    "newsletter.add_source": "editor approver admin",
    "newsletter.view_publication": "writer editor approver data admin",
    "newsletter.approve_issue": "approver admin",
    "newsletter.send_issue": "approver admin",
    "newsletter.change_publication": "admin",
    "newsletter.change_brand": "admin",
    "subscribers.view_subscriber": "data admin",
    "subscribers.change_mailinglist": "data admin",
    "subscribers.add_importbatch": "data admin",
    "subscribers.change_consentevent": "",
    "subscribers.delete_suppression": "",
    "newsletter.change_delivery": "",
    "newsletter.change_approval": "",
    "auth.change_user": "admin",
    "auth.change_group": "",
    "wagtailcore.add_page": "",
    "wagtailcore.add_site": "",
}


@pytest.mark.requirement("G7")
@pytest.mark.parametrize("role", ROLES)
def test_a_role_may_do_what_the_table_says_and_no_more(role: str) -> None:
    add_staff(email="ann@example.org", role=role, password=PASSWORD)
    person = User.objects.get(username="ann@example.org")
    assert {right: person.has_perm(right) for right in MAY} == {
        right: role in who.split() for right, who in MAY.items()
    }
    assert not person.is_superuser


def test_the_groups_that_are_made_for_web_pages_are_gone() -> None:
    assert set(Group.objects.values_list("name", flat=True)) == set(ROLES)


def test_only_writers_and_editors_may_choose_and_add_pictures() -> None:
    for role in ROLES:
        add_staff(email=f"{role}@example.org", role=role, password=PASSWORD)
    policy = policy_registry.get_by_type(get_image_model())
    may = {
        role for role in ROLES if policy.user_has_permission(User.objects.get(username=f"{role}@example.org"), "add")
    }
    assert may == set(ROLES) - {"data"}


def test_a_person_is_named_by_the_address_in_lower_case_and_can_log_in() -> None:
    change = add_staff(email=" Ann@Example.org ", role="editor", password=PASSWORD)
    assert (change.email, change.created, change.old_role) == ("ann@example.org", True, "")
    assert User.objects.get(username="ann@example.org").check_password(PASSWORD)
    assert is_staff("ANN@example.org ")


def test_another_role_replaces_the_first_and_keeps_the_password() -> None:
    add_staff(email="ann@example.org", role="writer", password=PASSWORD)
    change = add_staff(email="ANN@example.org", role="approver")
    assert (change.created, change.old_role, change.role, change.password_set) == (False, "writer", "approver", False)
    person = User.objects.get()
    assert [group.name for group in person.groups.all()] == ["approver"]
    assert person.check_password(PASSWORD)


def test_another_password_is_set_and_an_account_that_was_off_is_on_again() -> None:
    add_staff(email="ann@example.org", role="writer", password=PASSWORD)
    User.objects.update(is_active=False)
    assert add_staff(email="ann@example.org", role="writer", password="another-good-morning").password_set
    person = User.objects.get()
    assert person.is_active
    assert person.check_password("another-good-morning")


@pytest.mark.parametrize(
    ("password", "message"),
    [
        (None, "needs a password"),
        ("short", "This password is too short. It must contain at least 12 characters."),
        ("123456789012", "entirely numeric"),
    ],
)
def test_a_bad_password_makes_no_account_and_is_explained(password: str | None, message: str) -> None:
    with pytest.raises(BadPassword, match=message):
        add_staff(email="ann@example.org", role="writer", password=password)
    assert not User.objects.exists()


def test_a_mistyped_role_names_the_nearest() -> None:
    with pytest.raises(UnknownRole, match="did you mean “editor”"):
        add_staff(email="ann@example.org", role="edtor", password=PASSWORD)
    with pytest.raises(UnknownRole, match="the roles are writer, editor"):
        add_staff(email="ann@example.org", role="xyz", password=PASSWORD)


def test_an_invalid_or_too_long_address_of_an_account_is_refused() -> None:
    with pytest.raises(BadAddress):
        add_staff(email="ann", role="writer", password=PASSWORD)
    with pytest.raises(BadAddress, match="may have 150 characters"):
        add_staff(email=f"ann@{'a' * 60}.{'b' * 60}.{'c' * 60}.org", role="writer", password=PASSWORD)


def test_a_role_whose_group_was_deleted_is_reported_as_missing() -> None:
    Group.objects.filter(name="writer").delete()
    with pytest.raises(NotFound, match="The group of the role “writer” is gone"):
        add_staff(email="ann@example.org", role="writer", password=PASSWORD)


def test_the_list_has_everybody_with_their_role() -> None:
    add_staff(email="b@example.org", role="data", password=PASSWORD)
    User.objects.create_superuser("a@example.org")
    User.objects.create_user("c@example.org", is_active=False)
    assert [(member.email, member.role, member.active) for member in list_staff()] == [
        ("a@example.org", "superuser", True),
        ("b@example.org", "data", True),
        ("c@example.org", "", False),
    ]
