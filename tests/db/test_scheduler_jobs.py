"""The scheduler's jobs: slots, sends, holds, and the notices to staff."""

from datetime import datetime, timedelta

import pytest

from newsletter.common.errors import NotReady, WrongState
from newsletter.common.schedule import Due
from newsletter.issues.approval.approve import approve_issue
from newsletter.issues.approval.hold import hold_issue, release_issue
from newsletter.issues.assembly import slots
from newsletter.issues.assembly.slots import create_due_slots, get_or_create_slot, is_assembly_due, is_scheduled
from newsletter.jobs import scheduler_jobs
from newsletter.jobs.notices.about_sends import notify_stopped_sends
from newsletter.jobs.notices.mail_notices import send_due_notices
from newsletter.jobs.scheduler_jobs import assemble_due, is_start_due, poll_sources, start_due_sends
from newsletter.models import Issue, Publication, Send, Slot, Source, StaffNotice, Story
from newsletter.sending.adapters import current_adapter
from newsletter.sending.dispatching.worker_loop import run_send
from newsletter.sending.settling.send_controls import resume_send
from tests.support.feed_items import make_feed_item
from tests.support.fixtures import (
    NOW,
    add_subscribers,
    make_approver,
    make_event,
    make_issue,
    make_publication,
    make_source,
    make_story,
)
from tests.support.provider_faults import Fault, answer
from tests.support.sends import Clock, make_ready_issue, send_issue
from tests.support.web_site import serve_site

pytestmark = pytest.mark.django_db(transaction=True)
DUE_AT = datetime.fromisoformat("2026-03-05T09:00:00+00:00")


@pytest.fixture(autouse=True)
def mailgun(fake_provider, settings):
    settings.NEWSLETTER_PROVIDER_URL = fake_provider.provider_url
    return fake_provider


def told() -> list[str]:
    return list(StaffNotice.objects.values_list("subject", flat=True))


def test_an_automatic_publication_assembles_and_sends_on_time(mailgun):
    publication = make_publication(approval="auto")
    make_story("The first verdict")
    add_subscribers(publication, 3)
    assert len(assemble_due(now=NOW)) == 1
    start_due_sends(now=DUE_AT - timedelta(seconds=1))
    assert not Send.objects.exists()
    start_due_sends(now=DUE_AT)
    start_due_sends(now=DUE_AT)
    assert Send.objects.get().recipients == 3


def test_no_assembly_is_due_until_the_time_of_the_next_slot_is_near():
    publication = make_publication(lead_hours=24)
    begins, minute = DUE_AT - timedelta(hours=24), timedelta(minutes=1)
    assert not is_assembly_due(now=begins - timedelta(seconds=61), within=minute)
    assert is_assembly_due(now=begins - timedelta(seconds=60), within=minute)
    assert len(create_due_slots(publication=publication, now=begins)) == 1
    assert is_assembly_due(now=begins, within=timedelta())
    Slot.objects.update(state=Slot.State.MISSED)
    assert not is_assembly_due(now=begins, within=minute)


@pytest.mark.parametrize("changes", [{"enabled": False}, {"schedule": "0 9 * * mon"}])
def test_no_assembly_is_due_of_a_publication_without_a_slot_to_come(changes):
    make_publication()
    Publication.objects.update(made_at=DUE_AT - timedelta(hours=2), **changes)
    assert not is_assembly_due(now=DUE_AT, within=timedelta(minutes=1))


def test_an_assembly_is_due_when_a_digest_is_near(monkeypatch):
    publication = make_publication(lead_hours=1)
    assert not is_assembly_due(now=NOW, within=timedelta())
    monkeypatch.setattr(slots, "find_digest_due", lambda publication, now, grace: Due("2026-03-04T12:00", now))
    assert is_assembly_due(now=NOW, within=timedelta())
    Publication.objects.filter(pk=publication.pk).update(enabled=False)
    assert not is_assembly_due(now=NOW, within=timedelta())


def test_a_schedule_without_a_next_time_lets_no_assembly_rest(monkeypatch):
    def refuse(publication, now, grace):
        raise NotReady("the schedule has no next time")

    make_publication(lead_hours=1)
    assert not is_assembly_due(now=NOW, within=timedelta())
    monkeypatch.setattr(slots, "find_digest_due", refuse)
    assert is_assembly_due(now=NOW, within=timedelta())


