"""Saves of the editor that are repeated because no answer came, and saves that the server finishes late."""

import pytest
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from newsletter.desk.editor.viewset import IssueEditView
from newsletter.issues.approval.approve import approve_issue
from newsletter.models import Issue, Publication
from tests.support.desk import issue_form, sign_in
from tests.support.fixtures import add_subscribers, make_approver, make_issue, make_story

pytestmark = pytest.mark.django_db
WINDOW, OTHER_WINDOW = "5f0c", "77ab"


@pytest.fixture
def issue(publication: Publication) -> Issue:
    make_story("The clinic opens its doors")
    add_subscribers(publication, 3)
    issue = make_issue(publication)
    save(sign_in("editor"), issue, "As it was opened")
    return fresh(issue)


def fresh(issue: Issue) -> Issue:
    return Issue.objects.get(pk=issue.pk)


def save(
    client: Client, issue: Issue, subject: str, *, accept: str = "application/json", **fields: str
) -> HttpResponse:
    """Save a form that was opened when ``issue`` was read."""
    if loaded := issue.latest_revision:
        fields = {
            "loaded_revision_id": str(loaded.pk),
            "loaded_revision_created_at": loaded.created_at.isoformat(),
            **fields,
        }
    form = issue_form(issue, story=issue.placements.get().story, subject=subject, **fields)
    return client.post(f"/admin/issues/edit/{issue.pk}/", form, headers={"accept": accept}, follow=True)


def number(value: int, *, window: str = WINDOW) -> dict[str, str]:
    return {"editor_window": window, "save_number": str(value)}


@pytest.mark.postgres
@pytest.mark.parametrize("repeated", [1, 2])
def test_a_first_save_without_an_answer_is_repeated(issue: Issue, repeated: int) -> None:
    client = sign_in("writer")
    first = save(client, issue, "Typed", **number(1)).json()["revision_id"]
    answer = save(client, issue, "Typed on", **number(repeated))
    assert (answer.status_code, answer.json()["revision_id"]) == (200, first)
    assert (fresh(issue).subject, fresh(issue).latest_revision.content["subject"]) == ("Typed on", "Typed on")


def test_a_save_of_another_window_is_a_conflict(issue: Issue) -> None:
    client = sign_in("writer")
    save(client, issue, "Typed", **number(1))
    answer = save(client, issue, "Typed elsewhere", **number(9, window=OTHER_WINDOW))
    assert (answer.status_code, answer.json()["error_code"]) == (400, "invalid_revision")
    assert "You, in another window, saved this issue" in answer.json()["error_message"]
    assert fresh(issue).subject == "Typed"


def test_a_save_over_that_of_another_person_is_a_conflict(issue: Issue) -> None:
    client = sign_in("writer")
    save(client, issue, "Typed", **number(1))
    save(sign_in("editor"), fresh(issue), "Typed by an editor", **number(1, window=OTHER_WINDOW))
    assert save(client, issue, "Typed on", **number(2)).status_code == 400
    assert fresh(issue).subject == "Typed by an editor"


def test_the_next_person_in_the_same_window_saves_a_new_version(issue: Issue) -> None:
    """The session of the first has ended, and another person has signed in in another tab."""
    first = save(sign_in("writer"), issue, "Typed", **number(1)).json()["revision_id"]
    answer = save(sign_in("approver"), issue, "Typed on", overwrite_revision_id=str(first), **number(2))
    assert answer.json()["revision_id"] != first
    assert fresh(issue).latest_revision.user.email == "approver@example.org"


def test_a_repeated_save_keeps_a_version_that_was_approved(issue: Issue) -> None:
    client = sign_in("approver")
    first = save(client, issue, "Approved words", **number(1)).json()["revision_id"]
    approve_issue(issue=fresh(issue), by=make_approver("another@example.org"), now=timezone.now())
    client.post(f"/admin/issues/{issue.pk}/withdraw-to-edit/")
    assert save(client, issue, "Later words", **number(2)).json()["revision_id"] != first
    assert issue.revisions.get(pk=first).content["subject"] == "Approved words"


@pytest.mark.postgres
@pytest.mark.parametrize("accept", ["application/json", "text/html"])
def test_an_earlier_save_that_comes_late_changes_nothing(issue: Issue, accept: str) -> None:
    client = sign_in("writer")
    first = save(client, issue, "One", **number(1)).json()["revision_id"]
    save(client, issue, "Three", overwrite_revision_id=str(first), **number(3))
    save(client, issue, "Two", accept=accept, overwrite_revision_id=str(first), **number(2))
    assert fresh(issue).subject == "Three"


@pytest.mark.parametrize("accept", ["application/json", "text/html"])
def test_a_save_from_before_a_submit_changes_nothing(issue: Issue, accept: str) -> None:
    """The submit replaces the version of the autosave, so that the late one names the latest version."""
    client = sign_in("writer")
    first = save(client, issue, "One", **number(1)).json()["revision_id"]
    save(client, issue, "Three", accept="text/html", overwrite_revision_id=str(first), **number(3))
    assert fresh(issue).subject == "Three"
    save(client, issue, "Two", accept=accept, overwrite_revision_id=str(first), **number(2))
    assert fresh(issue).subject == "Three"


def test_a_first_save_from_before_a_submit_changes_nothing(issue: Issue) -> None:
    client = sign_in("writer")
    save(client, issue, "Two", accept="text/html", **number(2))
    assert save(client, issue, "One", **number(1)).status_code == 400
    save(client, issue, "One", accept="text/html", **number(1))
    assert fresh(issue).subject == "Two"


@pytest.mark.postgres
@pytest.mark.parametrize("later", ["save", "submit", "another person"])
def test_a_save_that_stalls_overwrites_nothing(issue: Issue, monkeypatch: pytest.MonkeyPatch, later: str) -> None:
    """The server has checked the version of a form, and stalls before it saves it."""
    client = sign_in("writer")
    form_valid, began = IssueEditView.form_valid, list[Issue]()

    def stall(view: IssueEditView, form: object) -> HttpResponse:
        if not began:
            began.append(issue)
            if later == "another person":
                save(sign_in("approver"), issue, "Newer", **number(1, window=OTHER_WINDOW))
            else:
                accept = "application/json" if later == "save" else "text/html"
                save(client, issue, "Newer", accept=accept, **number(2))
        return form_valid(view, form)

    monkeypatch.setattr(IssueEditView, "form_valid", stall)
    answer = save(client, issue, "Older", **number(1))
    assert (answer.status_code, answer.json()["error_code"]) == (400, "invalid_revision")
    assert (fresh(issue).subject, fresh(issue).latest_revision.content["subject"]) == ("Newer", "Newer")


def test_a_form_that_stalls_says_who_saved_meanwhile(issue: Issue, monkeypatch: pytest.MonkeyPatch) -> None:
    form_valid, began = IssueEditView.form_valid, list[Issue]()

    def stall(view: IssueEditView, form: object) -> HttpResponse:
        if not began:
            began.append(issue)
            save(sign_in("approver"), issue, "Newer")
        return form_valid(view, form)

    monkeypatch.setattr(IssueEditView, "form_valid", stall)
    answer = save(sign_in("writer"), issue, "Older", accept="text/html")
    assert "approver@example.org saved this issue" in answer.content.decode()
    assert fresh(issue).subject == "Newer"
