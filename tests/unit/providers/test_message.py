"""One person's mail as a MIME message that mailboxes accept."""

from datetime import UTC, datetime
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser

import pytest

from newsletter.providers.base.contract import Mail, Recipient
from newsletter.providers.base.errors import BadBatch, BadMail
from newsletter.providers.base.mail.mime import build_message
from tests.support.provider_fixtures import make_mail, make_recipient

WHEN = datetime(2027, 3, 4, 9, 0, tzinfo=UTC)


def write(mail: Mail | None = None, recipient: Recipient | None = None) -> bytes:
    message = build_message(
        mail=mail or make_mail(),
        recipient=recipient or make_recipient(5),
        message_id="batch-1-5@news.example.org",
        date=WHEN,
    )
    return message.as_bytes()


def read(raw: bytes) -> EmailMessage:
    message = BytesParser(policy=policy.default).parsebytes(raw)
    assert isinstance(message, EmailMessage)
    return message


@pytest.mark.requirement("M1")
def test_every_header_that_must_be_there_is_there_once() -> None:
    message = read(write())
    for name in (
        "From",
        "To",
        "Subject",
        "Date",
        "Message-ID",
        "Reply-To",
        "List-Id",
        "List-Unsubscribe",
        "List-Unsubscribe-Post",
    ):
        assert len(message.get_all(name, [])) == 1, name
    assert message["To"] == "person5@example.com"
    assert message["From"] == "Open Door <news@news.example.org>"
    assert message["Date"].datetime == WHEN
    assert message["Cc"] is None
    assert message["Bcc"] is None


@pytest.mark.requirement("M4")
def test_text_comes_first_and_html_second_with_personal_values_in_both() -> None:
    message = read(write(recipient=make_recipient(5, name="Zoë")))
    assert message.get_content_type() == "multipart/alternative"
    text, html = message.iter_parts()
    assert (text.get_content_type(), html.get_content_type()) == ("text/plain", "text/html")
    assert (
        text.get_content().replace("\r\n", "\n")
        == "Dear Zoë,\n\nLeave: https://example.org/u/token-5?list=1&from=mail\n"
    )
    assert 'href="https://example.org/u/token-5?list=1&amp;from=mail"' in html.get_content()


@pytest.mark.requirement("M6")
def test_a_long_unsubscribe_link_stays_whole_and_unencoded() -> None:
    """The stock policy turns it into an encoded word, and one-click dies silently."""
    url = "https://example.org/u/" + "t" * 300
    raw = write(recipient=make_recipient(5, t_unsubscribe=url))
    assert f"\r\nList-Unsubscribe: <{url}>\r\n".encode() in raw


def test_no_line_is_longer_than_998_octets_even_with_an_endless_word() -> None:
    raw = write(make_mail(html="<p>" + "w" * 3000 + "</p>", text="ü" * 3000))
    assert max(len(line) for line in raw.split(b"\r\n")) <= 998


def test_bodies_are_encoded_in_lines_of_76_as_mail_asks() -> None:
    text = "__pv_t_unsubscribe__ " + "é" * 3000
    raw = write(make_mail(text=text))
    assert max(map(len, raw.partition(b"\r\n\r\n")[2].splitlines())) <= 76
    body = read(raw).get_body(("plain",))
    assert body is not None
    assert "é" * 3000 in body.get_content()


def test_the_same_message_is_the_same_bytes() -> None:
    assert write() == write()


def test_a_subject_of_other_scripts_survives() -> None:
    assert read(write(make_mail(subject="Łódź 東京 🎉 نشرة")))["Subject"] == "Łódź 東京 🎉 نشرة"


def test_an_internationalised_domain_is_written_in_ascii() -> None:
    raw = write(make_mail(from_email="news@bücher.example"), make_recipient(5, address="ana@bücher.example"))
    assert read(raw)["To"] == "ana@xn--bcher-kva.example"
    assert b"news@xn--bcher-kva.example" in raw


def test_an_address_without_an_ascii_form_is_refused() -> None:
    with pytest.raises(ValueError, match="not a plain email address"):
        write(recipient=make_recipient(5, address="änne@example.com"))


def test_a_domain_that_punycode_cannot_write_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot be written in ASCII"):
        write(recipient=make_recipient(5, address="anne@exa\u2028mple\u00e9.com"))


def test_a_readers_name_cannot_add_a_header() -> None:
    message = read(write(recipient=make_recipient(5, name="Eve\r\nBcc: all@example.com")))
    assert message["Bcc"] is None
    assert message["Subject"] == "Good news for Eve Bcc: all@example.com"


def test_a_mail_without_a_link_to_leave_gets_no_one_click_header() -> None:
    plain = make_mail(
        subject="Please confirm", html="<p>Confirm</p>", text="Confirm", headers={"Auto-Submitted": "auto-generated"}
    )
    person = Recipient(5, "ana@example.com", {})
    message = read(write(plain, person))
    assert message["List-Unsubscribe"] is None
    assert message["List-Unsubscribe-Post"] is None
    assert message["Auto-Submitted"] == "auto-generated"


def test_a_one_click_header_that_is_given_is_kept_and_completed() -> None:
    mail = make_mail(headers={"List-Unsubscribe": "<__pv_t_unsubscribe__>, <mailto:leave@example.org>"})
    message = read(write(mail))
    assert message["List-Unsubscribe"].startswith("<https://example.org/u/token-5?list=1&from=mail>, <mailto:")
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"subject": "  "}, "subject is empty"),
        ({"from_name": "admin@bank.example"}, "take for a forgery"),
        ({"from_name": 'Evil" <x@y>'}, "take for a forgery"),
        ({"from_email": "nobody"}, "sender’s address is not an email address"),
        ({"from_email": "a@b.example, c@d.example"}, "sender’s address is not an email address"),
        ({"reply_to": "nobody"}, "reply address is not an email address"),
        ({"html": " "}, "no HTML part or no text part"),
        ({"text": ""}, "no HTML part or no text part"),
        ({"headers": {"X Bad": "x"}}, "is not the name of a mail header"),
        ({"headers": {"X-Bad\r\nBcc": "x"}}, "is not the name of a mail header"),
        ({"headers": {"Bcc": "x@example.com"}}, "Sending sets the header"),
        ({"headers": {"content-type": "text/plain"}}, "Sending sets the header"),
        ({"headers": {"X-Note": "a\r\nBcc: x@example.com"}}, "line break"),
        ({"subject": "Hi __pv_h_first_name__"}, "subject holds the personal field h_first_name"),
        ({"text": "Hi __pv_u_unsubscribe__"}, "text part holds the personal field u_unsubscribe"),
        ({"html": "Hi __pv_t_first_name__"}, "HTML part holds the personal field t_first_name"),
        ({"headers": {"List-Unsubscribe": "<__pv_u_unsubscribe__>"}}, "header List-Unsubscribe holds"),
        ({"html": "Hi __pv_h_first name__"}, "broken personal field"),
        ({"text": "Hi __pv_x_name__"}, "broken personal field"),
    ],
)
@pytest.mark.requirement("M2")
@pytest.mark.requirement("M3")
def test_a_mail_that_a_mailbox_could_misread_is_refused(changes: dict[str, object], says: str) -> None:
    with pytest.raises(BadMail, match=says):
        write(make_mail(**changes))


def test_a_missing_value_is_refused_instead_of_showing_a_raw_token() -> None:
    with pytest.raises(BadBatch, match="Delivery 5 has no value for h_first_name, t_first_name"):
        write(recipient=Recipient(5, "ana@example.com", {"u_unsubscribe": "x", "t_unsubscribe": "x"}))