def test_a_start_is_due_from_the_time_of_the_issue_on():
    make_story("The first verdict")
    make_issue(make_publication())
    Issue.objects.update(due_at=DUE_AT)
    assert not is_start_due(by=DUE_AT - timedelta(seconds=1))
    assert is_start_due(by=DUE_AT)
    Issue.objects.update(held=True)
    assert not is_start_due(by=DUE_AT)


def test_a_publication_that_needs_approval_waits_for_it():
    publication = make_publication()
    make_story("The first verdict")
    add_subscribers(publication, 3)
    assemble_due(now=NOW)
    start_due_sends(now=DUE_AT)
    assert Issue.objects.get().state == Issue.State.DRAFT
    assert not Send.objects.exists()


def test_an_issue_approved_too_late_is_sent_once_it_is_released():
    approver = make_approver()
    publication = make_publication()
    make_story("The first verdict")
    add_subscribers(publication, 3)
    issue = make_issue(publication)
    start_due_sends(now=DUE_AT + timedelta(hours=7))
    issue.refresh_from_db()
    assert "was not approved in time. If it is still useful, approve it and release it." in issue.held_reason
    approve_issue(issue=issue, by=approver, now=DUE_AT + timedelta(hours=7))
    start_due_sends(now=DUE_AT + timedelta(hours=8))
    assert not Send.objects.exists()
    release_issue(issue=issue)
    start_due_sends(now=DUE_AT + timedelta(hours=8))
    assert Send.objects.get().recipients == 3


@pytest.mark.requirement("F11")
def test_an_issue_six_hours_late_is_held_until_released():
    make_approver()
    issue = make_ready_issue(recipients=3)
    start_due_sends(now=DUE_AT + timedelta(hours=7))
    issue.refresh_from_db()
    assert issue.held
    assert "It was due on 5 March 2026 at 09:00 and was not sent in time. Release it" in issue.held_reason
    assert told() == [f"{issue} is held"]
    release_issue(issue=issue)
    start_due_sends(now=DUE_AT + timedelta(hours=8))
    assert Send.objects.get().recipients == 3


def test_an_unsendable_issue_is_held_and_notified_once(mailgun):
    make_approver()
    publication = make_publication(approval="auto")
    make_story("The first verdict")
    make_issue(publication)
    for _ in range(3):
        start_due_sends(now=DUE_AT)
    assert "Nobody would get" in Issue.objects.get().held_reason
    assert send_due_notices(now=DUE_AT) == 1
    (mail,) = mailgun.mailbox("approver@example.org")
    assert mail.subject == "The weekly letter No. 1 is held"
    assert send_due_notices(now=DUE_AT) == 0


def test_a_draft_that_another_scheduler_reopened_is_not_held():
    make_approver()
    publication = make_publication()
    make_story("The first verdict")
    add_subscribers(publication, 3)
    make_issue(publication, approved=True)
    add_subscribers(publication, 200, start=3)
    for seen in [Issue.objects.select_related("publication").get() for _ in range(2)]:
        scheduler_jobs._start(seen, now=DUE_AT)
    issue = Issue.objects.get()
    assert (issue.state, issue.held, issue.held_reason) == (Issue.State.DRAFT, False, "")
    assert told() == [f"{issue} changed and needs a new approval"]


def test_a_change_at_the_source_voids_the_approval_and_is_named():
    make_approver()
    with serve_site() as site:
        publication = make_publication()
        add_subscribers(publication, 3)
        rss = '<?xml version="1.0"?><rss version="2.0"><channel><title>F</title>{}</channel></rss>'
        url = site.put(
            "/feed.xml", rss.format(make_feed_item(site, "a", "The first verdict")), Content_Type="application/rss+xml"
        )
        Source.objects.create(name="Feed", kind="feed", url=url, language="en")
        poll_sources(now=NOW)
        issue = make_issue(publication, approved=True)
        site.put("/feed.xml", rss.format(make_feed_item(site, "a", "The first verdict", text="Corrected.")))
        poll_sources(now=NOW + timedelta(hours=1))
    issue.refresh_from_db()
    assert issue.state == Issue.State.DRAFT
    assert told()[-1] == f"{issue} changed and needs a new approval"
    assert "the story “The first verdict”" in StaffNotice.objects.latest("pk").paragraphs[0]


