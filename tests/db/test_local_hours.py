"""Sends by readers' hours: who gets it when, what stops it, and that the receipt adds up."""

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta

import pytest
from django.contrib.auth.models import Permission, User
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from newsletter.feedback.explaining.explain_issue import explain_issue
from newsletter.issues.approval.approve import approve_issue
from newsletter.issues.corrections.correct import announce_change
from newsletter.issues.planning.complete_send import complete_send
from newsletter.issues.snapshot.resolve import resolve_content
from newsletter.issues.variants import reader_zones
from newsletter.issues.variants.reader_zones import count_local_hours, find_lead, find_start
from newsletter.jobs.heartbeat import find_trouble
from newsletter.jobs.scheduler_jobs import assemble_due, start_due_sends
from newsletter.models import Batch, Delivery, EventNotice, Issue, MailLimits, Publication, Send, Slot, Story
from newsletter.sending.adapters import current_adapter
from newsletter.sending.dispatching.batch_claim import claim_batch
from newsletter.sending.dispatching.worker_loop import run_send
from newsletter.sending.freezing.start import prepare_requested_sends, request_send, start_send
from newsletter.sending.limits.split_batches import split_oversized_batches
from newsletter.sending.settling.mark_uncertain_after_restore import mark_open_batches_uncertain
from newsletter.sending.settling.receipt import make_receipt
from newsletter.sending.settling.send_controls import (
    cancel_send,
    pause_send,
    resume_send,
)
from newsletter.sending.withdraw_story import withdraw_story
from subscribers.models import Segment, Subscriber
from subscribers.people.preferences import pause_mail
from subscribers.unsubscribing.unsubscribe import unsubscribe_from_list
from tests.support.fake_provider import FakeProvider
from tests.support.fixtures import (
    NOW,
    add_subscribers,
    make_approver,
    make_event,
    make_issue,
    make_place,
    make_publication,
    make_story,
)
from tests.support.local_hours import (
    AUCKLAND,
    AUCKLAND_HOUR,
    LONDON_HOUR,
    LONDON_ZONE,
    LOS_ANGELES,
    LOS_ANGELES_HOUR,
    add_readers,
    make_local_issue,
    read_mailed,
    reload,
    start_local_send,
    work_at,
    zone_place,
)
from tests.support.web_site import Site, serve_site

pytestmark = pytest.mark.django_db(transaction=True)
MINUTE = timedelta(minutes=1)
EVERYBODY = {"auckland": 12, "london": 25, "los_angeles": 7}


@pytest.fixture
def mailgun(fake_provider: FakeProvider, settings: object) -> FakeProvider:
    settings.NEWSLETTER_PROVIDER_URL = fake_provider.provider_url + "&max_batch=10"  # type: ignore[attr-defined]
    return fake_provider


@pytest.fixture
def running(mailgun: FakeProvider) -> Send:
    """A send that began at the hour of Auckland, whose people have it."""
    send = start_local_send()
    work_at(AUCKLAND_HOUR)
    return reload(send)


@pytest.mark.requirement("N6")
def test_each_zone_gets_the_issue_at_its_own_hour(running: Send, mailgun: FakeProvider) -> None:
    assert read_mailed(mailgun) == {"auckland": 12}
    work_at(LONDON_HOUR - MINUTE)
    assert read_mailed(mailgun) == {"auckland": 12}
    work_at(LONDON_HOUR)
    assert read_mailed(mailgun) == {"auckland": 12, "london": 25}
    assert reload(running).state == "submitting"
    work_at(LOS_ANGELES_HOUR)
    assert read_mailed(mailgun) == EVERYBODY
    assert reload(running).state == "submitted"
    assert max(mailgun.accepted_counts().values()) == 1


