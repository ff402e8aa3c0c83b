"""A person leaves by mail, replies and is away, and a mail bounces: through a real postfix, into a real dovecot, and out."""

from collections.abc import Iterator
from datetime import UTC, datetime
from email import message_from_bytes
from typing import Any
from urllib.parse import quote

import imapclient
import pytest

from newsletter.feedback.apply import apply_due_events
from newsletter.inbound import read_mailboxes as read_mailboxes_module
from newsletter.inbound.forward_replies import forward_waiting_replies
from newsletter.inbound.read_mailboxes import HANDLED, UNREADABLE, read_mailboxes
from newsletter.inbound.settings import parse_sources
from newsletter.models import InboundMail, MailboxReading
from newsletter.models.feedback import Bounce
from newsletter.providers.base.mail.mime import POLICY
from newsletter.sending.adapters import current_adapter
from subscribers.models import Reason, Reply, Subscriber, Suppression
from tests.integration.mail_servers import MISSING, PASSWORD, USER, MailServers, are_installed, run_mail_servers
from tests.support.inbound_mails import make_reply
from tests.support.sends import make_ready_issue, send_issue

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def servers() -> Iterator[MailServers]:
    if not are_installed():
        pytest.skip(MISSING)
    with run_mail_servers() as started:
        yield started


@pytest.fixture
def mailbox(servers: MailServers, settings: Any, fake_provider: Any, monkeypatch: pytest.MonkeyPatch) -> MailServers:
    """Read the mailbox over TLS, with the certificate of the test."""
    monkeypatch.setenv("SSL_CERT_FILE", str(servers.authority))
    url = f"imaps://{quote(USER)}:{quote(PASSWORD, safe='')}@localhost:{servers.imaps}/INBOX"
    settings.NEWSLETTER_INBOUND = parse_sources([url])
    settings.NEWSLETTER_INBOUND_ADDRESS = USER
    settings.NEWSLETTER_PROVIDER_URL = fake_provider.provider_url
    return servers


def now() -> datetime:
    return datetime.now(UTC)


def read(servers: MailServers, *, messages: int) -> list[InboundMail]:
    """Wait for so many messages, read the mailbox, and return the rows of this reading."""
    servers.wait_for(messages)
    before = set(InboundMail.objects.values_list("pk", flat=True))
    assert read_mailboxes(now=now()) == messages
    assert servers.list_folder("INBOX") == []
    return list(InboundMail.objects.exclude(pk__in=before).order_by("pk"))


def test_a_person_leaves_by_mail_replies_and_is_away(mailbox: MailServers, fake_provider: Any) -> None:
    send_issue(make_ready_issue(recipients=3))
    ana, bo, cy = Subscriber.objects.order_by("pk")
    (letter,) = fake_provider.mailbox(ana.email)
    header = letter.headers["List-Unsubscribe"]
    address = header.partition("<mailto:")[2].partition("?")[0]
    mailbox.send(
        make_reply(sender=ana.email, to=address, text="", subject="unsubscribe").as_bytes(), to=address.upper()
    )
    reply_to = letter.headers["Reply-To"]
    mailbox.send(make_reply(sender=bo.email, to=reply_to, message_id="<2@x>").as_bytes(), to=reply_to, sender=bo.email)
    away = make_reply(sender=cy.email, to=reply_to, text="Away", **{"Auto-Submitted": "auto-replied"})
    mailbox.send(away.as_bytes(), to=reply_to)

    rows = {row.kind: row for row in read(mailbox, messages=3)}
    assert set(rows) == {"unsubscribe", "reply", "automatic"}
    assert [person.subscriptions.open().exists() for person in (ana, bo, cy)] == [False, True, True]
    assert Reply.objects.get().subscriber == bo
    assert forward_waiting_replies(now=now()) == 1
    (sent_on,) = fake_provider.mailbox("hello@example.org")
    assert sent_on.headers["Reply-To"] == bo.email
    assert len(mailbox.list_folder(HANDLED)) >= 3
    assert MailboxReading.objects.get().error == ""
    current_adapter().close()


def test_a_bounce_of_postfix_suppresses_its_person(mailbox: MailServers, fake_provider: Any) -> None:
    send_issue(make_ready_issue(recipients=2))
    ana, bo = Subscriber.objects.order_by("pk")
    (letter,) = fake_provider.mailbox(ana.email)
    headers = {name: value for name, value in letter.headers.items() if name.startswith("List-")}
    mail = make_reply(sender="news@news.example.org", to=ana.email, text=letter.text, **headers)
    mailbox.send(mail.as_bytes(policy=POLICY), to=ana.email, sender=USER)

    (row,) = read(mailbox, messages=1)
    assert row.kind == "bounce"
    apply_due_events(clock=now)
    bounce = Bounce.objects.get()
    assert (bounce.bounce_class, bounce.status) == ("hard", "5.1.1")
    suppression = Suppression.objects.get()
    assert (suppression.reason, bytes(suppression.address_hash)) == (Reason.HARD, bytes(ana.address_hash))
    current_adapter().close()


