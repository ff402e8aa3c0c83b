"""The API's calls about people and suppressions: what they change, and what they never give away or allow."""

import re
from datetime import datetime
from typing import Any

import pytest

from newsletter.models import AuditEntry, InboundMail
from newsletter.sending.freezing.start import start_send
from subscribers.models import ConsentEvent, Reason, Reply, Subscriber, Subscription, Suppression
from subscribers.segments.attributes import write_attributes
from subscribers.unsubscribing.suppress_email import suppress_email
from tests.support.api import call, create_key, problem
from tests.support.fixtures import add_subscribers, make_issue, make_publication, make_story
from tests.support.people import NOW, make_list, make_member, make_topic, subscribe

pytestmark = pytest.mark.django_db
ALL = "people:read people:write people:erase"
TERMS = {"list": "weekly", "basis": "consent", "evidence": "Ticked the box on our form"}


def add(key: str, email: str, **more: Any) -> Any:
    return call("post", "people", {**TERMS, "email": email, **more}, key=key)


@pytest.mark.requirement("G5")
def test_only_a_caller_who_sends_an_address_sees_it() -> None:
    weekly, key = make_list("weekly"), create_key(ALL)
    person = make_member(weekly, "ada.lovelace@example.org")
    suppress_email(email=person.email, reason="staff", now=NOW)
    for path in ("people", f"people/{person.pk}", "suppressions"):
        assert "lovelace" not in call("get", path, key=key).content.decode()
    assert call("get", "people", key=key).json()["items"][0]["email_hint"] == "a•••@e•••.org"
    find = call("post", "people/find", {"email": "ADA.lovelace@example.org"}, key=key)
    assert find.json()["email"] == person.email


@pytest.mark.parametrize("limited", [False, True])
def test_every_call_shows_a_person_with_the_same_fields(limited: bool) -> None:
    weekly, board = make_list("weekly"), make_list("board")
    person = make_member(
        weekly, "ada@example.org", name="Ada", giving="monthly", radius_km=40, timezone="Europe/London"
    )
    subscribe(person, board)
    person.topics.add(make_topic("courts", "Courts"))
    write_attributes([(person.pk, {"member_since": "2019"})])
    key = create_key(ALL, lists=[weekly] if limited else None)
    read = call("get", f"people/{person.pk}", key=key).json()
    assert (read["topics"], read["radius_km"], read["timezone"]) == (["courts"], 40, "Europe/London")
    assert call("get", "people", key=key).json()["items"] == [read]
    assert call("patch", f"people/{person.pk}", {"giving": "monthly"}, key=key).json() == read
    found = call("post", "people/find", {"email": person.email}, key=key).json()
    assert _parse_times(read) == _only_fields_of(read, _parse_times(found))


def _parse_times(value: Any) -> Any:
    """Return the document with its times as such: two calls write the same moment in two ways."""
    match value:
        case dict():
            return {name: _parse_times(part) for name, part in value.items()}
        case list():
            return [_parse_times(part) for part in value]
        case str() if re.match(r"\d{4}-\d\d-\d\dT", value):
            return datetime.fromisoformat(value)
    return value


def _only_fields_of(model: Any, value: Any) -> Any:
    """Return the value without fields that the model does not have."""
    if isinstance(model, dict):
        return {name: _only_fields_of(part, value[name]) for name, part in model.items()}
    if isinstance(model, list):
        return [_only_fields_of(model[0], part) for part in value] if model else value
    return value


def test_adding_a_person_keeps_the_proof_and_can_be_repeated() -> None:
    weekly, key = make_list("weekly"), create_key(ALL)
    first = add(key, "ada@example.org", name="Ada", attributes={"member since": "2019"}, asked_on="2026-01-02")
    assert (first.status_code, first.json()["outcome"]) == (201, "new")
    person = Subscriber.objects.get(pk=first.json()["id"])
    subscription = Subscription.objects.get(subscriber=person, mailing_list=weekly)
    assert (subscription.basis, subscription.evidence) == ("consent", TERMS["evidence"])
    assert ConsentEvent.objects.get(subscriber=person, kind="imported").by == "API: the " + ALL + " key"
    assert call("get", f"people/{person.pk}", key=key).json()["attributes"] == {"member_since": "2019"}
    again = add(key, "ada@example.org", name="Ada", attributes={"member since": "2019"}, asked_on="2026-01-02")
    assert (again.status_code, again.json()["outcome"]) == (200, "unchanged")


def test_adding_never_brings_back_a_person_who_left() -> None:
    make_list("weekly")
    key = create_key(ALL)
    suppress_email(email="ada@example.org", reason="unsubscribe", now=NOW)
    answer = add(key, "ada@example.org")
    assert (answer.status_code, answer.json()["outcome"], answer.json()["id"]) == (200, "suppressed", None)
    assert not Subscription.objects.open().exists()


