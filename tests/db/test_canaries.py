"""Canaries: sent before and after everybody, looked for by IMAP, judged, and what stops a send or lets it go on."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from io import StringIO
from typing import Any
from urllib.parse import urlsplit

import pytest
import time_machine
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.test import Client

from newsletter.common.errors import NotAllowed, WrongState
from newsletter.inbound.canaries.read_canaries import claim_mailbox, read_canary_mailboxes
from newsletter.issues.approval.approve import approve_issue
from newsletter.issues.planning.complete_send import complete_send
from newsletter.models import (
    Batch,
    CanaryMail,
    CanaryMailbox,
    Delivery,
    Installation,
    Issue,
    Publication,
    Send,
)
from newsletter.sending.adapters import current_adapter
from newsletter.sending.canaries.canary_decision import stop_waiting
from newsletter.sending.canaries.check_arrived_mail import FoundMail, record_found
from newsletter.sending.canaries.send_canaries import LOST_AFTER, MARK_HEADER, MAX_LAST_CANARY_DELAY
from newsletter.sending.dispatching.dispatcher import Dispatcher
from newsletter.sending.dispatching.worker_loop import dispatch_due
from newsletter.sending.freezing.start import start_send
from newsletter.sending.limits.rate_limit import slow_down
from newsletter.sending.settling.receipt import make_receipt
from newsletter.sending.settling.send_controls import (
    cancel_send,
    pause_send,
    resume_send,
)
from newsletter.sending.settling.sweep import sweep
from subscribers.identity import identify
from subscribers.models import Subscriber, Subscription, Suppression
from tests.support.canaries import (
    ADDRESS,
    PNG,
    CanaryServer,
    KeyDns,
    make_mailbox,
    sign,
    start_canary_send,
    write_received,
)
from tests.support.fake_provider import FakeProvider
from tests.support.fixtures import NOW, make_approver
from tests.support.imap_server import run_imap_server
from tests.support.provider_faults import answer, too_many
from tests.support.sends import check_against_ledger, make_ready_issue
from tests.support.web_site import Site, serve_site

pytestmark = pytest.mark.django_db(transaction=True)
MINUTE = timedelta(minutes=1)


@pytest.fixture(scope="module")
def running_sites() -> Iterator[tuple[Site, Site]]:
    """Keep the addresses of two sites for all tests, so that `repeat_rows` finds the same rows in each."""
    with serve_site() as own, serve_site() as other:
        yield own, other


@pytest.fixture
def own(running_sites: tuple[Site, Site], settings: Any) -> Site:
    """The site of this installation, with the pages to unsubscribe."""
    running, _ = running_sites
    running.clear()
    settings.NEWSLETTER_SITE_URL = running.url
    return running


@pytest.fixture
def site(running_sites: tuple[Site, Site]) -> Site:
    """The organisation's site, to which links and pictures lead."""
    _, running = running_sites
    running.clear()
    return running


@pytest.fixture
def server() -> Iterator[CanaryServer]:
    with run_imap_server(CanaryServer()) as running:
        assert isinstance(running, CanaryServer)
        yield running


@pytest.fixture
def provider(fake_provider: FakeProvider, settings: Any) -> FakeProvider:
    settings.NEWSLETTER_PROVIDER_URL = fake_provider.provider_url + "&max_batch=10"
    return fake_provider


class Walk:
    """A send whose minutes the test counts: `work` is what the jobs do in between."""

    def __init__(self, send: Send, *, provider: FakeProvider, own: Site) -> None:
        self.send, self.provider, self.own, self.now = send, provider, own, NOW

    def work(self, *, minutes: float = 0, dispatch: bool = True) -> Send:
        self.now += timedelta(minutes=minutes)
        if dispatch:
            dispatch_due(dispatcher=Dispatcher(adapter=current_adapter(), clock=lambda: self.now))
        sweep(adapter=current_adapter(), clock=lambda: self.now)
        if dispatch:
            dispatch_due(dispatcher=Dispatcher(adapter=current_adapter(), clock=lambda: self.now))
            sweep(adapter=current_adapter(), clock=lambda: self.now)
        self.send.refresh_from_db()
        return self.send

    def read(self, *, minutes: float = 1, seconds: float = 5.0) -> int:
        self.now += timedelta(minutes=minutes)
        return read_canary_mailboxes(now=self.now, dns=KeyDns(), seconds=seconds)

    def letters(self, address: str = ADDRESS) -> list[Any]:
        return self.provider.mailbox(address)

    def deliver(self, server: CanaryServer, *, folder: str = "INBOX", letter: int = 0, **changes: Any) -> None:
        """Put a canary's mail into its mailbox, and its page to unsubscribe on the site."""
        found = self.letters()[letter]
        self.own.put(find_unsubscribe_path(found), "Unsubscribe?")
        server.deliver(write_received(found, **changes), folder=folder, at=self.now + timedelta(seconds=20))

    @property
    def mailed(self) -> int:
        """The subscribers who were sent to."""
        return sum(count for address, count in self.provider.accepted_counts().items() if address != ADDRESS)


