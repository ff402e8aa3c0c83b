"""Mail servers over real connections: what becomes of each mail, whatever the server does."""

import ssl
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import pytest

from newsletter.providers.base.contract import Outcome, Verdict
from newsletter.providers.base.deadline import Deadline, DeadlineUnavailable, DeadlineWatcher
from newsletter.providers.base.errors import AccountRefused, BadBatch, BadMail
from newsletter.providers.registry import make_adapter
from newsletter.providers.smtp.account import MailServer as ServerSettings
from newsletter.providers.smtp.account import Security
from newsletter.providers.smtp.adapter import Smtp
from newsletter.providers.smtp.connection import PhaseSeconds
from tests.support.certificate import make_certificate
from tests.support.mail_server import (
    EXTENSIONS,
    PASSWORD,
    USER,
    Fault,
    MailServer,
    Session,
    close,
    drip,
    hang,
    once,
    say,
    serve_mail,
)
from tests.support.provider_fixtures import make_call, make_mail, make_recipient

QUICK = PhaseSeconds(connect=1.0, session=0.6, transfer=0.6, confirmation=0.6)


@pytest.fixture
def server() -> Iterator[MailServer]:
    with serve_mail() as running:
        yield running


@pytest.fixture
def adapter(server: MailServer) -> Iterator[Smtp]:
    with open_adapter(server) as made:
        yield made


@contextmanager
def open_adapter(server: MailServer, *, security: Security = Security.NONE, password: str = "") -> Iterator[Smtp]:
    user = USER if password else ""
    made = Smtp(server=ServerSettings("127.0.0.1", server.port, security, user, password), seconds=QUICK)
    yield made
    made.close()


def verdicts(outcome: Outcome, *deliveries: int) -> list[Verdict]:
    return [outcome.people.get(delivery, (outcome.verdict, ""))[0] for delivery in deliveries or (1, 2, 3)]


def reasons(outcome: Outcome, *deliveries: int) -> list[str]:
    return [str(outcome.people.get(delivery, ("", outcome.reason))[1]) for delivery in deliveries or (1, 2, 3)]


def test_each_person_gets_their_own_mail_once(adapter: Smtp, server: MailServer) -> None:
    outcome = adapter.deliver(make_call(make_recipient(7, address="ana@example.com", name="Ana"), make_recipient(8)))
    assert (outcome.verdict, dict(outcome.people)) == (Verdict.ACCEPTED, {})
    assert server.recipients() == ["ana@example.com", "person8@example.com"]
    message = server.mails[0].message
    assert (message["To"], message["Subject"]) == ("ana@example.com", "Good news for Ana")
    assert (message["From"], message["Reply-To"]) == ("Open Door <news@news.example.org>", "hello@example.org")
    assert message["List-Unsubscribe"] == "<https://example.org/u/token-7?list=1&from=mail>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert message["List-Id"] == "Weekly <abc123.news.example.org>"
    html, text = message.get_body(("html",)), message.get_body(("plain",))
    assert html is not None
    assert "<p>Dear Ana,</p>" in html.get_content()
    assert text is not None
    assert "Leave: https://example.org/u/token-7?list=1&from=mail" in text.get_content()
    assert outcome.provider_id == message["Message-ID"].strip("<>")


def test_a_link_of_any_length_stays_whole(adapter: Smtp, server: MailServer) -> None:
    url = "https://example.org/u/" + "t" * 300
    adapter.deliver(make_call(make_recipient(1, t_unsubscribe=url)))
    assert f"List-Unsubscribe: <{url}>\r\n".encode() in server.mails[0].content


def test_a_line_that_begins_with_a_dot_arrives_whole(adapter: Smtp, server: MailServer) -> None:
    adapter.deliver(make_call(make_recipient(1), mail=make_mail(text=".\n..a\nend")))
    text = server.mails[0].message.get_body(("plain",))
    assert text is not None
    assert text.get_content().replace("\r\n", "\n") == ".\n..a\nend\n"