def test_a_person_can_be_asked_to_confirm_first() -> None:
    make_list("weekly")
    answer = add(create_key(ALL), "ada@example.org", confirm=True)
    assert (answer.status_code, answer.json()["outcome"]) == (201, "new")
    assert not Subscription.objects.mailable().exists()
    assert Subscription.objects.open().exists()


def test_values_that_a_row_leaves_out_are_named() -> None:
    make_list("weekly")
    answer = add(create_key(ALL), "ada@example.org", giving="often").json()
    assert answer["outcome"] == "new"
    assert "often" in answer["notes"][0]


@pytest.mark.parametrize("bad", [{"email": "nobody"}, {"basis": "hope"}, {"evidence": ""}, {"age": 3}])
def test_a_person_with_a_bad_value_is_not_added(bad: dict[str, Any]) -> None:
    make_list("weekly")
    problem(call("post", "people", {**TERMS, "email": "ada@example.org", **bad}, key=create_key(ALL)), 422)
    assert not Subscriber.objects.exists()


def test_lines_are_added_or_refused_one_by_one() -> None:
    make_list("weekly")
    text = '{"email": "ada@example.org"}\n\n[1]\n{"email": "nobody"}\n{"email": "bea@example.org", "age": 3}\n{\n'
    path = "people/bulk?list=weekly&basis=consent&evidence=our+form"
    answer = call("post", path, key=create_key(ALL), text=text).json()
    assert (answer["rows"], answer["new"], answer["refused"]) == (5, 1, 4)
    assert [row["line"] for row in answer["lines"]] == [3, 4, 5, 6]
    assert Subscriber.objects.get().email == "ada@example.org"
    problem(call("post", path, key=create_key(ALL, name="b"), text=""), 422)


def test_a_change_of_a_person_is_for_the_version_that_was_read() -> None:
    person = make_member(make_list("weekly"), "ada@example.org")
    key, path = create_key(ALL), f"people/{person.pk}"
    etag = call("get", path, key=key).headers["ETag"]
    changed = call("patch", path, {"name": "Ada L.", "giving": "monthly"}, key=key, if_match=etag)
    assert (changed.json()["name"], changed.json()["giving"]) == ("Ada L.", "monthly")
    assert "Read it again" in problem(call("patch", path, {"name": "Bea"}, key=key, if_match=etag), 412)
    assert "Read it again" in problem(call("delete", path, key=key, if_match=etag), 412)
    person.refresh_from_db()
    assert person.name == "Ada L."
    assert call("patch", path, {"name": ""}, key=key, if_match=call("get", path, key=key).headers["ETag"])


def test_erasing_a_person_leaves_the_hash_so_that_nobody_adds_them_again() -> None:
    person = make_member(make_list("weekly"), "ada@example.org")
    key = create_key(ALL)
    assert call("delete", f"people/{person.pk}", key=key).status_code == 204
    assert not Subscriber.objects.exists()
    assert Suppression.objects.get().reason == Reason.ERASURE
    assert add(key, "ada@example.org").json()["outcome"] == "suppressed"
    problem(call("delete", f"people/{person.pk}", key=key), 404)
    assert AuditEntry.objects.filter(action="subscribers.erase").exists()


def test_merging_keeps_the_subscriptions_of_both_records() -> None:
    weekly, board = make_list("weekly"), make_list("board")
    keep, absorb = make_member(weekly, "ada@example.org"), make_member(board, "ada@work.example.org")
    key = create_key(ALL)
    merge = {"absorb": absorb.pk, "reason": "She told us"}
    merged = call("post", f"people/{keep.pk}/merge", merge, key=key).json()
    assert [row["list"] for row in merged["subscriptions"]] == ["weekly", "board"]
    problem(call("post", f"people/{keep.pk}/merge", merge, key=key), 404)
    problem(call("post", f"people/{keep.pk}/merge", {**merge, "absorb": keep.pk}, key=key), 422)


def test_a_key_of_some_lists_reaches_nobody_else_by_id() -> None:
    weekly, board = make_list("weekly"), make_list("board")
    ada, bea = make_member(weekly, "ada@example.org"), make_member(board, "bea@example.org")
    subscribe(ada, board)
    suppress_email(email="cleo@example.org", reason="staff", mailing_list=board, now=NOW)
    key = create_key(ALL, lists=[weekly])
    assert [row["id"] for row in call("get", "people", key=key).json()["items"]] == [ada.pk]
    seen = call("get", f"people/{ada.pk}", key=key).json()
    assert [row["list"] for row in seen["subscriptions"]] == ["weekly"]
    for method, body in (("get", None), ("patch", {"name": "x"})):
        problem(call(method, f"people/{bea.pk}", body, key=key), 404)
    problem(call("get", "people?list=board", key=key), 404)
    for path, body in ((f"people/{ada.pk}", None), (f"people/{ada.pk}/merge", {"absorb": bea.pk, "reason": "same"})):
        assert "all lists" in problem(call("post" if body else "delete", path, body, key=key), 403)
    assert call("get", "suppressions", key=key).json()["items"] == []
    problem(call("post", f"suppressions/{Suppression.objects.get().pk}/lift", {"reason": "asked"}, key=key), 404)
    problem(call("post", "people", {**TERMS, "list": "board", "email": "dee@example.org"}, key=key), 404)


