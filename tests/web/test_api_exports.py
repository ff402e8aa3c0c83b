"""Exports asked for by a key of the API: a person allows each, the key that asked takes it once."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone
from wagtail.models import ModelLogEntry

from newsletter.api_keys import find_key_by_name, make_key, revoke_key
from newsletter.jobs.notices.about_people import notify_waiting_exports
from newsletter.models import StaffNotice
from subscribers.exporting.export_requests import delete_old_exports
from subscribers.models import ExportRequest
from tests.support.api import call, create_key, problem
from tests.support.desk import PASSWORD, list_messages, sign_in
from tests.support.fixtures import make_publication
from tests.support.people import make_list, make_member, subscribe

pytestmark = [pytest.mark.django_db, pytest.mark.requirement("V10")]
SCOPE = "people:export"


def ask(key: str, slug: str | None = "weekly") -> Any:
    return call("post", "exports", {"list": slug, "reason": "Yearly audit"}, key=key)


def allow(export: int, *, email: str = "bob@example.org") -> str:
    """Allow the export in the desk, and return what the page says."""
    client = sign_in("data", email=email)
    url = reverse("subscribers_export_step", args=[export, "allow"])
    return list_messages(client.get(client.post(url, {"password": PASSWORD})["Location"]))[-1]


def take(key: str, export: int) -> Any:
    return call("get", f"exports/{export}/file", key=key)


def read_text(answer: Any) -> str:
    return b"".join(answer).decode()


def read_state(key: str, export: int) -> str:
    return str(call("get", f"exports/{export}", key=key).json()["state"])


def test_a_key_takes_the_file_once_after_a_person_allowed_it() -> None:
    make_member(make_list("weekly"), "ada@example.org")
    key = create_key(SCOPE, name="Auditor")
    asked = ask(key)
    assert (asked.status_code, asked.json()["state"], asked.json()["people"]) == (202, "waiting", 1)
    export = asked.json()["id"]
    assert "nobody has allowed it yet" in problem(take(key, export), 409)
    page = sign_in("data", email="bob@example.org").get(reverse("subscribers_export")).content.decode()
    assert "API: Auditor asked on" in page
    assert "Export allowed" in allow(export)
    assert read_state(key, export) == "allowed"
    answer = take(key, export)
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "ada@example.org" in read_text(answer)
    assert take(key, export).json()["code"] == "export_not_allowed"
    assert read_state(key, export) == "taken"
    log = ModelLogEntry.objects.filter(action__startswith="subscribers.export").order_by("pk")
    assert [(entry.action, entry.user and entry.user.username, entry.data.get("key")) for entry in log] == [
        ("subscribers.export_asked", None, "Auditor"),
        ("subscribers.export_allowed", "bob@example.org", None),
        ("subscribers.export", None, "Auditor"),
    ]
    assert log[2].data["taken"] == 1


def test_only_the_key_that_asked_finds_its_export() -> None:
    make_member(make_list("weekly"), "ada@example.org")
    key, other = create_key(SCOPE, name="Auditor"), create_key(SCOPE, name="Another")
    export = ask(key).json()["id"]
    allow(export)
    problem(call("get", f"exports/{export}", key=other), 404)
    problem(take(other, export), 404)
    assert call("get", "exports", key=other).json()["items"] == []
    assert [row["id"] for row in call("get", "exports", key=key).json()["items"]] == [export]
    revoke_key(key=find_key_by_name("Auditor", now=timezone.now()), by="admin", now=timezone.now())
    problem(take(key, export), 401)


def test_the_maker_of_a_key_cannot_allow_its_exports() -> None:
    make_member(make_publication().mailing_list, "ada@example.org")
    key = make_key(name="Auditor", scope=SCOPE, by="bob@example.org", now=timezone.now())[1]
    export = ask(key).json()["id"]
    assert "You made the key that asked" in allow(export)
    page = sign_in("data", email="bob@example.org").get(reverse("subscribers_export")).content.decode()
    assert "You made this API key, so another person" in page
    home = sign_in("data", email="bob@example.org").get("/admin/").content.decode()
    assert "wants to export" not in home
    assert "API: Auditor wants to export" in sign_in("data", email="cleo@example.org").get("/admin/").content.decode()
    notify_waiting_exports(now=timezone.now())
    told = StaffNotice.objects.filter(key__startswith="export-")
    assert list(told.values_list("person__email", flat=True)) == ["cleo@example.org"]
    assert "API: Auditor asks to export 1 person, for" in told[0].paragraphs[0]
    assert "Export allowed" in allow(export, email="cleo@example.org")


def test_an_allowed_file_ends_after_a_day_an_open_request_after_a_week() -> None:
    make_member(make_list("weekly"), "ada@example.org")
    key = create_key(SCOPE)
    first, second = ask(key).json()["id"], ask(key).json()["id"]
    allow(first)
    with time_machine.travel(timezone.now() + timedelta(days=1, minutes=1), tick=False):
        assert read_state(key, first) == "expired"
        problem(take(key, first), 409)
    with time_machine.travel(timezone.now() + timedelta(days=7, minutes=1), tick=False):
        assert read_state(key, second) == "expired"
        assert "not waiting any more" in allow(second)
    delete_old_exports(now=timezone.now() + timedelta(days=31))
    problem(call("get", f"exports/{first}", key=key), 404)


def test_a_key_of_some_lists_exports_only_them_and_names_no_other() -> None:
    weekly, board = make_list("weekly"), make_list("board")
    subscribe(make_member(weekly, "ada@example.org"), board)
    key = create_key(SCOPE, lists=[weekly])
    problem(ask(key, "board"), 404)
    assert ask(key, None).json()["code"] == "key_limited_to_lists"
    export = ask(key).json()["id"]
    allow(export)
    text = read_text(take(key, export))
    assert "ada@example.org" in text
    assert "board" not in text
    whole = create_key(SCOPE, name="Whole")
    export = ask(whole).json()["id"]
    allow(export, email="cleo@example.org")
    assert "board;weekly" in read_text(take(whole, export))


def test_a_repeated_request_for_an_export_asks_once() -> None:
    make_list("weekly")
    key = create_key(SCOPE)
    body = {"list": "weekly", "reason": "Yearly audit"}
    ids = {call("post", "exports", body, key=key, idempotency_key="audit-1").json()["id"] for _ in range(2)}
    assert len(ids) == ExportRequest.objects.count() == 1
    problem(call("post", "exports", {"list": "weekly", "reason": "   "}, key=key), 422)


@pytest.mark.parametrize(
    "wrong",
    [{"without_approval": True}, {"asked_by_key": None}, {"key_label": ""}],
    ids=["alone", "nobody", "nameless"],
)
def test_the_database_refuses_an_export_by_only_one_key(wrong: dict[str, object]) -> None:
    make_list("weekly")
    ask(create_key(SCOPE))
    with pytest.raises(IntegrityError), transaction.atomic():
        ExportRequest.objects.update(**wrong)