def find_unsubscribe_path(letter: Any) -> str:
    header = str(letter.headers["List-Unsubscribe"])
    return urlsplit(header.partition("<")[2].partition(">")[0]).path


@pytest.fixture
def walk(provider: FakeProvider, own: Site, site: Site) -> Callable[..., Walk]:
    """Start sends of approved issues.

    Most tests add the mailbox afterwards: its port would make the rows of each issue new. Some add it before, as staff do.
    """
    return lambda **changes: Walk(start_canary_send(site, **changes), provider=provider, own=own)


def get_mail(turn: str = "first") -> CanaryMail:
    return CanaryMail.objects.get(turn=turn)


def test_everybody_waits_until_the_canary_arrived_well(walk: Any, server: CanaryServer) -> None:
    made = walk()
    make_mailbox(server)
    assert made.work().state == "submitting"
    assert (made.mailed, len(made.letters())) == (0, 1)
    made.deliver(server)
    assert made.read() == 1
    mail = get_mail()
    assert (mail.result, mail.placement, mail.folder, mail.copies) == ("good", "inbox", "INBOX", 1), mail.findings
    assert (mail.seconds, mail.measured_at) == (20, made.now)
    assert made.work().canary_decision == "passed"
    assert made.work().state == "submitted"
    assert (made.mailed, len(made.letters())) == (25, 2)


def test_the_last_canary_follows_everybody_and_is_looked_for(walk: Any, server: CanaryServer) -> None:
    made = walk()
    make_mailbox(server)
    made.work()
    made.deliver(server)
    made.read()
    made.work()
    assert [entry.recipients for entry in made.provider.accepted()][-1] == [ADDRESS]
    made.deliver(server, letter=1)
    assert made.read() == 1
    assert {mail.turn: mail.result for mail in CanaryMail.objects.all()} == {"first": "good", "last": "good"}


def test_a_canary_in_spam_stops_the_rest_until_staff_resume(walk: Any, server: CanaryServer) -> None:
    make_mailbox(server)
    made = walk()
    made.work()
    made.deliver(server, folder="Junk")
    made.read()
    send = made.work()
    assert (send.state, send.code, made.mailed) == ("paused", "canary", 0)
    assert "is in spam at the canary canary@mailboxes.example.net" in send.reason
    assert send.automatic_pauses.get().rule == "canary"
    resume_send(send=send, by=make_approver())
    assert made.work().canary_decision == "by_staff"
    assert made.work().state == "submitted"
    assert made.mailed == 25


def test_the_same_spam_stops_nothing_if_nobody_chose_so(walk: Any, server: CanaryServer) -> None:
    made = walk(canary="watch")
    make_mailbox(server)
    made.work()
    made.deliver(server, folder="Junk")
    made.read()
    assert get_mail().result == "spam"
    assert made.work().state == "submitted"
    assert made.mailed == 25


def test_without_canaries_nothing_is_sent_to_them(walk: Any, server: CanaryServer) -> None:
    make_mailbox(server)
    made = walk(canary="off")
    assert made.work().state == "submitted"
    assert (made.mailed, CanaryMail.objects.count()) == (25, 0)


