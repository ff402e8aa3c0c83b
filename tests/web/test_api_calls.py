"""All API calls share scopes, limits, lists of a key, repeats, ETags, pages, and the record of calls."""

import json
import uuid
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from newsletter.api.calls.openapi import list_operations, scopes_of
from newsletter.api.urls import api
from newsletter.api_keys import CALLS_KEPT, delete_old_calls
from newsletter.models import ApiAnswer, ApiCall, ApiKey, ApiScope, AuditEntry
from subscribers.models import Suppression
from tests.support.api import call, create_key, fill_path, problem
from tests.support.desk import sign_in
from tests.support.people import make_list, make_member, subscribe

pytestmark = pytest.mark.django_db
OPERATIONS = list_operations(api)


@pytest.mark.requirement("G5")
@pytest.mark.parametrize("scope", ApiScope.values)
def test_each_call_is_refused_without_its_scope(scope: str) -> None:
    """Each path × each scope: 403 without the scope, and any other answer with it."""
    key = create_key(scope, calls_per_minute=1000)
    for path, methods in api.get_openapi_schema()["paths"].items():
        for method, details in methods.items():
            needed = scopes_of(OPERATIONS[details["operationId"]])
            assert needed, path
            answer = call(method, fill_path(path), {}, key=key)
            if scope in needed:
                assert answer.status_code not in (401, 403, 500), (method, path, answer.content)
            else:
                assert f"needs “{needed[0]}”" in problem(answer, 403), (method, path)
                assert answer.json()["code"] == "scope_too_small"


def test_no_scope_of_an_older_key_allows_a_newer_call() -> None:
    """The first scopes allow the calls that they always did, so that no key in use grows by an update."""
    allowed = {
        scope: {
            f"{method} {path}"
            for path, methods in api.get_openapi_schema()["paths"].items()
            for method, details in methods.items()
            if scope in scopes_of(OPERATIONS[details["operationId"]])
        }
        for scope in ("people", "read", "gifts")
    }
    v1 = "/api/v1"
    assert allowed == {
        "people": {f"post {v1}/sign-ups", f"patch {v1}/people", f"post {v1}/people/find", f"post {v1}/people/stop"},
        "read": {
            f"get {v1}/publications",
            f"get {v1}/issues",
            f"get {v1}/issues/{{issue}}/receipt",
            f"get {v1}/issues/{{publication}}/{{number}}/receipt",
        },
        "gifts": {f"post {v1}/gifts"},
    }


def test_a_key_of_some_lists_does_not_reach_the_people_of_others() -> None:
    weekly, board = make_list("weekly"), make_list("board")
    make_member(weekly, "ada@example.org")
    make_member(board, "bea@example.org")
    both = make_member(weekly, "cleo@example.org")
    subscribe(both, board)
    key = create_key(lists=[weekly])
    find = {"email": "bea@example.org"}
    assert "No subscriber" in problem(call("post", "people/find", find, key=key), 404)
    found = call("post", "people/find", {"email": both.email}, key=key).json()
    assert [row["list"] for row in found["subscriptions"]] == ["weekly"]
    assert {row["list"] for row in found["consent"]} <= {"weekly", None}
    rows = [{"email": email, "giving": "donor"} for email in ("ada@example.org", "bea@example.org", "nobody")]
    results = [row["result"] for row in call("patch", "people", {"people": rows}, key=key).json()["rows"]]
    assert results == ["changed", "unknown", "refused"]
    stop = {"email": "ada@example.org"}
    assert "all lists" in problem(call("post", "people/stop", stop, key=key), 403)
    assert "no list “board”" in problem(call("post", "people/stop", {**stop, "list": "board"}, key=key), 404)
    assert call("post", "people/stop", {**stop, "list": "weekly"}, key=key).json() == {"changed": True}


def test_a_key_whose_lists_are_deleted_reaches_no_list() -> None:
    board = make_list("board")
    key = create_key("people", lists=[board])
    board.delete()
    assert ApiKey.objects.get().lists.count() == 0
    make_list("weekly")
    problem(call("post", "people/stop", {"email": "a@example.org", "list": "weekly"}, key=key), 404)


