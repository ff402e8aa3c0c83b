"""Braces in text from outside are never read as a personal field."""

import pytest

from newsletter.common.text import escape_merge_fields


@pytest.mark.parametrize("text", ["{{ name }}", "{{{", "{{{{", "{{% if", "{{{% x"])
def test_no_braces_of_a_field_are_left(text: str) -> None:
    escaped = escape_merge_fields(text)
    assert "{{" not in escaped
    assert "{%" not in escaped
    assert escaped.replace("\u2060", "") == text
