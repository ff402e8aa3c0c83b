"""Imports by a key of the API: the desk's reader and rules, followed and undone by the key that uploaded the file."""

from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client
from wagtail.models import ModelLogEntry

from newsletter.api.calls import uploads
from newsletter.models import ApiKey
from newsletter.web.layers.body_limits import body_limit_of_target
from subscribers.importing.reading.file_format import MAX_FILE_BYTES
from subscribers.models import (
    ConsentEvent,
    ImportBatch,
    MailingList,
    OutboundEvent,
    Subscriber,
    SubscriberAttribute,
    Subscription,
    Suppression,
)
from subscribers.unsubscribing.suppress_email import suppress_email
from tests.support.api import call, create_key, problem
from tests.support.desk_imports import run_imports
from tests.support.people import NOW, make_list, make_member
from tests.support.webhooks import make_endpoint

pytestmark = pytest.mark.django_db
SCOPE = "people:write"
TERMS: dict[str, object] = {"list": "weekly", "basis": "consent", "evidence": "Sheet of the spring fair"}
CSV = "Mail,name,Since\nada@example.org,Ada,2019\nnobody,,\n"
COLUMNS = ["Mail:email", "Since:attribute:member_since"]


@pytest.fixture
def weekly() -> MailingList:
    return make_list()


def upload(key: str, text: str = CSV, *, kind: str = "text/csv", headers: Any = None, **fields: object) -> Any:
    query = urlencode({**TERMS, "column": COLUMNS, **fields}, doseq=True)
    sent = {"Authorization": f"Bearer {key}", **(headers or {})}
    return Client().generic("POST", f"/api/v1/imports?{query}", text, content_type=kind, headers=sent)


def test_an_attribute_that_the_call_names_refuses_no_line(weekly: MailingList) -> None:
    key = create_key(SCOPE)
    text = "Mail,Consent\nann@example.org,no\n"
    answer = upload(key, text, column=["Mail:email", "Consent:attribute:consent"])
    assert answer.json()["columns"] == {"Mail": "email", "Consent": "attribute:consent"}
    run_imports()
    counts = call("get", f"imports/{answer.json()['id']}", key=key).json()["counts"]
    assert (counts["new"], counts["refused"]) == (1, 0)


def test_a_file_is_imported_by_named_columns_with_its_proof(weekly: MailingList) -> None:
    key = create_key(SCOPE, name="Donor database")
    answer = upload(key)
    assert (answer.status_code, answer.json()["state"]) == (202, "running")
    assert answer.json()["columns"] == {"Mail": "email", "name": "name", "Since": "attribute:member_since"}
    assert not Subscriber.objects.exists()
    run_imports()
    found = call("get", f"imports/{answer.json()['id']}", key=key).json()
    assert (found["state"], found["counts"]["rows"], found["counts"]["new"]) == ("finished", 2, 1)
    subscription = Subscription.objects.get()
    assert (subscription.basis, subscription.evidence) == ("consent", TERMS["evidence"])
    assert [entry.data["key"] for entry in ModelLogEntry.objects.filter(action="subscribers.import")] == [
        "Donor database"
    ]


def test_an_import_counts_whom_it_could_not_ask_to_confirm(weekly: MailingList) -> None:
    key = create_key(SCOPE)
    same_mailbox = "Mail,Since\nada.b@gmail.com,\nadab@gmail.com,\n"
    answer = upload(key, same_mailbox, confirm=True)
    run_imports()
    counts = call("get", f"imports/{answer.json()['id']}", key=key).json()["counts"]
    assert (counts["rows"], counts["new"], counts["unasked"]) == (2, 2, 1)


