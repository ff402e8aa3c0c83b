"""Mails from outside are read within limits, and classified only by their header fields."""

import time
from email.message import EmailMessage
from email.policy import SMTP

import pytest

from newsletter.content.parsing.mails.parse_mail import MAX_TEXT_LENGTH, parse_mail
from newsletter.content.parsing.mails.parsed_mail import MailKind, ParsedMail, RawMail
from newsletter.content.parsing.mails.sandboxed import parse_mail_in_sandbox
from tests.support.inbound_mails import BOUNCE, COMPLAINT, make_reply


def read(mail: EmailMessage | bytes | str) -> ParsedMail:
    raw = mail.as_bytes(policy=SMTP) if isinstance(mail, EmailMessage) else mail
    parsed = parse_mail(RawMail(raw.encode() if isinstance(raw, str) else raw))
    assert parsed is not None
    return parsed


def test_a_reply_is_read_whole() -> None:
    parsed = read(make_reply(text="Thank you!\n\nAna", sender="Ana Ágora <ana@example.com>", subject="Re: Ünser Brief"))
    assert (parsed.kind, parsed.sender, parsed.sender_name) == (MailKind.REPLY, "ana@example.com", "Ana Ágora")
    assert (parsed.subject, parsed.text) == ("Re: Ünser Brief", "Thank you!\n\nAna")
    assert parsed.recipients == ("replies@news.example.org",)
    assert parsed.attachments == ()
    assert not parsed.cut


def test_a_mail_in_html_only_is_read_as_text() -> None:
    mail = make_reply()
    mail.set_content("<p>Dear friends,</p><p>thank <b>you</b></p><script>no()</script>", subtype="html")
    assert read(mail).text == "Dear friends,\nthank you"


def test_attachments_are_named_and_not_read() -> None:
    mail = make_reply(text="See below")
    mail.add_attachment(b"\x00" * 10, maintype="image", subtype="jpeg", filename="photo.jpg")
    mail.add_attachment(make_reply(text="Not this", sender="other@example.com"))
    parsed = read(mail)
    assert (parsed.text, parsed.attachments) == ("See below", ("photo.jpg", "message/rfc822"))


AUTOMATIC = {
    "RFC 3834": {"Auto-Submitted": "auto-replied"},
    "generated": {"Auto-Submitted": "auto-generated (vacation)"},
    "Gmail": {"Precedence": "bulk", "X-Autoreply": "yes"},
    "Exchange": {"X-MS-Exchange-Generated-Message-Source": "Mailbox Rules Agent"},
    "other responders": {"X-Autorespond": "Away"},
    "older responders": {"Precedence": "auto_reply"},
    "a mailing list": {"List-Id": "<members.example.org>"},
    "a newsletter": {"List-Unsubscribe": "<https://example.org/u/1>"},
    "no envelope sender": {"Return-Path": "<>"},
}


@pytest.mark.parametrize("headers", AUTOMATIC.values(), ids=list(AUTOMATIC))
def test_mail_of_programs_is_known_by_its_header_fields(headers: dict[str, str]) -> None:
    assert read(make_reply(text="I am away", **headers)).kind is MailKind.AUTOMATIC


def test_text_never_makes_a_mail_automatic() -> None:
    mail = make_reply(subject="Out of office", text="Automatic reply: unsubscribe me", **{"Auto-Submitted": "no"})
    assert read(mail).kind is MailKind.REPLY


def test_a_bounce_names_what_the_server_said_and_which_mail_it_returns() -> None:
    parsed = read(BOUNCE)
    assert parsed.kind is MailKind.BOUNCE
    (report,) = parsed.reports
    assert (report.action, report.status) == ("failed", "5.1.1")
    assert report.diagnostic.startswith("550 5.1.1 <nobody@example.com>: Recipient address rejected")
    assert parsed.returned == ("<https://news.example.org/u/TOKEN>,<mailto:replies+abc@news.example.org>",)


def test_a_complaint_returns_the_mail_too() -> None:
    parsed = read(COMPLAINT)
    assert (parsed.kind, parsed.returned) == (MailKind.COMPLAINT, ("<https://news.example.org/u/TOKEN>",))


def test_a_report_of_another_kind_than_abuse_changes_nothing() -> None:
    assert read(COMPLAINT.replace(b"Feedback-Type: abuse", b"Feedback-Type: not-spam")).kind is MailKind.AUTOMATIC


def test_a_mail_to_ten_thousand_recipients_is_read_in_time() -> None:
    many = ", ".join(f"person{number}@example.com" for number in range(10_000))
    started = time.process_time()
    parsed = read(f"From: ana@example.com\r\nTo: {many}\r\nDelivered-To: replies@news.example.org\r\n\r\nHello\r\n")
    assert parsed.recipients[0] == "replies@news.example.org"
    assert len(parsed.recipients) == 100
    assert parsed.text == "Hello"
    assert time.process_time() - started < 2


def test_parts_nested_without_end_are_not_read() -> None:
    deep = b"From: a@example.com\r\n"
    for level in range(3000):
        deep += b'Content-Type: multipart/mixed; boundary="%d"\r\n\r\n--%d\r\n' % (level, level)
    assert parse_mail_in_sandbox(RawMail(deep + b"\r\nHello")) is None
    assert parse_mail_in_sandbox(RawMail(make_reply(text="Next").as_bytes())) is not None


def test_many_parts_are_counted_up_to_a_limit() -> None:
    parts = b"--x\r\nContent-Type: text/plain\r\n\r\nHi\r\n" * 5000
    parsed = read(b'From: a@example.com\r\nContent-Type: multipart/mixed; boundary="x"\r\n\r\n' + parts + b"--x--\r\n")
    assert parsed.cut
    assert parsed.text.startswith("Hi\nHi")


def test_a_long_text_is_cut_and_says_so() -> None:
    parsed = read(make_reply(text="word " * 10_000))
    assert (len(parsed.text) <= MAX_TEXT_LENGTH, parsed.cut) == (True, True)


@pytest.mark.parametrize("raw", [b"", b"\r\n\r\n", b"\x00\xff\xfe"])
def test_bytes_that_are_no_mail_are_not_read(raw: bytes) -> None:
    assert parse_mail(RawMail(raw)) is None


@pytest.mark.parametrize(
    ("head", "body"),
    [
        (b"Content-Type: text/plain; charset=no-such\r\n", b"caf\xe9"),
        (b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n", b"Y2Fm6Q=="),
        (b"Subject: =?utf-8?b?broken\xff?=\r\n", b"caf\x00e\xe9"),
    ],
)
def test_broken_characters_are_replaced(head: bytes, body: bytes) -> None:
    parsed = read(b"From: ana@example.com\r\n" + head + b"\r\n" + body)
    for text in (parsed.text, parsed.subject):
        assert "\x00" not in text
        text.encode()
    assert parsed.text.startswith("caf")


@pytest.mark.parametrize(
    ("value", "address"),
    [
        ("Ana <ana@example.com>", "ana@example.com"),
        ("ana@example.com", "ana@example.com"),
        ("", ""),
        ("Ana", ""),
        ('"Ana" <ana@example.com>, bo@example.com', "ana@example.com"),
    ],
)
def test_the_sender_is_the_first_address(value: str, address: str) -> None:
    assert read(f"From: {value}\r\nTo: x@example.org\r\n\r\nHi").sender == address
