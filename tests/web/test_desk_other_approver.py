"""The desk requires another approver for authors, and an approval is for the audience on the page."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from django.utils.formats import date_format
from wagtail.images.models import Image

from newsletter.issues.approval.approve import approve_issue
from newsletter.issues.approval.authors import find_authors
from newsletter.jobs.scheduler_jobs import void_stale_approvals
from newsletter.models import (
    Appeal,
    Approval,
    Brand,
    Comment,
    ContentEdit,
    EventNotice,
    Issue,
    Publication,
    Send,
    Source,
    StaffNotice,
    Story,
)
from newsletter.models.staff import record_edits
from subscribers.models import MailingList, Segment
from tests.support.desk import audience_fields, list_messages, sign_in, story_fields
from tests.support.fixtures import (
    HOUSTON,
    LONDON,
    NOW,
    add_subscribers,
    make_appeal,
    make_approver,
    make_event,
    make_issue,
    make_story,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def issue(publication: Publication) -> Issue:
    make_story("The clinic opens its doors")
    make_event("Evening in Houston", where=HOUSTON)
    make_appeal()
    add_subscribers(publication, 20, where=LONDON)
    add_subscribers(publication, 40, where=HOUSTON, start=20)
    segment = Segment.objects.create(slug="south", name="The south", rule={"all": [{"region": "GB-ENG"}]})
    Publication.objects.update(segment=segment)
    issue = make_issue(Publication.objects.get())
    soon = timezone.now() + timedelta(days=1)
    Issue.objects.update(due_at=soon)
    EventNotice.objects.update(starts_at=soon + timedelta(days=7))
    return read(issue)


def read(issue: Issue) -> Issue:
    return Issue.objects.select_related("publication", "slot").get(pk=issue.pk)


def overview(issue: Issue, client: Client) -> str:
    return client.get(f"/admin/issues/{issue.pk}/overview/").content.decode()


def approve(issue: Issue, client: Client, **fields: str) -> str:
    page = client.get(f"/admin/issues/{issue.pk}/overview/")
    shown = {
        "sha256": page.context["sha256"],
        "audience": page.context["audience_sha256"],
        "people": page.context["approval_people"],
        "looked": "yes",
        "warning": [one.name for one in page.context["unacknowledged"]],
        **fields,
    }
    return list_messages(client.post(f"/admin/issues/{issue.pk}/approve/", shown, follow=True))[0]


def test_an_approver_who_edited_the_lead_story_cannot_approve(issue: Issue) -> None:
    """Two approvers switch the rule on; the edit is made in the story's editor."""
    ann, bob = sign_in("approver", email="ann@example.org"), sign_in("approver", email="bob@example.org")
    story = Story.objects.get()
    ann.post(f"/admin/stories/edit/{story.pk}/", story_fields(story, title="Something else entirely"))
    assert Story.objects.get().title == "Something else entirely"
    assert "You wrote or edited part of this issue, so somebody else must approve it." in overview(issue, ann)
    assert "or content that it shows" in approve(issue, ann)
    assert not Approval.objects.exists()
    assert "No. 1 is approved." in approve(issue, bob)


def test_home_asks_no_author_to_approve(issue: Issue) -> None:
    ann, bob = sign_in("approver", email="ann@example.org"), sign_in("approver", email="bob@example.org")
    story = Story.objects.get()
    ann.post(f"/admin/stories/edit/{story.pk}/", story_fields(story, title="Something else entirely"))
    own, other = (client.get("/admin/").content.decode() for client in (ann, bob))
    assert ("Review and approve" in own, "Review and approve" in other) == (False, True)
    assert "You wrote or edited part of this issue, so somebody else must approve it." in own


def test_a_single_approver_may_edit_and_approve(issue: Issue) -> None:
    ann = sign_in("approver", email="ann@example.org")
    story = Story.objects.get()
    ann.post(f"/admin/stories/edit/{story.pk}/", story_fields(story, title="A better title"))
    assert "No. 1 is approved." in approve(issue, ann)


def _form(client: Client, address: str) -> dict[str, object]:
    """Return the form's values that a browser would post."""
    form = client.get(address).context["form"]
    values: dict[str, object] = {}
    for name in form.fields:
        bound = form[name]
        value = bound.field.widget.format_value(bound.value()) if hasattr(bound.field.widget, "format_value") else None
        raw = bound.value()
        if isinstance(raw, bool):
            if raw:
                values[name] = "on"
        elif isinstance(raw, list | tuple):
            values[name] = raw
        elif value is not None or raw is not None:
            values[name] = value if value is not None else raw
    return values