def test_the_first_mail_leaves_before_everybody_elses(walk: Any, server: CanaryServer) -> None:
    made = walk(canary="watch")
    make_mailbox(server)
    made.work()
    assert made.provider.accepted()[0].recipients == [ADDRESS]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda html: html.replace("/story", "/gone"), "Dead: "),
        (lambda html: html.replace("</body>", '<img src="{site}/lost.png" alt=""></body>'), "Dead: "),
    ],
)
def test_a_dead_link_or_picture_stops_the_rest(
    walk: Any, server: CanaryServer, site: Site, change: Callable[[str], str], says: str
) -> None:
    made = walk()
    make_mailbox(server)
    made.work()
    made.deliver(server, change=lambda html: change(html).replace("{site}", site.url))
    made.read()
    mail = get_mail()
    assert mail.result == "broken"
    assert [row["says"].startswith(says) for row in mail.findings if row["level"] == "error"] == [True]
    assert made.work().state == "paused"


def test_a_picture_that_loads_is_good(walk: Any, server: CanaryServer, site: Site) -> None:
    made = walk()
    make_mailbox(server)
    made.work()
    url = site.put("/picture.png", PNG)
    made.deliver(server, change=lambda html: html.replace("</body>", f'<img src="{url}" alt=""></body>'))
    made.read()
    assert get_mail().result == "good"
    assert "/picture.png" in [path for path, _ in site.asked]


def test_a_mail_without_a_signature_or_a_page_to_leave_is_broken(walk: Any, server: CanaryServer) -> None:
    made = walk()
    make_mailbox(server)
    made.work()
    server.deliver(write_received(made.letters()[0], signed=False))
    made.read()
    errors = {row["check"]: row["says"] for row in get_mail().findings if row["level"] == "error"}
    assert errors == {"DKIM signature": "The message is not signed.", "page to unsubscribe": "It does not open."}


def test_a_provider_that_replaces_the_link_to_leave_is_noticed(walk: Any, server: CanaryServer) -> None:
    made = walk()
    make_mailbox(server)
    made.work()
    raw = write_received(made.letters()[0], signed=False)
    server.deliver(sign(raw.replace(b"List-Unsubscribe: <http://127", b"List-Unsubscribe: <http://track.127")))
    made.read()
    assert [row["check"] for row in get_mail().findings if row["level"] == "error"] == ["page to unsubscribe"]


def test_the_page_to_leave_opens_and_unsubscribes_nobody(walk: Any, server: CanaryServer, client: Client) -> None:
    made = walk()
    make_mailbox(server)
    made.work()
    path = find_unsubscribe_path(made.letters()[0])
    assert client.get(path).status_code == 200
    assert client.post(path).status_code == 200
    assert (Suppression.objects.count(), Subscription.objects.open().count()) == (0, 25)
    made.deliver(server)
    made.read()
    assert made.work().state == "submitted"
    assert make_receipt(made.send).unsubscribed == 0


def test_a_damaged_mail_is_broken_and_ends_no_reading(walk: Any, server: CanaryServer) -> None:
    made = walk()
    make_mailbox(server)
    made.work()
    mark = made.letters()[0].headers[MARK_HEADER].encode()
    server.deliver(
        b"From: <<a@b\r\nFrom: c\r\nX-Entity-Ref-ID: " + mark + b"\r\nList-Unsubscribe: \xff\xfe\r\n\r\n\x00"
    )
    made.read()
    assert get_mail().result == "broken"


def test_gmails_tab_and_copies_under_labels_are_reported(walk: Any) -> None:
    with run_imap_server(CanaryServer(gmail=True)) as server:
        assert isinstance(server, CanaryServer)
        server.boxes |= {"All Mail": [], "Clients": []}
        make_mailbox(server)
        made = walk()
        made.work()
        made.deliver(server)
        inbox = server.boxes["INBOX"][0]
        server.boxes["Clients"].append(inbox)
        server.tabs["promotions"] = [1]
        made.read()
    mail = get_mail()
    assert (mail.result, mail.placement, mail.folder, mail.copies) == ("good", "category", "Gmail: promotions", 1)


def test_sent_and_deleted_mail_are_not_looked_through(walk: Any, server: CanaryServer) -> None:
    server.boxes |= {"Sent": [], "All Mail": [], "Shelf": []}
    made = walk()
    make_mailbox(server)
    made.work()
    for folder in ("Sent", "All Mail"):
        made.deliver(server, folder=folder)
    assert made.read() == 0
    assert not [command for command in server.commands if command.startswith("EXAMINE") and "All" in command]


