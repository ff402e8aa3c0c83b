"""The plain text of mails that we build ourselves is format=flowed: a phone joins the lines of a paragraph (RFC 3676)."""

from datetime import UTC, datetime
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser

import pytest

from newsletter.providers.base.mail.mime import build_message
from newsletter.rendering.blocks import Note, Quote
from newsletter.rendering.pipeline import render
from tests.support.mail_documents import document
from tests.support.provider_fixtures import make_mail, make_recipient

WORDS = "Last week the labour court in Ombari accepted a school notebook as evidence, and it was enough."
SAID = "I did not write it down for a judge. I wrote it down because it was true, and nobody else did."


def read_text_part(text: str) -> EmailMessage:
    """Return the text part of a mail with this text, as a server takes it."""
    message = build_message(
        mail=make_mail(text=text),
        recipient=make_recipient(5, t_preferences="https://example.org/p/5"),
        message_id="batch-1-5@news.example.org",
        date=datetime(2027, 3, 4, 9, 0, tzinfo=UTC),
    )
    part = BytesParser(policy=policy.default).parsebytes(message.as_bytes()).get_body(("plain",))
    assert isinstance(part, EmailMessage)
    return part


def unflow(part: EmailMessage) -> str:
    """Return format=flowed text as a mail program shows it: a line that ends in a space goes on in the next."""
    shown = ""
    for line in part.get_content().replace("\r\n", "\n").split("\n"):
        bare = line.removeprefix(" ")
        shown += bare if bare.endswith(" ") else f"{bare}\n"
    return shown


def test_a_paragraph_is_one_line_again_and_a_quote_keeps_its_lines() -> None:
    text = render(document(Note(body_html=f"<p>{WORDS} {WORDS}</p>", body_text=f"{WORDS} {WORDS}"), Quote(SAID))).text
    assert max(len(line.rstrip()) for line in text.splitlines() if "://" not in line) <= 72
    part = read_text_part(text)
    assert part.get_param("format") == "flowed"
    shown = unflow(part)
    assert f"\n{WORDS} {WORDS}\n" in shown
    assert (
        "\n  I did not write it down for a judge. I wrote it down because it was\n  true, and nobody else did.\n"
        in shown
    )


def test_only_lines_that_were_broken_end_in_a_space() -> None:
    text = render(document(Note(body_html=f"<p>{WORDS}</p>", body_text=f"{WORDS}\nShort   \n\nEnd"), Quote(SAID))).text
    spaced = [line for line in text.splitlines() if line.endswith(" ")]
    assert [line for line in spaced if len(line) < 50] == []
    assert "Short\n\nEnd\n" in text


@pytest.mark.parametrize("line", ["  indented", "> quoted", "From here on", "plain"])
def test_the_beginning_of_a_line_survives(line: str) -> None:
    assert unflow(read_text_part(f"{line}\n__pv_t_unsubscribe__\n")).startswith(f"{line}\n")
