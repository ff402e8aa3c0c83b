"""A corrected headline reaches the subject and the preheader of unsent issues, unless a person wrote them."""

import pytest

from newsletter.issues.approval.approve import find_current_approval
from newsletter.issues.assembly.drafted_texts import update_drafted_texts
from newsletter.models import Issue, Story
from tests.support.fixtures import NOW, add_subscribers, make_issue, make_publication, make_story

pytestmark = pytest.mark.django_db


def make_draft(*, approved: bool = False) -> Issue:
    publication = make_publication()
    make_story("Curt opens on Monday", days_old=1)
    make_story("A second story", days_old=2)
    add_subscribers(publication, 1)
    return make_issue(publication, approved=approved)


def correct(old: str, new: str) -> None:
    Story.objects.filter(title=old).update(title=new)


def test_a_corrected_headline_reaches_the_subject():
    issue = make_draft()
    correct("Curt opens on Monday", "Court opens on Monday")
    assert update_drafted_texts(now=NOW) == [issue]
    issue.refresh_from_db()
    assert issue.subject == "Court opens on Monday"
    assert issue.latest_revision.content["subject"] == "Court opens on Monday"
    assert update_drafted_texts(now=NOW) == []


def test_a_second_correction_reaches_the_subject_too():
    issue = make_draft()
    for old, new in (("Curt opens on Monday", "Court opens"), ("Court opens", "Court opens on Tuesday")):
        correct(old, new)
        update_drafted_texts(now=NOW)
    issue.refresh_from_db()
    assert issue.subject == "Court opens on Tuesday"


def test_a_corrected_headline_reaches_the_preheader():
    issue = make_draft()
    correct("A second story", "A better second story")
    update_drafted_texts(now=NOW)
    issue.refresh_from_db()
    assert issue.preheader == "A better second story"


def test_a_subject_that_a_person_wrote_stays():
    issue = make_draft()
    issue.subject = "What happened this week"
    issue.save()
    correct("Curt opens on Monday", "Court opens on Monday")
    assert update_drafted_texts(now=NOW) == []
    issue.refresh_from_db()
    assert issue.subject == "What happened this week"


def test_a_corrected_subject_voids_the_approval():
    issue = make_draft(approved=True)
    correct("Curt opens on Monday", "Court opens on Monday")
    update_drafted_texts(now=NOW)
    issue.refresh_from_db()
    assert find_current_approval(issue) is None


def test_the_subject_of_a_sent_issue_stays():
    issue = make_draft()
    Issue.objects.filter(pk=issue.pk).update(state=Issue.State.SENT)
    correct("Curt opens on Monday", "Court opens on Monday")
    assert update_drafted_texts(now=NOW) == []
