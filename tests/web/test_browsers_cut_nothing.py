"""Pages before sign-in, the segment builder and windows of the editor have no field that a browser cuts."""

from urllib.parse import urlsplit

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import timezone

from newsletter.models import StaffLink
from newsletter.organisation.accounts.first_administrator import make_first_administrator_url
from newsletter.organisation.accounts.staff_links import make_staff_link, make_staff_link_url
from subscribers.desk.segments.rule_blocks import SourceText
from tests.support.desk import PASSWORD, sign_in

pytestmark = pytest.mark.django_db
DESK_PATHS = (
    "/admin/account/",
    "/admin/choose-email-link/",
    "/admin/images/add/",
    "/admin/images/chooser/",
    "/admin/segments/add/",
)


def make_link(kind: StaffLink.Kind) -> str:
    """Return the path of a link for a new member of staff."""
    sign_in("writer", email=f"{kind}@example.org".lower())
    link = make_staff_link(person=User.objects.latest("pk"), kind=kind, by=None, now=timezone.now())
    return urlsplit(make_staff_link_url(link)).path


@pytest.mark.parametrize("path", DESK_PATHS)
def test_no_window_of_the_desk_lets_browsers_cut(path: str) -> None:
    answer = sign_in("admin").get(path)
    assert answer.status_code == 200
    assert "maxlength" not in answer.content.decode().lower()


def test_no_page_before_sign_in_lets_browsers_cut() -> None:
    paths = ["/accounts/login/", "/accounts/password/", urlsplit(make_first_administrator_url()).path]
    texts = [Client().get(path).content.decode() for path in paths]
    texts += [Client().get(make_link(kind)).content.decode() for kind in StaffLink.Kind]
    assert all("<form" in text for text in texts[1:])
    assert [text for text in texts if "maxlength" in text] == []


def test_an_invited_person_keeps_a_name_that_is_too_long() -> None:
    typed = {"first_name": "x" * 151, "last_name": "Lee", "password": PASSWORD, "again": PASSWORD}
    answer = Client().post(make_link(StaffLink.Kind.INVITATION), typed)
    page = answer.content.decode()
    assert "x" * 151 in page
    assert "Ensure this value has at most 150 characters (it has 151)." in page


def test_a_segment_names_the_limit_of_a_source() -> None:
    with pytest.raises(ValidationError, match="at most 120 characters"):
        SourceText().clean("x" * 121)
