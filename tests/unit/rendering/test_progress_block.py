"""The progress of an appeal: what is raised so far of a goal, as a bar and in words."""

import re

import pytest

from newsletter.rendering.blocks import SchemaBlock
from newsletter.rendering.mail import RenderedMail
from newsletter.rendering.pipeline import render
from tests.support.mail_documents import document, visible_text

VALUES = {"headline": "A boat", "raised": "12,400", "goal": "20000", "currency": "GBP", "as_of": "2026-11-24"}


def show(**changes: object) -> RenderedMail:
    return render(document(SchemaBlock("progress", {**VALUES, **changes})))


def find_filled_width(mail: RenderedMail) -> int:
    """Return the width of the filled part of the bar in percent, 0 if it has none."""
    found = re.search(r'<td class="tintbutton" width="(\d+)%"', mail.html)
    return int(found[1]) if found else 0


@pytest.mark.parametrize(
    ("raised", "percent", "width", "words"),
    [
        ("0", "", 0, "£0 raised of £20,000"),
        ("50", "", 1, "£50 raised of £20,000"),
        ("12,400", "62%", 62, "£12,400 raised of £20,000"),
        ("19999.99", "99%", 99, "£19,999.99 raised of £20,000"),
        ("20000", "100%", 100, "£20,000 raised. The goal of £20,000 is reached."),
        ("26200", "131%", 100, "£26,200 raised. The goal of £20,000 is reached."),
    ],
)
def test_the_bar_and_the_words_say_the_same(raised: str, percent: str, width: int, words: str) -> None:
    mail = show(raised=raised)
    assert find_filled_width(mail) == width
    assert f"A boat {percent} ".replace("  ", " ") in visible_text(mail.html)
    assert words in visible_text(mail.html)
    assert f"{words}\nAs of 24 November 2026\n" in mail.text


@pytest.mark.parametrize("goal", ["0", "much", "", None])
def test_a_goal_that_is_not_above_0_makes_no_sentence(goal: str | None) -> None:
    mail = show(goal=goal)
    assert find_filled_width(mail) <= 1
    assert "raised" not in mail.text


def test_an_unknown_currency_is_not_shown() -> None:
    assert "raised" not in show(currency="POUND").text


def test_the_bar_needs_no_picture_and_has_its_colours_as_attributes_too() -> None:
    html = show().html
    bar = html[html.index('<td class="tintbutton"') :].split("</table>")[0]
    assert "<img" not in bar
    assert "bgcolor=" in bar
