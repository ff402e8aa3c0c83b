"""Dividers: each look draws what it says, by tables and colours alone, in light and dark mode."""

from dataclasses import replace

import pytest
from lxml.html import HtmlElement, document_fromstring

from newsletter.rendering.blocks import Divider, Note
from newsletter.rendering.colours import dark_palette, light_palette
from newsletter.rendering.lint.checks import lint_mail
from newsletter.rendering.pipeline import LAYOUTS, render
from tests.support.mail_documents import BRAND, document

NOTE = Note(body_html="<p>Before</p>", body_text="Before")
LIGHT = light_palette(colour=BRAND.colour, accent=BRAND.accent, background=BRAND.background)
DARK = dark_palette(colour=BRAND.colour, accent=BRAND.accent)


def cells(look: str) -> list[HtmlElement]:
    root = document_fromstring(render(document(NOTE, Divider(look=look))).html)
    return [cell for cell in root.iter("td") if cell.get("class", "").startswith("dot")]


@pytest.mark.parametrize(
    ("look", "size", "colours"),
    [
        ("line", "", []),
        ("dots", "8", [LIGHT.rule] * 3),
        ("bars", "32", [LIGHT.rule, LIGHT.heading, LIGHT.chip]),
    ],
)
def test_a_divider_is_drawn_in_the_colours_of_the_brand(look: str, size: str, colours: list[str]) -> None:
    drawn = cells(look)
    assert [cell.get("bgcolor") for cell in drawn] == colours
    assert {cell.get("width") for cell in drawn} == ({size} if size else set())
    assert 'class="mark"' in render(document(NOTE, Divider())).html


@pytest.mark.parametrize("look", ["line", "dots", "bars"])
def test_each_divider_has_its_colours_at_night_and_is_not_read_out(look: str) -> None:
    made = document(NOTE, Divider(look=look))
    mail = render(made)
    rules = mail.html.partition("prefers-color-scheme:dark")[2]
    if look == "bars":
        assert f".dot2{{background-color:{DARK.heading}!important}}" in rules
        assert f".dot3{{background-color:{DARK.chip}!important}}" in rules
    if look != "line":
        assert f".dot{{background-color:{DARK.rule}!important}}" in rules
        assert all(cell.xpath("ancestor::table[1]")[0].get("aria-hidden") == "true" for cell in cells(look))
    assert mail.text.count("* * *") == 1
    assert [finding.code for finding in lint_mail(mail, document=made) if finding.level == "error"] == []


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_drawing_replaces_the_line_in_each_layout(layout: str) -> None:
    made = document(NOTE, Divider(look="dots"), layout=layout, headline="News", brand=replace(BRAND, masthead="plain"))
    html = render(made).html
    assert html.count('class="dot"') == 3