def test_a_mail_in_another_folder_is_found_there(walk: Any, server: CanaryServer) -> None:
    made = walk()
    make_mailbox(server)
    made.work()
    made.deliver(server, folder="Newsletters")
    made.read()
    assert (get_mail().placement, get_mail().folder) == ("category", "Newsletters")


@pytest.mark.parametrize("command", ["EXAMINE", "SEARCH"])
def test_a_folder_that_may_not_be_read_is_left_out(walk: Any, server: CanaryServer, command: str) -> None:
    server.boxes["Archive"] = []
    server.denied = command, "Archive"
    made = walk()
    mailbox = make_mailbox(server)
    made.work()
    made.deliver(server, folder="Letters")
    assert made.read() == 1
    mailbox.refresh_from_db()
    assert (get_mail().folder, mailbox.error) == ("Letters", "")


@pytest.mark.parametrize("command", ["EXAMINE", "SEARCH"])
def test_an_inbox_that_may_not_be_read_is_a_failure(walk: Any, server: CanaryServer, command: str) -> None:
    server.denied = command, "INBOX"
    made = walk()
    mailbox = make_mailbox(server)
    made.work()
    assert made.read() == 0
    mailbox.refresh_from_db()
    assert "not allowed" in mailbox.error


def test_a_mail_that_arrives_twice_stops_the_rest_also_later(walk: Any, server: CanaryServer) -> None:
    made = walk()
    make_mailbox(server)
    made.work()
    made.deliver(server)
    made.read()
    made.deliver(server)
    made.read()
    mail = get_mail()
    assert (mail.copies, mail.result) == (2, "broken")
    assert made.work().state == "paused"
    assert made.mailed == 0
    made.read()
    assert get_mail().copies == 2
    assert len(get_mail().findings) == len(mail.findings)


@pytest.mark.parametrize(
    ("silence", "state", "decision", "mailed"),
    [("go_on", "submitted", "timed_out", 25), ("pause", "paused", "", 0)],
)
def test_a_mail_that_never_arrives_is_waited_for_as_long_as_chosen(
    walk: Any, server: CanaryServer, silence: str, state: str, decision: str, mailed: int
) -> None:
    made = walk(canary_minutes=10, canary_silence=silence)
    make_mailbox(server)
    made.work()
    made.read()
    assert made.work(minutes=7).state == "submitting"
    assert made.mailed == 0
    send = made.work(minutes=3)
    assert (send.state, send.canary_decision, made.mailed) == (state, decision, mailed)
    made.read(minutes=24 * 60)
    made.read()
    assert get_mail().result == "missing"


def test_a_shorter_wait_holds_for_a_send_that_waits_already(walk: Any, server: CanaryServer) -> None:
    made = walk(canary_minutes=60)
    make_mailbox(server)
    made.work()
    assert made.work(minutes=10).canary_decision == ""
    Publication.objects.update(canary_minutes=5)
    assert made.work().canary_decision == "timed_out"


def test_a_mail_that_arrives_after_the_wait_and_is_spam_still_stops(walk: Any, server: CanaryServer) -> None:
    made = walk(canary_minutes=5)
    make_mailbox(server)
    made.work()
    made.work(minutes=6, dispatch=False)
    assert made.send.canary_decision == "timed_out"
    made.deliver(server, folder="Junk")
    made.read()
    made.work(dispatch=False)
    assert made.send.state == "paused"


def test_turning_it_on_stops_a_send_that_is_half_done(walk: Any, server: CanaryServer) -> None:
    made = walk(canary="off")
    make_mailbox(server)
    Dispatcher(adapter=current_adapter(), clock=lambda: NOW).dispatch(made.send.batches.all()[0].pk)
    assert made.mailed == 10
    Publication.objects.update(canary="stop")
    made.work()
    assert made.mailed == 10
    made.deliver(server, folder="Junk")
    made.read()
    assert made.work().state == "paused"
    assert made.mailed == 10


def test_choosing_to_stop_counts_for_a_canary_that_was_only_watched(walk: Any, server: CanaryServer) -> None:
    made = walk(canary="watch")
    make_mailbox(server)
    made.work(dispatch=False)
    assert made.send.canary_decision == "watched"
    made.deliver(server, folder="Junk")
    made.read()
    Publication.objects.update(canary="stop")
    assert made.work().state == "paused"
    assert made.mailed == 0