def test_the_message_id_is_the_same_in_every_batch_of_a_mailing(adapter: Smtp, server: MailServer) -> None:
    for key, mailing in (("b1", "weekly/12"), ("b2", "weekly/12"), ("b1", ""), ("b2", "")):
        adapter.deliver(replace(make_call(make_recipient(5), key=key), mailing=mailing))
    first, again, single, other = (mail.message["Message-ID"] for mail in server.mails)
    assert first == again
    assert len({first, single, other}) == 3
    assert first.endswith("@news.example.org>")


def test_a_batch_goes_over_one_connection_that_is_kept(adapter: Smtp, server: MailServer) -> None:
    adapter.deliver(make_call(key="one"))
    adapter.deliver(make_call(key="two"))
    assert (server.connections, len(server.mails)) == (1, 6)
    adapter.close()
    assert server.lines[-1].upper() == "QUIT"


def test_the_envelope_goes_in_one_piece_if_the_server_pipelines(server: MailServer, adapter: Smtp) -> None:
    adapter.deliver(make_call(make_recipient(1)))
    ehlo, envelope, *_ = server.writes
    assert envelope > len("MAIL FROM:<news@news.example.org>\r\nRCPT TO:<person1@example.com>\r\nDATA\r\n") > ehlo


def test_commands_are_sent_one_by_one_to_a_server_that_does_not() -> None:
    with serve_mail(extensions=()) as server, open_adapter(server) as adapter:
        assert adapter.deliver(make_call()).verdict is Verdict.ACCEPTED
        assert "MAIL FROM:<news@news.example.org>" in server.lines
        assert "RCPT TO:<person1@example.com>" in server.lines


def test_a_bounce_is_asked_for_with_ids_that_name_the_mail(adapter: Smtp, server: MailServer) -> None:
    adapter.deliver(make_call(make_recipient(1, address="ana+news=a@example.com")))
    mail, recipient = (next(line for line in server.lines if line.startswith(begin)) for begin in ("MAIL", "RCPT"))
    envelope_id = server.mails[0].message["Message-ID"].strip("<>").partition("@")[0]
    assert f"RET=HDRS ENVID={envelope_id}" in mail
    assert recipient.endswith("NOTIFY=FAILURE ORCPT=rfc822;ana+2Bnews+3Da@example.com")


def test_the_return_path_of_the_settings_gets_the_bounces(server: MailServer) -> None:
    adapter = make_adapter(f"smtp://127.0.0.1:{server.port}?return_path=bounces@example.org")
    adapter.deliver(make_call(make_recipient(1)))
    adapter.close()
    assert server.mails[0].sender == "bounces@example.org"
    assert server.mails[0].message["From"] == "Open Door <news@news.example.org>"


@pytest.mark.parametrize("address", ["jörg@example.com", "用户@例え.jp"])
def test_an_address_in_another_script_is_mailed(adapter: Smtp, server: MailServer, address: str) -> None:
    outcome = adapter.deliver(make_call(make_recipient(1, address=address, name="Jörg")))
    assert outcome.verdict is Verdict.ACCEPTED
    (mail,) = server.mails
    assert mail.recipient.partition("@")[0] == address.partition("@")[0]
    assert mail.recipient.partition("@")[2].isascii()
    assert mail.message["To"] == mail.recipient
    assert "BODY=8BITMIME SMTPUTF8" in next(line for line in server.lines if line.startswith("MAIL"))


def test_only_that_address_is_refused_by_a_server_without_smtputf8() -> None:
    with serve_mail(extensions=("8BITMIME",)) as server, open_adapter(server) as adapter:
        outcome = adapter.deliver(make_call(make_recipient(1, address="jörg@example.com"), make_recipient(2)))
        assert verdicts(outcome, 1, 2) == [Verdict.REJECTED, Verdict.ACCEPTED]
        assert "SMTPUTF8" in reasons(outcome, 1)[0]