def test_only_a_reading_that_changed_something_compares_approvals(monkeypatch):
    compared = []
    monkeypatch.setattr(scheduler_jobs, "void_stale_approvals", lambda *, now: compared.append(now))
    rss = '<?xml version="1.0"?><rss version="2.0"><channel><title>F</title>{}</channel></rss>'
    with serve_site() as site:
        item = make_feed_item(site, "a", "The first verdict")
        url = site.put("/feed.xml", rss.format(item), Content_Type="application/rss+xml")
        Source.objects.create(name="Feed", kind="feed", url=url, language="en")
        for hours in range(3):
            poll_sources(now=NOW + timedelta(hours=hours))
        assert compared == [NOW]
        site.put("/feed.xml", "", status=500)
        poll_sources(now=NOW + timedelta(hours=4))
    assert Source.objects.get().failures == 1
    assert compared == [NOW]


def test_staff_are_notified_of_a_stopped_send(mailgun):
    make_approver()
    mailgun.fault_on(1, Fault("reset_after_accepting"))
    send_issue(make_ready_issue(recipients=3))
    for _ in range(2):
        notify_stopped_sends(now=NOW + timedelta(days=1))
    assert told() == ["The send of The weekly letter No. 1 needs your decision"]


def test_staff_are_notified_again_if_a_resumed_send_stops(mailgun):
    make_approver()
    mailgun.fault_always(answer(401, b"Forbidden"))
    send = send_issue(make_ready_issue(recipients=3))
    notify_stopped_sends(now=NOW)
    resume_send(send=send, by=make_approver())
    clock = Clock()
    run_send(send=send, adapter=current_adapter(), clock=clock, sleep=clock.nap)
    notify_stopped_sends(now=NOW)
    notify_stopped_sends(now=NOW)
    assert told() == ["The send of The weekly letter No. 1 stopped"] * 2


def test_a_refused_notice_is_sent_again(mailgun):
    make_approver()
    hold = make_ready_issue(recipients=1)
    start_due_sends(now=DUE_AT + timedelta(hours=7))
    assert Issue.objects.get(pk=hold.pk).held
    mailgun.fault_next(answer(429, b"later"))
    later = NOW + timedelta(minutes=15)
    assert [send_due_notices(now=now) for now in (NOW, NOW, later, later)] == [0, 0, 1, 0]


def test_a_manual_slot_far_ahead_stops_no_other_slot():
    publication = make_publication()
    get_or_create_slot(publication=publication, due="2027-06-01T09:00", now=NOW)
    assert [slot.due_local for slot in create_due_slots(publication=publication, now=NOW)] == ["2026-03-05T09:00"]


def test_the_next_slot_is_the_schedules_not_a_manual_one():
    publication = make_publication()
    extra = get_or_create_slot(publication=publication, due="2027-06-01T09:00", now=NOW)
    usual = get_or_create_slot(publication=publication, due="", now=NOW)
    assert usual.due_local == "2026-03-05T09:00"
    assert (is_scheduled(usual), is_scheduled(extra)) == (True, False)


def test_a_slot_long_past_is_refused():
    with pytest.raises(WrongState, match="more than six hours ago"):
        get_or_create_slot(publication=make_publication(), due="2026-03-01T09:00", now=NOW)


def test_a_skipped_slot_is_retried_until_it_is_due():
    publication = make_publication()
    (skipped,) = assemble_due(now=NOW)
    assert skipped.issue is None
    assert assemble_due(now=NOW + timedelta(hours=1)) == []
    make_story("News on the eve", published_at=NOW + timedelta(hours=2), seen_at=NOW + timedelta(hours=2))
    (assembly,) = assemble_due(now=NOW + timedelta(hours=3))
    assert assembly.issue is not None
    assert Slot.objects.get(publication=publication).state == Slot.State.ASSEMBLED