@pytest.mark.parametrize(
    ("model", "address", "field"),
    [
        (Appeal, "/admin/appeals/edit/{}/", "headline"),
        (EventNotice, "/admin/events/edit/{}/", "title"),
        (Source, "/admin/sources/edit/{}/", "name"),
    ],
)
def test_saving_a_part_in_its_editor_makes_an_author(issue: Issue, model: type, address: str, field: str) -> None:
    ann = sign_in("admin", email="ann@example.org")
    row = model.objects.all()[0]  # type: ignore[attr-defined]
    where = address.format(row.pk)
    answer = ann.post(where, {**_form(ann, where), field: "Another name"})
    assert answer.status_code == 302, answer.context["form"].errors
    person = User.objects.get(username="ann@example.org")
    assert ContentEdit.objects.filter(row_id=row.pk, person=person, kind=model._meta.label_lower).exists()  # type: ignore[attr-defined]
    assert person.pk in find_authors(read(issue))


def test_a_deletion_is_an_edit(issue: Issue) -> None:
    ann = sign_in("admin", email="ann@example.org")
    event = EventNotice.objects.get()
    bulk = f"/admin/bulk/newsletter/eventnotice/delete/?id={event.pk}&next=/admin/"
    assert ann.post(bulk).status_code == 404
    assert ann.post(f"/admin/events/delete/{event.pk}/").status_code == 302
    assert not EventNotice.objects.exists()
    assert User.objects.get(username="ann@example.org").pk in find_authors(read(issue))


def test_a_picture_edited_on_the_upload_page_is_logged(issue: Issue) -> None:
    ann = sign_in("admin", email="ann@example.org")
    image = Image.objects.create(title="A door", file="door.png", width=1, height=1)
    fields = {f"image-{image.pk}-title": "Another door", f"image-{image.pk}-tags": ""}
    answer = ann.post(f"/admin/images/multiple/{image.pk}/", fields, headers={"x-requested-with": "XMLHttpRequest"})
    assert answer.json()["success"], answer.content
    assert ContentEdit.objects.get().kind == "wagtailimages.image"


def test_a_segment_widened_in_the_desk_voids_the_approval(issue: Issue) -> None:
    """The person who widened it is an author too."""
    approve_issue(issue=read(issue), by=make_approver("bob@example.org"), now=NOW)
    ann = sign_in("admin", email="ann@example.org")
    segment = Segment.objects.get()
    fields = {"name": segment.name, "slug": segment.slug, "rule-count": "0", "withdraw": str(issue.pk)}
    assert ann.post(f"/admin/segments/edit/{segment.pk}/", fields).status_code == 302
    assert Segment.objects.get().rule == {}
    void_stale_approvals(now=NOW)
    assert read(issue).state == "draft"
    assert 'name="people" value="60"' in overview(issue, sign_in("approver", email="carol@example.org"))
    assert "or content that it shows" in approve(issue, ann)


@pytest.mark.long
def test_approving_another_audience_than_seen_is_refused(issue: Issue) -> None:
    client = sign_in("approver")
    fields = audience_fields(issue)
    Segment.objects.update(rule={})
    assert "The audience of the issue changed after you opened it" in approve(issue, client, **fields)
    add_subscribers(issue.publication, 30, where=LONDON, start=100)
    assert "was for 20 people when you opened it, and would now go to 90 people" in approve(issue, client, people="20")
    assert "how many people get it" in approve(issue, client, audience="")
    assert "how many people get it" in approve(issue, client, people="many")
    assert not Approval.objects.exists()


def test_the_confirmation_before_a_send_names_a_number(issue: Issue) -> None:
    approve_issue(issue=read(issue), by=make_approver("bob@example.org"), now=NOW)
    client = sign_in("approver")
    page = client.get(f"/admin/issues/{issue.pk}/send/start/sure/").content.decode()
    assert 'name="people" value="20"' in page
    start = f"/admin/issues/{issue.pk}/send/start/"
    assert "so that you confirm how many people get it" in list_messages(client.post(start, follow=True))[0]
    assert "You confirmed 5 people" in list_messages(client.post(start, {"people": "5"}, follow=True))[0]
    assert not Send.objects.exists()
    assert "is being prepared" in list_messages(client.post(start, {"people": "20"}, follow=True))[0]
    assert Send.objects.get().confirmed_recipients == 20


def test_home_and_the_issue_page_say_why_an_automatic_issue_waits(issue: Issue) -> None:
    Publication.objects.update(approval="auto", second_approval_above=19)
    client = sign_in("approver")
    home = client.get("/admin/").content.decode()
    assert "The weekly letter No. 1 is waiting for approval" in home
    assert "Two people must approve an issue that goes to more than 19." in home
    assert "will send automatically" not in home
    page = overview(issue, client)
    assert "Two people must approve an issue that goes to more than 19." in page
    assert "Will send automatically" not in page


