"""Shortening a mail changes nothing that is seen."""

import pytest

from newsletter.rendering.blocks import LeadStory, StoryCards
from newsletter.rendering.compile import inline_styles
from newsletter.rendering.inline_styles import shorten
from newsletter.rendering.pipeline import render
from tests.support.mail_documents import document, story


def mail(styles: str, body: str) -> str:
    return f"<html><head><style>{styles}</style></head><body>{body}</body></html>"


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (".a, .b { color: #111111 !important; }", ".a{color:#111111!important}"),
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


@pytest.mark.parametrize(
    "rule",
    [
        "a[href$='.pdf']{top:0}",
        'a[title="x, .y"]{top:0}',
        ".a:not(.y){top:0}",
        ":is(.a,.y) p{top:0}",
        "@import url(https://harbour.example/own.css);\n.a{top:0}",
        "@import 'own.css';\n.a{top:0}",
        ".sm\\:a{top:0}",
        ".aBn{top:0}",
        'p::before{content:"one, two;  .b { three: 4 } "}',
        "p{background:url(data:image/png;x.y=,z)}",
        "@font-face{font-family:Own;src:url(https://harbour.example/own.woff2)}",
        "@keyframes own{33.3%{top:0}\n}",
        "@media (min-resolution:1.5dppx){.a{top:0}\n}",
    ],
)
def test_rules_of_an_own_template_are_kept(rule: str):
    kept = shorten(mail(rule, '<p class="a sm:a">x</p>'))
    assert kept.replace("\n", "") == mail(rule.replace("\n", ""), '<p class="a sm:a">x</p>')


def test_a_dot_in_an_attribute_selector_is_not_a_class():
    styles = "/*inline*/\na[href$='.pdf'] { top: 0 }"
    assert 'style="top:0"' in inline_styles(mail(styles, '<a href="a.pdf">x</a>'))


def test_a_comment_goes_and_the_rule_behind_it_stays():
    given = "/* from harbour.example: {top} */ .a { top: 0; } /* .b */"
    assert shorten(mail(given, '<p class="a">x</p>')) == mail(".a{top:0}", '<p class="a">x</p>')


def test_no_empty_style_and_no_empty_media_query_is_left():
    given = "<style>.b { top: 0 }</style><style type='text/css'>@media print {\n.b { top: 0 }\n}</style>"
    assert shorten(f"<head>{given}</head><p>x</p>") == "<head></head><p>x</p>"
    assert shorten(mail("@media print { .b { top: 0 } } p { top: 0 }", "")) == mail("p{top:0}", "")


def test_a_plain_letter_has_no_empty_styles():
    html = render(document(LeadStory(story()), layout="plain")).html
    assert "></style>" not in html
    assert "{}" not in html


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