def test_a_dry_run_says_what_would_happen_and_changes_nobody(weekly: MailingList) -> None:
    suppress_email(email="left@example.org", reason="unsubscribe", now=NOW)
    make_member(weekly, "bea@example.org", name="Bea")
    key = create_key(SCOPE, lists=[weekly])
    before = _everything_about_people()
    people = ("ada@example.org,Ada,2019,38", "bea@example.org,Beatrice,,", "left@example.org,,,", "nobody,,,")
    text = "\n".join(("Mail,name,Since,Shoe", *people, people[0]))
    asked = upload(key, text, column=[*COLUMNS, "Shoe:"], dry_run=True)
    assert (asked.status_code, asked.json()["state"], asked.json()["checked"]) == (202, "checking", None)
    path = f"imports/{asked.json()['id']}"
    assert "“checking”" in problem(call("get", f"{path}/dry-run", key=key), 404)
    run_imports()
    found = call("get", path, key=key).json()
    assert (found["state"], found["counts"]["rows"], found["checked"]["rows"]) == ("checked", 0, 5)
    dry = call("get", f"{path}/dry-run", key=key).json()
    assert dry["counts"] == found["checked"]
    outcomes = {"new": 1, "updated": 1, "suppressed": 1, "repeated": 1, "refused": 1}
    assert {name: number for name, number in dry["counts"].items() if number} == {"rows": 5, **outcomes}
    assert dry["columns"] == {"Mail": "email", "name": "name", "Since": "attribute:member_since"}
    assert dry["unread_columns"] == ["Shoe"]
    assert (dry["refused_by_reason"], [row["line"] for row in dry["refused"]]) == ({"bad_address": 1}, [5])
    assert [(row["line"], row["note"]) for row in dry["notes"] if row["line"] == 6] == [
        (6, "This address is on an earlier row too. We use that row.")
    ]
    assert dry["noted"] == len(dry["notes"])
    assert _everything_about_people() == before


def test_the_import_after_a_dry_run_does_what_was_said(weekly: MailingList) -> None:
    key = create_key(SCOPE)
    path = f"imports/{upload(key, dry_run=True).json()['id']}"
    assert "Wait" in problem(call("post", f"{path}/start", key=key), 409)
    run_imports()
    said = call("get", path, key=key).json()["checked"]
    first = call("post", f"{path}/start", key=key, idempotency_key="start 1")
    assert (first.status_code, first.json()["state"]) == (202, "running")
    again = call("post", f"{path}/start", key=key, idempotency_key="start 1")
    assert (again.status_code, again.json()) == (202, first.json())
    run_imports()
    done = call("get", path, key=key).json()
    assert (done["state"], done["counts"], done["checked"]) == ("finished", said, said)
    assert Subscriber.objects.get().email == "ada@example.org"
    assert "Upload the file again" in problem(call("post", f"{path}/start", key=key), 409)
    assert call("post", f"{path}/undo", key=key).status_code == 202
    run_imports()
    assert not Subscriber.objects.exists()


def test_a_checked_import_is_deleted_with_its_file(weekly: MailingList) -> None:
    key = create_key(SCOPE)
    path = f"imports/{upload(key, dry_run=True).json()['id']}"
    etag = call("get", path, key=key).headers["ETag"]
    run_imports()
    problem(call("delete", path, key=key, if_match=etag), 412)
    problem(call("delete", path, key=create_key(SCOPE, name="another")), 404)
    etag = call("get", path, key=key).headers["ETag"]
    assert call("delete", path, key=key, if_match=etag).status_code == 204
    assert not ImportBatch.objects.exists()


def test_an_import_that_added_people_is_undone_and_not_deleted(weekly: MailingList) -> None:
    key = create_key(SCOPE)
    path = f"imports/{upload(key).json()['id']}"
    run_imports()
    assert "Undo it instead" in problem(call("delete", path, key=key), 409)
    assert not ModelLogEntry.objects.filter(action="subscribers.import_discard").exists()


def test_a_key_that_lost_its_lists_does_not_start_a_dry_run(weekly: MailingList) -> None:
    key = create_key(SCOPE)
    path = f"imports/{upload(key, dry_run=True).json()['id']}"
    run_imports()
    row = ApiKey.objects.get()
    row.all_lists = False
    row.save()
    problem(call("post", f"{path}/start", key=key), 404)
    assert ImportBatch.objects.get().state == "checked"


def _everything_about_people() -> list[list[Any]]:
    models = (Subscriber, Subscription, Suppression, ConsentEvent, SubscriberAttribute, OutboundEvent)
    return [list(model.objects.order_by("pk").values()) for model in models]


