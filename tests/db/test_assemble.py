from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction

from newsletter.common.errors import WrongState
from newsletter.issues.assembly.assemble import assemble_slot
from newsletter.issues.assembly.slots import create_due_slots, get_or_create_slot
from newsletter.models import Issue, Publication, Slot, Source, StoryPlacement
from tests.support.fixtures import (
    DUE,
    NOW,
    add_subscribers,
    make_appeal,
    make_event,
    make_issue,
    make_publication,
    make_source,
    make_story,
)

pytestmark = pytest.mark.django_db


def reason_for(issue: Issue, title: str) -> str:
    return next(reason["why"] for reason in issue.reasons if title in reason["title"])


def assemble_due(publication, due, *, now):
    return assemble_slot(slot=get_or_create_slot(publication=publication, due=due, now=now), now=now)


def test_an_issue_takes_the_newest_stories_and_says_why_each_is_in_or_out(publication):
    for number in range(7):
        make_story(f"Story {number}", days_old=number + 0.5)
    issue = make_issue(publication)
    assert issue.subject == "Story 0"
    assert [choice["story"].title for choice in issue.body[1].value["stories"]] == [
        "Story 1",
        "Story 2",
        "Story 3",
        "Story 4",
    ]
    assert reason_for(issue, "Story 0").startswith("newest")
    assert reason_for(issue, "Story 6") == "left out: waits for the next issue: the limit of stories in this one is 5"


def test_a_story_is_in_one_issue_of_a_publication_and_the_next_says_why(publication):
    story = make_story("The first verdict")
    add_subscribers(publication, 1)
    make_issue(publication, approved=True)
    make_story("A second verdict", days_old=-1, seen_at=NOW + timedelta(days=1))
    later = NOW + timedelta(days=7)
    second = assemble_slot(
        slot=get_or_create_slot(publication=publication, due="2026-03-12T09:00", now=later), now=later
    ).issue
    assert second is not None
    assert second.number == 2
    assert reason_for(second, "The first verdict") == "left out: already in No. 1"
    with pytest.raises(IntegrityError), transaction.atomic():
        StoryPlacement.objects.create(publication=publication, story=story, issue=second)


def test_nothing_new_skips_the_slot_and_says_so(publication):
    make_story("The first verdict")
    make_event("A vigil", online=True, days_ahead=30)
    add_subscribers(publication, 1)
    make_issue(publication, approved=True)
    later = NOW + timedelta(days=7)
    assembly = assemble_slot(
        slot=get_or_create_slot(publication=publication, due="2026-03-12T09:00", now=later), now=later
    )
    assert assembly.issue is None
    assert assembly.slot.state == Slot.State.SKIPPED
    assert assembly.slot.reason.startswith("Nothing new")


def test_a_skipped_slot_names_sources_that_could_not_be_read(publication):
    make_source("Field offices", failures=3)
    make_source("Retired", failures=3, enabled=False)
    other = make_source("Of another publication", failures=1)
    assembly = assemble_slot(slot=get_or_create_slot(publication=publication, due=DUE, now=NOW), now=NOW)
    assert assembly.slot.reason == (
        "Nothing new was found. These sources could not be read, so there may be news: Field offices, Of another publication."
    )
    publication.sources.set(Source.objects.exclude(pk=other.pk))
    later = get_or_create_slot(publication=publication, due="2026-03-12T09:00", now=NOW)
    assert assemble_slot(slot=later, now=NOW).slot.reason.endswith("news: Field offices.")


def test_a_skipped_slot_says_the_reason_of_its_last_attempt(publication):
    source = make_source("Field offices")
    slot = get_or_create_slot(publication=publication, due=DUE, now=NOW)
    told = []
    for hours, failures in enumerate([0, 3, 3, 0]):
        Source.objects.filter(pk=source.pk).update(failures=failures)
        assembly = assemble_slot(slot=slot, now=NOW + timedelta(hours=hours))
        slot = Slot.objects.get(pk=slot.pk)
        told.append(("Field offices" in slot.reason, assembly.slot.reason == slot.reason, assembly.made))
    assert told == [(False, True, True), (True, True, False), (True, True, False), (False, True, False)]
    assert slot.assembled_at == NOW


def test_a_new_event_is_enough_for_an_issue(publication):
    make_story("The first verdict")
    make_issue(publication)
    make_event("A vigil", online=True, days_ahead=20, seen_at=NOW + timedelta(days=2))
    later = NOW + timedelta(days=7)
    assert assemble_slot(
        slot=get_or_create_slot(publication=publication, due="2026-03-12T09:00", now=later), now=later
    ).issue


