"""Limits on request bodies by path, and the answer to larger ones."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client, override_settings

from newsletter.web.layers.body_limits import DESK_BYTES, PUBLIC_BYTES, body_limit_of_target
from tests.support.desk import sign_in
from tests.support.people import make_list, make_member, path_to

pytestmark = pytest.mark.django_db
FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    "page", ["leave", "/join/weekly", "/my-mail", "/look.css", "/news/", "/accounts/login/", "/none"]
)
def test_a_public_page_takes_64_kilobytes_and_no_more(page: str) -> None:
    weekly = make_list()
    page = path_to(make_member(weekly), weekly) if page == "leave" else page
    answer = Client().post(page, b"a" * (PUBLIC_BYTES + 1), content_type=FORM)
    assert answer.status_code == 413
    assert "This is too large" in answer.content.decode()
    assert "Set-Cookie" not in answer.headers
    assert Client().post(page, b"a" * PUBLIC_BYTES, content_type=FORM).status_code not in (413, 500)


def test_an_oversized_request_unsubscribes_nobody() -> None:
    weekly = make_list()
    person = make_member(weekly)
    Client().post(path_to(person, weekly), b"a" * 70_000, content_type=FORM)
    assert person.subscriptions.filter(ended_at__isnull=True).exists()


def test_a_refusal_is_in_the_language_of_the_browser() -> None:
    answer = Client().post("/my-mail", b"a" * 70_000, content_type=FORM, headers={"accept-language": "es"})
    assert "Esto es demasiado grande" in answer.content.decode()


@pytest.mark.parametrize("length", ["-1", "abc", "1e3", "١٢", "0x10"])
def test_an_invalid_content_length_is_refused(length: str) -> None:
    answer = Client().post("/my-mail", b"a=b", content_type=FORM, CONTENT_LENGTH=length)
    assert answer.status_code == 400


def test_the_desk_takes_larger_files() -> None:
    answer = sign_in("admin").post("/admin/images/add/", {"file": SimpleUploadedFile("a.png", b"a" * 200_000)})
    assert answer.status_code not in (413, 500)


@pytest.mark.parametrize(
    ("target", "limit"),
    [
        ("/admin/people/import/?a=b", DESK_BYTES),
        ("/%61dmin/", DESK_BYTES),
        ("/u/abc", PUBLIC_BYTES),
        ("/", PUBLIC_BYTES),
        ("", PUBLIC_BYTES),
        ("/administration/", PUBLIC_BYTES),
        ("/hooks/mailgun/x", 1024 * 1024),
        ("/inbound/mailgun/x", 50 * 1024 * 1024),
        ("/api/v1/people", 2_621_440),
    ],
)
def test_the_limit_depends_on_the_first_part_of_the_path(target: str, limit: int) -> None:
    assert body_limit_of_target(target) == limit


@pytest.mark.parametrize(("subdomains", "header"), [(False, "max-age=60"), (True, "max-age=60; includeSubDomains")])
def test_hsts_includes_subdomains_only_if_set(*, subdomains: bool, header: str) -> None:
    with override_settings(SECURE_HSTS_SECONDS=60, SECURE_HSTS_INCLUDE_SUBDOMAINS=subdomains):
        answer = Client().get("/news/", secure=True)
    assert answer.headers["Strict-Transport-Security"] == header