@pytest.mark.parametrize("choice", ["watch", "off"])
def test_turning_it_off_frees_a_send_that_waits(walk: Any, server: CanaryServer, choice: str) -> None:
    made = walk()
    make_mailbox(server)
    made.work()
    assert made.mailed == 0
    Publication.objects.update(canary=choice)
    made.work()
    assert made.mailed == 25


def test_turning_the_mailbox_off_frees_a_send_that_waits(walk: Any, server: CanaryServer) -> None:
    made = walk()
    mailbox = make_mailbox(server)
    made.work()
    CanaryMailbox.objects.filter(pk=mailbox.pk).update(enabled=False)
    assert made.work().canary_decision == "no_mailbox"
    assert made.mailed == 25


def test_without_a_mailbox_a_send_continues(walk: Any) -> None:
    made = walk()
    made.work()
    assert (made.send.canary_decision, made.mailed) == ("no_mailbox", 25)


def test_every_canary_must_arrive_and_one_alarm_is_enough(walk: Any, server: CanaryServer) -> None:
    made = walk()
    make_mailbox(server)
    make_mailbox(server, address="second@mailboxes.example.net")
    made.work()
    made.deliver(server)
    made.read()
    assert made.work().canary_decision == ""
    raw = write_received(made.letters("second@mailboxes.example.net")[0])
    server.deliver(raw, folder="Junk")
    made.read()
    assert made.work().state == "paused"
    assert "second@mailboxes.example.net" in made.send.reason


@pytest.mark.parametrize(("silence", "state"), [("pause", "paused"), ("go_on", "submitted")])
def test_a_canary_that_was_refused_has_not_passed(walk: Any, server: CanaryServer, silence: str, state: str) -> None:
    made = walk(canary_silence=silence)
    make_mailbox(server)
    refused = make_mailbox(server, address="second@mailboxes.example.net")
    made.work()
    CanaryMail.objects.filter(mailbox=refused).update(state="failed", sent_at=None, reason="it refused the address")
    made.deliver(server)
    made.read()
    assert made.work().state == state
    assert ("not every canary got the issue" in made.send.reason) is (silence == "pause")


def test_a_refused_sender_is_not_called_again_for_the_canary(walk: Any, server: CanaryServer) -> None:
    made = walk()
    make_mailbox(server)
    made.provider.fault_next(answer(401, b"Forbidden"))
    made.work(dispatch=False)
    assert (get_mail().state, get_mail().result) == ("failed", "")
    made.work(minutes=20, dispatch=False)
    assert made.letters() == []


def test_a_canary_among_those_a_cancelled_send_left_gets_the_issue_once(walk: Any, server: CanaryServer) -> None:
    made = walk()
    cancel_send(send=made.send, by=make_approver(), now=NOW)
    rest = complete_send(issue=Issue.objects.get(), by=make_approver(), now=NOW)
    approve_issue(issue=rest, by=make_approver(), now=NOW)
    make_mailbox(server)
    Subscriber.objects.filter(email="person3@example.com").update(email=ADDRESS, address_hash=identify(ADDRESS))
    made.send = start_send(issue=Issue.objects.get(pk=rest.pk), now=NOW)
    made.work()
    assert get_mail().state == "skipped"
    assert len(made.letters()) == 1


def test_staff_continue_a_send_without_waiting(walk: Any, server: CanaryServer) -> None:
    made = walk()
    make_mailbox(server)
    made.work()
    with pytest.raises(NotAllowed):
        stop_waiting(send=made.send, by=make_reader())
    stop_waiting(send=made.send, by=make_approver())
    made.deliver(server, folder="Junk")
    made.read()
    assert made.work().state == "submitted"
    assert made.mailed == 25
    with pytest.raises(WrongState):
        stop_waiting(send=made.send, by=make_approver())


def make_reader() -> Any:
    from django.contrib.auth.models import User

    return User.objects.create_user("reader")


def test_resuming_another_pause_does_not_skip_the_canary(walk: Any, server: CanaryServer) -> None:
    made = walk()
    make_mailbox(server)
    made.work()
    pause_send(send=made.send, by=make_approver())
    made.work()
    resume_send(send=made.send, by=make_approver())
    assert made.work().canary_decision == ""
    assert made.mailed == 0


