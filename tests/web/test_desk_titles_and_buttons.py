"""Each page of the desk has a title of its own, at most one filled button, and no text that a browser would cut."""

from collections import defaultdict

import lxml.html
import pytest
from django.contrib.auth.models import User
from django.test import Client

from newsletter.models import Issue
from tests.support.demo_rows import make_decision
from tests.support.desk import sign_in_superuser
from tests.support.desk_looks import list_pages
from tests.support.desk_pages import OF_A_WAITING_ISSUE, make_desk_rows  # noqa: F401  a fixture

pytestmark = [pytest.mark.long, pytest.mark.django_db(transaction=True)]

SAME_TITLE = (
    {"wagtailsnippets_newsletter_issue:edit", "wagtailsnippets_newsletter_issue:revisions_revert"},
    {"newsletter_source_find", "wagtailsnippets_newsletter_source:add"},
    {"subscribers_person", "subscribers_reveal"},
)
"""Pages that are one page at two addresses: the editor, with an earlier version too; the search for a source; a person."""
NOT_ALLOWED = (
    "newsletter_issue_close",
    "newsletter_issue_complete",
    "newsletter_issue_correct",
    "newsletter_issue_delete",
    "newsletter_send_account",
    "newsletter_send_ask start",
    "newsletter_send_retry",
)
"""Forms that no issue of the rows allows: they lead to its overview."""
FILLED = "a.button, button.button"
NOT_FILLED = {"skiplink", "button-secondary", "no", "w-header-button", "button--icon"}


def test_every_desk_page_has_its_own_title_and_one_filled_button(desk: dict[str, str]) -> None:
    pages = open_pages(desk)
    by_title: dict[str, set[str]] = defaultdict(set)
    for name, page in pages.items():
        by_title[" ".join((page.findtext(".//title") or "").split())].add(name)
    shared = {title: names for title, names in by_title.items() if len(names) > 1}
    assert [names for names in shared.values() if names not in SAME_TITLE] == [], shared
    assert len(shared) == len(SAME_TITLE)
    filled = {name: list_filled_buttons(page) for name, page in pages.items()}
    assert {name: buttons for name, buttons in filled.items() if len(buttons) > 1} == {}
    assert len([name for name, buttons in filled.items() if buttons]) > len(pages) / 4


def test_no_browser_cuts_a_text_that_is_pasted_into_a_desk_page(desk: dict[str, str]) -> None:
    texts = {name: list(page.iter("textarea", "input")) for name, page in open_pages(desk).items()}
    assert len([name for name, areas in texts.items() if areas]) > 10
    assert {name for name, areas in texts.items() if any(area.get("maxlength") for area in areas)} == set()


def open_pages(desk: dict[str, str]) -> dict[str, lxml.html.HtmlElement]:
    """Return every page of the desk as an administrator sees it, by the route's name."""
    client, waiting = sign_in_superuser(), Issue.objects.latest("pk")
    decision = make_decision(waiting, person=User.objects.get(username="root@example.org"))
    addresses = list_pages({**desk, "token": decision})
    del addresses["wagtailimages:edit"]  # the rows have no image
    del addresses["subscribers_import"]  # the rows have only an import that is not checked yet: it leads to its columns
    for name in NOT_ALLOWED:
        del addresses[name]
    for name in OF_A_WAITING_ISSUE:
        addresses[name] = addresses[name].replace(f"/issues/{desk['admin/issues']}/", f"/issues/{waiting.pk}/")
    addresses["an open issue"] = f"/admin/issues/{waiting.pk}/overview/"
    return {name: open_page(client, name, address) for name, address in addresses.items()}


def open_page(client: Client, name: str, address: str) -> lxml.html.HtmlElement:
    """Return the page without the parts that a script may show later."""
    answer = client.get(address)
    assert answer.status_code == 200, (name, address)
    page = lxml.html.fromstring(answer.content.decode())
    for template in page.findall(".//template"):
        template.drop_tree()
    return page


def list_filled_buttons(page: lxml.html.HtmlElement) -> list[str]:
    buttons = [button for main in page.iter("main") for button in main.cssselect(FILLED)]
    return [" ".join(button.text_content().split()) for button in buttons if not NOT_FILLED & set(button.classes)]