def test_one_address_that_cannot_be_sent_to_is_rejected_alone(adapter: Smtp, server: MailServer) -> None:
    people = (
        make_recipient(1),
        make_recipient(2, address="a b@example.com"),
        make_recipient(3, address="x<y@ö.example"),
    )
    outcome = adapter.deliver(make_call(*people))
    assert verdicts(outcome) == [Verdict.ACCEPTED, Verdict.REJECTED, Verdict.REJECTED]
    assert server.recipients() == ["person1@example.com"]


def test_nobody_is_mailed_if_all_addresses_are_wrong(adapter: Smtp, server: MailServer) -> None:
    assert adapter.deliver(make_call(make_recipient(1, address="no address"))).verdict is Verdict.REJECTED
    assert server.connections == 0


@pytest.mark.parametrize(
    ("subject", "many", "error"), [("a\r\nBcc: x@example.com", 1, BadMail), ("Hello", 11, BadBatch)]
)
def test_a_wrong_batch_is_refused_before_it_connects(
    adapter: Smtp, server: MailServer, subject: str, many: int, error: type[Exception]
) -> None:
    with pytest.raises(error):
        adapter.deliver(make_call(*(make_recipient(n) for n in range(many)), mail=make_mail(subject=subject)))
    assert server.connections == 0


def test_a_mail_above_every_limit_is_refused_before_it_connects(server: MailServer) -> None:
    adapter = Smtp(server=ServerSettings("127.0.0.1", server.port, Security.NONE))
    with pytest.raises(BadBatch, match="bytes"):
        adapter.deliver(make_call(make_recipient(1), make_recipient(2), mail=make_mail(html="x" * 50_000_001)))
    assert server.connections == 0


# What the server says.

UNKNOWN = "550 5.1.1 <person2@example.com>: Recipient address rejected: User unknown"


def test_a_server_that_refuses_one_recipient_takes_the_others(adapter: Smtp, server: MailServer) -> None:
    server.faults["RCPT TO:<person2"] = say(UNKNOWN)
    outcome = adapter.deliver(make_call())
    assert verdicts(outcome) == [Verdict.ACCEPTED, Verdict.REJECTED, Verdict.ACCEPTED]
    assert server.recipients() == ["person1@example.com", "person3@example.com"]
    said = reasons(outcome, 2)[0]
    assert "answer 550" in said
    assert "person2@" not in said
    assert not outcome.stop


def test_a_refused_recipient_gets_no_mail_if_the_server_continues(adapter: Smtp, server: MailServer) -> None:
    """It answers 354 to DATA although nobody is left, as RFC 2920 allows."""
    server.faults["RCPT TO:<person2"] = say(UNKNOWN)
    server.faults["DATA"] = say("354 go ahead")
    assert verdicts(adapter.deliver(make_call())) == [Verdict.ACCEPTED, Verdict.REJECTED, Verdict.ACCEPTED]
    assert [bool(mail.recipient) for mail in server.mails] == [True, True]


@pytest.mark.parametrize(
    "reply",
    [
        "550 5.7.1 <person2@example.com>: Relay access denied",
        "550 5.7.26 This mail is unauthenticated",
        "554 Blocked by policy",
    ],
)
def test_a_refusal_because_of_the_sender_stops_and_marks_nobody(adapter: Smtp, server: MailServer, reply: str) -> None:
    server.faults["RCPT"] = say(reply)
    outcome = adapter.deliver(make_call())
    assert (outcome.verdict, outcome.stop, dict(outcome.people)) == (Verdict.REJECTED, True, {})
    assert "says nothing about the recipient" in outcome.reason


def test_a_refusal_because_of_the_sender_by_one_domain_does_not_stop(adapter: Smtp, server: MailServer) -> None:
    server.faults["RCPT TO:<person2"] = say("550 5.7.1 Message rejected")
    outcome = adapter.deliver(make_call())
    assert verdicts(outcome) == [Verdict.ACCEPTED, Verdict.REJECTED, Verdict.ACCEPTED]
    assert not outcome.stop
    assert "says nothing about the recipient" in reasons(outcome, 2)[0]


