"""The length of a text counts what people see, not the code points of which an emoji or an accented letter is made."""

from dataclasses import replace

import pytest

from newsletter.common.text import count_characters
from newsletter.rendering.lint.checks import lint_mail
from newsletter.rendering.pipeline import render
from tests.support.mail_documents import rich_document

FAMILY, FLAG, WAVE = "👨‍👩‍👧‍👦", "🇺🇦", "👋🏽"


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("", 0),
        ("Hello", 5),
        (FAMILY, 1),
        (FLAG * 2, 2),
        (f"Hi {WAVE}!", 5),
        ("1️⃣", 1),
        ("Zoe\u0308", 3),
        ("नमस्ते", 3),
        ("one\r\ntwo", 7),
        ("one\ntwo", 7),
        ("e" + "\u0301" * 15, 1),
        ("e" + "\u0301" * 16, 2),
        ("e" + "\u0301" * 2000, 126),
    ],
)
def test_a_character_is_what_people_see(text: str, number: int):
    assert count_characters(text) == number


@pytest.mark.parametrize(("field", "limit"), [("subject", 150), ("preheader", 110)])
def test_an_emoji_of_several_code_points_is_one_of_the_allowed(field: str, limit: int):
    assert list_lengths(field, FAMILY * limit) == []
    assert list_lengths(field, FAMILY * (limit + 1)) == [str(limit + 1)]


def list_lengths(field: str, text: str) -> list[str]:
    """Return the numbers in the finding on the length of this field."""
    document = replace(rich_document(), **{field: text})
    codes = {"subject-long", "preheader-length"}
    found = [
        one.message
        for one in lint_mail(render(document), document=document)
        if one.code in codes and one.field == field
    ]
    return [word for message in found for word in str(message).split() if word.isdigit()][:1]
