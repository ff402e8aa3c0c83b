"""Every public page and mail about a subscription is wholly in the reader's language, in every language that we offer."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from html.parser import HTMLParser

import pytest
import time_machine
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone, translation

from newsletter.common.languages import OFFERED_LANGUAGES, PAGE_LANGUAGES
from newsletter.common.translation import language_choices
from newsletter.models import Brand
from newsletter.web.error_pages import show_server_error
from subscribers.desk.embedded_form import render_embed_form
from subscribers.identity import OtherAddressKey
from subscribers.links.signed_links import Purpose
from subscribers.models import Case, Frequency, MailingList, StayQuestion, Subscriber
from subscribers.people.publishing_hooks import MonthlyMailCount, get_publishing_hooks, register_publishing_hooks
from subscribers.web.page import unavailable_page
from tests.support.people import make_list, make_member, make_person, make_topic, path_to, subscribe
from tests.support.process_caches import clear_branding_cache
from tests.support.signup import join

pytestmark = pytest.mark.django_db
LANGUAGE_NAMES = {label for code, label in language_choices("") if code}
READ_BY_READERS = ("title", "aria-label", "alt", "placeholder")
SAME_IN_BOTH = {("fr", "Pause"), ("de", "Pause")}
OWN_WORDS = ("Weekly", "Land", "The river case", "Open Door", "York, England")
"""Words of the organisation and its readers, which no catalogue translates."""


class Texts(HTMLParser):
    """Collects what somebody reads or hears on a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: set[str] = set()
        self._hidden = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._hidden = tag in ("style", "script")
        self.found.update(value for name, value in attrs if name in READ_BY_READERS and value)

    def handle_endtag(self, tag: str) -> None:
        self._hidden = False

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.found.add(" ".join(data.split()))


@pytest.fixture(autouse=True)
def month() -> Iterator[None]:
    """Every person had mails in the last month, so that the pages count them."""
    before = get_publishing_hooks()

    def last_month(person: Subscriber, mailing_list: MailingList, now: datetime) -> MonthlyMailCount:
        return MonthlyMailCount(issues=4, with_events=1)

    def mails_a_month(person: Subscriber, now: datetime) -> int:
        return 5

    frequencies: Callable[[MailingList], frozenset[Frequency]] = lambda mailing_list: frozenset(Frequency)  # noqa: E731
    register_publishing_hooks(
        lambda: replace(before, last_month=last_month, mails_a_month=mails_a_month, frequencies=frequencies)
    )
    yield
    register_publishing_hooks(lambda: before)


@pytest.fixture(autouse=True)
def _brand() -> None:
    Brand.objects.create(name="Open Door", privacy_url="https://example.org/privacy/")
    clear_branding_cache()
    make_topic("land", "Land")
    Case.objects.create(slug="river-case", name="The river case")