def test_the_first_assembly_waits_for_the_first_reading_of_the_sources():
    """A fresh installation notified staff that nothing would be sent, seconds before it read the sources and assembled."""
    publication = make_publication()
    source = make_source(looked_at=None)
    make_source("Switched off", looked_at=None, enabled=False)
    assert assemble_due(now=NOW) == []
    assert not StaffNotice.objects.exists()
    make_story("The first verdict", source=source)
    Source.objects.filter(pk=source.pk).update(looked_at=NOW)
    (assembly,) = assemble_due(now=NOW + timedelta(seconds=5))
    assert assembly.issue is not None
    assert publication.slots.get().state == Slot.State.ASSEMBLED


def test_a_source_that_is_never_read_stops_no_assembly():
    make_publication()
    make_source("Stories", looked_at=None)
    make_story("The first verdict", source=make_source("Other"))
    assert assemble_due(now=NOW) == []
    (assembly,) = assemble_due(now=NOW + timedelta(minutes=11))
    assert assembly.issue is not None


def test_a_publication_waits_only_for_its_own_sources():
    publication = make_publication()
    publication.sources.set([make_source("Own")])
    make_source("Elsewhere", looked_at=None)
    make_story("The first verdict", source=make_source("Own"))
    assert len(assemble_due(now=NOW)) == 1


@pytest.mark.requirement("F14")
def test_a_feed_broken_on_the_day_is_named_to_staff(mailgun):
    """Unreadable content is left out; if nothing is left, the slot is skipped."""
    publication, other = make_publication(approval="auto"), make_publication(slug="other", name="Another letter")
    good, broken = (
        make_source("Good", url="https://example.org/good"),
        make_source("Broken", url="https://example.org/b"),
    )
    Source.objects.filter(pk=broken.pk).update(failures=3, error="It answered 500.")
    publication.sources.set([good, broken])
    other.sources.set([broken])
    make_story("The first verdict", source=good)
    add_subscribers(publication, 3)
    make_approver()
    assemble_due(now=NOW)
    start_due_sends(now=DUE_AT)
    assert Send.objects.get().issue.publication == publication
    assert Slot.objects.get(publication=other).state == Slot.State.SKIPPED
    ready, skipped = StaffNotice.objects.get(publication=publication), StaffNotice.objects.get(publication=other)
    assert ready.paragraphs[-1] == "These sources could not be read, so new content may be missing: Broken."
    assert skipped.paragraphs[0] == (
        "Nothing new was found. These sources could not be read, so there may be news: Broken."
    )


def test_one_faulty_publication_does_not_stop_the_others(monkeypatch):
    make_story("The first verdict")
    faulty, fine = make_publication(), make_publication(slug="fine")
    from newsletter.jobs import scheduler_jobs as tick

    assemble = tick.assemble_slot

    def fail_for_one(*, slot, now):
        if slot.publication_id == faulty.pk:
            raise NotReady("broken")
        return assemble(slot=slot, now=now)

    monkeypatch.setattr(tick, "assemble_slot", fail_for_one)
    assert [assembly.slot.publication for assembly in assemble_due(now=NOW)] == [fine]


def test_a_held_issue_stays_held_when_somebody_tries_to_send_it(capsys):
    from django.core.management import CommandError, call_command

    issue = make_ready_issue(recipients=3)
    hold_issue(issue=issue, reason="the lawyer must read it")
    with pytest.raises(CommandError, match="the lawyer must read it"):
        call_command("send", "weekly/1", "--now")
    issue.refresh_from_db()
    assert issue.held
    call_command("send", "weekly/1", "--now", "--release")
    assert Send.objects.get().state == Send.State.SUBMITTED


def test_changed_events_and_a_changed_order_are_described():
    from newsletter.issues.approval.changes_since_approval import find_changes

    publication = make_publication()
    make_story("The first verdict")
    event = make_event("Vigil", online=True)
    add_subscribers(publication, 1)
    issue = make_issue(publication, approved=True)
    assert find_changes(issue) == []
    event.title = "Vigil, moved"
    event.save()
    Story.objects.update(teaser="Corrected.")
    issue.subject = "Another"
    issue.save()
    fresh = Issue.objects.get(pk=issue.pk)
    assert set(find_changes(fresh)) == {"the subject", "the story “The first verdict”", "the event “Vigil”"}
