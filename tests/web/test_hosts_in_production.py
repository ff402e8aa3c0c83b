"""Which pages answer for a host that is not that of the site URL, if the host is checked as in production."""

import pytest
from django.test import Client

from newsletter.models import Publication
from tests.support.fixtures import make_publication

pytestmark = pytest.mark.django_db


@pytest.fixture
def publication(settings) -> Publication:
    settings.ALLOWED_HOSTS = ["letter.example.org"]
    return make_publication()


@pytest.mark.parametrize("path", ["/admin/login/", "/", "/archive/weekly"])
def test_the_desk_and_the_archive_answer_only_for_the_host_of_the_site(publication: Publication, path: str) -> None:
    assert Client().get(path, headers={"host": "letter.example.org"}).status_code != 400
    assert Client().get(path, headers={"host": "other.example.org"}).status_code == 400


@pytest.mark.parametrize(("start", "status"), [("/join/{slug}", 200), ("/u/none", 404), ("/api/v1/lists", 401)])
def test_pages_of_readers_and_the_api_answer_for_any_host(publication: Publication, start: str, status: int) -> None:
    path = start.format(slug=publication.mailing_list.slug)
    assert Client().get(path, headers={"host": "old.example.org"}).status_code == status
