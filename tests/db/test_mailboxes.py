"""Mailboxes that are read by IMAP: once, with a deadline, in spite of servers that hang, break off or lack extensions."""

import gzip
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User

from newsletter.inbound import read_mailboxes as read_mailboxes_module
from newsletter.inbound import reading_order
from newsletter.inbound.errors import MailboxUnavailable
from newsletter.inbound.imap import open_mailbox
from newsletter.inbound.notices import notify_inbound_problems
from newsletter.inbound.read_mailboxes import list_readable_mailboxes, read_mailboxes
from newsletter.inbound.settings import parse_sources
from newsletter.jobs.catalogue import Job
from newsletter.jobs.timer import JobTimer
from newsletter.models import DmarcReport, InboundMail, Installation, MailboxReading, StaffNotice
from subscribers.links.signed_links import link_keys
from subscribers.links.unsubscribe_addresses import make_addresses
from subscribers.models import MailingList, Subscriber
from tests.support.aggregate_reports import make_report, make_report_mail
from tests.support.fixtures import NOW, make_publication
from tests.support.imap_server import PASSWORD, ImapServer, run_imap_server
from tests.support.inbound_mails import BOUNCE, COMPLAINT, INBOUND_ADDRESS, make_reply
from tests.support.people import make_member

pytestmark = pytest.mark.django_db(transaction=True)


def make_messages(count: int = 2) -> dict[int, bytes]:
    return {n: make_reply(message_id=f"<{n}@x>").as_bytes() for n in range(1, count + 1)}


def read(settings: Any, *servers: ImapServer, seconds: float = 5.0, now: Any = NOW) -> int:
    settings.NEWSLETTER_INBOUND = parse_sources([server.url for server in servers])
    return read_mailboxes(now=now, seconds=seconds)


def test_each_message_is_taken_once_and_moved(settings: Any) -> None:
    with run_imap_server(ImapServer(make_messages())) as server:
        assert read(settings, server) == 2
        assert read(settings, server) == 0
    assert (server.messages, len(server.folders["Handled"])) == ({}, 2)
    assert InboundMail.objects.count() == 2
    reading = MailboxReading.objects.get()
    assert (reading.last_uid, reading.read_at, reading.error) == (2, NOW, "")
    assert PASSWORD not in reading.label


def test_a_dmarc_report_in_a_mailbox_is_kept_and_its_mail_moved(settings: Any) -> None:
    make_publication()
    mail = make_report_mail(gzip.compress(make_report()))
    with run_imap_server(ImapServer({1: mail.as_bytes()})) as server:
        assert read(settings, server) == 1
    assert list(server.folders) == ["Handled"]
    assert (DmarcReport.objects.get().origin, InboundMail.objects.get().kind) == ("imap", "dmarc")


@pytest.mark.parametrize("capabilities", ["IMAP4rev1", "IMAP4rev1 UIDPLUS"])
def test_a_server_that_cannot_move_gets_a_copy_and_a_mark(settings: Any, capabilities: str) -> None:
    with run_imap_server(ImapServer(make_messages(), capabilities=capabilities)) as server:
        assert (read(settings, server), read(settings, server)) == (2, 0)
    assert len(server.folders["Handled"]) == 2
    assert server.messages.keys() == (set() if "UIDPLUS" in capabilities else server.deleted)


def test_a_folder_that_cannot_be_made_is_an_error_and_nothing_counts_twice(settings: Any) -> None:
    with run_imap_server(ImapServer(make_messages(1), refuses="CREATE")) as server:
        read(settings, server)
        assert "not allowed" in MailboxReading.objects.get().error
        assert server.messages
        server.refuses = ""
        read(settings, server, now=NOW + timedelta(minutes=1))
    assert (InboundMail.objects.count(), server.messages) == (1, {})
    assert MailboxReading.objects.get().failing_since is None


def test_a_mailbox_that_is_numbered_again_has_no_effect_twice(settings: Any) -> None:
    with run_imap_server(ImapServer(make_messages(1))) as server:
        read(settings, server)
        server.validity, server.messages = 2, make_messages(1)
        assert read(settings, server) == 1
    assert InboundMail.objects.count() == 1


