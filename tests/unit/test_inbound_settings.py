"""NEWSLETTER_INBOUND and its address: what may be written, and that a password reaches no message."""

import pytest
from environs import EnvError

from newsletter.inbound.errors import BadInboundSetting
from newsletter.inbound.settings import InboundSources, Mailbox, Security, parse_address, parse_sources
from newsletter.project import inbound_settings
from newsletter.project.setting_origins import HIDDEN, _inbound


def test_a_mailbox_is_read_from_its_address() -> None:
    (mailbox,) = parse_sources(["imaps://replies%40example.org:p%40ss%2Fword@mail.example.org/Post/In"]).mailboxes
    assert mailbox == Mailbox(
        host="mail.example.org",
        port=993,
        user="replies@example.org",
        password="p@ss/word",
        folder="Post/In",
        security=Security.TLS,
    )
    assert mailbox.label == "replies@example.org on mail.example.org:993, folder Post/In"
    assert "p@ss" not in repr(mailbox)


@pytest.mark.parametrize(
    ("url", "security", "port", "folder"),
    [
        ("imaps://a:b@mail.example.org", Security.TLS, 993, "INBOX"),
        ("imap://a:b@mail.example.org:1143/", Security.STARTTLS, 1143, "INBOX"),
        ("imap://a:b@127.0.0.1/INBOX", Security.PLAIN, 143, "INBOX"),
        ("imap://a:b@[::1]/INBOX", Security.PLAIN, 143, "INBOX"),
        ("imap://a:b@localhost", Security.PLAIN, 143, "INBOX"),
        ("imap://a:b@localhost.example.org", Security.STARTTLS, 143, "INBOX"),
    ],
)
def test_only_this_machine_is_read_without_tls(url: str, security: Security, port: int, folder: str) -> None:
    (mailbox,) = parse_sources([url]).mailboxes
    assert (mailbox.security, mailbox.port, mailbox.folder) == (security, port, folder)


def test_webhooks_and_mailboxes_may_be_mixed() -> None:
    sources = parse_sources(["inbound://Mailgun?key=a+b%2Bc", "imaps://a:b@c.example", "inbound://postmark"])
    assert [(webhook.provider, webhook.key) for webhook in sources.webhooks] == [("mailgun", "a+b+c"), ("postmark", "")]
    assert len(sources.mailboxes) == 1
    assert sources
    assert not InboundSources()


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("imaps://secret@mail.example.org", "the password"),
        ("imaps://:secret@mail.example.org", "the user"),
        ("imaps://a:secret@/INBOX", "the host"),
        ("imaps://a:secret@mail.example.org:port/", "cannot be read"),
        ("imaps://a:secret@[broken", "cannot be read"),
        ("pop3://a:secret@mail.example.org", "neither a mailbox nor a webhook"),
        ("secret", "neither a mailbox nor a webhook"),
        ("inbound://resend?key=secret", "not read here"),
        ("inbound://mailgun?kee=secret", "kee"),
    ],
)
def test_an_unusable_value_is_named_without_its_secret(url: str, says: str) -> None:
    with pytest.raises(BadInboundSetting) as refused:
        parse_sources([url])
    assert says in str(refused.value)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "says"),
    [("nobody", "no @"), ("a-very-long-local-part@example.org", "15 characters"), ("a+b@example.org", "no +")],
)
def test_an_address_must_have_room_for_a_token(text: str, says: str) -> None:
    with pytest.raises(BadInboundSetting, match=says.replace("+", r"\+")):
        parse_address(text)


def test_the_address_is_kept_in_lower_case() -> None:
    assert parse_address("Replies@News.Example.ORG") == "replies@news.example.org"


def read(monkeypatch: pytest.MonkeyPatch, *, sources: str = "", address: str = "") -> tuple[InboundSources, str]:
    monkeypatch.setenv(inbound_settings.SOURCES, sources)
    monkeypatch.setenv(inbound_settings.ADDRESS, address)
    return inbound_settings.read_sources(), inbound_settings.read_address()


def test_the_two_settings_need_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read(monkeypatch) == (InboundSources(), "")
    sources, address = read(monkeypatch, sources="imaps://a:b@c.example", address="replies@example.org")
    assert (len(sources.mailboxes), address) == (1, "replies@example.org")
    for given in ({"sources": "imaps://a:b@c.example"}, {"address": "replies@example.org"}):
        with pytest.raises(EnvError, match="need each other"):
            read(monkeypatch, **given)


def test_a_mistake_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(EnvError, match="lacks the user"):
        read(monkeypatch, sources="imaps://mail.example.org", address="replies@example.org")
    monkeypatch.setenv(inbound_settings.ADDRESS, "a+b@example.org")
    with pytest.raises(EnvError, match="15 characters"):
        inbound_settings.read_address()


def test_doctor_shows_no_password() -> None:
    sources = parse_sources(["imaps://a:secret@c.example", "inbound://mailgun?key=secret"])
    assert _inbound(sources) == "a on c.example:993, folder INBOX; inbound://mailgun"
    assert _inbound(InboundSources()) == ""
    assert _inbound("imaps://a:secret@c") == HIDDEN