def test_the_send_keeps_its_hours_and_their_zones(running: Send) -> None:
    assert running.local_time == "2026-03-05T09:00"
    assert running.hours == [
        {"at": AUCKLAND_HOUR.isoformat(), "zones": {AUCKLAND: 12}},
        {"at": LONDON_HOUR.isoformat(), "zones": {LONDON_ZONE: 25}},
        {"at": LOS_ANGELES_HOUR.isoformat(), "zones": {LOS_ANGELES: 7}},
    ]


def test_batches_never_mix_two_hours_and_come_in_their_order(running: Send) -> None:
    batches = list(running.batches.order_by("seq").values_list("due_at", "size", "part"))
    assert [size for _at, size, _part in batches] == [10, 2, 10, 10, 5, 7]
    assert [part for _at, _size, part in batches] == list(range(6))
    assert [at for at, _size, _part in batches] == sorted(at for at, _size, _part in batches)
    for batch in running.batches.all():
        people = Subscriber.objects.filter(pk__in=batch.deliveries.values("subscriber_id"))
        assert people.values("place__zone").distinct().count() == 1
        assert people.count() == batch.size


def test_zones_with_the_same_hour_share_batches(mailgun: FakeProvider) -> None:
    publication = make_publication(send_at="local")
    make_story("The first verdict")
    add_subscribers(publication, 3, where=zone_place("Europe/London"))
    add_subscribers(publication, 4, where=zone_place("Europe/Lisbon"), start=3)
    send = start_send(issue=make_issue(publication, approved=True), now=AUCKLAND_HOUR)
    assert [batch.size for batch in send.batches.all()] == [7]
    assert send.hours == [{"at": LONDON_HOUR.isoformat(), "zones": {"Europe/Lisbon": 4, "Europe/London": 3}}]


def test_a_send_for_the_slot_has_no_hours(mailgun: FakeProvider) -> None:
    publication = make_publication()
    make_story("The first verdict")
    add_readers(publication, auckland=2, london=2)
    send = start_send(issue=make_issue(publication, approved=True), now=LONDON_HOUR)
    assert (send.local_time, send.hours, send.checked_until) == ("", [], None)
    assert set(send.batches.values_list("due_at", flat=True)) == {None}
    work_at(LONDON_HOUR)
    assert reload(send).state == "submitted"


def test_the_place_decides_before_the_stated_zone(mailgun: FakeProvider) -> None:
    publication = make_publication(send_at="local")
    make_story("The first verdict")
    add_subscribers(publication, 1, where=zone_place(AUCKLAND), timezone=LOS_ANGELES)
    add_subscribers(publication, 2, timezone=LOS_ANGELES, start=1)
    add_subscribers(publication, 3, start=3)
    add_subscribers(publication, 4, where=zone_place("Mars/Olympus"), timezone="US/Nowhere", start=6)
    add_subscribers(publication, 5, where=zone_place(""), timezone=LOS_ANGELES, start=10)
    issue = make_issue(publication, approved=True)
    hours = count_local_hours(issue, content=resolve_content(issue), now=NOW)
    expected = [{AUCKLAND: 1}, {LONDON_ZONE: 3 + 4}, {LOS_ANGELES: 2 + 5}]
    assert [hour.zones for hour in hours] == expected
    assert [hour["zones"] for hour in start_send(issue=issue, now=NOW).hours] == expected