def test_refused_lines_are_read_page_by_page_without_their_text(weekly: MailingList) -> None:
    key = create_key(SCOPE)
    lines = "".join(f"secret-{number}\n" for number in range(3))
    batch = upload(key, f"email\n{lines}", column=[]).json()["id"]
    run_imports()
    first = call("get", f"imports/{batch}/refused?limit=2", key=key).json()
    rest = call("get", f"imports/{batch}/refused?limit=2&cursor={first['next']}", key=key).json()
    rows = [*first["items"], *rest["items"]]
    assert [(row["line"], row["code"]) for row in rows] == [(2, "bad_address"), (3, "bad_address"), (4, "bad_address")]
    assert rest["next"] is None


def test_lines_of_json_are_read_by_the_same_reader(weekly: MailingList) -> None:
    key = create_key(SCOPE)
    text = (
        '{"email": "ada@example.org", "name": "Ada, Countess\\nof Lovelace", "attributes": {"member since": "2019"}}\n'
        '\n{"email": "nobody"}\n{"email": "bea@example.org", "city": null, "extra": [1, 2]}\n'
    )
    batch = upload(key, text, kind="application/x-ndjson", column=["extra:"]).json()["id"]
    run_imports()
    found = call("get", f"imports/{batch}", key=key).json()
    assert (found["counts"]["new"], found["counts"]["refused"]) == (2, 1)
    assert [row["line"] for row in call("get", f"imports/{batch}/refused", key=key).json()["items"]] == [3]
    assert Subscriber.objects.get(email="ada@example.org").name == "Ada, Countess of Lovelace"


@pytest.mark.parametrize(
    "kind",
    [
        "application/json",
        "application/problem+json; charset=utf-8",
        "APPLICATION/JSON",
        "multipart/form-data; boundary=x",
    ],
)
def test_a_body_that_is_no_file_of_people_says_what_to_send(weekly: MailingList, kind: str) -> None:
    answer = upload(create_key(SCOPE), '[{"email": "ann@example.org"}]', kind=kind, column=[])
    assert problem(answer, 415)
    assert answer.json()["code"] == "wrong_content_type"
    assert "application/x-ndjson" in answer.json()["detail"]
    assert not ImportBatch.objects.exists()


@pytest.mark.parametrize("kind", ["application/ndjson", "application/jsonl", "Application/X-JSONLines; charset=utf-8"])
def test_lines_of_json_have_other_content_types_too(weekly: MailingList, kind: str) -> None:
    answer = upload(create_key(SCOPE), '{"email": "ada@example.org"}\n', kind=kind, column=[])
    assert answer.status_code == 202
    run_imports()
    assert Subscriber.objects.filter(email="ada@example.org").exists()


@pytest.mark.parametrize("kind", ["application/octet-stream", "application/x-www-form-urlencoded", "text/plain", ""])
def test_a_file_without_its_own_type_is_read_as_csv(weekly: MailingList, kind: str) -> None:
    assert upload(create_key(SCOPE), kind=kind).status_code == 202


@pytest.mark.parametrize("text", ['{"email": "a@example.org"}\n[1]\n', "{\n", "[" * 100_000, "\n"])
def test_a_file_that_is_not_lines_of_json_is_refused_whole(weekly: MailingList, text: str) -> None:
    answer = upload(create_key(SCOPE), text, kind="application/x-ndjson", column=[])
    assert problem(answer, 422)
    assert not ImportBatch.objects.exists()


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"evidence": " "}, "Without them nobody is imported"),
        ({"basis": "soft_opt_in"}, "We are a charity"),
        ({"basis": "soft_opt_in", "charity": True}, "sign-up date"),
        ({"basis": "casl_implied"}, "implied consent expires"),
        ({"column": ["Post:email"]}, "no column “post”"),
        ({"column": ["Mail:shoe"]}, "is not a field"),
        ({"column": ["Mail"]}, "NAME:FIELD"),
        ({"country": "Atlantis"}, "Atlantis"),
    ],
)
def test_the_fields_that_the_desk_requires_are_required_here(
    weekly: MailingList, fields: dict[str, object], said: str
) -> None:
    assert said in problem(upload(create_key(SCOPE), **fields), 422)
    assert not ImportBatch.objects.exists()


