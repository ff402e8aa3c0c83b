"""No search box cuts what is typed. A text that is too long is not searched for: the page keeps it and names the limit."""

import lxml.html
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from newsletter.models import AuditEntry, Publication
from subscribers.people.locations import get_location_row, locate
from tests.support.desk import sign_in, sign_in_superuser
from tests.support.fixtures import add_subscribers, make_issue, make_publication, make_story
from tests.support.people import make_list, make_member

pytestmark = pytest.mark.django_db
LONG = "é" * 201
TOO_LONG = "Search for at most 200 characters. Your text has 201. Please shorten it."
TOO_MANY = "Search for at most %s words. Your text has %s. Please leave some out."
LISTS = ("/admin/people/", "/admin/images/", "/admin/users/", "/admin/stories/")
CHOOSERS = ("/admin/images/chooser/results/", "/admin/snippets/choose/newsletter/story/results/")


def read(answer) -> str:
    return " ".join(lxml.html.fromstring(answer.content.decode()).text_content().split())


def describe_box(page: bytes, name: str) -> str:
    """Return what the page says beside a search box, and check that the box neither cuts nor loses the text."""
    tree = lxml.html.fromstring(page.decode())
    box = next(iter(tree.xpath("//input[@name=$name]", name=name)))
    assert box.get("value") == LONG
    assert box.get("maxlength") is None
    assert box.get("aria-invalid") == "true"
    return tree.get_element_by_id(box.get("aria-describedby")).text_content().strip()


def test_the_search_of_the_archive_names_its_limit_in_its_language() -> None:
    publication = make_publication(archive=Publication.Archive.PUBLIC, language="es")
    make_story("Una historia")
    add_subscribers(publication, 1)
    page = Client().get("/news/weekly/", {"q": LONG})
    assert describe_box(page.content, "q") == "Busca con 200 caracteres como máximo. Tu texto tiene 201."
    assert "Ningún número" not in read(page)
    page = Client().get("/news/weekly/", {"q": "clínica " * 21})
    assert "Busca con 20 palabras como máximo. Tu texto tiene 21." in read(page)
    assert 'aria-invalid="true"' not in Client().get("/news/weekly/", {"q": "clínica " * 20}).content.decode()


def test_the_staff_log_names_the_limit_of_its_filter_and_exports_nothing() -> None:
    client = sign_in_superuser()
    for more in ({}, {"as": "csv"}):
        answer = client.get(reverse("newsletter_audit"), {"words": LONG, **more})
        assert describe_box(answer.content, "words") == TOO_LONG
        assert not answer.context["rows"]
    assert "No entries match these filters." not in read(answer)


def test_the_search_of_the_desk_names_its_limits() -> None:
    client = sign_in_superuser()
    page = client.get(reverse("newsletter_search"), {"q": LONG})
    assert describe_box(page.content, "q") == TOO_LONG
    assert "Nothing matches" not in read(page)
    assert TOO_MANY % (20, 21) in read(client.get(reverse("newsletter_search"), {"q": "word " * 21}))


def test_the_search_of_the_desk_says_that_subscribers_were_left_out() -> None:
    title = "The clinic by the harbour opens its doors again today"
    make_story(title)
    page = read(sign_in_superuser().get(reverse("newsletter_search"), {"q": title}))
    assert f"{title}" in page
    assert "Subscribers were not searched: a search for them has at most 8 words." in page
    assert "Subscribers were not" not in read(sign_in("writer").get(reverse("newsletter_search"), {"q": title}))


@pytest.mark.parametrize("path", LISTS)
def test_a_list_of_the_desk_names_the_limit_of_its_search(path: str) -> None:
    make_story("é" * 199)
    page = sign_in_superuser().get(path, {"q": LONG})
    assert TOO_LONG in read(page)
    assert not page.context["object_list"]
    assert f'value="{LONG}"' in page.content.decode()


@pytest.mark.parametrize("path", CHOOSERS)
def test_a_chooser_names_the_limit_of_its_search(path: str) -> None:
    make_story("é" * 199)
    assert TOO_LONG in read(sign_in_superuser().get(path, {"q": LONG}))


def test_a_search_for_people_never_leaves_out_words() -> None:
    leeds = get_location_row(locate(country="GB", region="", town="Leeds"))
    make_member(make_list(), "zoe@harbour.org", name="Zoë", place=leeds)
    client = sign_in("data")
    typed = "zoe " * 8 + "nobody"
    page = client.get("/admin/people/", {"q": typed})
    assert TOO_MANY % (8, 9) in read(page)
    assert "Change everybody found" not in read(page)
    assert client.get(reverse("subscribers_bulk"), {"q": typed}).context["people"] == 0


def test_the_preview_as_a_person_searches_for_no_endless_text() -> None:
    make_story("A story")
    url = reverse("newsletter_issue_people", args=[make_issue(make_publication()).pk])
    client = sign_in_superuser()
    logged = AuditEntry.objects.count()
    assert client.post(url, {"q": LONG}).json() == {"people": [], "hint": TOO_LONG}
    assert AuditEntry.objects.count() == logged


@pytest.mark.parametrize(
    "path", ["/news/weekly/", "/admin/search/", "/admin/people/results/", "/admin/users/results/", *CHOOSERS]
)
def test_a_text_that_is_too_long_never_reaches_the_database(path: str) -> None:
    make_publication(archive=Publication.Archive.PUBLIC)
    client = sign_in_superuser()
    for typed in ("x" * 5_000, "word " * 900):
        with CaptureQueriesContext(connection) as asked:
            assert client.get(path, {"q": typed}).status_code == 200
        assert not [query for query in asked.captured_queries if typed[:100].strip() in query["sql"]]