@pytest.mark.parametrize(("days_ahead", "is_made"), [(30, False), (35, True), (45, False)])
def test_a_known_event_that_has_come_near_is_enough_for_an_issue(publication, days_ahead, is_made):
    """A calendar may list the events of a whole year. Each is news when the first issue can show it."""
    make_story("The first verdict")
    make_event("A vigil", online=True, days_ahead=days_ahead)
    add_subscribers(publication, 1)
    make_issue(publication, approved=True)
    assembly = assemble_due(publication, "2026-03-12T09:00", now=NOW + timedelta(days=7))
    assert (assembly.issue is not None) == is_made


@pytest.mark.parametrize(("before", "is_made"), [(-300, True), (28, False)])
def test_an_event_is_news_again_unless_the_last_issue_could_show_it(publication, before, is_made):
    make_story("The first verdict")
    for days_ahead in (before, 35):
        make_event("A fair", online=True, days_ahead=days_ahead, external_id=f"fair-{days_ahead}")
    add_subscribers(publication, 1)
    make_issue(publication, approved=True)
    assembly = assemble_due(publication, "2026-03-12T09:00", now=NOW + timedelta(days=7))
    assert (assembly.issue is not None) == is_made


def test_a_story_that_arrives_after_assembly_is_in_the_next_issue(publication):
    make_story("The first verdict")
    make_issue(publication)
    make_story("Told on the eve of the send", published_at=NOW + timedelta(hours=3), seen_at=NOW + timedelta(hours=3))
    later = NOW + timedelta(days=7)
    issue = assemble_slot(
        slot=get_or_create_slot(publication=publication, due="2026-03-12T09:00", now=later), now=later
    ).issue
    assert issue is not None
    assert issue.subject == "Told on the eve of the send"


def test_other_topics_languages_and_sources_are_left_out_with_a_reason(publication):
    topic = publication.topics.create(slug="courts", name="Courts")
    make_story("In the courts").topics.add(topic)
    make_story("Of another topic")
    spanish = make_story("En otro idioma", language="es")
    spanish.topics.add(topic)
    issue = make_issue(publication)
    assert reason_for(issue, "In the courts") == "newest, topic Courts"
    assert "topics" in reason_for(issue, "Of another topic")
    assert "another language (es)" in reason_for(issue, "En otro idioma")


def test_assembling_a_slot_twice_gives_the_one_issue(publication):
    make_story("The first verdict")
    first = make_issue(publication)
    again = assemble_slot(slot=get_or_create_slot(publication=publication, due=DUE, now=NOW), now=NOW)
    assert again.issue == first
    assert not again.made
    with pytest.raises(IntegrityError), transaction.atomic():
        Slot.objects.create(publication=publication, due_local=DUE, due_at=NOW, made_at=NOW)


def test_cancelled_past_and_unlocated_events_are_left_out_with_a_reason(publication):
    make_story("The first verdict")
    make_event("Weekly call", online=True, days_ahead=5)
    make_event("Weekly call", online=True, days_ahead=12, external_id="later")
    make_event("Called off", online=True, cancelled=True)
    make_event("Somewhere", note="“Springfield” could be several towns.")
    make_event("Over already", online=True, days_ahead=0.5)
    issue = make_issue(publication)
    events = next(block for block in issue.body if block.block_type == "events").value["events"]
    assert [event.title for event in events] == ["Weekly call"]
    assert "left out: cancelled" in [reason["why"] for reason in issue.reasons]
    assert "Springfield" in reason_for(issue, "Somewhere")


def test_a_story_without_a_date_never_leads_while_a_dated_one_is_there(publication):
    make_story("No date", published_at=None, seen_at=NOW)
    make_story("Told last week", days_old=6)
    issue = make_issue(publication)
    assert issue.subject == "Told last week"
    assert reason_for(issue, "No date") == "no date at its source, so after the others"


def test_stories_without_a_date_take_no_room_from_dated_ones(publication):
    for number in range(5):
        make_story(f"No date {number}", published_at=None, seen_at=NOW - timedelta(hours=number))
        make_story(f"Dated {number}", days_old=number + 1)
    placed = StoryPlacement.objects.filter(issue=make_issue(publication)).values_list("story__title", flat=True)
    assert set(placed) == {f"Dated {number}" for number in range(5)}


def test_a_story_without_a_date_leads_if_there_is_no_other(publication):
    make_story("No date", published_at=None, seen_at=NOW)
    assert make_issue(publication).subject == "No date"


