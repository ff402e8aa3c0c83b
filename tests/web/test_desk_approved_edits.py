"""Changes of approved issues and of what they show: the desk asks first, and notifies the approvers."""

from collections.abc import Iterator

import pytest
import time_machine
from django.contrib.auth.models import User
from django.test import Client

from newsletter.models import Appeal, Approval, AuditEntry, Issue, Publication, StaffNotice, Story
from subscribers.models import Case, Segment
from tests.support.desk import issue_form, list_messages, sign_in, story_fields
from tests.support.desk_forms import filled_in
from tests.support.fixtures import (
    NOW,
    add_subscribers,
    approve_issue,
    make_appeal,
    make_approver,
    make_event,
    make_issue,
    make_story,
)

pytestmark = pytest.mark.django_db

SENTENCE = "Editing withdraws the approval by carol@example.org, given on 4 March 2026, 09:30."


@pytest.fixture(autouse=True)
def _at_the_time_of_the_approval() -> Iterator[None]:
    with time_machine.travel(NOW, tick=True):
        yield


@pytest.fixture
def story() -> Story:
    return make_story("The clinic opens its doors")


@pytest.fixture
def issue(publication: Publication, story: Story) -> Issue:
    make_appeal()
    publication.segment = Segment.objects.create(slug="all-of-us", name="All of us", rule={})
    publication.save()
    add_subscribers(publication, 3)
    issue = make_issue(publication)
    approve_issue(issue=issue, by=make_approver("carol@example.org"), now=NOW)
    return issue


@pytest.fixture
def ann() -> Client:
    return sign_in("admin", email="ann@example.org")


def state(issue: Issue) -> str:
    return str(Issue.objects.values_list("state", flat=True).get(pk=issue.pk))


def edit_url(issue: Issue) -> str:
    return f"/admin/issues/edit/{issue.pk}/"


@pytest.mark.requirement("G7")
@pytest.mark.parametrize("how", ["save", "autosave", "another editor", "revert"])
def test_no_save_of_an_approved_issue_withdraws_its_approval(issue: Issue, story: Story, ann: Client, how: str) -> None:
    form = issue_form(issue, story=story, subject="A new subject")
    latest = issue.revisions.order_by("-pk")[0]
    if how == "save":
        ann.post(edit_url(issue), form)
    elif how == "autosave":
        form["overwrite_revision_id"] = str(latest.pk)
        answer = ann.post(edit_url(issue), form, headers={"accept": "application/json"})
        assert answer.json()["error_code"] == "locked"
    elif how == "another editor":
        sign_in("writer").post(edit_url(issue), form)
    else:
        ann.post(edit_url(issue), {**form, "revision": latest.pk})
    issue.refresh_from_db()
    assert (issue.state, issue.subject) == ("approved", story.title)
    assert issue.revisions.count() == 1


