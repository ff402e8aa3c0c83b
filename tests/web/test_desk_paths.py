"""The path at the top of a page leads back to the pages above it, and a menu offers only pages that open."""

import lxml.html
import pytest
from django.contrib.auth.models import AnonymousUser, Permission, User

from newsletter.desk.dmarc.page import DmarcPage
from newsletter.desk.mails.pages import MailTemplatesPage
from newsletter.desk.replies.page import RepliesPage
from tests.support.desk import sign_in_superuser

pytestmark = pytest.mark.django_db

ISSUES = ("Issues", "/admin/issues/")


@pytest.mark.parametrize(
    ("address", "path"),
    [
        ("/admin/search/", [("Search", "")]),
        ("/admin/canaries/", [("Canary mailboxes", "")]),
        ("/admin/results/gifts/", [("Results", "/admin/results/"), ("Add gifts", "")]),
        ("/admin/saved/", [ISSUES, ("Saved content", "")]),
        ("/admin/issues/new/", [ISSUES, ("New issue", "")]),
        ("/admin/events/places/", [("Events", "/admin/events/"), ("Where are these events?", "")]),
        ("/admin/setup/brand/", [("Set up", "/admin/setup/"), ("Your organisation", "")]),
        ("/admin/people/imports/", [("Subscribers", "/admin/people/"), ("Imports", "")]),
    ],
)
def test_the_path_names_each_page_above_with_its_address(address: str, path: list[tuple[str, str]]) -> None:
    page = lxml.html.fromstring(sign_in_superuser().get(address).content.decode())
    links = page.cssselect(".w-breadcrumbs li a")
    assert [(" ".join(link.text_content().split()), link.get("href")) for link in links] == [("Home", "/admin/"), *path]


def test_a_menu_offers_a_page_only_to_those_who_may_open_it() -> None:
    reader = User.objects.create_user("reader@example.org")
    reader.user_permissions.add(Permission.objects.get(codename="view_dmarcreport"))
    for page in (DmarcPage, MailTemplatesPage, RepliesPage):
        assert not page.admits(AnonymousUser())
        assert not page.admits(reader)
    reader.user_permissions.add(Permission.objects.get(codename="add_dmarcreport"))
    assert DmarcPage.admits(User.objects.get(pk=reader.pk))
