"""The API's calls about issues and sends: they draft, check and pause, and never approve, send or change an approval."""

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.test import RequestFactory
from wagtail.images.models import Image

from newsletter.api.publishing.drafting import edit_draft
from newsletter.api.urls import api
from newsletter.desk.editor.check_panel import checks_context
from newsletter.issues.approval.acknowledge import acknowledge
from newsletter.models import ApiKey, Approval, Issue, Publication, Send
from newsletter.sending.freezing.start import start_send
from tests.support.api import call, create_key, problem
from tests.support.fixtures import NOW, add_subscribers, make_approver, make_issue, make_story
from tests.support.people import make_list

pytestmark = pytest.mark.django_db
ALL = "issues:read issues:write sends:read sends:write"


@pytest.mark.requirement("G5")
def test_no_call_approves_sends_resumes_or_reveals() -> None:
    words = ("approv", "start_send", "resume", "release", "allow", "reveal", "cancel", "proof")
    for path, methods in api.get_openapi_schema()["paths"].items():
        for method, details in methods.items():
            name = f"{method} {path} {details['operationId'].rpartition('_api_')[2]}".lower()
            assert not any(word in name for word in words), name


@time_machine.travel(NOW, tick=False)
def test_an_issue_is_drafted_and_its_subject_proposed(publication: Publication) -> None:
    make_story("The clinic opens")
    key = create_key(ALL)
    made = call("post", "issues", {"publication": "weekly"}, key=key)
    assert made.status_code == 201, made.content
    assert made.json()["state"] == "draft"
    assert [block["type"] for block in made.json()["blocks"]] == ["lead_story"]
    path = f"issues/{made.json()['id']}"
    etag = call("get", path, key=key).headers["ETag"]
    changed = call("patch", path, {"subject": "Open at night"}, key=key, if_match=etag)
    assert changed.json()["subject"] == "Open at night"
    issue = Issue.objects.get()
    assert issue.subject == issue.latest_revision.content["subject"] == "Open at night"
    problem(call("patch", path, {"subject": "Late"}, key=key, if_match=etag), 412)
    assert not Approval.objects.exists()


@pytest.mark.parametrize(
    "change",
    [
        {"subject": "   "},
        {"subject": "Open\nat night"},
        {"subject": "Open\u2028at night"},
        {"preheader": "Come\r\nin"},
    ],
    ids=str,
)
def test_a_subject_that_no_mail_can_have_is_refused(publication: Publication, change: dict[str, str]) -> None:
    make_story("The clinic opens")
    issue = make_issue(publication)
    answer = call("patch", f"issues/{issue.pk}", change, key=create_key(ALL))
    assert problem(answer, 422).startswith(f"{next(iter(change))}: ")
    issue.refresh_from_db()
    assert issue.revisions.count() == 1


def test_a_subject_is_stored_without_spaces_around_it(publication: Publication) -> None:
    make_story("The clinic opens")
    path = f"issues/{make_issue(publication).pk}"
    change = {"subject": " Open at night ", "preheader": "  "}
    answer = call("patch", path, change, key=create_key(ALL)).json()
    assert (answer["subject"], answer["preheader"]) == ("Open at night", "")


def test_a_value_that_an_issue_cannot_have_is_refused_before_it_is_saved(publication: Publication) -> None:
    make_story("The clinic opens")
    issue = make_issue(publication)
    create_key(ALL)
    request = RequestFactory().patch("/")
    request.auth = ApiKey.objects.get()
    with pytest.raises(ValidationError) as refused, edit_draft(request, issue.pk, fields=["layout"]) as row:
        row.layout = "poster"
    assert list(refused.value.message_dict) == ["layout"]
    issue.refresh_from_db()
    assert (issue.layout, issue.revisions.count()) == ("", 1)


@pytest.mark.requirement("G5")
def test_an_approved_issue_keeps_its_subject_and_its_approval(publication: Publication) -> None:
    make_story("The clinic opens")
    add_subscribers(publication, 2)
    issue = make_issue(publication, approved=True)
    answer = call("patch", f"issues/{issue.pk}", {"subject": "Other"}, key=create_key(ALL))
    assert problem(answer, 409)
    issue.refresh_from_db()
    assert (issue.state, issue.subject) == ("approved", "The clinic opens")
    assert Approval.objects.get().withdrawn_at is None


