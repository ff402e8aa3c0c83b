"""A story is shown only with a valid consent of the person behind it, and not before its embargo ends."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from newsletter.common.errors import NotReady
from newsletter.issues.approval.approve import approve_issue
from newsletter.issues.snapshot.consent_rules import find_display_restriction, make_consent_record
from newsletter.issues.snapshot.resolve import resolve_content
from newsletter.issues.snapshot.revisions import freeze_revision
from newsletter.issues.variants.recipient_groups import find_groups
from newsletter.issues.variants.store_variants import make_variants
from newsletter.jobs.scheduler_jobs import start_due_sends
from newsletter.models import Issue, Publication, Send, StaffNotice, Story
from newsletter.sending.freezing.start import start_send
from tests.support.fixtures import NOW, add_subscribers, make_approver, make_issue, make_publication, make_story

pytestmark = pytest.mark.django_db(transaction=True)

DUE = datetime(2026, 3, 5, 9, tzinfo=UTC)
GIVEN: dict[str, Any] = {
    "consent_needed": True,
    "consent_channels": ["email", "archive"],
    "consent_identity": "pseudonym",
    "consent_given_by": "self",
    "consent_given_on": date(2026, 1, 10),
    "consent_form_holder": "The casework team",
}


def find_restriction(**changes: Any) -> str:
    story = Story(title="Maya", **{**GIVEN, **changes})
    return find_display_restriction(make_consent_record(story), channel="email", at=DUE) or ""


@pytest.mark.requirement("V1")
@pytest.mark.requirement("V2")
@pytest.mark.requirement("V6")
@pytest.mark.parametrize(
    ("changes", "restriction"),
    [
        ({}, ""),
        ({"consent_needed": False, "consent_given_by": ""}, ""),
        (
            {"consent_given_by": "", "consent_given_on": None, "consent_form_holder": ""},
            "has no recorded consent",
        ),
        ({"consent_form_holder": ""}, "has a consent that is not complete: who holds the signed form is missing"),
        ({"consent_expires_on": date(2026, 3, 5)}, ""),
        ({"consent_expires_on": date(2026, 3, 4)}, "has a consent that ran out on 4 March 2026"),
        ({"consent_given_on": date(2026, 3, 6)}, "has a consent that begins only on 6 March 2026"),
        ({"consent_channels": ["print"]}, "has a consent that does not cover this channel (email)"),
        ({"about_minor": True}, "is about a person under 18, and no parent or guardian agreed"),
        ({"about_minor": True, "consent_given_by": "guardian"}, ""),
        (
            {"about_minor": True, "consent_given_by": "guardian", "consent_identity": "first_name"},
            "is about a person under 18, who must be shown by a pseudonym or not be named at all",
        ),
        ({"embargo_until": DUE}, ""),
        ({"embargo_until": DUE + timedelta(seconds=1)}, "is under embargo until 5 March 2026, 09:00 UTC"),
        ({"withdrawn_at": NOW}, "was withdrawn"),
    ],
)
def test_a_story_needs_a_consent_for_the_channel_and_the_day(changes, restriction):
    assert find_restriction(**changes) == restriction


@pytest.mark.requirement("V1")
def test_a_publication_that_requires_consent_takes_no_story_without_one():
    publication = make_publication(consent_required=True)
    make_story("No record")
    make_story("With record", days_old=2, **GIVEN)
    issue = make_issue(publication)
    assert list(issue.placements.values_list("story__title", flat=True)) == ["With record"]
    assert "left out: has no recorded consent" in [reason["why"] for reason in issue.reasons]


@pytest.mark.requirement("V6")
def test_an_embargoed_story_waits_for_the_first_issue_after_the_embargo():
    publication = make_publication()
    make_story("Waits", embargo_until=DUE + timedelta(hours=1))
    make_story("May be told", days_old=2)
    issue = make_issue(publication)
    assert list(issue.placements.values_list("story__title", flat=True)) == ["May be told"]
    assert any("is under embargo until 5 March 2026, 10:00 UTC" in reason["why"] for reason in issue.reasons)


@pytest.mark.requirement("V1")
def test_a_consent_that_ends_before_the_slot_blocks_the_approval():
    publication = make_publication()
    story = make_story("The first verdict", **GIVEN)
    add_subscribers(publication, 1)
    issue = make_issue(publication)
    Story.objects.filter(pk=story.pk).update(consent_expires_on=date(2026, 3, 4))
    with pytest.raises(NotReady, match="“The first verdict” has a consent that ran out on 4 March 2026"):
        approve_issue(issue=Issue.objects.get(), by=make_approver(), now=NOW)
    assert issue.approvals.count() == 0


@pytest.mark.requirement("V1")
def test_a_consent_that_ends_soon_after_the_slot_is_a_warning():
    publication = make_publication()
    make_story("The first verdict", **GIVEN, consent_expires_on=date(2026, 3, 12))
    add_subscribers(publication, 1)
    issue = make_issue(publication, approved=True)
    (variant,) = issue.variants.all()
    assert [one["message"] for one in variant.findings if one["code"] == "consent-soon"] == [
        "The consent for “The first verdict” expires on 2026-03-12, soon after the issue is sent."
    ]


@pytest.mark.requirement("V2")
@pytest.mark.parametrize(("minor", "warned"), [(True, 1), (False, 0)])
def test_a_story_about_a_child_needs_an_acknowledged_warning(minor: bool, warned: int):
    """The record has a guardian and a pseudonym. Only a person can see what a picture or a school's name gives away."""
    publication = make_publication()
    make_story("The first day at school", **{**GIVEN, "consent_given_by": "guardian", "about_minor": minor})
    add_subscribers(publication, 1)
    issue = make_issue(publication, approved=True)
    (variant,) = issue.variants.all()
    said = [one["message"] for one in variant.findings if one["code"] == "minor"]
    assert len(said) == warned
    assert all("“The first day at school” is about a person under 18" in message for message in said)