def test_a_mail_that_unsubscribes_is_read_before_those_that_came_earlier(
    mailbox: MailServers, fake_provider: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    send_issue(make_ready_issue(recipients=1))
    (letter,) = fake_provider.mailbox(Subscriber.objects.get().email)
    address = letter.headers["List-Unsubscribe"].partition("<mailto:")[2].partition("?")[0]
    monkeypatch.setattr(read_mailboxes_module, "MESSAGES_A_READING", 2)
    for number in range(3):
        _deliver(mailbox, make_reply(message_id=f"<early{number}@x>").as_bytes())
    _deliver(mailbox, make_reply(to=address, text="", message_id="<leaves@x>").as_bytes())
    assert [read_mailboxes(now=now()) for _ in range(2)] == [2, 2]
    kinds = InboundMail.objects.order_by("pk").values_list("kind", flat=True)
    assert list(kinds) == ["unsubscribe", "reply", "reply", "reply"]
    assert mailbox.list_folder("INBOX") == []
    current_adapter().close()


def test_a_mail_of_forty_megabytes_is_read_in_part_and_kept_whole(mailbox: MailServers) -> None:
    mail = make_reply(text="See the film", message_id="<large@x>")
    mail.add_attachment(b"x" * 28_000_000, maintype="video", subtype="mp4", filename="film.mp4")
    raw = mail.as_bytes()
    assert len(raw) > 37_000_000
    _deliver(mailbox, raw)
    (row,) = read(mailbox, messages=1)
    assert (row.kind, row.text, row.cut) == ("reply", "See the film", True)
    assert max(len(kept) for kept in mailbox.list_folder(HANDLED)) >= len(raw)


def test_unreadable_mail_is_kept_in_its_own_folder(mailbox: MailServers) -> None:
    deep = b"".join(
        b'Content-Type: multipart/mixed; boundary="%d"\r\n\r\n--%d\r\n' % (level, level) for level in range(3000)
    )
    _deliver(mailbox, b"From: a@example.com\r\n" + deep)
    (row,) = read(mailbox, messages=1)
    assert row.state == "unreadable"
    assert len(mailbox.list_folder(UNREADABLE)) == 1


def test_a_mail_that_was_read_and_not_moved_is_moved_later(mailbox: MailServers) -> None:
    _deliver(mailbox, make_reply(message_id="<moved@x>").as_bytes())
    read(mailbox, messages=1)
    reading = MailboxReading.objects.get()
    _deliver(mailbox, make_reply(message_id="<moved@x>").as_bytes())
    MailboxReading.objects.update(last_uid=reading.last_uid + 1)
    assert read_mailboxes(now=now()) == 0
    assert mailbox.list_folder("INBOX") == []
    assert InboundMail.objects.count() == 1


def test_a_wrong_password_and_a_strange_certificate_are_named(
    mailbox: MailServers, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = f"imaps://{quote(USER)}:nothing@localhost:{mailbox.imaps}"
    for url, says in ((wrong, "refuses the user or the password"), (f"{wrong}/Elsewhere", "refuses the user")):
        settings.NEWSLETTER_INBOUND = parse_sources([url])
        assert read_mailboxes(now=now()) == 0
        assert says in MailboxReading.objects.latest("pk").error
    monkeypatch.delenv("SSL_CERT_FILE")
    settings.NEWSLETTER_INBOUND = parse_sources(
        [f"imaps://strange:{quote(PASSWORD, safe='')}@localhost:{mailbox.imaps}"]
    )
    read_mailboxes(now=now())
    assert "is not valid" in MailboxReading.objects.latest("pk").error


def test_a_server_on_this_machine_is_read_without_tls(mailbox: MailServers, settings: Any) -> None:
    url = f"imap://{quote(USER)}:{quote(PASSWORD, safe='')}@127.0.0.1:{mailbox.imap}"
    settings.NEWSLETTER_INBOUND = parse_sources([url])
    _deliver(mailbox, make_reply(message_id="<plain@x>").as_bytes())
    (row,) = read(mailbox, messages=1)
    assert row.kind == "reply"


def _deliver(servers: MailServers, raw: bytes) -> None:
    """Put a message into the mailbox as it is: postfix would refuse some of these."""
    with imapclient.IMAPClient("127.0.0.1", servers.imap, ssl=False, timeout=60) as client:
        client.login(USER, PASSWORD)
        client.append("INBOX", raw)


def test_the_returned_mail_is_what_the_test_sent(mailbox: MailServers) -> None:
    """Postfix returns at least the header fields, or every check above would prove nothing."""
    mailbox.send(
        make_reply(to="nobody@example.com", **{"X-Mark": "1"}).as_bytes(), to="nobody@example.com", sender=USER
    )
    mailbox.wait_for(1)
    (raw,) = mailbox.list_folder("INBOX")
    kinds = [part.get_content_type() for part in message_from_bytes(raw).walk()]
    assert kinds[:4] == ["multipart/report", "text/plain", "message/delivery-status", "text/plain"]
    assert b"X-Mark: 1" in raw
    read_mailboxes(now=now())
