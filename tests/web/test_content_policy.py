"""Every answer says what a browser may load and run, and that no page uses a device of its visitor."""

import re

import pytest
from django.test import Client
from django.urls import get_resolver

from newsletter.models import Publication
from subscribers.models import Segment
from tests.support.desk import sign_in_superuser
from tests.support.fixtures import add_subscribers, make_appeal, make_event, make_issue, make_story
from tests.support.people import make_list, make_member, path_to
from tests.support.routes import list_routes

pytestmark = pytest.mark.django_db
CLOSED_TO_STAFF = "/admin/groups/"  # rights of groups are Wagtail's own page, not in the menu


@pytest.mark.long
def test_no_page_of_the_desk_has_an_inline_script_without_the_nonce(publication: Publication) -> None:
    make_story("The clinic opens its doors")
    make_event("An evening of letters")
    make_appeal()
    add_subscribers(publication, 2)
    Segment.objects.get_or_create(slug="all", defaults={"name": "All", "rule": {}})
    make_issue(publication)
    root = sign_in_superuser()
    wrong, seen = [], 0
    for route in sorted(set(list_routes(get_resolver()))):
        if not route.startswith(("/admin/", "/accounts/")) or route.startswith(CLOSED_TO_STAFF):
            continue
        answer = root.get(route)
        if answer.status_code != 200 or not answer.headers.get("Content-Type", "").startswith("text/html"):
            continue
        page, policy = answer.content.decode(), answer.headers["Content-Security-Policy"]
        nonce = re.search(r"'nonce-([\w-]+)'", policy)
        for attributes in re.findall(r"<script\b([^>]*)>", page):
            if "src=" in attributes or "application/json" in attributes:
                continue
            seen += 1
            if nonce is None or f'nonce="{nonce[1]}"' not in attributes:
                wrong.append((route, attributes))
        wrong += [(route, found) for found in re.findall(r"<[a-z][^>]*\son[a-z]+=|javascript:", page)]
    assert seen
    assert not wrong, "\n".join(map(str, wrong))


def test_a_nonce_is_used_once() -> None:
    policies = {Client().get("/accounts/login/").headers["Content-Security-Policy"] for _ in range(3)}
    assert len(policies) == 3


def test_staff_pages_run_nothing_inline_and_cannot_be_framed() -> None:
    policy = Client().get("/accounts/login/").headers["Content-Security-Policy"]
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert "unsafe" not in rules["script-src"]
    assert (rules["default-src"], rules["object-src"], rules["base-uri"]) == ("'none'", "'none'", "'none'")
    assert rules["frame-ancestors"] == "'none'"


@pytest.mark.parametrize(
    "page", ["leave", "/my-mail", "/look.css", "/news/", "/none", "/accounts/login/", "/api/v1/none"]
)
def test_every_answer_has_a_policy_and_no_page_uses_a_device(page: str) -> None:
    weekly = make_list()
    answer = Client().get(path_to(make_member(weekly), weekly) if page == "leave" else page)
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    for device in ("camera", "microphone", "geolocation", "payment", "usb"):
        assert f"{device}=()" in answer.headers["Permissions-Policy"]


def test_a_name_in_a_chooser_ends_no_script(publication: Publication) -> None:
    publication.mailing_list.name = "</script><script>alert(1)</script>"
    publication.mailing_list.save()
    page = sign_in_superuser().get(f"/admin/publications/edit/{publication.pk}/").content.decode()
    assert "<script>alert(1)" not in page