def test_an_edit_of_an_automatic_issue_names_what_it_changes(issue: Issue) -> None:
    Publication.objects.update(approval="auto")
    ann, bob = sign_in("approver", email="ann@example.org"), sign_in("approver", email="bob@example.org")
    story = Story.objects.get()
    address = f"/admin/stories/edit/{story.pk}/"
    warning = f"{issue} shows this. You edited it, so another person must approve {issue}, or it is not sent."
    assert warning in list_messages(ann.post(address, story_fields(story, title="A new title"), follow=True))
    assert warning not in list_messages(ann.post(address, story_fields(story, title="A newer title"), follow=True))
    explained = "ann@example.org edited the story “A newer title”, so another person must approve it."
    assert explained in overview(issue, bob)
    home = ann.get("/admin/").content.decode()
    assert explained in home
    assert "You wrote or edited part of this issue" not in home


def test_a_page_of_an_automatic_issue_names_three_edits_and_counts_more(issue: Issue) -> None:
    Publication.objects.update(approval="auto")
    _ann, bob = sign_in("approver", email="ann@example.org"), sign_in("approver", email="bob@example.org")
    person = User.objects.get(email="ann@example.org")
    for row in (Story.objects.get(), EventNotice.objects.get(), Appeal.objects.get(), Brand.objects.get()):
        record_edits([row], person=person, at=timezone.now())
    page = overview(issue, bob)
    assert "ann@example.org edited the story “The clinic opens its doors”, the event “Evening in Houston (" in page
    assert ", the appeal “Give an hour”, and 1 more, so another person must approve it." in page


def test_a_hold_names_who_held_and_tells_the_other_approvers(issue: Issue) -> None:
    ann, bob = sign_in("writer", email="ann@example.org"), sign_in("approver", email="bob@example.org")
    ann.post(f"/admin/issues/{issue.pk}/hold/", {"reason": "Wait for the court"})
    reason = f"Put on hold by ann@example.org on {date_format(timezone.localdate(), 'j M Y')}: Wait for the court"
    assert reason in overview(issue, bob)
    assert [(notice.person.email, notice.subject) for notice in StaffNotice.objects.all()] == [
        ("bob@example.org", f"{issue} is held")
    ]
    assert ("Decide" in ann.get("/admin/").content.decode(), "Decide" in bob.get("/admin/").content.decode()) == (
        False,
        True,
    )


def test_home_promises_no_send_of_a_late_issue_that_needs_approval(issue: Issue) -> None:
    Publication.objects.update(approval="auto", another_approves=True)
    Issue.objects.update(held=True, due_at=timezone.now() - timedelta(hours=7))
    client = sign_in("approver", email="bob@example.org")
    assert "If an approver releases it, it is sent within minutes." in client.get("/admin/").content.decode()
    record_edits([Story.objects.get()], person=make_approver("ann@example.org"), at=timezone.now())
    assert "If an approver approves and releases it, it is sent" in client.get("/admin/").content.decode()


def test_a_late_issue_with_open_comments_is_not_released(issue: Issue) -> None:
    Publication.objects.update(approval="auto")
    client = sign_in("approver", email="bob@example.org")
    Comment.objects.create(issue=issue, text="Is this right?", at=NOW)
    assert "No. 1 cannot be sent now" in client.get("/admin/").content.decode()
    assert "It will be sent" not in overview(issue, client)
    Issue.objects.update(held=True, due_at=timezone.now() - timedelta(hours=1))
    refused = list_messages(client.post(f"/admin/issues/{issue.pk}/release/", follow=True))[0]
    assert "has open comments (1), so it cannot be approved or sent" in refused
    assert read(issue).held


@pytest.mark.parametrize("state", ["draft", "approved"])
def test_the_desk_says_if_a_publication_is_switched_off(issue: Issue, state: str) -> None:
    if state == "approved":
        approve_issue(issue=read(issue), by=make_approver("bob@example.org"), now=NOW)
    Publication.objects.update(enabled=False)
    Issue.objects.filter(pk=issue.pk).update(made_at=NOW)
    client = sign_in("approver")
    page = overview(issue, client)
    assert "is switched off, so its issues cannot be approved or sent" in page
    assert "Approve this version" not in page
    assert "Send it now" not in page
    assert "is switched off" in approve(issue, client)
    answer = client.post(f"/admin/issues/{issue.pk}/send/start/", {"people": "20"}, follow=True)
    assert "is switched off" in list_messages(answer)[0]
    assert not Send.objects.exists()


def test_a_publication_decides_if_another_person_must_approve(issue: Issue) -> None:
    client = sign_in("admin")
    page = client.get(f"/admin/publications/edit/{issue.publication.pk}/").content.decode()
    assert "Yes, if two or more people can approve" in page


@pytest.mark.parametrize("change", [lambda: Brand.objects.all(), lambda: MailingList.objects.all()])
def test_brand_and_list_are_parts_of_every_issue(issue: Issue, change: Callable[[], object]) -> None:
    from newsletter.issues.approval.authors import find_issue_parts

    [row] = change()  # type: ignore[misc]
    assert row.pk in find_issue_parts(read(issue), current=[])[row._meta.label_lower]