def test_a_canary_who_is_a_subscriber_gets_the_issue_once(walk: Any, server: CanaryServer) -> None:
    make_mailbox(server, address="person3@example.com")
    made = walk()
    made.work()
    mail = get_mail()
    assert (mail.state, "as a subscriber" in mail.reason) == ("skipped", True)
    assert made.send.canary_decision == "not_sent"
    assert made.work().state == "submitted"
    check_against_ledger(made.send, made.provider, recipients=25)
    assert len(made.letters("person3@example.com")) == 1
    assert get_mail("last").state == "skipped"


def test_a_subscriber_who_moves_to_the_canarys_address_gets_no_canary(walk: Any, server: CanaryServer) -> None:
    made = walk()
    make_mailbox(server)
    Subscriber.objects.filter(email="person3@example.com").update(email=ADDRESS, address_hash=identify(ADDRESS))
    made.work()
    assert get_mail().state == "skipped"
    assert len(made.letters()) == 1


def test_no_count_of_subscribers_contains_a_canary(walk: Any, server: CanaryServer) -> None:
    made = walk()
    make_mailbox(server)
    made.work()
    made.deliver(server)
    made.read()
    made.work()
    receipt = make_receipt(made.send)
    assert (receipt.recipients, receipt.deliveries["accepted"], Delivery.objects.count()) == (25, 25, 25)
    assert sum(Batch.objects.values_list("size", flat=True)) == 25
    tags = {entry.form.mail_for(ADDRESS).tags for entry in made.provider.accepted() if entry.recipients == [ADDRESS]}
    assert all(made.send.issue.public_id not in found for found in tags)


def test_a_canary_gets_the_headers_of_a_subscribers_mail(walk: Any, server: CanaryServer) -> None:
    made = walk()
    make_mailbox(server)
    made.work()
    made.deliver(server)
    made.read()
    made.work()
    canary, subscriber = made.letters()[0], made.letters("person1@example.com")[0]
    assert set(canary.headers) == set(subscriber.headers)
    assert (canary.subject, canary.sender) == (subscriber.subject, subscriber.sender)


def test_an_installation_that_writes_to_files_uses_no_canary(
    own: Site, site: Site, server: CanaryServer, settings: Any, fake_provider: FakeProvider
) -> None:
    settings.NEWSLETTER_PROVIDER_URL = "outbox://"
    make_mailbox(server)
    made = Walk(start_canary_send(site), provider=fake_provider, own=own)
    made.work()
    assert (made.send.canary_decision, made.send.state) == ("to_files", "submitted")
    assert CanaryMail.objects.count() == 0


@pytest.mark.parametrize(
    "fault", [{"refuses": "LOGIN"}, {"hangs_at": "LIST"}, {"breaks_at": "FIELDS"}, {"hangs_at": "greeting"}]
)
def test_a_mailbox_that_fails_is_named_and_stops_no_other(
    walk: Any, server: CanaryServer, fault: dict[str, Any]
) -> None:
    with run_imap_server(CanaryServer(**fault)) as failing:
        assert isinstance(failing, CanaryServer)
        failing.deliver(b"X-Entity-Ref-ID: none\r\n\r\n")
        mailbox = make_mailbox(failing, address="a-first@mailboxes.example.net")
        make_mailbox(server)
        made = walk(canary_minutes=5)
        made.work()
        made.deliver(server)
        assert made.read(seconds=1.0) == 1
        mailbox.refresh_from_db()
        assert (mailbox.failing_since, bool(mailbox.error)) == (made.now, True)
        assert made.work().canary_decision == ""
        assert made.work(minutes=5).canary_decision == "timed_out"
    assert "secret" not in mailbox.error


def test_a_mailbox_whose_password_is_corrected_is_read_again(walk: Any, server: CanaryServer) -> None:
    made = walk()
    mailbox = make_mailbox(server, sealed_password="sealed with a key that is lost")
    made.work()
    made.deliver(server)
    assert made.read() == 0
    mailbox.refresh_from_db()
    assert "cannot be decrypted" in mailbox.error
    make = make_mailbox(server, address="other@mailboxes.example.net")
    CanaryMailbox.objects.filter(pk=mailbox.pk).update(sealed_password=make.sealed_password)
    assert made.read() == 1
    mailbox.refresh_from_db()
    assert (mailbox.failing_since, mailbox.error) == (None, "")


