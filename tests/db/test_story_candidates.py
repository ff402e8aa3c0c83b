"""A story is a candidate until it was in an issue that people got, waited too long, or staff said no."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from newsletter.common.errors import NotReady
from newsletter.issues.approval.approve import approve_issue
from newsletter.issues.assembly.assemble import assemble_slot
from newsletter.issues.assembly.slots import get_or_create_slot
from newsletter.issues.snapshot.resolve import resolve_content
from newsletter.issues.variants.count_recipients import count_final_audience
from newsletter.models import Issue, Publication, Story, StoryPlacement, StoryRefusal
from newsletter.sending.freezing.start import start_send
from newsletter.sending.settling.send_controls import cancel_send
from tests.support.fake_provider import FakeProvider
from tests.support.fixtures import NOW, add_subscribers, make_approver, make_publication, make_story

pytestmark = pytest.mark.django_db
WEEK = timedelta(days=7)


def assemble(publication: Publication, week: int = 0) -> Issue | None:
    now = NOW + week * WEEK
    due = f"{datetime(2026, 3, 5, 9, tzinfo=UTC) + week * WEEK:%Y-%m-%dT%H:%M}"
    return assemble_slot(slot=get_or_create_slot(publication=publication, due=due, now=now), now=now).issue


def titles(issue: Issue | None) -> list[str]:
    return sorted(issue.placements.values_list("story__title", flat=True)) if issue else []


def reason(issue: Issue, title: str) -> str:
    return next(one["why"] for one in issue.reasons if one["title"] == title)


def test_49_stories_at_5_a_week_fill_ten_issues() -> None:
    publication = make_publication()
    for number in range(49):
        make_story(f"Story {number:02}", days_old=1 + number / 4)
    seen: list[str] = []
    for week in range(10):
        issue = assemble(publication, week)
        assert issue is not None, f"week {week} had nothing new"
        seen += titles(issue)
        Issue.objects.filter(pk=issue.pk).update(state=Issue.State.SENT)
    assert len(seen) == len(set(seen)) == 49
    assert assemble(publication, 10) is None


def test_a_story_without_room_becomes_too_old_by_the_rule() -> None:
    publication = make_publication(stories=1, waiting_days=10)
    for number in range(4):
        make_story(f"Story {number}", days_old=1 + number)
    for week, title in enumerate(["Story 0", "Story 1"]):
        issue = assemble(publication, week)
        assert issue is not None
        assert titles(issue) == [title]
        Issue.objects.filter(pk=issue.pk).update(state=Issue.State.SENT)
    assert assemble(publication, 2) is None
    Publication.objects.update(waiting_days=30)
    assert titles(assemble(Publication.objects.get(), 3)) == ["Story 2"]


def test_a_story_too_old_for_the_first_issue_stays_too_old() -> None:
    publication = make_publication()
    make_story("Last month", days_old=40)
    make_story("This week")
    first = assemble(publication)
    assert first is not None
    assert titles(first) == ["This week"]
    assert reason(first, "Last month").startswith("left out: too old: it was more than 30 days old")
    Issue.objects.update(state=Issue.State.SENT)
    assert assemble(publication, 1) is None


@pytest.mark.parametrize("state", [Issue.State.DRAFT, Issue.State.IN_REVIEW, Issue.State.CANCELLED])
def test_stories_of_an_issue_that_nobody_got_come_back(state: str) -> None:
    publication = make_publication()
    make_story("The first verdict")
    Issue.objects.filter(pk=assemble(publication).pk).update(state=state)
    again = assemble(publication, 1)
    assert titles(again) == ["The first verdict"]


@pytest.mark.parametrize("state", [Issue.State.APPROVED, Issue.State.SENDING, Issue.State.SENT])
def test_stories_of_an_issue_that_people_get_stay_used(state: str) -> None:
    publication = make_publication()
    make_story("The first verdict")
    Issue.objects.filter(pk=assemble(publication).pk).update(state=state)
    assert assemble(publication, 1) is None


def test_a_late_approval_cannot_take_a_story_back() -> None:
    publication = make_publication()
    add_subscribers(publication, 1)
    make_story("The first verdict")
    first, second = assemble(publication), assemble(publication, 1)
    with pytest.raises(NotReady, match=r"is already in The weekly letter No\. 2"):
        approve_issue(issue=Issue.objects.get(pk=first.pk), by=make_approver(), now=NOW + WEEK)
    assert titles(second) == ["The first verdict"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("attempted", "comes_back"), [(False, True), (True, False)])
def test_a_cancelled_send_returns_stories_only_if_nobody_got_them(attempted: bool, comes_back: bool) -> None:
    publication = make_publication()
    add_subscribers(publication, 1)
    make_story("The first verdict")
    issue = assemble(publication)
    approver = make_approver()
    approve_issue(issue=issue, by=approver, now=NOW)
    send = start_send(issue=Issue.objects.get(), now=NOW)
    if attempted:
        send.batches.get().attempts.create(number=1, started_at=NOW, provider="test", people=1)
    cancel_send(send=send, by=approver, now=NOW)
    assert bool(titles(assemble(publication, 1))) is comes_back


@pytest.mark.parametrize("everywhere", [False, True])
def test_staff_can_say_no_to_a_story(everywhere: bool) -> None:
    publication, other = make_publication(), make_publication(slug="other", name="Other")
    story = make_story("The first verdict")
    make_story("A second verdict")
    StoryRefusal.objects.create(
        story=story, publication=None if everywhere else publication, person=make_approver(), at=NOW
    )
    issue = assemble(publication)
    assert titles(issue) == ["A second verdict"]
    assert reason(issue, "The first verdict") == "left out: staff marked it “Do not use”"
    assert ("The first verdict" in titles(assemble(other))) is not everywhere


@pytest.mark.long
def test_waiting_stories_are_not_hidden_by_used_ones() -> None:
    publication = make_publication(stories=1)
    used = [make_story(f"Used {number}", days_old=1) for number in range(201)]
    issue = assemble(publication)
    Issue.objects.update(state=Issue.State.SENT)
    issue.placements.all().delete()
    StoryPlacement.objects.bulk_create(
        StoryPlacement(publication=publication, story=story, issue=issue) for story in used
    )
    make_story("Waiting", days_old=3)
    assert titles(assemble(publication, 1)) == ["Waiting"]
    assert Story.objects.count() == 202


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("sent_by", "now_by", "comes_back"), [("outbox", True, True), ("outbox", False, False), ("", True, False)]
)
def test_stories_written_to_files_come_back_once_mail_leaves(
    settings: Any, fake_provider: FakeProvider, sent_by: str, *, now_by: bool, comes_back: bool
) -> None:
    settings.NEWSLETTER_PROVIDER_URL = "outbox://" if sent_by == "outbox" else fake_provider.provider_url
    publication = make_publication()
    add_subscribers(publication, 2)
    make_story("The first verdict")
    approve_issue(issue=assemble(publication), by=make_approver(), now=NOW)
    start_send(issue=Issue.objects.get(), now=NOW)
    Issue.objects.update(state=Issue.State.SENT)
    settings.NEWSLETTER_PROVIDER_URL = fake_provider.provider_url if now_by else "outbox://"
    again = assemble(publication, 1)
    assert bool(titles(again)) is comes_back
    if again is not None:
        counted = count_final_audience(again, content=resolve_content(again), now=NOW + WEEK)
        assert (counted.eligible, counted.excluded) == (2, {})