def test_nobody_who_unsubscribed_is_brought_back(weekly: MailingList) -> None:
    suppress_email(email="ada@example.org", reason="unsubscribe", now=NOW)
    key = create_key(SCOPE)
    batch = upload(key).json()["id"]
    run_imports()
    assert call("get", f"imports/{batch}", key=key).json()["counts"]["suppressed"] == 1
    assert not Subscription.objects.open().exists()


def test_only_its_key_follows_and_undoes_an_import(weekly: MailingList) -> None:
    key, other = create_key(SCOPE), create_key(SCOPE, name="Another")
    batch = upload(key).json()["id"]
    run_imports()
    for method, path in (("get", ""), ("get", "/refused"), ("post", "/undo")):
        problem(call(method, f"imports/{batch}{path}", key=other), 404)
    assert call("get", "imports", key=other).json()["items"] == []
    assert call("post", f"imports/{batch}/undo", key=key).json()["state"] == "undoing"
    run_imports()
    found = call("get", f"imports/{batch}", key=key).json()
    assert (found["state"], found["undone"]["removed"]) == ("undone", 1)
    assert not Subscriber.objects.exists()
    assert "already undone" in problem(call("post", f"imports/{batch}/undo", key=key), 409)


def test_people_added_by_a_bulk_call_can_be_undone_by_its_key(weekly: MailingList) -> None:
    key = create_key(SCOPE)
    added = call("post", "people", {**TERMS, "email": "ada@example.org"}, key=key).json()
    assert call("post", f"imports/{added['import_id']}/undo", key=key).status_code == 202


def test_a_key_of_some_lists_suppresses_nobody_for_all_lists(weekly: MailingList) -> None:
    make_list("board")
    key = create_key(SCOPE, lists=[weekly])
    problem(upload(key, list="board"), 404)
    query = urlencode({"list": "weekly", "kind": "left_all"})
    answer = call("post", f"imports?{query}", text="email\nada@example.org\n", key=key, content_type="text/csv")
    assert "every list" in problem(answer, 403)
    assert not Suppression.objects.exists()


def test_a_repeated_upload_is_imported_once(weekly: MailingList) -> None:
    key, header = create_key(SCOPE), {"Idempotency-Key": "import-1"}
    ids = {upload(key, headers=header).json()["id"] for _ in range(2)}
    assert len(ids) == ImportBatch.objects.count() == 1
    assert upload(key, CSV + "bea@example.org,,\n", headers=header).json()["code"] == "idempotency_key_reused"


def test_a_larger_file_than_the_desk_takes_is_refused(weekly: MailingList, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "MAX_FILE_BYTES", len(CSV) - 1)
    for headers in ({}, {"Idempotency-Key": "import-1"}):
        assert "Split it" in problem(upload(create_key(SCOPE, name=str(headers)), headers=headers), 413)
    assert not ImportBatch.objects.exists()
    assert body_limit_of_target("/api/v1/imports?list=weekly") == MAX_FILE_BYTES
    assert body_limit_of_target("/api/v1/imports/1/undo") < MAX_FILE_BYTES


def test_an_upload_is_larger_than_other_calls_may_be(weekly: MailingList) -> None:
    text = "email,name\n" + f"nobody,{'x' * 100}\n" * 30_000
    assert upload(create_key(SCOPE), text, column=[], headers={"Idempotency-Key": "large"}).status_code == 202


def test_webhooks_name_the_key_as_the_origin_of_its_import(weekly: MailingList) -> None:
    make_endpoint()
    upload(create_key(SCOPE, name="Donor database"))
    run_imports()
    finished = OutboundEvent.objects.get(kind="import.finished")
    assert (finished.origin, finished.data) == (
        "api:Donor database",
        {"import": ImportBatch.objects.get().pk, "rows": 2},
    )


def test_an_archived_list_takes_no_import(weekly: MailingList) -> None:
    MailingList.objects.update(archived=True, public=False)
    make_member(make_list("board"))
    assert "archived" in problem(upload(create_key(SCOPE)), 422)