def late_issue(publication: Publication) -> Issue:
    make_story("The first verdict", **GIVEN, consent_expires_on=date(2026, 3, 5))
    add_subscribers(publication, 2)
    return make_issue(publication, approved=True)


@pytest.mark.requirement("V1")
def test_consent_that_ends_after_approval_stops_the_send():
    issue = late_issue(make_publication())
    Issue.objects.filter(pk=issue.pk).update(released_at=NOW)
    start_due_sends(now=DUE + timedelta(days=1))
    issue.refresh_from_db()
    assert issue.held
    assert "“The first verdict” has a consent that ran out on 5 March 2026" in issue.held_reason
    assert "ran out" in StaffNotice.objects.get().paragraphs[0]
    assert not Send.objects.exclude(state=Send.State.CANCELLED).exists()


@pytest.mark.requirement("V1")
def test_a_consent_is_valid_on_its_last_day():
    issue = late_issue(make_publication())
    assert start_send(issue=issue, now=DUE).recipients == 2


@pytest.mark.requirement("V6")
def test_an_issue_cannot_be_sent_by_hand_before_a_storys_embargo_ends():
    publication = make_publication()
    make_story("The first verdict", embargo_until=DUE)
    add_subscribers(publication, 1)
    issue = make_issue(publication, approved=True)
    with pytest.raises(NotReady, match="is under embargo until 5 March 2026, 09:00 UTC"):
        start_send(issue=issue, now=NOW)
    assert start_send(issue=Issue.objects.get(), now=DUE).recipients == 1


def test_an_issue_has_no_withdrawn_story_and_no_link_to_one():
    publication = make_publication()
    gone = make_story("Withdrawn")
    make_story("The second verdict", days_old=2)
    issue = make_issue(publication)
    issue.body.append(("related", {"heading": "", "links": [{"title": "Withdrawn", "url": gone.url}]}))
    issue.save()
    Story.objects.filter(pk=gone.pk).update(withdrawn_at=NOW)
    content = resolve_content(Issue.objects.get())
    assert "Withdrawn" not in repr(content.blocks)
    assert gone.url not in repr(content.blocks)


def test_the_check_reports_only_stories_that_the_readers_get():
    publication = make_publication()
    make_story("Not for everybody", not_in_regions=["GB"])
    make_story("The second verdict", days_old=2)
    add_subscribers(publication, 1)
    issue = make_issue(publication)
    Story.objects.filter(title="Not for everybody").update(consent_needed=True)
    revision = freeze_revision(issue=Issue.objects.get(), now=NOW)
    (variant,) = make_variants(revision=revision, groups=find_groups(issue, content=resolve_content(issue), now=NOW))
    assert [one for one in variant.findings if one["code"] == "consent"] == []
