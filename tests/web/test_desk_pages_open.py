"""Every add and edit page opens, with its preview and the right title."""

import pytest
from django.test import Client
from django.urls import reverse
from wagtail.snippets.models import get_snippet_models

from newsletter.models import Publication
from subscribers.models import Segment
from tests.support.desk import sign_in, sign_in_superuser
from tests.support.fixtures import add_subscribers, make_appeal, make_event, make_issue, make_source, make_story

pytestmark = pytest.mark.django_db


@pytest.fixture
def full_desk(publication: Publication) -> Publication:
    """Make at least one row of each model that the desk lists."""
    make_story("The clinic opens its doors")
    make_source("Field offices", failures=2, error="The site did not answer.")
    make_event("An evening of letters")
    make_appeal()
    add_subscribers(publication, 2)
    Segment.objects.get_or_create(slug="all", defaults={"name": "All", "rule": {}})
    make_issue(publication)
    return publication


def list_pages() -> list[str]:
    """Return the list, the add page, and the edit page of the first row of each model, with their previews."""
    pages = ["/admin/"]
    for model in get_snippet_models():
        viewset = model.snippet_viewset
        row = model._default_manager.first()
        names = ["list", "add", *(["preview_on_add"] if viewset.preview_enabled else [])]
        pages += [reverse(viewset.get_url_name(name)) for name in names]
        if row:
            names = ["edit", "history", "usage", *(["preview_on_edit"] if viewset.preview_enabled else [])]
            pages += [reverse(viewset.get_url_name(name), args=[row.pk]) for name in names]
    return pages


@pytest.mark.long
@pytest.mark.parametrize("role", ["superuser", "admin", "editor"])
def test_every_desk_page_opens(full_desk: Publication, role: str) -> None:
    client = sign_in_superuser() if role == "superuser" else sign_in(role)
    pages = list_pages()
    assert {"/admin/stories/add/", "/admin/stories/preview/", "/admin/publications/preview/"} <= set(pages)
    found = {page: client.get(page, {"in_preview_panel": "true"} if "preview" in page else {}) for page in pages}
    assert {page: answer.status_code for page, answer in found.items() if answer.status_code not in (200, 302)} == {}
    opened = [page for page, answer in found.items() if answer.status_code == 200]
    assert len(opened) > len(pages) / 2


def test_page_titles_say_newsletter_and_not_wagtail(full_desk: Publication) -> None:
    client = sign_in_superuser()
    for page in ("/admin/", "/admin/brand/", "/admin/stories/add/", "/admin/users/"):
        title = client.get(page).content.decode().split("<title>")[1].split("</title>")[0]
        assert title.endswith("Newsletter")
        assert "Wagtail" not in title
    assert "<title>Sign in - Newsletter</title>" in Client().get("/accounts/login/").content.decode()


def test_a_new_story_has_a_preview(full_desk: Publication) -> None:
    client = sign_in("editor")
    assert "Give the story a title" in client.get("/admin/stories/preview/").content.decode()
    fields = {
        "title": "Forty keys for forty families",
        "teaser": "They moved in on Monday.",
        "url": "https://example.org/stories/keys/",
        "language": "en",
        "picture_alt": "",
        "pseudonyms": "",
        "author": "",
    }
    assert client.post("/admin/stories/preview/", fields).json()["is_valid"]
    page = client.get("/admin/stories/preview/", {"mode": "mail.0.none"}).content.decode()
    assert "Forty keys for forty families" in page
    assert "They moved in on Monday." in page


def test_the_preview_of_a_new_publication_explains_what_is_missing(full_desk: Publication) -> None:
    page = sign_in("admin").get("/admin/publications/preview/").content.decode()
    assert "A new publication has no issue yet." in page


def test_the_404_page_is_translated_and_names_no_other_product() -> None:
    public = Client().get("/nothing-here/", headers={"Accept-Language": "es"})
    desk = sign_in("writer").get("/admin/nothing-here/")
    assert (public.status_code, desk.status_code) == (404, 404)
    assert "Comprueba la dirección" in public.content.decode()
    assert "Go to Home" in desk.content.decode()
    assert "Wagtail admin" not in desk.content.decode()