COMMANDS = ["greeting", "CAPABILITY", "LOGIN", "SELECT", "SEARCH", "FETCH", "LIST", "MOVE"]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_server_that_hangs_is_given_up_and_stops_no_other(settings: Any, command: str) -> None:
    with run_imap_server(ImapServer(make_messages(1))) as sound:
        with run_imap_server(ImapServer(make_messages(1), hangs_at=command)) as hanging:
            hanging.messages[1] = make_reply(message_id="<other@x>").as_bytes()
            read(settings, hanging, sound, seconds=0.5)
            assert hanging.ended_hangs == 0
            failing = MailboxReading.objects.exclude(failing_since=None).get()
            assert "tried again every minute" in failing.error
            assert sound.messages == {}
            hanging.hangs_at = ""
            read(settings, hanging, sound, seconds=5.0)
        assert hanging.messages == {}
    assert not MailboxReading.objects.exclude(failing_since=None).exists()
    assert InboundMail.objects.count() == 2


@pytest.mark.parametrize("command", COMMANDS)
def test_a_connection_that_breaks_off_loses_nothing(settings: Any, command: str) -> None:
    with run_imap_server(ImapServer(make_messages(), breaks_at=command)) as server:
        read(settings, server)
        assert MailboxReading.objects.get().error
        server.breaks_at = ""
        read(settings, server)
    assert (server.messages, InboundMail.objects.count()) == ({}, 2)


def test_a_deadline_ends_a_reading_of_many_slow_answers(settings: Any) -> None:
    """Each answer comes within the time for one, all together do not."""
    slow = ImapServer(make_messages(50))
    answer = slow._do
    slow._do = lambda name, command: (time.sleep(0.2), answer(name, command))[1]  # type: ignore[method-assign]
    with run_imap_server(slow) as server:
        read(settings, server, seconds=1.0)
        assert len(server.commands) < 15
        assert len(server.messages) > 40
    assert MailboxReading.objects.get().failing_since == NOW


def test_a_password_in_an_answer_is_not_kept(settings: Any) -> None:
    with run_imap_server(ImapServer()) as server:
        server._do = lambda name, command: (b"", f"NO {command}")  # type: ignore[method-assign]
        read(settings, server)
    error = MailboxReading.objects.get().error
    assert error
    assert PASSWORD not in error.replace(MailboxReading.objects.get().label, "")


def test_a_server_elsewhere_must_offer_tls() -> None:
    """The password is never sent before."""
    with run_imap_server(ImapServer()) as server:
        (mailbox,) = parse_sources([server.url.replace("127.0.0.1", "localhost.localdomain")]).mailboxes
        assert mailbox.security == "starttls"
        object.__setattr__(mailbox, "host", "127.0.0.1")
        with pytest.raises(MailboxUnavailable), open_mailbox(mailbox, seconds=5):
            pass
    assert not any(command.startswith("LOGIN") for command in server.commands)


def test_a_copy_takes_nothing_out_of_a_mailbox(settings: Any) -> None:
    """Outside production, and while everything is held."""
    elsewhere = parse_sources(["imaps://replies:secret@mail.example.org"])
    settings.NEWSLETTER_INBOUND = elsewhere
    assert list_readable_mailboxes(now=NOW) == []
    settings.NEWSLETTER_PRODUCTION = True
    assert list_readable_mailboxes(now=NOW) == list(elsewhere.mailboxes)
    with run_imap_server(ImapServer(make_messages())) as server:
        Installation.objects.update(held=True)
        assert read(settings, server) == 0
        assert server.commands == []
        Installation.objects.update(held=False)
        assert read(settings, server) == 2


def test_staff_are_notified_of_a_mailbox_that_keeps_failing(settings: Any) -> None:
    make_publication()
    User.objects.create_superuser("dan", "dan@example.org")
    with run_imap_server(ImapServer(hangs_at="LOGIN")) as server:
        for minutes in (0, 16, 17):
            read(settings, server, seconds=0.3, now=NOW + timedelta(minutes=minutes))
            notify_inbound_problems(now=NOW + timedelta(minutes=minutes))
            assert StaffNotice.objects.count() == (1 if minutes else 0)
    assert "does not answer in time" in StaffNotice.objects.get().paragraphs[0]


def test_a_hanging_mailbox_stops_no_other_job(settings: Any) -> None:
    with run_imap_server(ImapServer(hangs_at="LOGIN")) as server:
        (mailbox,) = parse_sources([server.url]).mailboxes
        reading, ran, given_up = threading.Event(), threading.Event(), threading.Event()

        def hang() -> None:
            reading.set()
            with pytest.raises(MailboxUnavailable), open_mailbox(mailbox, seconds=60.0):
                pass
            given_up.set()

        def run_beside() -> None:
            assert reading.wait(60)
            ran.set()

        timer = JobTimer([Job("hangs", 60, hang, "scheduler"), Job("runs", 60, run_beside, "scheduler")])
        timer.start()
        assert ran.wait(60)
        assert not given_up.is_set()
    assert timer.stop(within=60)