@pytest.mark.parametrize(
    ("due", "zone", "hour"),
    [
        ("2026-03-29T01:30", "Europe/London", datetime(2026, 3, 29, 1, tzinfo=UTC)),
        ("2026-03-29T01:30", "Europe/Lisbon", datetime(2026, 3, 29, 1, tzinfo=UTC)),
        ("2026-03-29T01:30", "Africa/Accra", datetime(2026, 3, 29, 1, 30, tzinfo=UTC)),
        ("2026-10-25T01:30", "Europe/London", datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
        ("2026-10-25T01:30", "Africa/Accra", datetime(2026, 10, 25, 1, 30, tzinfo=UTC)),
        ("2026-11-01T01:30", "America/New_York", datetime(2026, 11, 1, 5, 30, tzinfo=UTC)),
        ("2026-03-05T09:00", "Asia/Kathmandu", datetime(2026, 3, 5, 3, 15, tzinfo=UTC)),
        ("2026-03-05T09:00", "Pacific/Kiritimati", datetime(2026, 3, 4, 19, tzinfo=UTC)),
        ("2026-03-05T09:00", "Etc/GMT+12", datetime(2026, 3, 5, 21, tzinfo=UTC)),
    ],
)
@pytest.mark.requirement("N6")
def test_every_reader_gets_it_once_whatever_their_clock_does(
    mailgun: FakeProvider, due: str, zone: str, hour: datetime
) -> None:
    publication = make_publication(send_at="local", zone="Etc/UTC", stale_hours=0)
    make_story("The first verdict")
    add_subscribers(publication, 3, where=zone_place(zone))
    issue = make_issue(publication, approved=True)
    due_at = datetime.fromisoformat(due).replace(tzinfo=UTC)
    Slot.objects.update(due_local=due, due_at=due_at)
    Issue.objects.update(due_at=due_at)
    issue = Issue.objects.get()
    approve_issue(issue=issue, by=make_approver(), now=NOW)
    send = start_send(issue=issue, now=hour - timedelta(hours=2))
    work_at(hour - MINUTE)
    assert mailgun.accepted_counts() == {}
    work_at(hour)
    work_at(hour + timedelta(hours=1))
    assert sorted(mailgun.accepted_counts().values()) == [1, 1, 1]
    assert reload(send).state == "submitted"


def test_the_send_starts_at_the_first_readers_hour(mailgun: FakeProvider) -> None:
    make_local_issue()
    start_due_sends(now=AUCKLAND_HOUR - MINUTE)
    assert not Send.objects.exists()
    start_due_sends(now=AUCKLAND_HOUR)
    assert Send.objects.get().state == "submitting"


def test_a_late_approval_sends_at_once_if_the_local_hour_passed(mailgun: FakeProvider) -> None:
    issue = make_local_issue(approved=False)
    start_due_sends(now=AUCKLAND_HOUR)
    approved_at = AUCKLAND_HOUR + timedelta(hours=5)
    approve_issue(issue=issue, by=make_approver(), now=approved_at)
    start_due_sends(now=approved_at)
    work_at(approved_at)
    assert read_mailed(mailgun) == {"auckland": 12}
    work_at(LONDON_HOUR)
    assert read_mailed(mailgun) == {"auckland": 12, "london": 25}


def test_the_draft_is_made_its_lead_before_the_first_hour(mailgun: FakeProvider) -> None:
    publication = make_publication(send_at="local", lead_hours=10)
    make_story("The first verdict")
    add_readers(publication, auckland=1, london=1)
    assert not assemble_due(now=AUCKLAND_HOUR - timedelta(hours=10) - MINUTE)
    [assembly] = assemble_due(now=AUCKLAND_HOUR - timedelta(hours=10))
    assert assembly.issue is not None
    assert assembly.issue.due_at == LONDON_HOUR


def test_a_limit_of_mails_holds_beside_readers_hours(mailgun: FakeProvider) -> None:
    MailLimits.objects.create(pk=1, mails_in_7_days=1)
    send = start_local_send()
    work_at(AUCKLAND_HOUR)
    other = make_publication(slug="other", name="Other", send_at="local")
    other.mailing_list = send.issue.publication.mailing_list
    other.save()
    make_story("A second verdict")
    assemble_due(now=AUCKLAND_HOUR + MINUTE)
    issue = Issue.objects.get(publication=other)
    assert count_local_hours(issue, content=resolve_content(issue), now=AUCKLAND_HOUR + MINUTE) == []


def test_an_automatic_issue_keeps_its_time_to_hold_it(mailgun: FakeProvider) -> None:
    publication = make_publication(send_at="local", lead_hours=10, approval="auto", another_approves=False)
    make_story("The first verdict")
    add_readers(publication, auckland=1, london=1)
    assemble_due(now=AUCKLAND_HOUR - timedelta(hours=10))
    start_due_sends(now=AUCKLAND_HOUR - MINUTE)
    assert not Send.objects.exists()
    start_due_sends(now=AUCKLAND_HOUR)
    assert Send.objects.get().state == "submitting"


def test_send_now_mails_everybody_at_once(mailgun: FakeProvider) -> None:
    issue = make_local_issue()
    request_send(issue=issue, by=make_approver(), now=NOW, confirmed_recipients=44)
    prepare_requested_sends(now=NOW)
    work_at(NOW)
    assert read_mailed(mailgun) == EVERYBODY
    assert Send.objects.get().hours == []


def test_the_switch_holds_for_an_issue_that_was_approved_before(mailgun: FakeProvider) -> None:
    make_local_issue()
    Publication.objects.update(send_at="slot")
    start_due_sends(now=AUCKLAND_HOUR)
    assert not Send.objects.exists()
    start_due_sends(now=LONDON_HOUR)
    work_at(LONDON_HOUR)
    assert read_mailed(mailgun) == EVERYBODY


def test_mails_show_the_day_of_the_slot_everywhere(running: Send) -> None:
    [variant] = running.revision.variants.all()
    assert "5 March 2026" in variant.text
    assert "4 March 2026" not in variant.text


@pytest.mark.requirement("N6")
def test_a_person_who_changes_zone_gets_it_at_the_first_zones_hour(running: Send, mailgun: FakeProvider) -> None:
    auckland, los_angeles = make_place(zone_place(AUCKLAND)), make_place(zone_place(LOS_ANGELES))
    Subscriber.objects.filter(email="person20@example.com").update(place=auckland)
    Subscriber.objects.filter(email="person21@example.com").update(place=los_angeles)
    Subscriber.objects.filter(email="person0@example.com").update(place=los_angeles)
    work_at(AUCKLAND_HOUR + MINUTE)
    work_at(LONDON_HOUR)
    assert read_mailed(mailgun) == {"auckland": 12, "london": 25}
    work_at(LOS_ANGELES_HOUR)
    assert sorted(mailgun.accepted_counts().values()) == [1] * 44


def test_a_person_who_unsubscribes_before_their_hour_is_not_mailed(running: Send, mailgun: FakeProvider) -> None:
    person = Subscriber.objects.get(email="person40@example.com")
    unsubscribe_from_list(subscriber=person, mailing_list=running.issue.publication.mailing_list, now=LONDON_HOUR)
    work_at(LONDON_HOUR)
    work_at(LOS_ANGELES_HOUR)
    assert "person40@example.com" not in mailgun.accepted_counts()
    assert make_receipt(reload(running)).deliveries["skipped"] == 1


def test_a_person_who_pauses_before_their_hour_is_not_mailed(running: Send, mailgun: FakeProvider) -> None:
    person = Subscriber.objects.get(email="person40@example.com")
    assert pause_mail(subscriber=person, days=30, now=AUCKLAND_HOUR + MINUTE)
    ended = Subscriber.objects.get(email="person41@example.com")
    pause_mail(subscriber=ended, days=30, now=AUCKLAND_HOUR + MINUTE)
    pause_mail(subscriber=ended, days=0, now=LONDON_HOUR)
    work_at(LONDON_HOUR)
    work_at(LOS_ANGELES_HOUR)
    assert "person40@example.com" not in mailgun.accepted_counts()
    assert "person41@example.com" in mailgun.accepted_counts()
    assert make_receipt(reload(running)).deliveries["skipped"] == 1
    outcome = str(explain_issue(running.issue, person=person, now=LOS_ANGELES_HOUR).outcome)
    assert outcome == "Not sent: unsubscribed, paused or suppressed just before"


def test_a_paused_send_sends_passed_hours_when_it_resumes(running: Send, mailgun: FakeProvider) -> None:
    pause_send(send=running, by=make_approver())
    work_at(LONDON_HOUR)
    assert read_mailed(mailgun) == {"auckland": 12}
    resume_send(send=reload(running), by=make_approver())
    work_at(LONDON_HOUR + MINUTE)
    assert read_mailed(mailgun) == {"auckland": 12, "london": 25}


def test_resuming_does_not_bring_later_hours_forward(running: Send, mailgun: FakeProvider) -> None:
    pause_send(send=running, by=make_approver())
    resume_send(send=reload(running), by=make_approver())
    work_at(AUCKLAND_HOUR + MINUTE)
    assert read_mailed(mailgun) == {"auckland": 12}


def test_cancelling_keeps_the_later_hours_from_being_sent(running: Send, mailgun: FakeProvider) -> None:
    cancel_send(send=running, by=make_approver(), now=LONDON_HOUR - MINUTE)
    work_at(LONDON_HOUR)
    work_at(LOS_ANGELES_HOUR)
    assert read_mailed(mailgun) == {"auckland": 12}
    receipt = make_receipt(reload(running))
    assert (receipt.deliveries["accepted"], receipt.cancelled) == (12, 32)


def test_a_corrected_issue_reaches_those_whose_hour_had_not_come(running: Send, mailgun: FakeProvider) -> None:
    cancel_send(send=running, by=make_approver(), now=LONDON_HOUR - MINUTE)
    issue = complete_send(issue=running.issue, by=make_approver(), now=LONDON_HOUR)
    Issue.objects.filter(pk=issue.pk).update(due_at=LONDON_HOUR)
    issue = Issue.objects.get(pk=issue.pk)
    approve_issue(issue=issue, by=make_approver(), now=LONDON_HOUR)
    start_due_sends(now=LONDON_HOUR)
    work_at(LONDON_HOUR)
    assert read_mailed(mailgun) == {"auckland": 12, "london": 25}
    work_at(LOS_ANGELES_HOUR)
    assert read_mailed(mailgun) == EVERYBODY
    assert max(mailgun.accepted_counts().values()) == 1
    second = issue.sends.get()
    assert [sum(hour["zones"].values()) for hour in second.hours] == [25, 7]
    assert (make_receipt(reload(running)).recipients, make_receipt(second).recipients) == (12, 32)


def test_a_withdrawn_story_stops_the_hours_still_to_come(running: Send, mailgun: FakeProvider) -> None:
    by = make_approver()
    by.user_permissions.add(Permission.objects.get(codename="change_story"))
    by = User.objects.get(pk=by.pk)
    withdraw_story(story=Story.objects.get(), by=by, reason="asked", now=LONDON_HOUR - MINUTE)
    work_at(LONDON_HOUR)
    assert read_mailed(mailgun) == {"auckland": 12}
    assert reload(running).state == "paused"


@pytest.fixture
def site() -> Iterator[Site]:
    with serve_site() as served:
        served.put("/", "<h1>Home</h1>")
        served.put("/other/", "<h1>Other</h1>")
        yield served


def test_a_story_that_vanished_at_noon_is_not_mailed_in_the_evening(site: Site, mailgun: FakeProvider) -> None:
    publication = make_publication(send_at="local")
    site.put("/verdict/", "<article><h1>The first verdict</h1></article>")
    make_story("The first verdict", url=site.url + "/verdict/")
    add_readers(publication, auckland=12, london=25)
    send = start_send(issue=make_issue(publication, approved=True), now=AUCKLAND_HOUR)
    work_at(AUCKLAND_HOUR)
    del site.pages["/verdict/"]
    work_at(LONDON_HOUR)
    assert read_mailed(mailgun) == {"auckland": 12}
    assert reload(send).state == "paused"


def make_send_with_event() -> Send:
    publication = make_publication(send_at="local")
    make_story("The first verdict")
    make_event("Open evening", online=True)
    add_readers(publication, auckland=12, london=25, los_angeles=7)
    send = start_send(issue=make_issue(publication, approved=True), now=AUCKLAND_HOUR)
    work_at(AUCKLAND_HOUR)
    return reload(send)


def move_event(at: datetime) -> None:
    event = EventNotice.objects.get()
    event.starts_at, event.changed_at = event.starts_at + timedelta(days=1), at
    event.save()


def test_a_changed_event_stops_the_hours_still_to_come(mailgun: FakeProvider) -> None:
    send = make_send_with_event()
    move_event(LONDON_HOUR - MINUTE)
    work_at(LONDON_HOUR)
    send = reload(send)
    assert (send.state, send.automatic_pauses.get().rule) == ("paused", "content")
    assert read_mailed(mailgun) == {"auckland": 12}
    assert "Open evening" in send.reason


def test_staff_are_asked_about_a_changed_event_once(mailgun: FakeProvider) -> None:
    send = make_send_with_event()
    move_event(LONDON_HOUR - MINUTE)
    work_at(LONDON_HOUR)
    resume_send(send=reload(send), by=make_approver())
    work_at(LONDON_HOUR + MINUTE)
    assert read_mailed(mailgun) == {"auckland": 12, "london": 25}
    move_event(LONDON_HOUR + 2 * MINUTE)
    work_at(LOS_ANGELES_HOUR)
    assert reload(send).state == "paused"


def test_a_correction_goes_at_once_to_those_mailed_so_far(mailgun: FakeProvider) -> None:
    send = make_send_with_event()
    move_event(LONDON_HOUR - MINUTE)
    work_at(LONDON_HOUR)
    cancel_send(send=reload(send), by=make_approver(), now=LONDON_HOUR)
    event, publication = EventNotice.objects.get(), Publication.objects.get()
    correction = announce_change(event=event, publication=publication, by=make_approver(), now=LONDON_HOUR)
    approve_issue(issue=correction, by=make_approver(), now=LONDON_HOUR)
    told = start_send(issue=Issue.objects.get(pk=correction.pk), now=LONDON_HOUR)
    assert (told.recipients, told.local_time) == (12, "")


def test_a_consent_that_ends_between_two_hours_stops_the_send(running: Send, mailgun: FakeProvider) -> None:
    Story.objects.update(embargo_until=LOS_ANGELES_HOUR + timedelta(days=1))
    work_at(LONDON_HOUR)
    assert (read_mailed(mailgun), reload(running).state) == ({"auckland": 12}, "paused")
    Story.objects.update(embargo_until=None)
    resume_send(send=reload(running), by=make_approver())
    work_at(LONDON_HOUR + MINUTE)
    assert read_mailed(mailgun) == {"auckland": 12, "london": 25}


def test_quiet_hours_are_those_of_the_readers_clock(mailgun: FakeProvider) -> None:
    issue = make_local_issue(quiet_from=time(21), quiet_until=time(8))
    send = start_send(issue=issue, now=LONDON_HOUR)
    work_at(LONDON_HOUR)  # 22:00 in Auckland
    assert read_mailed(mailgun) == {"london": 25}
    work_at(LOS_ANGELES_HOUR)
    assert read_mailed(mailgun) == {"london": 25, "los_angeles": 7}
    assert reload(send).state == "submitting"
    work_at(AUCKLAND_HOUR + timedelta(hours=23))
    assert read_mailed(mailgun) == EVERYBODY


def test_a_daily_limit_holds_over_the_hours(mailgun: FakeProvider) -> None:
    send = start_local_send(people_per_day=15)
    work_at(AUCKLAND_HOUR)
    work_at(LONDON_HOUR)
    assert read_mailed(mailgun)["auckland"] == 12
    assert read_mailed(mailgun)["london"] <= 15
    assert reload(send).state == "submitting"


def test_a_lowered_daily_limit_splits_waiting_hours_only_within_them(running: Send) -> None:
    Publication.objects.update(people_per_day=4)
    running = Send.objects.select_related("issue__publication").get()
    split_oversized_batches(running, now=AUCKLAND_HOUR + MINUTE)
    waiting = running.batches.filter(state="pending")
    assert max(waiting.values_list("size", flat=True)) == 4
    by_hour = {at: sum(waiting.filter(due_at=at).values_list("size", flat=True)) for at in {b.due_at for b in waiting}}
    assert by_hour == {LONDON_HOUR: 25, LOS_ANGELES_HOUR: 7}


def test_a_send_is_stale_only_after_its_last_hour(mailgun: FakeProvider) -> None:
    send = start_local_send(stale_hours=6)
    for moment in (AUCKLAND_HOUR, LONDON_HOUR, LOS_ANGELES_HOUR):
        work_at(moment)
    assert read_mailed(mailgun) == EVERYBODY
    assert reload(send).state == "submitted"


def test_nobody_claims_an_hour_before_it_was_checked(running: Send) -> None:
    batch = running.batches.get(due_at=LOS_ANGELES_HOUR)
    assert claim_batch(batch_id=batch.pk, provider="mailgun", now=LOS_ANGELES_HOUR + MINUTE) is None
    Send.objects.update(checked_until=LOS_ANGELES_HOUR)
    assert claim_batch(batch_id=batch.pk, provider="mailgun", now=LOS_ANGELES_HOUR + MINUTE) is not None


def test_a_restore_makes_only_hours_that_have_come_uncertain(running: Send) -> None:
    mark_open_batches_uncertain(now=LONDON_HOUR + MINUTE)
    states = dict(running.batches.order_by().values_list("due_at", "state").distinct())
    assert states == {AUCKLAND_HOUR: "accepted", LONDON_HOUR: "uncertain", LOS_ANGELES_HOUR: "pending"}


def test_a_restore_holds_an_issue_whose_first_hour_may_have_come(mailgun: FakeProvider) -> None:
    issue = make_local_issue()
    mark_open_batches_uncertain(now=AUCKLAND_HOUR + MINUTE)
    issue.refresh_from_db()
    assert issue.held


def test_a_list_with_nobody_needs_no_earlier_draft() -> None:
    publication = make_publication(send_at="local", zone="America/New_York", lead_hours=10)
    assert find_lead(publication, now=NOW) == timedelta(hours=10)


def test_a_segment_that_names_something_deleted_stops_no_other_issue(mailgun: FakeProvider) -> None:
    issue = make_local_issue()
    broken = Segment.objects.create(slug="broken", name="Broken", rule={"list": "gone"})
    Publication.objects.update(segment=broken)
    issue = Issue.objects.get(pk=issue.pk)
    assert find_start(issue, now=NOW) == LONDON_HOUR
    start_due_sends(now=AUCKLAND_HOUR)
    assert not Send.objects.exists()


def test_the_explanation_for_a_person_says_their_hour() -> None:
    issue = make_local_issue()
    person = Subscriber.objects.get(email="person0@example.com")
    outcome = str(explain_issue(issue, person=person, now=NOW).outcome)
    assert outcome == "They get it at 09:00 by their own clock (Pacific/Auckland)."
    Subscriber.objects.filter(pk=person.pk).update(place=None, timezone="US/Nowhere")
    outcome = str(explain_issue(issue, person=Subscriber.objects.get(pk=person.pk), now=NOW).outcome)
    assert outcome.startswith("They get it at 09:00 by the clock of the publication (Europe/London)")


def test_the_explanation_says_the_hour_that_was_fixed_for_who_moved(running: Send) -> None:
    person = Subscriber.objects.get(email="person20@example.com")
    Subscriber.objects.filter(pk=person.pk).update(place=make_place(zone_place(LOS_ANGELES)))
    person.refresh_from_db()
    outcome = str(explain_issue(running.issue, person=person, now=AUCKLAND_HOUR + MINUTE).outcome)
    assert outcome == "Still to send. Their hour was fixed when the send began: 09:00 in London."
    work_at(LONDON_HOUR)
    outcome = str(explain_issue(running.issue, person=person, now=LONDON_HOUR).outcome)
    assert outcome == "Accepted by the provider"


def test_a_wait_for_local_hours_does_not_look_like_a_stalled_worker(running: Send) -> None:
    assert find_trouble(now=LONDON_HOUR - MINUTE) == ""
    assert find_trouble(now=LONDON_HOUR + timedelta(minutes=11)) != ""


def test_a_worker_in_the_foreground_sleeps_between_two_hours(running: Send, mailgun: FakeProvider) -> None:
    clock, naps = [LONDON_HOUR - timedelta(hours=1)], []

    def nap(seconds: float) -> None:
        naps.append(seconds)
        clock[0] += timedelta(hours=2) if clock[0] > LONDON_HOUR else timedelta(minutes=15)

    run_send(send=running, adapter=current_adapter(), clock=lambda: clock[0], sleep=nap)
    assert read_mailed(mailgun) == EVERYBODY
    assert set(naps[:4]) == {1.0}


@pytest.mark.long
@hypothesis_settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    people=st.lists(
        st.tuples(
            st.sampled_from([AUCKLAND, LONDON_ZONE, LOS_ANGELES, "Asia/Kolkata", "Mars/Olympus", ""]), st.booleans()
        ),
        min_size=1,
        max_size=30,
    ),
    max_batch=st.integers(1, 7),
    looks=st.lists(st.integers(0, 30), max_size=4),
)
def test_the_receipt_adds_up_over_all_hours(mailgun, settings, people, max_batch, looks) -> None:
    settings.NEWSLETTER_PROVIDER_URL = mailgun.provider_url + f"&max_batch={max_batch}"
    number = Publication.objects.count()
    publication = make_publication(send_at="local", slug=f"weekly-{number}", name=f"Letter {number}")
    make_story(f"Verdict {number}")
    start = 1000 * number
    for at, (zone, _leaves) in enumerate(people):
        add_subscribers(publication, 1, where=zone_place(zone), start=start + at)
    send = start_send(issue=make_issue(publication, approved=True), now=AUCKLAND_HOUR)
    for hours in sorted({0, *looks}):
        work_at(AUCKLAND_HOUR + timedelta(hours=hours))
        assert sum(make_receipt(reload(send)).deliveries.values()) == len(people)
    for at, (_zone, leaves) in enumerate(people):
        if leaves:
            person = Subscriber.objects.get(email=f"person{start + at}@example.com")
            unsubscribe_from_list(subscriber=person, mailing_list=publication.mailing_list, now=AUCKLAND_HOUR)
    work_at(AUCKLAND_HOUR + timedelta(hours=30))
    receipt = make_receipt(reload(send))
    counts = {
        address: times
        for address, times in mailgun.accepted_counts().items()
        if start <= int(address.removeprefix("person").partition("@")[0]) < start + 1000
    }
    assert reload(send).state == "submitted"
    assert receipt.deliveries["accepted"] == len(counts) == sum(counts.values())
    assert receipt.deliveries["accepted"] + receipt.deliveries["skipped"] == len(people)
    assert Delivery.objects.filter(batch__send=send).count() == len(people)
    assert sum(Batch.objects.filter(send=send).values_list("size", flat=True)) == len(people)


def test_another_segment_gives_the_first_hour_of_its_people(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process keeps the zones of a large audience for ten minutes."""
    monkeypatch.setattr(reader_zones, "_SLOW_SECONDS", -1)
    issue = make_local_issue()
    assert find_start(issue, now=NOW) == AUCKLAND_HOUR
    british = Segment.objects.create(slug="british", name="British", rule={"country": "GB"})
    Publication.objects.filter(pk=issue.publication_id).update(segment=british)
    assert find_start(Issue.objects.get(pk=issue.pk), now=NOW) == LONDON_HOUR
