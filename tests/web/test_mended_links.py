"""Readers open links that a mail program or their own typing changed."""

import pytest
from django.test import Client

from newsletter.web.layers.mended_links import mend_path
from subscribers.links.signed_links import Purpose, make_link
from tests.support.fixtures import NOW, add_subscribers, make_publication

TOKEN = "x" * 64
CHANGES = (
    "{}=",
    "{}.",
    "{})",
    "{}>",
    "{},",
    "{}/",
    "{}'",
    "{}%22",
    "{}%E2%80%8B",
    "{}&amp;utm_source=x",
    "{}=%0D%0A",
)


@pytest.fixture
def link() -> str:
    publication = make_publication()
    (person,) = add_subscribers(publication, 1)
    url = make_link(
        purpose=Purpose.UNSUBSCRIBE,
        subscriber_uuid=person.uuid,
        public_id=publication.mailing_list.public_id,
        now=NOW,
    )
    return "/" + url.split("/", 3)[3]


@pytest.mark.django_db
@pytest.mark.parametrize("change", CHANGES)
def test_a_link_with_something_added_opens_its_page(link: str, change: str) -> None:
    page = Client().get(change.format(link), follow=True)
    assert page.status_code == 200
    assert "Unsubscribe from" in page.content.decode()


@pytest.mark.django_db
def test_a_link_with_a_line_break_in_it_opens_its_page(link: str) -> None:
    answer = Client().get(f"{link[:30]}=%0D%0A{link[30:50]}%20{link[50:]}?lang=es")
    assert (answer.status_code, answer["Location"]) == (302, f"{link}?lang=es")


@pytest.mark.django_db
def test_a_link_that_was_cut_off_offers_a_new_one(link: str) -> None:
    page = Client().get(f"{link[:-4]}=", follow=True)
    assert page.status_code == 404
    assert "This link does not work" in page.content.decode()
    assert "/my-mail" in page.content.decode()


@pytest.mark.django_db
def test_an_unsubscribe_is_never_redirected(link: str) -> None:
    assert Client().post(f"{link}=").status_code == 404


@pytest.mark.parametrize(
    ("path", "mended"),
    [
        (f"/p/{TOKEN}", ""),
        (f"/p/{TOKEN}/less", ""),
        (f"/p/{TOKEN}/less.", f"/p/{TOKEN}/less"),
        ("/view/ab12.", "/view/ab12"),
        ("/VIEW/AB12", "/view/ab12"),
        ("/calendar/3-ab12)", "/calendar/3-ab12"),
        ("/calendar/3-ab12.ics>", "/calendar/3-ab12.ics"),
        ("/news/weekly", "/news/weekly/"),
        ("/news/weekly/.", "/news/weekly/"),
        ("/Join/weekly,", "/join/weekly"),
        ("/admin/issues/1.", ""),
        ("/nothing/here.", ""),
        ("/", ""),
    ],
)
def test_only_paths_of_public_pages_are_mended(path: str, mended: str) -> None:
    assert mend_path(path) == mended
