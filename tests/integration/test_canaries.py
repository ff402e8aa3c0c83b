"""An issue goes by SMTP through a real postfix, signed by a real OpenDKIM, to a canary in a real dovecot, and is found there."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import imapclient
import pytest

from newsletter.inbound.canaries.accounts import Account, add_mailbox
from newsletter.inbound.canaries.read_canaries import read_canary_mailboxes
from newsletter.models import CanaryMail, CanaryMailbox, Send
from newsletter.sending.adapters import current_adapter
from newsletter.sending.dispatching.dispatcher import Dispatcher
from newsletter.sending.dispatching.worker_loop import dispatch_due
from newsletter.sending.freezing.start import start_send
from newsletter.sending.settling.receipt import make_receipt
from newsletter.sending.settling.sweep import sweep
from subscribers.models import Subscription
from tests.integration import opendkim
from tests.integration.mail_servers import CANARY, MISSING, PASSWORD, MailServers, are_installed, run_mail_servers
from tests.support.canaries import KeyDns, make_canary_issue, make_key
from tests.support.web_site import Site, serve_site

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MailServers]:
    if not are_installed() or not opendkim.is_installed():
        pytest.skip(f"{MISSING} Or OpenDKIM is not.")
    folder: Path = tmp_path_factory.mktemp("opendkim")
    with opendkim.run_opendkim(folder, key=make_key()[0]) as milter, run_mail_servers(milter=milter) as started:
        yield started


@pytest.fixture
def own(live_server: Any, settings: Any) -> str:
    """This installation's own site, with its real page to unsubscribe."""
    settings.NEWSLETTER_SITE_URL = live_server.url
    return str(live_server.url)


@pytest.fixture
def site() -> Iterator[Site]:
    with serve_site() as running:
        yield running


@pytest.fixture
def send(servers: MailServers, own: str, site: Site, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Send]:
    """A send by SMTP that waits for its canary, whose first mail is in the inbox of the canary."""
    monkeypatch.setenv("SSL_CERT_FILE", str(servers.authority))
    settings.NEWSLETTER_PROVIDER_URL = f"smtp://127.0.0.1:{servers.smtp}"
    settings.NEWSLETTER_PRODUCTION = True
    empty_mailbox(servers)
    add_mailbox(Account(CANARY, "127.0.0.1", servers.imap, CANARY, PASSWORD), now=datetime.now(UTC))
    started = start_send(issue=make_canary_issue(site, recipients=12, stale_hours=0), now=datetime.now(UTC))
    work(started)
    servers.wait_for(1, user=CANARY)
    yield started
    current_adapter().close()


def work(send: Send) -> Send:
    for _ in range(2):
        dispatch_due(dispatcher=Dispatcher(adapter=current_adapter()))
        sweep(adapter=current_adapter())
    send.refresh_from_db()
    return send


def read() -> CanaryMail:
    CanaryMailbox.objects.update(looked_at=None)
    read_canary_mailboxes(now=datetime.now(UTC), dns=KeyDns())
    return CanaryMail.objects.latest("pk")


def count_accepted(send: Send) -> int:
    return make_receipt(send).deliveries["accepted"]


def empty_mailbox(servers: MailServers) -> None:
    with imapclient.IMAPClient("127.0.0.1", servers.imap, ssl=False, timeout=20) as client:
        client.login(CANARY, PASSWORD)
        for folder in ("INBOX", "Junk"):
            if client.folder_exists(folder):
                client.select_folder(folder)
                client.delete_messages(client.search())
                client.expunge()


def move_to_junk(servers: MailServers) -> None:
    """Do what a spam filter does when the mail arrives."""
    with imapclient.IMAPClient("127.0.0.1", servers.imap, ssl=False, timeout=20) as client:
        client.login(CANARY, PASSWORD)
        if not client.folder_exists("Junk"):
            client.create_folder("Junk")
        client.select_folder("INBOX")
        client.move(client.search(), "Junk")


def test_an_issue_that_arrives_in_the_inbox_goes_to_everybody(send: Send, servers: MailServers) -> None:
    assert count_accepted(send) == 0
    mail = read()
    assert (mail.result, mail.placement, mail.folder, mail.copies) == ("good", "inbox", "INBOX", 1), mail.findings
    assert mail.seconds is not None
    assert mail.seconds < 60
    assert Subscription.objects.open().count() == 12
    assert work(send).state == "submitted"
    assert (send.canary_decision, count_accepted(send)) == ("passed", 12)
    servers.wait_for(2, user=CANARY)
    assert (read().turn, read().result) == ("last", "good")
    assert len(servers.list_folder("INBOX", user=CANARY)) == 2


def test_an_issue_that_arrives_in_junk_stops_the_rest(send: Send, servers: MailServers) -> None:
    move_to_junk(servers)
    mail = read()
    assert (mail.result, mail.placement, mail.folder) == ("spam", "spam", "Junk")
    assert work(send).state == "paused"
    assert (send.code, count_accepted(send)) == ("canary", 0)


def test_reading_leaves_the_mail_unread_in_its_folder(send: Send, servers: MailServers) -> None:
    read()
    with imapclient.IMAPClient("127.0.0.1", servers.imap, ssl=False, timeout=20) as client:
        client.login(CANARY, PASSWORD)
        client.select_folder("INBOX", readonly=True)
        assert client.search("UNSEEN") == client.search() != []
