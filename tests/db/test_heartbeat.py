"""An external monitor gets a heartbeat, and none while anything stalls."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from newsletter.content.fetching.fetcher import Fetcher
from newsletter.inbound.settings import parse_sources
from newsletter.jobs.heartbeat import find_trouble, send_heartbeat
from newsletter.models import (
    Batch,
    InboundMail,
    Installation,
    Issue,
    MailboxReading,
    ProviderEvent,
    Send,
    Slot,
    StaffNotice,
)
from newsletter.sending.dispatching.batch_claim import claim_batch
from tests.support.fixtures import NOW, add_subscribers, make_approver, make_issue, make_publication, make_story
from tests.support.sends import start_send
from tests.support.web_site import Site, serve_site

pytestmark = pytest.mark.django_db(transaction=True)
LATER = NOW + timedelta(hours=2)


@pytest.fixture
def monitor() -> Iterator[Site]:
    with serve_site() as served:
        yield served


def begun() -> Send:
    publication = make_publication()
    make_story("The first verdict")
    add_subscribers(publication, 2)
    return start_send(issue=make_issue(publication, approved=True), now=NOW)


def hold_installation() -> None:
    Installation.objects.update_or_create(pk=1, defaults={"held": True, "changed_at": NOW})


def stop_a_send() -> None:
    send = begun()
    Send.objects.filter(pk=send.pk).update(state=Send.State.NEEDS_ATTENTION)


def begin_a_send_that_cannot_start() -> None:
    send = begun()
    Send.objects.filter(pk=send.pk).update(state=Send.State.READY, started_at=None)


def leave_a_send_without_a_worker() -> None:
    begun()


def lose_a_worker_without_a_sweep() -> None:
    begun()
    assert claim_batch(batch_id=Batch.objects.get().pk, provider="mailgun", now=NOW) is not None


def miss_a_slot() -> None:
    Slot.objects.create(publication=make_publication(), due_local="2026-03-01T09:00", due_at=NOW, made_at=NOW)


def miss_an_approved_issue() -> None:
    publication = make_publication()
    make_story("The first verdict")
    add_subscribers(publication, 2)
    make_issue(publication, approved=True)
    Issue.objects.update(due_at=NOW)


def tell_nobody() -> None:
    StaffNotice.objects.create(
        key="held-1", person=make_approver(), subject="Held", link="/", publication=make_publication(), made_at=NOW
    )


def leave_a_report() -> None:
    ProviderEvent.objects.create(provider="mailgun", key="1", kind="delivered", body={}, received_at=NOW, retry_at=NOW)


def leave_a_mail() -> None:
    InboundMail.objects.create(key="1", origin="postmark", raw=b"From: a@b", received_at=NOW)


TROUBLES = {
    hold_installation: "everything is held",
    stop_a_send: "waits for a person",
    begin_a_send_that_cannot_start: "does not start",
    leave_a_send_without_a_worker: "check that a worker is running",
    lose_a_worker_without_a_sweep: "check that a worker is running",
    miss_a_slot: "check that the scheduler is running",
    miss_an_approved_issue: "is overdue",
    tell_nobody: "a mail to staff",
    leave_a_report: "a report of the provider",
    leave_a_mail: "a mail that came in",
}


@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda one: one.__name__)
@pytest.mark.requirement("F23")
def test_the_heartbeat_stops_if_anything_stalls(trouble: Callable[[], None], monitor: Site) -> None:
    url = monitor.put("/alive", "ok")
    trouble()
    assert TROUBLES[trouble] in find_trouble(now=LATER)
    assert not send_heartbeat(url=url, fetcher=Fetcher(allow=["127.0.0.1"]), now=LATER)
    assert monitor.asked == []


@pytest.mark.requirement("F23")
def test_the_heartbeat_stops_while_a_notice_has_no_clear_answer() -> None:
    tell_nobody()
    notice = StaffNotice.objects.get()
    assert notice.claim(now=NOW)
    assert find_trouble(now=NOW + timedelta(minutes=29)) == ""
    assert "no clear answer" in find_trouble(now=NOW + timedelta(minutes=31))
    again = NOW + timedelta(minutes=40)
    assert notice.claim(now=again)
    assert find_trouble(now=again + timedelta(minutes=1)) == "", "An attempt is under way."
    assert "no clear answer" in find_trouble(now=again + timedelta(minutes=3))
    assert find_trouble(now=again + timedelta(days=9)) == "", "It is not repeated any more."
    StaffNotice.objects.update(read_at=again)
    assert find_trouble(now=again + timedelta(minutes=3)) == ""
    StaffNotice.objects.update(read_at=None)
    notice.record_answer()
    assert find_trouble(now=again + timedelta(minutes=3)) == ""


@pytest.mark.requirement("F23")
def test_the_heartbeat_stops_if_a_mailbox_of_the_settings_cannot_be_read(settings: Any) -> None:
    sources = parse_sources(["imaps://replies:secret@mail.example.org"])
    MailboxReading.objects.create(label=sources.mailboxes[0].label, failing_since=NOW)
    assert find_trouble(now=LATER) == ""
    settings.NEWSLETTER_INBOUND = sources
    assert find_trouble(now=LATER) == "a mailbox cannot be read"
    assert find_trouble(now=NOW + timedelta(minutes=50)) == ""


@pytest.mark.requirement("F23")
def test_a_running_or_waiting_send_keeps_the_heartbeat(monitor: Site) -> None:
    url = monitor.put("/alive", "ok")
    begun()
    soon = NOW + timedelta(minutes=9)
    assert send_heartbeat(url=url, fetcher=Fetcher(allow=["127.0.0.1"]), now=soon)
    Batch.objects.update(not_before=LATER + timedelta(hours=1))
    assert send_heartbeat(url=url, fetcher=Fetcher(allow=["127.0.0.1"]), now=LATER)
    assert len(monitor.asked) == 2


def test_a_wrong_address_of_the_monitor_names_its_setting(monitor: Site, caplog: pytest.LogCaptureFixture) -> None:
    assert not send_heartbeat(url=f"{monitor.url}/none", fetcher=Fetcher(allow=["127.0.0.1"]), now=NOW)
    assert "Check the address. If this goes on, check NEWSLETTER_PULSE_URL." in caplog.text


def test_an_absent_monitor_is_tried_again_and_harms_nothing(monitor: Site, caplog: pytest.LogCaptureFixture) -> None:
    gone = monitor.put("/alive", "no", status=503)
    assert not send_heartbeat(url=gone, fetcher=Fetcher(allow=["127.0.0.1"]), now=NOW)
    assert "The monitor could not be reached" in caplog.text
