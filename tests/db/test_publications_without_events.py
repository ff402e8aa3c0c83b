"""A publication whose maximum of events is 0 shows none, and says so to whoever adds them."""

import pytest

from newsletter.issues.approval.approve import approve_issue, find_current_approval
from newsletter.issues.approval.content_checks import check_events
from newsletter.issues.assembly.selection import find_event_exclusion_reason
from newsletter.issues.snapshot.resolve import resolve_content
from newsletter.issues.visible.block_choices import choose_visible_in_archive
from newsletter.models import Issue, Publication, Variant
from newsletter.sending.freezing.start import start_send
from tests.support.fixtures import (
    DUE,
    LONDON,
    NOW,
    add_subscribers,
    make_approver,
    make_event,
    make_issue,
    make_publication,
    make_story,
)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def publication() -> Publication:
    made = make_publication(events=0, host_url="https://example.org/host")
    make_story("The first verdict")
    add_subscribers(made, 2, where=LONDON)
    add_subscribers(made, 2, where={"country": "", "region": "", "town": ""}, start=10)
    return made


def test_its_issues_are_made_without_events(publication: Publication) -> None:
    event = make_event("Vigil by the river", where=LONDON)
    issue = make_issue(publication)
    assert "events" not in [child.block_type for child in issue.body]
    assert not any("Vigil" in reason["title"] for reason in issue.reasons)
    assert find_event_exclusion_reason(event, publication=publication, due_at=DUE) == "this publication shows no events"


def test_nobody_sees_events_that_staff_add_and_a_warning_says_so(publication: Publication) -> None:
    event = make_event("Vigil by the river", where=LONDON)
    issue = make_issue(publication)
    issue.body.append(("events", {"heading": "Come and meet us", "events": [event]}))
    issue.save()
    issue.store_revision()
    issue = Issue.objects.get()
    (finding,) = check_events(resolve_content(issue), delivered_at=NOW)
    assert (finding.level, finding.code) == ("warning", "events-off")
    assert not any(chosen.events for chosen in choose_visible_in_archive(resolve_content(issue)).events.values())
    approve_issue(issue=issue, by=make_approver(), now=NOW)
    start_send(issue=Issue.objects.get(), now=NOW)
    texts = list(Variant.objects.values_list("html", "text"))
    assert texts
    assert not any("Vigil" in part or "Come and meet us" in part for text in texts for part in text)


def test_a_change_of_the_maximum_needs_a_new_approval(publication: Publication) -> None:
    issue = make_issue(publication, approved=True)
    Publication.objects.update(events=3)
    assert issue.approvals.exists()
    assert find_current_approval(Issue.objects.get()) is None