@pytest.mark.parametrize("stage", ["DATA", "END"])
@pytest.mark.parametrize("reply", ["554 5.7.1 Spam", "550 Content refused", "552 5.3.4 Message too big for system"])
def test_a_content_that_is_refused_stops_the_send(adapter: Smtp, server: MailServer, stage: str, reply: str) -> None:
    server.faults[stage] = say(reply)
    outcome = adapter.deliver(make_call())
    assert (outcome.verdict, outcome.stop) == (Verdict.REJECTED, True)
    assert server.mails == []


def test_a_mailbox_that_is_refused_after_the_content_is_that_persons(adapter: Smtp, server: MailServer) -> None:
    server.faults["END"] = once(say("552 5.2.2 Mailbox full"), after=1)
    outcome = adapter.deliver(make_call())
    assert verdicts(outcome) == [Verdict.ACCEPTED, Verdict.REJECTED, Verdict.ACCEPTED]


def test_a_sender_that_is_refused_stops_the_send(adapter: Smtp, server: MailServer) -> None:
    server.faults["MAIL"] = say("553 5.7.1 <news@news.example.org>: Sender address rejected: not owned by user")
    outcome = adapter.deliver(make_call())
    assert (outcome.verdict, outcome.stop) == (Verdict.REJECTED, True)
    assert "did not accept the sender" in outcome.reason
    assert server.count("MAIL") == 1


@pytest.mark.parametrize("reply", ["451 4.7.1 Greylisted, come back", "450 4.2.1 Mailbox busy", "452 out of memory"])
def test_one_recipient_that_is_delayed_is_not_sent(adapter: Smtp, server: MailServer, reply: str) -> None:
    server.faults["RCPT TO:<person2"] = say(reply)
    outcome = adapter.deliver(make_call())
    assert verdicts(outcome) == [Verdict.ACCEPTED, Verdict.NOT_SENT, Verdict.ACCEPTED]
    assert not outcome.stop


@pytest.mark.parametrize(
    ("stage", "reply"),
    [
        ("CONNECT", "421 4.3.2 Too many connections"),
        ("CONNECT", "450 4.7.1 Wait"),
        ("MAIL", "450 4.7.1 Error: too much mail"),
        ("MAIL", "452 4.3.1 Insufficient system storage"),
        ("RCPT", "421 4.7.0 Closing"),
        ("RCPT", "450 4.7.28 Rate limit"),
        ("DATA", "421 4.3.0 Closing"),
        ("END", "421 4.3.0 Closing"),
        ("END", "451 4.3.5 Server is busy"),
    ],
)
def test_a_server_that_wants_less_throttles(adapter: Smtp, server: MailServer, stage: str, reply: str) -> None:
    server.faults[stage] = say(reply)
    outcome = adapter.deliver(make_call())
    assert (outcome.verdict, outcome.stop, dict(outcome.people)) == (Verdict.THROTTLED, False, {})
    assert server.mails == []


def test_a_server_that_ends_a_used_connection_is_called_once_more(adapter: Smtp, server: MailServer) -> None:
    server.faults["MAIL"] = once(say("421 4.7.0 Too many messages in this connection"), after=1)
    assert adapter.deliver(make_call()).verdict is Verdict.ACCEPTED
    assert server.connections == 2
    assert server.recipients() == [f"person{number}@example.com" for number in (1, 2, 3)]


def test_a_connection_that_the_server_closed_is_replaced(adapter: Smtp, server: MailServer) -> None:
    server.faults["MAIL"] = once(close, after=1)
    assert adapter.deliver(make_call()).verdict is Verdict.ACCEPTED
    assert (server.connections, len(server.mails)) == (2, 3)


