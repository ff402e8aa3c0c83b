"""Authors of an issue, of its content or of its audience cannot be the only ones who approve it."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection, models
from django.test.utils import CaptureQueriesContext
from wagtail.images.models import Image
from wagtail.log_actions import log
from wagtail.models import Revision

from newsletter.common.errors import NotAllowed, NotApproved
from newsletter.content.ingesting.location_questions import answer_location_question
from newsletter.issues.approval.approval_rules import require_approval_permission, requires_other_approver
from newsletter.issues.approval.approve import approve_issue, require_approval
from newsletter.issues.approval.authors import find_authors, find_authors_of_approved
from newsletter.models import Appeal, Brand, ContentEdit, EventNotice, Issue, Publication, Source, Story
from subscribers.models import MailingList, Segment, Topic
from subscribers.places.search import find_place
from tests.support.fixtures import (
    HOUSTON,
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
    story = make_story("The clinic opens its doors")
    story.topics.add(Topic.objects.create(slug="law", name="Law"))
    make_event("Evening in Houston", where=HOUSTON)
    make_appeal()
    add_subscribers(publication, 3)
    publication.segment = Segment.objects.create(slug="law", name="Law", rule={"any": [{"list": "weekly"}]})
    publication.another_approves = True
    publication.save()
    return make_issue(publication)


def read(issue: Issue) -> Issue:
    return Issue.objects.select_related("publication").get(pk=issue.pk)


@pytest.mark.parametrize("model", [Story, EventNotice, Appeal, Brand, Publication, Source, MailingList, Segment, Topic])
@pytest.mark.parametrize("action", ["wagtail.create", "wagtail.edit", "wagtail.delete", "wagtail.revert"])
def test_an_editor_of_a_part_cannot_approve_alone(issue: Issue, model: type[models.Model], action: str) -> None:
    ann = make_approver("ann@example.org")
    log(instance=model.objects.all()[0], action=action, user=ann)  # type: ignore[attr-defined]
    with pytest.raises(NotAllowed, match=r"wrote or edited The weekly letter No\. 1, or content that it shows"):
        approve_issue(issue=read(issue), by=ann, now=NOW)
    assert approve_issue(issue=read(issue), by=make_approver("bob@example.org"), now=NOW).person


def test_authors_are_found_with_one_reading_of_the_content(issue: Issue) -> None:
    """Sending asks for them several times, and a content of many blocks takes many queries."""
    read_issue = read(issue)
    with CaptureQueriesContext(connection) as queries:
        find_authors(read_issue)
    topics = [
        query["sql"]
        for query in queries
        if 'FROM "subscribers_topic" INNER JOIN "newsletter_story_topics"' in query["sql"]
    ]
    assert len(topics) == 1


def test_an_editor_of_a_chosen_picture_is_an_author(issue: Issue) -> None:
    image = Image.objects.create(title="A door", file="door.png", width=1, height=1)
    body = issue.body.get_prep_value()
    next(block for block in body if block["type"] == "lead_story")["value"]["picture"] = image.pk
    issue.body = issue.body.stream_block.to_python(body)
    issue.save()
    ann = make_approver("ann@example.org")
    log(instance=image, action="wagtail.edit", user=ann)
    assert find_authors(read(issue)) == {ann.pk}


def test_a_person_who_uploaded_a_picture_is_an_author(issue: Issue) -> None:
    """An upload in a chooser is not in the staff log; the picture names the person who uploaded it."""
    ann = make_approver("ann@example.org")
    image = Image.objects.create(title="A door", file="door.png", width=1, height=1, uploaded_by_user=ann)
    body = issue.body.get_prep_value()
    next(block for block in body if block["type"] == "lead_story")["value"]["picture"] = image.pk
    issue.body = issue.body.stream_block.to_python(body)
    issue.save()
    assert find_authors(read(issue)) == {ann.pk}
    Image.objects.update(created_at=issue.made_at - timedelta(days=1))
    assert find_authors(read(issue)) == set()


def test_a_location_answer_edits_each_event_that_it_moves(issue: Issue) -> None:
    """One answer counts for all events of the source with the same text, and decides who is invited."""
    shown = EventNotice.objects.get()
    words = {"place_text": "Springfield", "place_question": {"note": "Several places", "candidates": []}}
    EventNotice.objects.update(**words)
    asked = make_event("Another evening", **words)
    ann = make_approver("ann@example.org")
    place = find_place("London, England").place
    assert place is not None
    assert answer_location_question(event=asked, town=place, by=ann, now=NOW + timedelta(minutes=1)) == 2
    assert EventNotice.objects.get(pk=shown.pk).town == "London"
    assert find_authors(read(issue)) == {ann.pk}


def test_reading_and_deciding_make_nobody_an_author(issue: Issue) -> None:
    ann = make_approver("ann@example.org")
    for action in ("newsletter.approve", "newsletter.hold", "newsletter.previewed_as", "subscribers.export"):
        log(instance=MailingList.objects.get(), action=action, user=ann)
        log(instance=issue, action=action, user=ann)
    assert not ContentEdit.objects.exists()
    require_approval_permission(read(issue), by=ann)


def test_unrelated_and_earlier_edits_do_not_count(issue: Issue) -> None:
    ann, other = make_approver("ann@example.org"), make_story("Another story", days_old=90)
    log(instance=other, action="wagtail.edit", user=ann)
    log(instance=Story.objects.get(title__startswith="The clinic"), action="wagtail.edit", user=ann)
    ContentEdit.objects.filter(row_id=Story.objects.get(title__startswith="The clinic").pk).update(
        at=issue.made_at - timedelta(seconds=1)
    )
    assert find_authors(read(issue)) == set()


@pytest.mark.parametrize(("model", "title"), [(Story, "The clinic"), (EventNotice, "Evening")])
def test_whoever_typed_a_story_or_event_stays_its_author(
    issue: Issue, model: type[Story | EventNotice], title: str
) -> None:
    ann, row = make_approver("ann@example.org"), model.objects.get(title__startswith=title)
    log(instance=row, action="wagtail.create", user=ann)
    ContentEdit.objects.update(at=issue.made_at - timedelta(days=3))
    assert find_authors(read(issue)) == set()
    model.objects.filter(pk=row.pk).update(source=None)
    assert find_authors(read(issue)) == {ann.pk}


def test_a_person_who_removed_content_is_an_author(issue: Issue) -> None:
    """Removed content is only in the assembled body and in frozen content."""
    ann, event = make_approver("ann@example.org"), EventNotice.objects.get()
    log(instance=event, action="wagtail.delete", user=ann)
    event.delete()
    assert find_authors(read(issue)) == {ann.pk}


def test_an_authors_approval_is_void_once_the_rule_is_on(issue: Issue) -> None:
    Publication.objects.update(another_approves=False)
    ann = make_approver("ann@example.org")
    issue.subject = "Another subject"
    issue.save()
    revision = issue.save_revision(user=ann)
    Revision.objects.filter(pk=revision.pk).update(created_at=NOW - timedelta(seconds=1))
    approve_issue(issue=read(issue), by=ann, now=NOW)
    assert require_approval(read(issue)).person == ann
    Publication.objects.update(another_approves=True)
    with pytest.raises(NotApproved, match=r"The person who approved The weekly letter No\. 1 also wrote or edited it"):
        require_approval(read(issue))
    approve_issue(issue=read(issue), by=make_approver("bob@example.org"), now=NOW)
    assert require_approval(read(issue))


@pytest.mark.parametrize(("approvers", "asks"), [(0, False), (1, False), (2, True), (3, True)])
def test_by_default_two_approvers_switch_the_rule_on(publication: Publication, approvers: int, asks: bool) -> None:
    for number in range(approvers):
        make_approver(f"approver{number}@example.org")
    User.objects.create(username="writer@example.org")
    assert requires_other_approver(publication) is asks
    publication.another_approves = not asks
    assert requires_other_approver(publication) is not asks


def test_inactive_approvers_do_not_count(publication: Publication) -> None:
    for name in ("ann", "bob"):
        make_approver(f"{name}@example.org")
    User.objects.filter(username="bob@example.org").update(is_active=False)
    assert not requires_other_approver(publication)


def test_authors_of_approved_content_are_found_without_reading_it_anew(issue: Issue) -> None:
    ann = make_approver("ann@example.org")
    approval = approve_issue(issue=issue, by=make_approver("bob@example.org"), now=NOW)
    log(instance=Story.objects.get(), action="wagtail.edit", user=ann)
    with CaptureQueriesContext(connection) as queries:
        assert find_authors_of_approved(read(issue), approval) == set()
    assert [query["sql"] for query in queries if 'INNER JOIN "newsletter_story_topics"' in query["sql"]] == []
    assert find_authors(read(issue)) == {ann.pk}