def test_stories_by_staff_may_be_in_any_publication(publication):
    """Events of staff were taken; stories of theirs never, where a publication names its sources."""
    publication.sources.add(make_source("Its own"))
    make_story("Written at the desk", source=None)
    make_story("From another source", source=make_source("Another"))
    make_event("An evening of ours", source=None, online=True)
    issue = make_issue(publication)
    assert issue.subject == "Written at the desk"
    assert reason_for(issue, "From another source") == "left out: this publication does not use its source"
    assert reason_for(issue, "An evening of ours (11 Mar 2026)").startswith("coming up")


@pytest.mark.requirement("X11")
@pytest.mark.parametrize(("days", "left_out"), [(7.9, False), (8.1, True)])
def test_stories_of_a_source_unreadable_for_eight_days_are_left_out(publication, days, left_out):
    source = make_source("Silent", last_success_at=NOW - timedelta(days=days))
    make_story("From the silent source", source=source)
    make_event("Event of the silent source", source=source, online=True)
    make_story("From another source")
    issue = make_issue(publication)
    since = "left out: its source has not been readable since 24 February 2026"
    for title in ("From the silent source", "Event of the silent source"):
        assert (reason_for(issue, title) == since) == left_out


@pytest.mark.requirement("X11")
def test_stories_of_a_source_that_staff_switched_off_are_not_stale(publication):
    source = make_source("Off", last_success_at=NOW - timedelta(days=30), enabled=False)
    make_story("From a source that is off", source=source)
    assert make_issue(publication).subject == "From a source that is off"


def test_slots_open_when_the_lead_time_has_come_and_not_before(publication):
    assert create_due_slots(publication=publication, now=NOW - timedelta(hours=1)) == []
    assert [slot.due_local for slot in create_due_slots(publication=publication, now=NOW)] == [DUE]
    assert create_due_slots(publication=publication, now=NOW) == []


@pytest.mark.parametrize(
    ("minutes", "late"),
    [(20, "noticed less than an hour late"), (80, "noticed 1 hour late"), (130, "noticed 2 hours late")],
)
def test_a_missed_slot_says_how_late_it_was_noticed(publication, minutes, late):
    Publication.objects.update(schedule="0 9 * * *", lead_hours=30)
    now = datetime(2026, 3, 6, 9, tzinfo=UTC) + timedelta(minutes=minutes)
    *_, missed, coming = create_due_slots(publication=Publication.objects.get(), now=now)
    assert (missed.state, coming.state) == (Slot.State.MISSED, Slot.State.DUE)
    assert missed.reason.endswith(f"{late}.")


@pytest.mark.requirement("F11")
@pytest.mark.parametrize(("hours", "state"), [(5.9, Slot.State.DUE), (6.1, Slot.State.MISSED)])
def test_a_slot_missed_by_over_six_hours_is_held_with_a_reason(publication, hours, state):
    due = datetime(2026, 3, 5, 9, tzinfo=UTC)
    (slot,) = create_due_slots(publication=publication, now=due + timedelta(hours=hours))
    assert slot.state == state
    if state == Slot.State.MISSED:
        assert "6 hours late" in slot.reason
        with pytest.raises(WrongState, match="missed"):
            assemble_slot(slot=slot, now=due + timedelta(hours=hours))


def test_after_weeks_without_a_scheduler_only_the_last_slot_can_still_go(publication):
    now = datetime(2026, 3, 26, 10, tzinfo=UTC)
    slots = create_due_slots(publication=publication, now=now)
    assert [slot.state for slot in slots] == ["missed", "missed", "missed", "due"]


@pytest.mark.requirement("F11")
def test_the_repeated_hour_makes_exactly_one_slot():
    nightly = make_publication(slug="nightly")
    nightly.schedule, nightly.lead_hours, nightly.made_at = "30 1 * * *", 0, datetime(2026, 10, 24, 12, tzinfo=UTC)
    for minute in range(0, 180, 10):
        create_due_slots(publication=nightly, now=datetime(2026, 10, 25, 0, 0, tzinfo=UTC) + timedelta(minutes=minute))
    assert list(nightly.slots.values_list("due_local", flat=True)) == ["2026-10-25T01:30"]


def test_a_title_with_braces_is_never_taken_for_a_merge_field(publication):
    make_story("What {{ first_name }} and {% if %} mean")
    make_appeal()
    issue = make_issue(publication)
    assert "{{" not in issue.subject
    assert "{%" not in issue.subject