def test_an_idle_connection_on_which_the_server_spoke_is_replaced(adapter: Smtp, server: MailServer) -> None:
    def say_goodbye(session: Session) -> bytes:
        return b"250 2.0.0 ok\r\n421 4.4.2 idle too long"

    server.faults["END"] = once(say_goodbye)
    assert adapter.deliver(make_call(make_recipient(1))).verdict is Verdict.ACCEPTED
    server.faults.clear()
    assert adapter.deliver(make_call(make_recipient(2))).verdict is Verdict.ACCEPTED
    assert (server.connections, len(server.mails)) == (2, 2)


def test_a_mail_that_is_larger_than_the_server_takes_is_not_sent() -> None:
    with serve_mail(extensions=("SIZE 500",)) as server, open_adapter(server) as adapter:
        outcome = adapter.deliver(make_call())
        assert (outcome.verdict, outcome.stop) == (Verdict.REJECTED, True)
        assert "takes 500" in outcome.reason
        assert server.count("MAIL") == 0


def test_a_server_that_refuses_the_size_stops_the_send(adapter: Smtp, server: MailServer) -> None:
    server.faults["MAIL"] = say("552 5.3.4 Message size exceeds fixed limit")
    outcome = adapter.deliver(make_call())
    assert (outcome.verdict, outcome.stop, server.mails) == (Verdict.REJECTED, True, [])


# What the connection does.


def test_a_server_that_is_not_there_has_sent_nothing() -> None:
    with serve_mail() as gone:
        port = gone.port
    adapter = Smtp(server=ServerSettings("127.0.0.1", port, Security.NONE), seconds=QUICK)
    outcome = adapter.deliver(make_call())
    assert (outcome.verdict, outcome.stop) == (Verdict.NOT_SENT, False)
    assert "refused the connection" in outcome.reason


def shut_body(session: Session) -> None:
    session.socket.recv(10)
    close(session)


BEFORE_THE_DOT = ["CONNECT", "EHLO", "MAIL", "RCPT", "DATA"]


@pytest.mark.parametrize("fault", [close, hang, drip, say("hello there"), say("999999"), say("x" * 70_000)])
@pytest.mark.parametrize("stage", BEFORE_THE_DOT)
@pytest.mark.requirement("F5")
def test_a_mail_lost_before_the_final_dot_was_not_sent(
    adapter: Smtp, server: MailServer, stage: str, fault: Fault
) -> None:
    server.faults[stage] = fault
    outcome = adapter.deliver(make_call())
    assert (outcome.verdict, outcome.stop, dict(outcome.people)) == (Verdict.NOT_SENT, False, {})
    assert server.mails == []
    assert server.count(".") == 0


def test_a_server_that_closes_in_the_middle_of_the_mail_has_not_taken_it(adapter: Smtp, server: MailServer) -> None:
    server.faults["BODY"] = shut_body
    outcome = adapter.deliver(make_call(mail=make_mail(html="<p>" + "x" * 5_000_000 + "</p>")))
    assert outcome.verdict is Verdict.NOT_SENT
    assert server.mails == []


def refuse_body(session: Session) -> None:
    session.socket.sendall(b"552 5.3.4 too much\r\n")
    while session.read_line():
        continue


def test_a_server_that_refuses_in_the_middle_of_the_mail_is_heard(adapter: Smtp, server: MailServer) -> None:
    server.faults["BODY"] = refuse_body
    outcome = adapter.deliver(make_call(mail=make_mail(html="<p>" + "x" * 5_000_000 + "</p>")))
    assert (outcome.verdict, outcome.stop) == (Verdict.REJECTED, True)
    assert "552" in outcome.reason
    assert server.mails == []


class FullMachine(DeadlineWatcher):
    """A machine that starts no more threads after some steps of a session."""

    def __init__(self, *, steps: int) -> None:
        super().__init__()
        self._steps = steps

    def add(self, deadline: Deadline) -> None:
        if not self._steps:
            raise DeadlineUnavailable("no thread")
        self._steps -= 1
        super().add(deadline)