def test_the_versions_of_an_issue_are_checked_and_previewed(publication: Publication) -> None:
    make_story("The clinic opens")
    add_subscribers(publication, 2)
    issue, key = make_issue(publication), create_key(ALL)
    (version,) = call("post", f"issues/{issue.pk}/check", key=key).json()["versions"]
    assert version["people"] == 2
    mail = call("get", f"issues/{issue.pk}/versions/{version['key']}", key=key).json()
    assert mail["subject"] == "The clinic opens"
    assert "The clinic opens" in mail["html"]
    assert "The clinic opens" in mail["text"]
    assert "person0@" not in mail["html"]
    assert "Check it first" in problem(call("get", f"issues/{issue.pk}/versions/other", key=key), 404)


def test_a_check_names_an_image_whose_file_is_missing(publication: Publication) -> None:
    make_story("The clinic opens")
    issue, key = make_issue(publication), create_key(ALL)
    image = Image.objects.create(title="Harbour", file="original_images/gone.png", width=10, height=10)
    body = f'[{{"type": "picture", "id": "a", "value": {{"image": {image.pk}, "alt": "A harbour"}}}}]'
    Issue.objects.filter(pk=issue.pk).update(body=body)
    assert "“Harbour” is missing" in problem(call("post", f"issues/{issue.pk}/check", key=key), 422)


def test_a_check_finds_what_the_desk_finds(publication: Publication) -> None:
    make_story("The clinic opens")
    add_subscribers(publication, 2)
    issue, key = make_issue(publication), create_key(ALL)
    issue.preheader = "Short"
    issue.save()
    path = f"issues/{issue.pk}/check"
    context = checks_context(issue, limit=10)
    answer = call("post", path, key=key).json()
    found = [(one["level"], one["code"], one["location"], one["people"]) for one in answer["problems"]]
    assert found == [(check.level, check.code, check.location, check.people) for check in context["checks"]]
    assert found
    warnings = [(check.name, check.message) for check in context["unacknowledged"]]
    assert warnings
    acknowledge(
        issue=issue, sha256=context["sha256"], warnings=warnings, by=make_approver("reviewer@example.org"), now=NOW
    )
    problems = call("post", path, key=key).json()["problems"]
    assert all(one["acknowledged"] for one in problems if one["level"] == "warning")
    assert answer["sha256"] == context["sha256"]


@pytest.mark.django_db(transaction=True)
def test_a_send_is_followed_and_paused_once(publication: Publication) -> None:
    make_story("The clinic opens")
    add_subscribers(publication, 2)
    send, key = start_send(issue=make_issue(publication, approved=True), now=NOW), create_key(ALL)
    progress = call("get", f"sends/{send.pk}", key=key).json()
    assert (progress["recipients"], progress["deliveries"]["pending"]) == (2, 2)
    assert [row["id"] for row in call("get", "sends", key=key).json()["items"]] == [send.pk]
    paused = call("post", f"sends/{send.pk}/pause", {"reason": "A wrong number"}, key=key).json()
    assert (paused["state"], "reason" in paused) == ("paused", False)
    assert "A wrong number" in str(Send.objects.get().reason)
    again = call("post", f"sends/{send.pk}/pause", {}, key=key)
    assert problem(again, 409)
    assert again.json()["code"] == "wrong_state"
    assert call("get", f"sends/{send.pk}/report", key=key).json()["send"]["state"] == "paused"


@pytest.mark.django_db(transaction=True)
def test_a_key_of_other_lists_reaches_no_issue_and_no_send(publication: Publication) -> None:
    make_story("The clinic opens")
    add_subscribers(publication, 2)
    issue = make_issue(publication, approved=True)
    send = start_send(issue=issue, now=NOW)
    key = create_key(f"{ALL} read", lists=[make_list("board")])
    for path in (f"issues/{issue.pk}", f"sends/{send.pk}", f"sends/{send.pk}/report", "issues/weekly/latest/receipt"):
        assert "weekly/1" not in problem(call("get", path, key=key), 404)
    problem(call("post", f"issues/{issue.pk}/check", key=key), 404)
    problem(call("post", f"sends/{send.pk}/pause", {}, key=key), 404)
    problem(call("post", "issues", {"publication": "weekly"}, key=key), 404)
    assert call("get", "sends", key=key).json()["items"] == []
    assert call("get", "issues", key=key).json() == {"issues": []}
    assert call("get", "publications", key=key).json() == {"publications": []}


def test_a_publication_is_read_with_its_rules(publication: Publication) -> None:
    answer = call("get", "publications/weekly", key=create_key("issues:read")).json()
    assert (answer["slug"], answer["mailing_list"], answer["stories"]) == (
        "weekly",
        publication.mailing_list.slug,
        publication.stories,
    )
    problem(call("get", "publications/weekly", key=create_key(ALL, lists=[make_list("board")])), 404)
    problem(call("get", "publications/weekly", key=create_key("read", name="old")), 403)
    assert call("get", "publications", key=create_key("issues:read", name="new")).status_code == 200
