"""How a mail gets shorter: what goes changes nothing that is seen."""

import pytest

from newsletter.rendering.blocks import LeadStory, StoryCards
from newsletter.rendering.finishing.shorten import shorten
from newsletter.rendering.pipeline import render
from tests.support.mail_documents import document, story


def mail(styles: str, body: str) -> str:
    return f"<html><head><style>{styles}</style></head><body>{body}</body></html>"


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (".a, .b { color: #111111 !important; }", ".a{color:#111111!important}"),
        (".b > td, .a .b { top: 0; }", ""),
        ("a:hover { top: 0; }", "a:hover{top:0}"),
        ("[data-ogsc] .a { top: 0; }\n[data-ogsc] .b { top: 0; }", "[data-ogsc] .a{top:0}"),
        (".moz-text-html .a { top: 0; }", ".moz-text-html .a{top:0}"),
        (
            "@media (prefers-color-scheme: dark) {\n.b { top: 0; }\n.a, .b p { top: 0; }\n}",
            "@media (prefers-color-scheme:dark){.a{top:0}\n}",
        ),
        (
            "p { font: 14px/1.3 'Segoe UI', sans-serif; margin: .5em; }",
            "p{font:14px/1.3 'Segoe UI',sans-serif;margin:.5em}",
        ),
    ],
)
def test_a_sheet_has_only_rules_for_what_is_in_the_mail(given: str, kept: str):
    assert shorten(mail(given, '<p class="a">x</p>')) == mail(kept, '<p class="a">x</p>')


def test_each_rule_has_a_line_of_its_own():
    assert shorten(mail("p { top: 0 } a { top: 0 }", "")) == mail("p{top:0}\na{top:0}", "")


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ('<table border="0" width="9">', '<table width="9">'),
        ('<table border="1">', '<table border="1">'),
        ('<table class="paper pad-outlook" width="640">', '<table width="640">'),
        ('<p style="background:#fefdfc;background-color:#fefdfc;top:0">', '<p style="background-color:#fefdfc;top:0">'),
        (
            '<p style="background:#fefdfc;background-color:#111111">',
            '<p style="background:#fefdfc;background-color:#111111">',
        ),
        ('<p style="background: #fefdfc">', '<p style="background: #fefdfc">'),
        ('<div class="mj-outlook-group-fix mj-column-per-100" style="width:100%">', '<div style="width:100%">'),
        ('<div class="mj-outlook-group-fix mj-column-per-100 side">', '<div class="side">'),
    ],
)
def test_attributes_that_change_nothing_are_left_out(given: str, kept: str):
    assert shorten(given) == kept


def test_a_mail_with_one_column_has_no_rules_for_two():
    one = render(document(LeadStory(story()))).html
    two = render(document(LeadStory(story()), StoryCards((story(), story("A bridge"))))).html
    for name in (".mj-column-per-52-5", ".narrow"):
        assert name not in one
        assert name in two