@pytest.mark.parametrize("steps", [0, 1, 2], ids=["session", "transfer", "final dot"])
def test_a_step_that_could_not_be_ended_in_time_does_not_begin(
    adapter: Smtp, server: MailServer, monkeypatch: pytest.MonkeyPatch, steps: int
) -> None:
    monkeypatch.setattr("newsletter.providers.base.deadline._watcher", FullMachine(steps=steps))
    outcome = adapter.deliver(make_call())
    assert (outcome.verdict, outcome.stop, dict(outcome.people)) == (Verdict.NOT_SENT, False, {})
    assert "no thread" in outcome.reason
    assert server.mails == []


@pytest.mark.parametrize("fault", [close, hang, drip, say("hello"), say("354 more"), say("x" * 70_000)])
@pytest.mark.requirement("F6")
def test_a_mail_lost_after_the_final_dot_is_uncertain_and_not_repeated(
    adapter: Smtp, server: MailServer, fault: Fault
) -> None:
    """The people after it were not sent anything, so they can be tried again."""
    server.faults["END"] = once(fault, after=1)
    outcome = adapter.deliver(make_call())
    assert verdicts(outcome) == [Verdict.ACCEPTED, Verdict.UNCERTAIN, Verdict.NOT_SENT]
    assert server.recipients() == ["person1@example.com", "person2@example.com"]
    assert "may or may not" in reasons(outcome, 2)[0]