def test_a_private_mail_server_needs_to_be_named(walk: Any, server: CanaryServer, settings: Any) -> None:
    settings.NEWSLETTER_FETCH_ALLOW = []
    made = walk()
    mailbox = make_mailbox(server)
    made.work()
    made.read()
    mailbox.refresh_from_db()
    assert "NEWSLETTER_FETCH_ALLOW" in mailbox.error
    assert server.commands == []


def test_two_processes_read_a_mailbox_once_in_ten_seconds(walk: Any, server: CanaryServer) -> None:
    made = walk()
    make_mailbox(server)
    made.work()
    made.read()
    asked = len(server.commands)
    made.read(minutes=0.1)
    assert len(server.commands) == asked
    made.read(minutes=0.1)
    assert len(server.commands) > asked


def test_no_process_reads_while_another_judges_for_long(
    walk: Any, server: CanaryServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = walk()
    mailbox = make_mailbox(server)
    made.work()
    made.deliver(server)
    asked: list[int] = []

    def judge(*_: Any, **__: Any) -> list[Any]:
        asked.append(len(server.commands))
        assert read_canary_mailboxes(now=made.now + MINUTE, dns=KeyDns()) == 0
        asked.append(len(server.commands))
        return []

    monkeypatch.setattr("newsletter.inbound.canaries.read_canaries.judge_message", judge)
    assert made.read() == 1
    assert asked[0] == asked[1]
    mailbox.refresh_from_db()
    assert (mailbox.looked_at, mailbox.reading_until) == (made.now, None)


def test_a_reading_whose_process_died_is_made_up_for(walk: Any, server: CanaryServer) -> None:
    made = walk()
    mailbox = make_mailbox(server)
    made.work()
    made.deliver(server)
    dead = claim_mailbox(mailbox, every=MINUTE, seconds=90, now=made.now)
    assert dead is not None
    assert (made.read(minutes=1), made.read(minutes=2)) == (0, 1)
    assert not dead.renew(seconds=60)


def test_a_reading_that_lost_its_claim_writes_nothing_more(
    walk: Any, server: CanaryServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = walk()
    make_mailbox(server)
    made.work()
    made.deliver(server)
    monkeypatch.setattr("newsletter.inbound.canaries.read_canaries.MailboxClaim.renew", lambda *_, **__: False)
    assert made.read() == 0
    assert get_mail().result == ""


def test_a_late_result_lowers_no_copies_and_ends_no_alarm(walk: Any, server: CanaryServer) -> None:
    made = walk()
    make_mailbox(server)
    made.work()
    stale = get_mail()
    found = FoundMail(CanaryMail.Placement.INBOX, "INBOX", made.now, copies=1)
    record_found(get_mail(), replace(found, copies=2), findings=[], now=made.now)
    record_found(stale, found, findings=[], now=made.now)
    assert (get_mail().copies, get_mail().result) == (2, "broken")
    stale = get_mail()
    record_found(get_mail(), replace(found, copies=3), findings=[], now=made.now)
    record_found(stale, found, findings=[], now=made.now)
    assert get_mail().copies == 3


def test_a_late_result_adds_the_copies_that_it_found(walk: Any, server: CanaryServer) -> None:
    made = walk()
    make_mailbox(server)
    made.work()
    stale = get_mail()
    found = FoundMail(CanaryMail.Placement.INBOX, "INBOX", made.now, copies=1)
    record_found(get_mail(), found, findings=[], now=made.now)
    record_found(stale, replace(found, copies=2), findings=[], now=made.now)
    assert (get_mail().copies, get_mail().result) == (2, "broken")


def test_a_result_of_a_mailbox_that_was_removed_is_dropped(walk: Any, server: CanaryServer) -> None:
    made = walk()
    mailbox = make_mailbox(server)
    made.work()
    mail = get_mail()
    mailbox.delete()
    record_found(mail, FoundMail(CanaryMail.Placement.INBOX, "INBOX", made.now, copies=1), findings=[], now=made.now)
    assert CanaryMail.objects.count() == 0


def test_a_mailbox_is_read_only_while_a_mail_is_awaited(walk: Any, server: CanaryServer) -> None:
    make_mailbox(server)
    read_canary_mailboxes(now=NOW, dns=KeyDns())
    assert server.commands == []


@pytest.mark.parametrize("has_mailbox", [False, True])
def test_send_now_looks_for_canaries_if_there_is_a_mailbox(
    has_mailbox: bool, provider: FakeProvider, server: CanaryServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[datetime] = []
    monkeypatch.setattr(
        "newsletter.inbound.canaries.read_canaries.read_canary_mailboxes", lambda *, now: looked.append(now)
    )
    if has_mailbox:
        make_mailbox(server)
    with time_machine.travel(NOW):
        call_command("send", make_ready_issue().reference, "--now", "--json", stdout=StringIO())
    assert bool(looked) == has_mailbox


def test_a_provider_that_asks_to_wait_gets_the_mail_later_once(walk: Any, server: CanaryServer) -> None:
    made = walk()
    make_mailbox(server)
    made.provider.fault_next(too_many())
    made.work(dispatch=False)
    assert get_mail().state == "waiting"
    made.work(minutes=10, dispatch=False)
    made.work(minutes=1, dispatch=False)
    assert (get_mail().state, len(made.letters())) == ("accepted", 1)


def test_a_mail_whose_process_died_is_never_sent_again(walk: Any, server: CanaryServer) -> None:
    made = walk()
    make_mailbox(server)
    made.work(dispatch=False)
    CanaryMail.objects.update(state="sending", sent_at=NOW)
    made.now += LOST_AFTER + MINUTE
    made.work(dispatch=False)
    assert (get_mail().state, len(made.letters())) == ("uncertain", 1)


def test_an_address_outside_the_allowlist_gets_no_canary(walk: Any, server: CanaryServer, settings: Any) -> None:
    settings.SUBSCRIBERS_ONLY_TO = ["@example.com"]
    made = walk()
    make_mailbox(server)
    made.work()
    assert (get_mail().state, made.send.canary_decision) == ("failed", "not_sent")
    assert made.letters() == []


def test_nothing_goes_to_a_canary_while_everything_is_held(walk: Any, server: CanaryServer) -> None:
    made = walk()
    make_mailbox(server)
    made.work(dispatch=False)
    made.letters()
    CanaryMail.objects.all().delete()
    Installation.objects.update(held=True, reason="test")
    made.work(dispatch=False)
    assert CanaryMail.objects.count() == 0


def test_a_send_that_ended_long_ago_gets_no_last_canary(walk: Any, server: CanaryServer) -> None:
    made = walk(canary="off")
    make_mailbox(server)
    made.work()
    Publication.objects.update(canary="watch")
    made.now += MAX_LAST_CANARY_DELAY + MINUTE
    made.work()
    assert CanaryMail.objects.count() == 0


def test_the_database_keeps_one_mail_for_each_turn(walk: Any, server: CanaryServer) -> None:
    made = walk()
    mailbox = make_mailbox(server)
    made.work(dispatch=False)
    values: dict[str, Any] = {"send": made.send, "mailbox": mailbox, "made_at": NOW, "key": "another"}
    for wrong in ({"turn": "first"}, {"turn": "last", "result": "good"}, {"turn": "last", "state": "odd"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            CanaryMail.objects.create(**values, **wrong)


def test_a_welcome_mail_never_waits_for_a_canary(walk: Any, server: CanaryServer) -> None:
    made = walk()
    make_mailbox(server)
    Send.objects.update(period="2026-03")
    made.work()
    assert CanaryMail.objects.count() == 0
    assert made.mailed == 25


def test_canaries_go_through_the_account_that_mails_everybody(
    two_accounts: Any, own: Site, site: Site, server: CanaryServer
) -> None:
    first, second = two_accounts
    make_mailbox(server)
    made = Walk(start_canary_send(site, account="backup", second_account="default"), provider=second, own=own)
    slow_down(name="mailgun", until=made.now + timedelta(hours=1))
    made.work()
    assert len(made.letters()) == 1
    made.deliver(server)
    made.read()
    made.work()
    assert first.ledger == []
    assert made.send.state == Send.State.SUBMITTED
