"""`newsletter doctor` opens each mailbox, shows where webhooks lead, and names replies that reach nobody."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User

from newsletter.inbound.read_mailboxes import read_mailboxes
from newsletter.inbound.settings import parse_sources
from newsletter.inbound.webhooks import inbound_url
from newsletter.organisation.health import inbound
from newsletter.organisation.health.inbound import check_inbound, check_mailboxes
from tests.support.fixtures import NOW, make_publication
from tests.support.imap_server import ImapServer, run_imap_server
from tests.support.inbound_mails import INBOUND_ADDRESS, make_reply

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _address(settings: Any) -> None:
    settings.NEWSLETTER_INBOUND_ADDRESS = INBOUND_ADDRESS


def look(settings: Any, *urls: str, now: Any = NOW) -> list[tuple[str, str, str]]:
    settings.NEWSLETTER_INBOUND = parse_sources(list(urls))
    return [(finding.check, finding.level, finding.says) for finding in [*check_mailboxes(), *check_inbound(now=now)]]


def test_without_inbound_mail_doctor_is_silent(settings: Any) -> None:
    assert look(settings) == []


def test_a_mailbox_that_opens_is_fine_and_nothing_is_moved(settings: Any) -> None:
    with run_imap_server(ImapServer({1: make_reply().as_bytes()})) as server:
        (opened, unread) = look(settings, server.url)
        assert opened[1:] == (
            "ok",
            f"replies on 127.0.0.1:{server.port}, folder INBOX can be opened; messages waiting there: 1.",
        )
        assert unread[1:] == ("warning", f"replies on 127.0.0.1:{server.port}, folder INBOX has not been read yet.")
        assert server.messages
        read_mailboxes(now=NOW)
        assert len(look(settings, server.url)) == 1
        late = look(settings, server.url, now=NOW + timedelta(hours=1))
        assert (late[1][1], "was last read on 2026-" in late[1][2]) == ("warning", True)


def test_a_mailbox_that_hangs_is_an_error(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbound, "SECONDS", 0.3)
    with run_imap_server(ImapServer(hangs_at="LOGIN")) as server:
        (found, _) = look(settings, server.url)
    assert found[1] == "error"
    assert "does not answer in time" in found[2]
    assert "secret" not in found[2]


def test_a_mailbox_elsewhere_is_not_opened_outside_production(settings: Any) -> None:
    ((_, level, says),) = look(settings, "imaps://replies:secret@mail.example.org")
    assert (level, "only production" in says) == ("warning", True)


def test_each_webhook_shows_its_address(settings: Any) -> None:
    mailgun, postmark, sendgrid = look(
        settings, "inbound://mailgun", "inbound://postmark", "inbound://sendgrid?key=user:password"
    )
    assert mailgun[1:] == ("error", "No key of Mailgun is known, so every mail that it posts is refused.")
    assert postmark[1] == "ok"
    assert inbound_url("postmark") in postmark[2]
    assert "the secret address alone" in postmark[2]
    assert "a key or password" in sendgrid[2]
    assert "user:password" not in sendgrid[2]
    sparkpost, mailersend, brevo = look(
        settings, "inbound://sparkpost?key=abc", "inbound://mailersend", "inbound://brevo"
    )
    assert [found[1] for found in (sparkpost, mailersend, brevo)] == ["ok"] * 3
    assert inbound_url("sparkpost") in sparkpost[2]
    settings.NEWSLETTER_PROVIDER_URL = "nonsense"
    assert look(settings, "inbound://mailgun")[0][1] == "error"


@pytest.mark.parametrize(
    ("reply_to", "staff", "level"),
    [("office@example.org", False, ""), ("", True, ""), ("", False, "error"), (INBOUND_ADDRESS, True, "warning")],
)
def test_replies_that_reach_nobody_are_named(settings: Any, reply_to: str, staff: bool, level: str) -> None:
    publication = make_publication()
    type(publication).objects.update(reply_to=reply_to)
    if staff:
        User.objects.create_superuser("dan", "dan@example.org")
    found = [finding for finding in look(settings, "inbound://postmark") if finding[0] == "replies"]
    assert [finding[1] for finding in found] == ([level] if level else [])
