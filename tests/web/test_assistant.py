"""Tools of an assistant read and draft within the key's scopes. None approves, sends or reveals."""

import pytest

from newsletter.api.calls.openapi import list_operations, scopes_of
from newsletter.api.urls import api
from newsletter.assistant.call_api import ApiAnswer, call_api
from newsletter.assistant.offered_calls import OFFERED_CALLS, list_offered_calls
from newsletter.models import ApiCall, ApiKey, Approval, Issue, Publication
from newsletter.models.api_keys import ApiScope
from subscribers.outbound_events import SYSTEM, current_origin
from tests.support.api import create_key
from tests.support.fixtures import add_subscribers, make_issue, make_story
from tests.support.people import make_list

pytestmark = pytest.mark.django_db(transaction=True)
ALL = " ".join(scope for scope in ApiScope.values if scope not in ("people", "read", "website"))
READING = frozenset(("content:read", "issues:read", "lists:read", "sends:read", "read", "website"))


def use(tool: str, key: str, **arguments: object) -> ApiAnswer:
    return call_api(list_offered_calls()[tool], arguments, key=key)


@pytest.mark.requirement("G5")
def test_an_assistant_is_offered_these_tools_and_no_others() -> None:
    reading = {name for name, call in list_offered_calls().items() if call.reads}
    assert set(OFFERED_CALLS) - reading == {
        *("create_issue", "propose_subject", "add_block", "change_block", "delete_block", "add_story")
    }
    words = (
        "approv",
        "start",
        "resume",
        "release",
        "export",
        "reveal",
        "cancel",
        "proof",
        "pause",
        "people",
        "gift",
        "key",
    )
    for name, call in list_offered_calls().items():
        assert not any(word in f"{name} {call.path}".lower() for word in words), name


@pytest.mark.requirement("G5")
def test_each_tool_needs_a_scope_that_reads_or_drafts() -> None:
    scopes = {
        f"{operation.methods[0]} {path}": set(scopes_of(operation))
        for path, methods in api.get_openapi_schema()["paths"].items()
        for details in methods.values()
        for operation in [list_operations(api)[details["operationId"]]]
    }
    for name, call in OFFERED_CALLS.items():
        reads = list_offered_calls()[name].reads
        assert scopes[call] <= (READING if reads else {"issues:write", "content:write"}), name


def test_a_tool_needs_the_scope_of_its_call(publication: Publication) -> None:
    make_story("The clinic opens")
    key = create_key("content:read")
    assert use("list_stories", key).document["items"][0]["title"] == "The clinic opens"
    refused = use("create_issue", key, publication="weekly")
    assert (refused.status, refused.document["code"]) == (403, "scope_too_small")
    assert not Issue.objects.exists()


def test_a_revoked_key_stops_an_assistant_at_once() -> None:
    key = create_key("lists:read")
    assert use("list_lists", key).status == 200
    ApiKey.objects.update(revoked_at="2026-01-01T00:00:00Z")
    assert use("list_lists", key).status == 401


def test_an_assistant_drafts_an_issue_and_its_calls_are_recorded(publication: Publication) -> None:
    add_subscribers(publication, 2)
    key = create_key(ALL, name="Assistant")
    url = "https://example.org/clinic/"
    assert use("add_story", key, title="The clinic opens", url=url, language="en").status == 201
    made = use("create_issue", key, publication="weekly", beginning="rules")
    assert made.status == 201, made.document
    issue = made.document["id"]
    read = use("read_issue", key, issue=issue)
    added = use("add_block", key, issue=issue, type="quote", value={"text": "At last."}, after="start")
    assert added.document["blocks"][0]["type"] == "quote"
    stale = use("propose_subject", key, issue=issue, subject="Open at night", if_match=read.etag)
    assert (stale.status, stale.document["code"]) == (412, "changed_meanwhile")
    etag = use("read_issue", key, issue=issue).etag
    assert use("propose_subject", key, issue=issue, subject="Open at night", if_match=etag).status == 200
    (version,) = use("check_issue", key, issue=issue).document["versions"]
    assert "At last." in use("preview_version", key, issue=issue, version=version["key"]).document["text"]
    assert use("rehearse_issue", key, issue=issue).document["recipients"] == 2
    assert (Issue.objects.get().state, Approval.objects.count()) == ("draft", 0)
    assert ApiCall.objects.filter(key__name="Assistant", path="/api/v1/issues", status=201).exists()


@pytest.mark.requirement("G5")
def test_an_assistant_changes_nothing_that_is_approved(publication: Publication) -> None:
    make_story("The clinic opens")
    add_subscribers(publication, 2)
    issue = make_issue(publication, approved=True)
    key = create_key(ALL)
    block = issue.body[0].id
    assert use("propose_subject", key, issue=issue.pk, subject="Other").status == 409
    assert use("add_block", key, issue=issue.pk, type="divider", value={}).status == 409
    assert use("delete_block", key, issue=issue.pk, block=block).status == 409
    assert Approval.objects.get().withdrawn_at is None


def test_a_call_of_an_assistant_names_nobody_for_later_changes() -> None:
    assert use("list_stories", create_key("content:read")).status == 200
    assert current_origin() == SYSTEM


def test_wrong_arguments_of_a_tool_are_named() -> None:
    key = create_key(ALL)
    assert "“colour” is unknown" in use("list_lists", key, colour="red").document["detail"]
    assert "“issue” is missing" in use("read_issue", key).document["detail"]
    assert use("read_issue", key, issue="../people").status == 404
    assert use("list_stories", key, limit=10_000).status == 422
    assert use("propose_subject", key, issue=1, subject="").status == 422


def test_a_tool_reads_page_by_page() -> None:
    for slug in ("board", "weekly"):
        make_list(slug)
    key = create_key("lists:read")
    first = use("list_lists", key, limit=1).document
    second = use("list_lists", key, limit=1, cursor=first["next"]).document
    assert [row["slug"] for page in (first, second) for row in page["items"]] == ["board", "weekly"]
    assert second["next"] is None
