"""An organisation's own pages after the sign-up form and after confirming."""

import re
from html import unescape

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import timezone

from subscribers.identity import identify
from subscribers.links.signed_links import Purpose
from subscribers.models import MailingList, Reason
from subscribers.unsubscribing.suppression import suppress
from tests.support.people import make_list, make_person, path_to, subscribe
from tests.support.signup import join

pytestmark = pytest.mark.django_db
JOINED, CONFIRMED = "https://charity.example/thanks?a=1&b=2", "https://charity.example/welcome"
_REFRESH = re.compile(r'<meta http-equiv="refresh" content="0; url=([^"]+)">')


def find_forward(page: bytes) -> str:
    found = _REFRESH.search(page.decode())
    assert (found is not None) == (b"Continue" in page), "the page has a link for browsers that stay"
    return unescape(found[1]) if found else ""


@pytest.fixture
def weekly() -> MailingList:
    return make_list(name="Weekly", joined_url=JOINED, confirmed_url=CONFIRMED)


def test_the_sign_up_form_leads_to_the_organisations_own_page(client: Client, weekly: MailingList) -> None:
    answer = join(client, weekly)
    assert find_forward(answer.content) == JOINED
    assert b"ada@example.org" in answer.content, "it shows the usual text until the browser leaves"


def test_a_suppressed_address_comes_to_the_same_page(client: Client, weekly: MailingList) -> None:
    suppress(address_hash=identify("ada@example.org"), reason=Reason.STAFF, now=timezone.now())
    assert find_forward(join(client, weekly).content) == JOINED


def test_a_form_that_must_be_corrected_stays(client: Client, weekly: MailingList) -> None:
    assert find_forward(client.get("/join/weekly").content) == ""
    assert find_forward(join(client, weekly, email="ada").content) == ""
    assert find_forward(join(client, weekly, seconds=1).content) == ""


def test_the_button_of_the_mail_leads_to_the_organisations_own_page(client: Client, weekly: MailingList) -> None:
    ada = make_person()
    subscribe(ada, weekly, basis="consent_double_opt_in", requested_at=timezone.now())
    path = path_to(ada, weekly, Purpose.CONFIRM)
    assert find_forward(client.get(path).content) == "", "only the button confirms"
    assert find_forward(client.post(path).content) == CONFIRMED
    assert find_forward(client.post(path).content) == CONFIRMED, "a second press"
    assert find_forward(client.get(path).content) == "", "a later visit leads to the person's own choices"


def test_without_such_pages_people_stay_on_ours(client: Client) -> None:
    weekly = make_list(name="Weekly")
    assert find_forward(join(client, weekly).content) == ""
    ada = make_person("bea@example.org")
    subscribe(ada, weekly, basis="consent_double_opt_in", requested_at=timezone.now())
    assert find_forward(client.post(path_to(ada, weekly, Purpose.CONFIRM)).content) == ""


@pytest.mark.parametrize("url", ["javascript:alert(1)", "thanks.html", "https://"])
@pytest.mark.parametrize("field", ["joined_url", "confirmed_url"])
def test_only_the_address_of_a_web_page_is_taken(field: str, url: str) -> None:
    with pytest.raises(ValidationError) as refused:
        MailingList(slug="weekly", name="Weekly", **{field: url}).full_clean()
    assert list(refused.value.message_dict) == [field]