@pytest.mark.parametrize(
    ("reason", "lifted"), [("staff", True), ("hard", True), ("complaint", True), ("unsubscribe", False)]
)
def test_only_what_staff_could_lift_is_lifted(reason: str, lifted: bool) -> None:
    suppress_email(email="ada@example.org", reason=reason, now=NOW)
    key, address = create_key(ALL), {"email": "ada@example.org"}
    (row,) = call("post", "suppressions/find", address, key=key).json()
    assert row["can_be_lifted"] is lifted
    answer = call("post", f"suppressions/{row['id']}/lift", {"reason": "She asked on the phone"}, key=key)
    assert answer.status_code == (200 if lifted else 422)
    assert Suppression.objects.live().exists() is not lifted
    if lifted:
        assert Suppression.objects.get().removal_reason == "She asked on the phone"


def test_people_are_read_page_by_page_and_each_once() -> None:
    weekly, key = make_list("weekly"), create_key(ALL)
    expected = [make_member(weekly, f"person{number}@example.org").pk for number in range(5)]
    found, cursor = [], ""
    while cursor is not None:
        page = call("get", f"people?list=weekly&limit=2&cursor={cursor}", key=key).json()
        found += [row["id"] for row in page["items"]]
        cursor = page["next"]
        if len(found) == 2:
            other = call("get", f"people?limit=2&cursor={cursor}", key=key)
            assert "Send `next`" in problem(other, 422)
            assert other.json()["code"] == "foreign_cursor"
            make_member(weekly, "later@example.org")
    assert found[:5] == expected
    assert len(found) == len(set(found)) == 6


@pytest.mark.django_db(transaction=True)
def test_a_reply_is_recorded_once_by_the_call_that_reports_it() -> None:
    publication = make_publication()
    make_story("The clinic opens its doors")
    (person,) = add_subscribers(publication, 1)
    issue = start_send(issue=make_issue(publication, approved=True), now=NOW).issue_id
    key, path = create_key("people:write"), f"people/{person.pk}/replies"
    body = {"replied_on": "2026-03-02", "issue": issue}
    first = call("post", path, body, key=key, idempotency_key="mail-1")
    assert (first.status_code, first.json()["issue"], first.json()["ended_rest"]) == (201, issue, False)
    assert call("post", path, body, key=key, idempotency_key="mail-1").json() == first.json()
    assert call("post", path, body, key=key).status_code == 200
    reply = Reply.objects.get()
    assert (reply.origin, reply.by) == ("api", "API: the people:write key")
    assert AuditEntry.objects.filter(action="subscribers.reply").count() == 1


def test_a_reply_that_cannot_be_is_refused_with_a_sentence() -> None:
    weekly, board = make_list("weekly"), make_list("board")
    ada, bea = make_member(weekly, "ada@example.org"), make_member(board, "bea@example.org")
    key = create_key("people:write", lists=[weekly])
    body = {"replied_on": "2026-03-02"}
    problem(call("post", f"people/{bea.pk}/replies", body, key=key), 404)
    assert "no issue" in problem(call("post", f"people/{ada.pk}/replies", {**body, "issue": 9}, key=key), 404)
    assert "not come yet" in problem(
        call("post", f"people/{ada.pk}/replies", {"replied_on": "2999-01-01"}, key=key), 422
    )
    problem(call("post", f"people/{ada.pk}/replies", body, key=create_key("people:read")), 403)
    assert not Reply.objects.exists()


def test_no_call_shows_what_a_person_wrote() -> None:
    person = make_member(make_list("weekly"), "ann@example.org")
    InboundMail.objects.create(
        key="1",
        origin="imap",
        state="held",
        kind="reply",
        text="For you only",
        received_at=NOW,
        sender_hash=bytes(person.address_hash),
        read_at=NOW,
    )
    key = create_key("people people:read")
    answers = [
        call("post", "people/find", {"email": "ann@example.org"}, key=key),
        call("get", f"people/{person.pk}", key=key),
        call("get", "people", key=key),
    ]
    assert [answer.status_code for answer in answers] == [200] * 3
    assert not any("For you only" in answer.content.decode() for answer in answers)