def test_answers_say_what_remains_of_the_limit() -> None:
    key = create_key("read", calls_per_minute=3)
    with time_machine.travel("2026-03-05T09:00:10Z", tick=False):
        answers = [call("get", "publications", key=key) for _ in range(4)]
    assert [answer.headers["RateLimit"] for answer in answers] == [
        '"minute";r=2;t=50',
        '"minute";r=1;t=50',
        '"minute";r=0;t=50',
        '"minute";r=0;t=50',
    ]
    assert answers[0].headers["RateLimit-Policy"] == '"minute";q=3;w=60'
    assert problem(answers[3], 429)
    assert answers[3].json()["code"] == "too_many_calls"


@pytest.mark.long
def test_a_busy_key_never_exceeds_its_limit() -> None:
    """A busy key takes its calls from the shared counter in portions, here of 2."""
    key = create_key("read", calls_per_minute=1201)
    with time_machine.travel("2026-03-05T09:00:10Z", tick=False):
        statuses = [call("get", "publications", key=key).status_code for _ in range(1205)]
    assert statuses.count(200) == 1201


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"revoked_at": timezone.now()}, 401),
        ({"expires_at": timezone.now() - timedelta(seconds=1)}, 401),
        ({"scope": "gifts"}, 403),
        ({"all_lists": False}, 200),
    ],
)
def test_a_change_of_a_key_by_another_process_works_at_once(change: dict[str, object], status: int) -> None:
    make_list("weekly")
    key = create_key("lists:read")
    assert len(call("get", "lists", key=key).json()["items"]) == 1
    ApiKey.objects.update(**change)
    answer = call("get", "lists", key=key)
    assert answer.status_code == status
    assert status != 200 or answer.json()["items"] == []


def test_a_read_of_a_person_makes_four_queries(django_assert_num_queries: Any) -> None:
    person = make_member(make_list("weekly"), "ada@example.org")
    key = create_key("people:read", calls_per_minute=60_000)
    call("get", f"people/{person.pk}", key=key)
    with django_assert_num_queries(4):
        assert call("get", f"people/{person.pk}", key=key).json()["subscriptions"][0]["list"] == "weekly"


def test_a_call_neither_reads_nor_sets_cookies() -> None:
    client = sign_in("admin")
    before = Session.objects.get().get_decoded()
    with_session = call("get", "topics", client=client)
    problem(with_session, 401)
    answer = call("get", "topics", key=create_key("lists:read"), client=client)
    assert (answer.status_code, answer.cookies) == (200, {})
    assert answer.headers["Content-Length"] == str(len(answer.content))
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    assert Session.objects.get().get_decoded() == before


def test_a_change_by_a_call_is_logged_with_the_address_of_the_caller() -> None:
    person = make_member(make_list("weekly"), "ada@example.org")
    key = create_key("people:write")
    call("patch", f"people/{person.pk}", {"name": "Ada"}, key=key, client=Client(REMOTE_ADDR="203.0.113.7"))
    assert AuditEntry.objects.get(action="newsletter.api_changed").address == "203.0.113.7"


def test_a_key_in_an_address_is_refused() -> None:
    key = create_key("read")
    answer = call("get", f"publications?key={key}", key=key)
    assert "Revoke this key" in problem(answer, 400)
    assert answer.json()["code"] == "key_in_url"


STOP = {"email": "ada@example.org", "reason": "staff", "note": "asked by phone"}


def test_a_repeated_post_gets_the_same_answer_and_is_not_done_again() -> None:
    key, name = create_key(), str(uuid.uuid4())
    first = call("post", "people/stop", STOP, key=key, idempotency_key=name)
    again = call("post", "people/stop", STOP, key=key, idempotency_key=name)
    assert (first.json(), again.json()) == ({"changed": True}, {"changed": True})
    assert (first.status_code, again.status_code) == (200, 200)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert Suppression.objects.count() == 1
    assert call("post", "people/stop", STOP, key=key).json() == {"changed": False}
    stored = ApiAnswer.objects.get()
    assert "changed" not in stored.sealed_content


def test_an_idempotency_key_with_another_body_is_refused() -> None:
    key = create_key()
    call("post", "people/stop", STOP, key=key, idempotency_key="one")
    other = call("post", "people/stop", {**STOP, "email": "bea@example.org"}, key=key, idempotency_key="one")
    assert "another call" in other.json()["title"]
    problem(other, 422)
    assert other.json()["code"] == "idempotency_key_reused"
    assert Suppression.objects.count() == 1
    for bad in ("x" * 256, "é", " "):
        problem(call("post", "people/stop", STOP, key=key, idempotency_key=bad), 400)