def sign_address(person: Subscriber) -> str:
    mailing_list = bytes.fromhex(MailingList.objects.get().public_id)
    make = make_addresses(link_keys()[0], inbound_address=INBOUND_ADDRESS, mailing_list=mailing_list, mailing=1)
    return make([person.uuid.bytes])[0]


def make_flood(*, reports: int, address: str) -> dict[int, bytes]:
    """Return forged reports, and after them a mail that unsubscribes."""
    report = gzip.compress(make_report())
    messages = {n: make_report_mail(report, subject=f"Report-ID: {n}").as_bytes() for n in range(1, reports + 1)}
    return {**messages, reports + 1: make_reply(to=address, text="").as_bytes()}


@pytest.fixture
def ana(settings: Any) -> Subscriber:
    settings.NEWSLETTER_INBOUND_ADDRESS = INBOUND_ADDRESS
    make_publication()
    return make_member(MailingList.objects.get(), "ana@example.com")


def list_kinds() -> list[str]:
    return list(InboundMail.objects.order_by("pk").values_list("kind", flat=True))


@pytest.mark.requirement("U1")
def test_a_mail_that_unsubscribes_is_read_before_a_flood_of_reports(
    settings: Any, ana: Subscriber, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reading takes fewer messages than came before it."""
    monkeypatch.setattr(read_mailboxes_module, "MESSAGES_A_READING", 3)
    with run_imap_server(ImapServer(make_flood(reports=5, address=sign_address(ana)))) as server:
        assert read(settings, server) == 3
        assert list_kinds() == ["unsubscribe", "dmarc", "dmarc"]
        assert not ana.subscriptions.open().exists()
        assert MailboxReading.objects.get().last_uid == 2, "The reports after it are still to be read."
        assert read(settings, server) == 3
        assert (server.messages, InboundMail.objects.count()) == ({}, 6)


@pytest.mark.requirement("U1")
def test_many_who_unsubscribe_leave_nothing_unread(
    settings: Any, ana: Subscriber, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read_mailboxes_module, "MESSAGES_A_READING", 2)
    people = [ana, *(make_member(MailingList.objects.get(), f"{name}@example.com") for name in ("bo", "cleo"))]
    messages = {n: make_reply(to=sign_address(person), text="").as_bytes() for n, person in enumerate(people, start=2)}
    with run_imap_server(ImapServer({1: make_reply(message_id="<1@x>").as_bytes(), **messages})) as server:
        assert [read(settings, server) for _ in range(3)] == [2, 2, 0]
    assert list_kinds() == ["unsubscribe", "unsubscribe", "unsubscribe", "reply"]


def test_a_flood_to_one_signed_address_comes_first_once(
    settings: Any, ana: Subscriber, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read_mailboxes_module, "MESSAGES_A_READING", 3)
    bo = make_member(MailingList.objects.get(), "bo@example.com")
    address = sign_address(ana)
    flood = {n: make_reply(to=address, text="", message_id=f"<{n}@x>").as_bytes() for n in range(3, 9)}
    messages = {1: BOUNCE, 2: COMPLAINT, **flood, 9: make_reply(to=sign_address(bo), text="").as_bytes()}
    with run_imap_server(ImapServer(messages)) as server:
        assert read(settings, server) == 3
        assert list_kinds() == ["unsubscribe", "unsubscribe", "bounce"]
        assert not bo.subscriptions.open().exists()
        assert [read(settings, server) for _ in range(3)] == [3, 3, 0]
    assert sorted(list_kinds()) == ["bounce", "complaint", *["unsubscribe"] * 7]


def test_some_places_of_a_reading_are_kept_for_the_rest(
    settings: Any, ana: Subscriber, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even if more people unsubscribe than a reading takes."""
    monkeypatch.setattr(read_mailboxes_module, "MESSAGES_A_READING", 4)
    people = [ana, *(make_member(MailingList.objects.get(), f"person{n}@example.com") for n in range(4))]
    messages = {n: make_reply(to=sign_address(person), text="").as_bytes() for n, person in enumerate(people, start=2)}
    with run_imap_server(ImapServer({1: BOUNCE, **messages})) as server:
        assert [read(settings, server) for _ in range(3)] == [4, 2, 0]
    assert list_kinds() == ["unsubscribe"] * 3 + ["bounce"] + ["unsubscribe"] * 2


def test_a_forged_address_to_unsubscribe_does_not_come_first(settings: Any, ana: Subscriber) -> None:
    forged = f"replies+{'a' * 48}@news.example.org"
    messages = {1: make_reply(text="first").as_bytes(), 2: make_reply(to=forged, text="second").as_bytes()}
    with run_imap_server(ImapServer(messages)) as server:
        assert read(settings, server) == 2
    assert list(InboundMail.objects.order_by("pk").values_list("text", flat=True)) == ["first", "second"]
    assert ana.subscriptions.open().exists()


def test_only_so_many_recipients_are_looked_at(settings: Any, ana: Subscriber, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond them, mails are read in the order of arrival."""
    monkeypatch.setattr(reading_order, "MAX_SCANNED", 4)
    monkeypatch.setattr(reading_order, "SCAN_BATCH_SIZE", 3)
    messages = make_flood(reports=4, address=sign_address(ana))
    with run_imap_server(ImapServer(messages)) as server:
        read(settings, server)
        looks = [command for command in server.commands if "HEADER.FIELDS" in command]
    assert len(looks) == 2
    assert list_kinds() == ["dmarc"] * 4 + ["unsubscribe"]


def test_looking_ends_before_its_time_is_over(settings: Any, ana: Subscriber, monkeypatch: pytest.MonkeyPatch) -> None:
    """Looking at one message takes more than half of the time for looking."""
    monkeypatch.setattr(reading_order, "SCAN_BATCH_SIZE", 1)
    slow = ImapServer(make_flood(reports=2, address=sign_address(ana)), seconds_a_line=0.2)
    with run_imap_server(slow) as server:
        assert read(settings, server) == 3
        assert len([command for command in server.commands if "HEADER.FIELDS" in command]) == 1
        assert len([command for command in server.commands if command.startswith("SELECT")]) == 1
    assert list_kinds() == ["dmarc", "dmarc", "unsubscribe"]


def test_a_server_that_answers_each_header_slowly_is_read(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Looking at all messages would take longer than the whole reading. Each reading takes its share."""
    monkeypatch.setattr(read_mailboxes_module, "MESSAGES_A_READING", 3)
    with run_imap_server(ImapServer(make_messages(60), seconds_a_line=0.05)) as server:
        assert [read(settings, server, seconds=3.0) for _ in range(2)] == [3, 3]
    assert len(server.messages) == 54
    assert MailboxReading.objects.get().error == ""


@pytest.mark.parametrize("failing", ["hangs_at", "breaks_at", "refuses"])
def test_a_server_that_hides_recipients_is_read(settings: Any, failing: str) -> None:
    with run_imap_server(ImapServer(make_messages(), **{failing: "FIELDS"})) as server:  # type: ignore[arg-type]
        assert read(settings, server, seconds=3.0) == 2
    assert (server.messages, MailboxReading.objects.get().error) == ({}, "")


def break_second_look(server: ImapServer, *, first: Callable[[], None] = lambda: None) -> None:
    """End the connection when recipients are looked at for the second time, after something else was done."""

    def go_on(name: str, _: Any) -> bool:
        if name != "FIELDS" or len([command for command in server.commands if "HEADER.FIELDS" in command]) < 2:
            return True
        first()
        return False

    server._go_on = go_on  # type: ignore[method-assign]


def test_mails_found_before_a_failed_look_come_first(
    settings: Any, ana: Subscriber, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading_order, "SCAN_BATCH_SIZE", 3)
    flood = make_flood(reports=2, address=sign_address(ana))
    with run_imap_server(ImapServer({**flood, 4: make_reply().as_bytes()})) as server:
        break_second_look(server)
        assert read(settings, server) == 4
    assert list_kinds() == ["unsubscribe", "dmarc", "dmarc", "reply"]


def test_found_mails_are_forgotten_if_the_server_renumbers_messages(
    settings: Any, ana: Subscriber, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading_order, "SCAN_BATCH_SIZE", 3)
    flood = make_flood(reports=2, address=sign_address(ana))
    reply, leaves = make_reply().as_bytes(), flood[3]
    with run_imap_server(ImapServer({**flood, 4: reply})) as server:

        def number_again() -> None:
            server.validity, server.messages = 2, {1: flood[1], 3: reply, 5: leaves}

        break_second_look(server, first=number_again)
        assert read(settings, server) == 3
    assert list_kinds() == ["dmarc", "reply", "unsubscribe"]


def test_an_unsubscribe_that_was_stored_before_a_crash_counts_once(settings: Any, ana: Subscriber) -> None:
    messages = make_flood(reports=2, address=sign_address(ana))
    with run_imap_server(ImapServer(dict(messages), breaks_at="MOVE")) as server:
        read(settings, server)
        assert list_kinds() == ["unsubscribe"]
        assert MailboxReading.objects.get().last_uid == 0
        server.breaks_at = ""
        assert read(settings, server) == 3
    assert (server.messages, sorted(list_kinds())) == ({}, ["dmarc", "dmarc", "unsubscribe"])