def test_a_slow_server_leaves_the_rest_of_a_batch_for_later(
    adapter: Smtp, server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("newsletter.providers.smtp.batch.BEGIN_SECONDS", -1.0)
    assert verdicts(adapter.deliver(make_call())) == [Verdict.ACCEPTED, Verdict.NOT_SENT, Verdict.NOT_SENT]
    assert server.recipients() == ["person1@example.com"]


# Encryption and sign-in.


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_certificate(tmp_path_factory.mktemp("smtp"))


@pytest.fixture
def trusted(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    return certificate


@pytest.mark.parametrize("security", [Security.STARTTLS, Security.TLS])
def test_mail_goes_over_an_encrypted_connection_after_sign_in(trusted: Path, security: Security) -> None:
    with (
        serve_mail(certificate=trusted, is_tls=security is Security.TLS) as server,
        open_adapter(server, security=security, password=PASSWORD) as adapter,
    ):
        assert adapter.deliver(make_call()).verdict is Verdict.ACCEPTED
        assert (server.connections, server.count("AUTH"), len(server.mails)) == (1, 1, 3)
        assert server.count("STARTTLS") == (security is Security.STARTTLS)


@pytest.mark.parametrize("security", [Security.STARTTLS, Security.TLS])
def test_a_certificate_that_nobody_vouches_for_stops_the_send(certificate: Path, security: Security) -> None:
    with (
        serve_mail(certificate=certificate, is_tls=security is Security.TLS) as server,
        open_adapter(server, security=security, password=PASSWORD) as adapter,
    ):
        outcome = adapter.deliver(make_call())
        assert (outcome.verdict, outcome.stop) == (Verdict.REJECTED, True)
        assert "certificate is not valid" in outcome.reason
        assert (server.count("AUTH"), server.count("MAIL")) == (0, 0)


def test_a_certificate_of_another_server_stops_the_send(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = make_certificate(tmp_path, address="127.0.0.9")
    monkeypatch.setenv("SSL_CERT_FILE", str(other))
    with serve_mail(certificate=other) as server, open_adapter(server, security=Security.STARTTLS) as adapter:
        outcome = adapter.deliver(make_call())
        assert (outcome.stop, server.count("MAIL")) == (True, 0)
        assert "IP address mismatch" in outcome.reason


def drip_bytes(session: Session) -> bytes | None:
    """Begin a handshake that ends only if the caller hangs up."""
    session.socket.sendall(b"220 go ahead\r\n")
    while not session.server.closing.wait(0.1):
        session.socket.sendall(b"\x16")
    return None


def test_a_server_that_never_ends_its_handshake_has_sent_nothing(trusted: Path) -> None:
    with (
        serve_mail(certificate=trusted) as server,
        open_adapter(server, security=Security.STARTTLS) as adapter,
    ):
        server.faults["STARTTLS"] = drip_bytes
        outcome = adapter.deliver(make_call())
        assert (outcome.verdict, outcome.stop, server.mails) == (Verdict.NOT_SENT, False, [])


def test_a_server_without_encryption_gets_neither_password_nor_mail(server: MailServer) -> None:
    with open_adapter(server, security=Security.STARTTLS, password=PASSWORD) as adapter:
        outcome = adapter.deliver(make_call())
        assert (outcome.verdict, outcome.stop) == (Verdict.REJECTED, True)
        assert "offers no encryption" in outcome.reason
        assert (server.count("AUTH"), server.count("MAIL")) == (0, 0)


def test_a_server_that_cannot_encrypt_now_throttles(trusted: Path) -> None:
    with serve_mail(certificate=trusted) as server:
        server.faults["STARTTLS"] = say("454 4.7.0 TLS not available")
        with open_adapter(server, security=Security.STARTTLS) as adapter:
            assert adapter.deliver(make_call()).verdict is Verdict.THROTTLED


def test_commands_put_in_before_the_encryption_stop_the_send(trusted: Path) -> None:
    with serve_mail(certificate=trusted) as server:
        server.faults["STARTTLS"] = say("220 go ahead\r\n250 x")
        with open_adapter(server, security=Security.STARTTLS, password=PASSWORD) as adapter:
            outcome = adapter.deliver(make_call())
            assert outcome.verdict is not Verdict.ACCEPTED
            assert (server.count("AUTH"), server.mails) == (0, [])


def test_a_port_without_tls_has_sent_nothing(server: MailServer) -> None:
    with open_adapter(server, security=Security.TLS) as adapter:
        outcome = adapter.deliver(make_call())
        assert (outcome.verdict, server.mails) == (Verdict.NOT_SENT, [])
        assert "TLS" in outcome.reason


def test_a_wrong_password_stops_the_send_and_is_not_shown(server: MailServer) -> None:
    with open_adapter(server, password="wr0ng-password") as adapter:
        server.faults["AUTH"] = say("535 5.7.8 wr0ng-password is wrong")
        outcome = adapter.deliver(make_call())
        assert (outcome.verdict, outcome.stop) == (Verdict.REJECTED, True)
        assert "did not accept our user and password" in outcome.reason
        assert "wr0ng" not in repr(outcome)


def test_a_sign_in_that_fails_only_now_throttles(server: MailServer) -> None:
    with open_adapter(server, password=PASSWORD) as adapter:
        server.faults["AUTH"] = say("454 4.7.0 Temporary authentication failure")
        assert adapter.deliver(make_call()).verdict is Verdict.THROTTLED


@pytest.mark.parametrize("offered", ["", "250-AUTH GSSAPI\r\n"])
def test_a_server_without_our_kind_of_sign_in_stops_the_send(server: MailServer, offered: str) -> None:
    with open_adapter(server, password=PASSWORD) as adapter:
        server.faults["EHLO"] = say(f"250-mail.example.net\r\n{offered}250 8BITMIME")
        outcome = adapter.deliver(make_call())
        assert (outcome.verdict, outcome.stop) == (Verdict.REJECTED, True)
        assert "offers no sign-in" in outcome.reason


def test_a_server_that_wants_a_sign_in_stops_the_send(adapter: Smtp, server: MailServer) -> None:
    server.faults["RCPT"] = say("530 5.7.0 Authentication required")
    outcome = adapter.deliver(make_call())
    assert (outcome.verdict, outcome.stop) == (Verdict.REJECTED, True)
    assert "wants us to sign in" in outcome.reason


def test_a_server_that_does_not_want_us_stops_the_send(adapter: Smtp, server: MailServer) -> None:
    server.faults["CONNECT"] = say("554 5.7.1 Your address is blocked")
    outcome = adapter.deliver(make_call())
    assert (outcome.verdict, outcome.stop, server.lines) == (Verdict.REJECTED, True, [])


def test_a_server_without_ehlo_stops_the_send(adapter: Smtp, server: MailServer) -> None:
    server.faults["EHLO"] = say("502 5.5.2 not known")
    outcome = adapter.deliver(make_call())
    assert (outcome.verdict, outcome.stop) == (Verdict.REJECTED, True)


# Trying the account.


def test_an_account_is_tried_without_a_mail(server: MailServer) -> None:
    with open_adapter(server, password=PASSWORD) as adapter:
        adapter.test_account()
        assert (server.count("AUTH"), server.count("MAIL")) == (1, 0)


ACCOUNT_FAULTS = [
    ("AUTH", say("535 5.7.8 no"), "user and password"),
    ("EHLO", say("250 mail.example.net"), "offers no sign-in"),
    ("CONNECT", close, "could not be reached"),
]


@pytest.mark.parametrize(("stage", "fault", "said"), ACCOUNT_FAULTS)
def test_an_account_that_does_not_work_says_why(server: MailServer, stage: str, fault: Fault, said: str) -> None:
    server.faults[stage] = fault
    with open_adapter(server, password=PASSWORD) as adapter, pytest.raises(AccountRefused, match=said):
        adapter.test_account()


@pytest.mark.parametrize(("stage", "fault", "said"), ACCOUNT_FAULTS)
def test_advice_names_the_setting_of_the_account(server: MailServer, stage: str, fault: Fault, said: str) -> None:
    server.faults[stage] = fault
    adapter = make_adapter(write_url(server), account="backup")
    assert isinstance(adapter, Smtp)
    with closing(adapter), pytest.raises(AccountRefused, match=f"{said}.* NEWSLETTER_PROVIDER_URL_BACKUP"):
        adapter.test_account()


def test_a_refused_batch_names_the_setting_of_its_account(server: MailServer) -> None:
    server.faults["MAIL"] = say("530 5.7.0 sign in")
    with closing(make_adapter(f"smtp://127.0.0.1:{server.port}", account="backup")) as adapter:
        assert "Add user and password to NEWSLETTER_PROVIDER_URL_BACKUP." in reasons(adapter.deliver(make_call()))[0]


def test_advice_about_a_certificate_names_the_setting(certificate: Path) -> None:
    with serve_mail(certificate=certificate, is_tls=True) as server:
        url = write_url(server).replace("smtp", "smtps", 1)
        with closing(make_adapter(url, account="backup")) as adapter:
            assert "server’s name in NEWSLETTER_PROVIDER_URL_BACKUP" in adapter.deliver(make_call()).reason


def write_url(server: MailServer) -> str:
    return f"smtp://{USER}:{quote(PASSWORD, safe='')}@127.0.0.1:{server.port}"


def test_a_url_with_user_and_password_signs_in(server: MailServer) -> None:
    adapter = make_adapter(write_url(server))
    assert adapter.deliver(make_call()).verdict is Verdict.ACCEPTED
    assert server.count("AUTH") == 1
    adapter.close()


def test_many_mails_use_more_than_one_connection(
    adapter: Smtp, server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("newsletter.providers.smtp.pool.MAX_MAILS", 3)
    adapter.deliver(make_call(key="one"))
    adapter.deliver(make_call(key="two"))
    assert (server.connections, len(server.mails)) == (2, 6)


def test_an_old_connection_is_not_used_again(
    adapter: Smtp, server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("newsletter.providers.smtp.pool.IDLE_SECONDS", -1.0)
    adapter.deliver(make_call(key="one"))
    adapter.deliver(make_call(key="two"))
    assert server.connections == 2


def test_the_server_of_these_tests_offers_what_postfix_does() -> None:
    assert {"PIPELINING", "8BITMIME", "SMTPUTF8", "DSN"} <= set(EXTENSIONS)
    assert ssl.create_default_context().verify_mode is ssl.CERT_REQUIRED