def test_two_keys_may_use_the_same_idempotency_key() -> None:
    for name in ("Web site", "Donor database"):
        answer = call("post", "people/stop", STOP, key=create_key(name=name), idempotency_key="one")
        assert "Idempotent-Replayed" not in answer.headers


def test_an_answer_is_kept_for_24_hours_and_an_error_is_not() -> None:
    key = create_key()
    problem(call("post", "people/stop", {"email": "nobody"}, key=key, idempotency_key="one"), 422)
    assert call("post", "people/stop", STOP, key=key, idempotency_key="one").json() == {"changed": True}
    with time_machine.travel(timezone.now() + timedelta(hours=23)):
        assert call("post", "people/stop", STOP, key=key, idempotency_key="one").json() == {"changed": True}
    with time_machine.travel(timezone.now() + timedelta(hours=25)):
        assert call("post", "people/stop", STOP, key=key, idempotency_key="one").json() == {"changed": False}
        delete_old_calls(now=timezone.now() + timedelta(hours=25))
    assert not ApiAnswer.objects.exists()


def test_an_unchanged_answer_is_304() -> None:
    key = create_key("read")
    first = call("get", "publications", key=key)
    again = call("get", "publications", key=key, if_none_match=first.headers["ETag"])
    assert (again.status_code, again.content) == (304, b"")
    assert call("get", "publications", key=key, if_none_match='"other"').status_code == 200


def test_the_page_of_a_key_shows_its_last_calls() -> None:
    key = create_key("read")
    call("get", "publications", key=key)
    call("get", "issues/99/receipt", key=key)
    page = sign_in("admin").get(f"/admin/api-keys/{ApiKey.objects.get().pk}/")
    assert [(one.path, one.status) for one in page.context["calls"]] == [
        ("/api/v1/issues/99/receipt", 404),
        ("/api/v1/publications", 200),
    ]
    assert "Read publications, issues and receipts" in page.content.decode()


def test_calls_are_kept_for_30_days_and_1000_of_each_key() -> None:
    create_key("read")
    key, now = ApiKey.objects.get(), timezone.now()
    calls = [ApiCall(key=key, at=now, method="GET", path="/x", status=200, milliseconds=1) for _ in range(1010)]
    ApiCall.objects.bulk_create(calls)
    delete_old_calls(now=now)
    assert key.calls.count() == CALLS_KEPT
    delete_old_calls(now=now + timedelta(days=31))
    assert key.calls.count() == 0


def test_an_administrator_limits_a_key_to_lists_and_calls() -> None:
    weekly, admin = make_list("weekly"), sign_in("admin")
    values = {"name": "Shop", "scope": ["people:read", "lists:read"], "lists": [weekly.pk], "calls_per_minute": 30}
    page = admin.post("/admin/api-keys/", values)
    key = ApiKey.objects.get()
    assert (key.scope, key.all_lists, list(key.lists.all())) == ("people:read lists:read", False, [weekly])
    assert key.calls_per_minute == 30
    assert "Weekly" in page.content.decode() or "weekly" in page.content.decode()
    assert "This field is required" in admin.post("/admin/api-keys/", {"name": "No scope"}).content.decode()


def test_every_error_of_the_document_has_one_shape() -> None:
    document = Client().get("/api/v1/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    for path, methods in document["paths"].items():
        for method, details in methods.items():
            assert details["security"], (method, path)
            for status, answer in details["responses"].items():
                if int(status) >= 400 and status != "414":  # answered by the web server
                    schema = answer["content"]["application/problem+json"]["schema"]
                    assert schema == {"$ref": "#/components/schemas/Problem"}


@pytest.mark.parametrize("body", ["[" * 100_000, '{"email": ' * 50_000, "\ud800".encode("utf-16", "surrogatepass")])
def test_a_body_that_is_not_json_is_one_clear_error(body: Any) -> None:
    headers = {"Authorization": f"Bearer {create_key()}", "Idempotency-Key": "one"}
    answer = Client().post("/api/v1/people/find", body, content_type="application/json", headers=headers)
    assert "JSON" in json.dumps(problem(answer, 400))