def test_an_issue_approved_while_a_save_is_read_stays_approved(
    issue: Issue, story: Story, ann: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The view looks for a lock when the request begins, and again in the transaction of the save."""
    from newsletter.desk.editor import viewset

    find, seen = viewset.find_issue_lock, []

    def find_late(*args: object, **kwargs: object) -> object:
        seen.append(find(*args, **kwargs))  # type: ignore[arg-type]
        return seen[-1] if len(seen) > 1 else None

    monkeypatch.setattr(viewset, "find_issue_lock", find_late)
    form = issue_form(issue, story=story, subject="A new subject")
    answer = ann.post(edit_url(issue), form, headers={"accept": "application/json"})
    assert answer.json()["error_code"] == "locked"
    assert Issue.objects.get().subject == story.title


@pytest.mark.requirement("G7")
def test_the_editor_withdraws_an_approval_by_its_button_only(issue: Issue, story: Story, ann: Client) -> None:
    make_approver("bob@example.org")
    page = ann.get(edit_url(issue))
    assert SENTENCE in " ".join(list_messages(page))
    assert "Withdraw the approval and edit" in page.content.decode()
    assert state(issue) == "approved"
    action = f"/admin/issues/{issue.pk}/withdraw-to-edit/"
    assert ann.get(action).status_code == 405
    answer = ann.post(action, follow=True)
    assert answer.redirect_chain == [(edit_url(issue), 302)]
    assert "You can edit the issue now" in list_messages(answer)[0]
    assert state(issue) == "draft"
    assert {notice.person.email for notice in StaffNotice.objects.all()} == {"bob@example.org", "carol@example.org"}
    told = StaffNotice.objects.first()
    assert told is not None
    assert told.paragraphs[0] == "ann@example.org withdrew the approval by carol@example.org to edit the issue."
    entry = AuditEntry.objects.get(action="newsletter.withdraw")
    assert (entry.user, entry.data["to_edit"]) == (User.objects.get(username="ann@example.org"), True)
    ann.post(edit_url(issue), issue_form(issue, story=story, subject="A new subject"))
    assert Issue.objects.get().subject == "A new subject"


def test_the_button_refuses_staff_who_may_not_edit(issue: Issue) -> None:
    sign_in("data").post(f"/admin/issues/{issue.pk}/withdraw-to-edit/")
    assert state(issue) == "approved"


def test_the_first_of_two_approvals_locks_the_editor_too(issue: Issue, ann: Client) -> None:
    Issue.objects.update(state="in_review")
    assert SENTENCE in " ".join(list_messages(ann.get(edit_url(issue))))


def change(kind: str, issue: Issue) -> tuple[str, dict[str, object]]:
    """The edit page of a row that the issue shows, and its fields with a change that the issue shows."""
    publication = issue.publication
    if kind == "story":
        story = Story.objects.get()
        return f"/admin/stories/edit/{story.pk}/", {**story_fields(story, title="Another title")}
    if kind == "appeal":
        appeal = Appeal.objects.get()
        fields = {
            name: getattr(appeal, name)
            for name in ("text", "button", "link", "audience", "slug", "language", "priority")
        }
        return f"/admin/appeals/edit/{appeal.pk}/", {**fields, "headline": "Give a day", "enabled": "on"}
    if kind == "segment":
        segment = Segment.objects.get()
        rule = {
            "rule-count": "1",
            "rule-0-type": "giving",
            "rule-0-order": "0",
            "rule-0-deleted": "",
            "rule-0-value": "donor",
        }
        return f"/admin/segments/edit/{segment.pk}/", {"name": segment.name, "slug": segment.slug, **rule}
    return f"/admin/{kind}/", {"publication": publication.pk}


@pytest.mark.parametrize("kind", ["story", "appeal", "segment"])
def test_an_edit_of_what_an_approved_issue_shows_asks_first(issue: Issue, ann: Client, kind: str) -> None:
    url, fields = change(kind, issue)
    page = ann.get(url).content.decode()
    assert "These approved issues show this." in page
    assert "approved by carol@example.org" in page
    refused = ann.post(url, fields)
    assert (
        "Nothing was saved, because your change shows in approved issues: The weekly letter No. 1"
        in list_messages(refused)[0]
    )
    assert state(issue) == "approved"
    assert not StaffNotice.objects.exists()
    assert ann.post(url, {**fields, "withdraw": issue.pk}).status_code == 302
    assert state(issue) == "draft"
    assert StaffNotice.objects.get().paragraphs[0].startswith("After it was approved, ann@example.org changed this: ")
    assert (
        AuditEntry.objects.get(action="newsletter.withdraw").data["changed"].split()[0]
        == {
            "story": "newsletter.story",
            "appeal": "newsletter.appeal",
            "segment": "subscribers.segment",
        }[kind]
    )


@pytest.mark.parametrize("kind", ["story", "appeal"])
def test_a_save_without_a_change_withdraws_nothing_and_asks_nothing(issue: Issue, ann: Client, kind: str) -> None:
    url, fields = change(kind, issue)
    same = {"title": Story.objects.get().title, "headline": Appeal.objects.get().headline}
    assert ann.post(url, {**fields, **same}).status_code == 302
    assert state(issue) == "approved"
    assert Approval.objects.filter(withdrawn_at__isnull=True).exists()


@pytest.mark.parametrize(
    ("kind", "field"),
    [
        ("brand", "postal_address"),
        ("publications", "from_name"),
        ("events", "title"),
        ("lists", "name"),
        ("cases", "name"),
    ],
)
def test_each_other_edit_of_what_it_shows_asks_first_too(
    publication: Publication, story: Story, ann: Client, kind: str, field: str
) -> None:
    event, case = make_event("An evening of letters"), Case.objects.create(slug="trial", name="The trial")
    Story.objects.update(case=case)
    add_subscribers(publication, 3)
    issue = make_issue(publication)
    issue.body = [
        ("lead_story", {"story": story, "headline": "", "teaser": "", "picture": None, "link": ""}),
        ("events", {"heading": "", "events": [event]}),
    ]
    issue.save()
    approve_issue(issue=Issue.objects.get(), by=make_approver("carol@example.org"), now=NOW)
    rows = {
        "brand": publication.brand_id,
        "publications": publication.pk,
        "events": event.pk,
        "lists": publication.mailing_list_id,
        "cases": case.pk,
    }
    url = f"/admin/{kind}/edit/{rows[kind]}/"
    page = ann.get(url).content.decode()
    assert "These approved issues show this." in page
    fields = {**filled_in(page), field: "Another one"}
    assert "Nothing was saved, because your change shows in approved issues" in list_messages(ann.post(url, fields))[0]
    assert state(issue) == "approved"
    assert ann.post(url, {**fields, "withdraw": issue.pk}).status_code == 302
    assert state(issue) == "draft"


def test_the_page_to_delete_an_appeal_names_approved_issues(issue: Issue, ann: Client) -> None:
    address = f"/admin/appeals/delete/{Appeal.objects.get().pk}/"
    warning = f"An approved issue shows it and loses its approval: {issue}."
    assert warning in ann.get(address).content.decode()
    issue.approvals.update(withdrawn_at=issue.made_at)
    assert warning not in ann.get(address).content.decode()


def test_an_edit_page_of_what_no_approved_issue_shows_says_nothing(issue: Issue, ann: Client) -> None:
    other = make_story("Another story")
    assert "These approved issues" not in ann.get(f"/admin/stories/edit/{other.pk}/").content.decode()
    assert ann.post(f"/admin/stories/edit/{other.pk}/", story_fields(other, title="New")).status_code == 302
    assert state(issue) == "approved"


def test_history_asks_before_it_goes_back_in_an_approved_issue(issue: Issue, ann: Client) -> None:
    first = issue.latest_revision
    issue.subject = "Our own subject"
    issue.save()
    issue.save_revision(log_action=False)
    Approval.objects.update(withdrawn_at=NOW)
    approve_issue(issue=issue, by=make_approver("bob@example.org"), now=NOW)
    path = f"/admin/issues/{issue.pk}/revisions/"
    assert "Going back withdraws the approval by bob@example.org" in ann.get(path).content.decode()
    assert "Confirm this first" in list_messages(ann.post(f"{path}{first.pk}/restore/", follow=True))[0]
    assert Issue.objects.get().subject == "Our own subject"
    ann.post(f"{path}{first.pk}/restore/", {"withdraw": "yes"})
    assert Issue.objects.get().subject == "The clinic opens its doors"
    assert state(issue) == "draft"
    assert StaffNotice.objects.filter(person__username="carol@example.org").exists()
