"""Readers who must not see a story read its name nowhere, and get no mail if nothing else is left for them."""

import pytest

from newsletter.common.errors import NotReady
from newsletter.feedback.explaining.explain_issue import explain_issue
from newsletter.issues.approval.approve import approve_issue
from newsletter.issues.snapshot.redact import remove_stories
from newsletter.issues.snapshot.resolve import resolve_content
from newsletter.issues.variants.count_recipients import count_final_audience
from newsletter.models import Issue, Variant
from newsletter.sending.freezing.start import start_send
from tests.support.fixtures import (
    HOUSTON,
    LONDON,
    NOW,
    add_subscribers,
    make_appeal,
    make_approver,
    make_issue,
    make_publication,
    make_story,
)
from tests.support.subject_tests import SECOND, make_tested_issue

pytestmark = pytest.mark.django_db(transaction=True)
HIDDEN = "The water case in London"


def make_two_stories() -> None:
    make_story(HIDDEN, days_old=1, not_in_regions=["GB"])
    make_story("The prison letter", days_old=2)


def test_the_headline_by_staff_does_not_name_a_hidden_story() -> None:
    publication = make_publication(stories=2, layout="announcement")
    make_two_stories()
    add_subscribers(publication, 2, where=LONDON)
    Issue.objects.filter(pk=make_issue(publication).pk).update(headline=HIDDEN)
    approve_issue(issue=Issue.objects.get(), by=make_approver(), now=NOW)
    start_send(issue=Issue.objects.get(), now=NOW)
    mail = Variant.objects.get()
    assert HIDDEN not in mail.html + mail.text
    assert mail.subject == "The prison letter"


def test_no_subject_of_a_test_brings_a_hidden_story_to_the_headline() -> None:
    publication = make_publication(stories=2, layout="announcement")
    make_story(HIDDEN, days_old=0.5, not_in_regions=["GB"])
    issue = make_tested_issue(publication)
    assert issue.subject == HIDDEN
    start_send(issue=issue, now=NOW)
    mails = Variant.objects.filter(issue=issue)
    assert {mail.subject for mail in mails} == {"The first verdict", SECOND}
    assert not [mail.subject for mail in mails if HIDDEN in mail.html + mail.text]


def test_a_withdrawn_story_is_not_in_the_headline() -> None:
    publication = make_publication(stories=2, layout="announcement")
    make_two_stories()
    Issue.objects.filter(pk=make_issue(publication).pk).update(headline=HIDDEN)
    content = resolve_content(Issue.objects.get())
    assert content.headline == HIDDEN
    assert remove_stories(content, stories={content.stories[0].id}).headline == "The prison letter"


@pytest.mark.parametrize("where", [LONDON, None])
def test_nobody_gets_a_mail_from_which_all_stories_are_hidden(where: dict[str, str] | None) -> None:
    publication = make_publication()
    make_story(HIDDEN, not_in_regions=["GB"])
    hidden = add_subscribers(publication, 2, where=where)
    add_subscribers(publication, 1, where=HOUSTON, start=5)
    issue = make_issue(publication, approved=True)
    counted = count_final_audience(issue, content=resolve_content(issue), now=NOW)
    explained = explain_issue(issue, person=hidden[0], now=NOW)
    send = start_send(issue=issue, now=NOW)
    assert send.excluded == counted.excluded == {"no_story_in_their_region": 2}
    assert (send.recipients, counted.eligible) == (1, 1)
    assert explained.outcome == "No email: no story may be shown where they live"


def test_an_issue_that_shows_nobody_a_story_cannot_be_approved() -> None:
    publication = make_publication()
    make_story(HIDDEN, not_in_regions=["GB"])
    add_subscribers(publication, 2, where=LONDON)
    with pytest.raises(NotReady, match="2 live, or may live, where no story may be shown"):
        make_issue(publication, approved=True)


def test_the_rest_of_an_issue_with_hidden_stories_is_sent() -> None:
    publication = make_publication()
    make_story(HIDDEN, not_in_regions=["GB"])
    make_appeal("hour", headline="Give an hour")
    add_subscribers(publication, 2, where=LONDON)
    send = start_send(issue=make_issue(publication, approved=True), now=NOW)
    assert send.excluded == {}
    assert "Give an hour" in Variant.objects.get().text