def read_pages(language: str) -> dict[str, str]:
    """Open every public page as a reader of this language. Return the pages by name."""
    pages: dict[str, str] = {}
    client = Client(headers={"accept-language": language})
    weekly = make_list(f"weekly-{language}", name="Weekly")

    def person(number: int) -> Subscriber:
        return make_member(weekly, f"{language}{number}@example.org", language=language)

    def keep(name: str, response: HttpResponse) -> None:
        pages[name] = response.content.decode()

    def visit(name: str, path: str, posted: dict[str, object] | None = None) -> None:
        keep(name, client.get(path) if posted is None else client.post(path, posted))

    visit("join", f"/join/weekly-{language}")
    keep("joined", join(client, weekly, email=f"{language}0@example.org"))
    keep("joined slowly", join(client, weekly, email="nobody", seconds=1, proven=False))
    keep("town", join(client, weekly, email=f"{language}9@example.org", city="Springfield"))
    visit("stale form", f"/join/weekly-{language}", {"email": "a@example.org", "started": "x"})
    visit("no list", "/join/nothing")
    asking = make_person(f"{language}1@example.org", language=language)
    subscribe(asking, weekly, basis="consent_double_opt_in", requested_at=timezone.now())
    confirm = path_to(asking, weekly, Purpose.CONFIRM)
    for name in ("confirm", "confirmed", "confirmed again"):
        visit(name, confirm, None if name == "confirm" else {})
    ada = person(2)
    preferences = path_to(ada, weekly, Purpose.PREFERENCES)
    visit("preferences", preferences)
    visit("refused preferences", preferences, {"town": "Springfield", "lists": [weekly.pk]})
    visit("unknown town", preferences, {"town": "Nowhereatall", "lists": [weekly.pk]})
    visit("case", f"{preferences}?case=river-case")
    visit("followed case", f"{preferences}?case=river-case", {"do": "follow"})
    visit("closed case", f"{preferences}?case=none")
    visit("saved", preferences, {"lists": [weekly.pk], "pause": "30", "language": language, "town": "York, England"})
    visit("less", f"{preferences}/less", {})
    for kind in ("download", "erase", "move"):
        visit(f"ask {kind}", f"{preferences}/{kind}")
        visit(f"asked {kind}", f"{preferences}/{kind}", {})
    now = timezone.now()
    asked = now - timedelta(days=40)
    StayQuestion.objects.create(
        subscriber=ada, mailing_list=weekly, asked_at=asked, sent_at=asked, resting_since=now - timedelta(days=10)
    )
    visit("resting", preferences)
    for name in ("stay", "stayed"):
        visit(name, path_to(ada, weekly, Purpose.STAY), None if name == "stay" else {})
    leave = path_to(ada, weekly)
    visit("unsubscribe", leave)
    visit("unsubscribed", leave, {})
    visit("undone", f"{leave}/undo", {})
    visit("unsubscribe from all", f"{leave}/all")
    visit("unsubscribed from all", f"{leave}/all", {})
    visit("stay after leaving", path_to(ada, weekly, Purpose.STAY), {})
    visit("case after leaving", f"{preferences}?case=river-case", {"do": "follow"})
    with time_machine.travel(timezone.now() + timedelta(hours=2)):
        visit("too late to undo", f"{leave}/undo", {})
    with time_machine.travel(timezone.now() + timedelta(days=99)):
        visit("old link", preferences)
        visit("old confirmation", confirm)
        visit("old download", path_to(ada, weekly, Purpose.DOWNLOAD)[:-1])
    visit("bad link", "/u/nothing")
    mover = person(3)
    change = path_to(mover, weekly, Purpose.CHANGE_ADDRESS)
    visit("change address", change)
    visit("same address", change, {"email": mover.email})
    visit("bad address", change, {"email": "nobody"})
    visit("changed address", change, {"email": f"{language}4@example.org"})
    visit("used link", change, {"email": f"{language}5@example.org"})
    new = path_to(mover, weekly, Purpose.CONFIRM_ADDRESS)
    visit("new address", new)
    visit("confirmed address", new, {})
    Subscriber.objects.filter(email="new@example.org").update(email=f"{language}6@example.org")
    gone = person(7)
    for name, purpose in (("download", Purpose.DOWNLOAD), ("erase", Purpose.ERASE)):
        visit(name, path_to(gone, weekly, purpose))
    remembered = path_to(gone, weekly, Purpose.PREFERENCES)
    visit("erased", path_to(gone, weekly, Purpose.ERASE), {})
    visit("nothing kept", remembered)
    visit("my mail", "/my-mail")
    visit("my mail refused", "/my-mail", {"email": "nobody"})
    visit("my mail asked", "/my-mail", {"email": ada.email})
    visit("proof unsubscribe", "/proof/unsubscribe")
    visit("proof preferences", "/proof/preferences")
    visit("not found", "/nothing-here")
    visit("bad request", "/join/%00")
    keep("server error", show_server_error(client.get("/my-mail").wsgi_request))
    for by_link in (True, False):
        unavailable = unavailable_page(OtherAddressKey("No."), language="", accepted=language, by_link=by_link)
        keep(f"no database, by link {by_link}", unavailable)
    return pages


def find_untranslated(pages: dict[str, str], english: dict[str, str], *, language: str) -> list[tuple[str, str]]:
    left = []
    for name, page in pages.items():
        for text in Texts(page).found & Texts(english[name]).found:
            rest = re.sub("|".join([*OWN_WORDS, r"Springfield, .*", r"\S+@\S+", r"\d+ km \(\d+ miles\)"]), "", text)
            is_same = text in LANGUAGE_NAMES or (language, text) in SAME_IN_BOTH
            if re.search(r"[A-Za-z]{3}", rest) and not is_same:
                left.append((name, text))
    return left


@cache
def read_english_pages() -> dict[str, str]:
    return read_pages("en")


@pytest.mark.parametrize("language", OFFERED_LANGUAGES)
def test_public_pages_are_wholly_in_the_language_that_they_name(language: str) -> None:
    pages = read_pages(language)
    assert len(pages) > 50
    html = f'<html lang="{language}" dir="{"rtl" if language == "ar" else "ltr"}">'
    assert [name for name, page in pages.items() if html not in page] == []
    if language != "en":
        assert find_untranslated(pages, read_english_pages(), language=language) == []


def test_every_language_of_mails_has_pages() -> None:
    assert PAGE_LANGUAGES == OFFERED_LANGUAGES


@pytest.mark.parametrize(("number", "said"), [(0, "لا رسائل"), (1, "رسالة واحدة"), (2, "رسالتان"), (5, "5 رسائل")])
def test_arabic_counts_with_its_own_plural_forms(number: int, said: str) -> None:
    with translation.override("ar"):
        text = translation.ngettext("With less: %(mails)s mail.", "With less: %(mails)s mails.", number)
    assert said in text % {"mails": number}


@pytest.mark.parametrize("language", [code for code in OFFERED_LANGUAGES if code != "en"])
def test_the_form_for_other_sites_is_in_the_organisations_language(language: str) -> None:
    weekly = make_list(name="Weekly", ask_language=True)
    english = render_embed_form(weekly)
    before = get_publishing_hooks()
    register_publishing_hooks(lambda: replace(before, branding=lambda: replace(before.branding(), language=language)))
    assert find_untranslated({"form": render_embed_form(weekly)}, {"form": english}, language=language) == []


def test_a_country_in_the_name_of_a_language_keeps_its_capitals() -> None:
    assert ("en-GB", "English (United Kingdom)") in language_choices("en-GB")
    assert ("pt-BR", "Português (Brasil)") in language_choices("pt-BR")
