"""Styles by kind of element are those that Premailer writes for the whole page."""

import random

import premailer
import pytest

from newsletter.rendering import compile
from newsletter.rendering import inline_styles as inlining
from newsletter.rendering.inline_styles import inline
from newsletter.rendering.pipeline import render
from tests.gallery.documents import documents, flat_picture
from tests.support.mail_documents import rich_document

RULES = (
    "p { margin: 0; color: #101010; }",
    ".a { color: #111111; font-weight: bold; }",
    ".a.b { color: #222222 !important; }",
    "td.a { padding: 1px; }",
    ".a p { color: #333333; }",
    ".a .b { margin: unset; }",
    ".b .a p { margin: 2px; }",
    ".b.c a { color: #444444; }",
)
NOT_SIMPLE = (
    "table p { margin: 1px; }",
    "p:first-child { margin: 3px; }",
    ".a > p { margin: 4px; }",
    "a:hover { top: 0; }",
)
STYLES = ("", ' style="margin:5px"', ' style="color:#555555;top:0"')


def by_premailer(html: str) -> str:
    return str(premailer.Premailer(html, **inlining._OPTIONS).transform(pretty_print=False)).replace(
        inlining.IGNORE, ""
    )


def make_page(rules: list[str], body: str) -> str:
    return (
        "<!DOCTYPE html><html><head>"
        f'<style type="text/css">{" ".join(rules)}</style><style data-premailer="ignore">.a {{ top: 0; }}</style>'
        f"</head><body>{body}</body></html>"
    )


def make_body(choices: random.Random, depth: int = 0) -> str:
    parts = []
    for _ in range(choices.randint(1, 3)):
        tag = choices.choice(["div", "p", "a", "table", "span"] if depth < 5 else ["p", "a"])
        names = choices.sample(["a", "b", "c", "d"], choices.randint(0, 3))
        attributes = f' class="{" ".join(names)}"' * bool(names) + choices.choice(STYLES)
        inner = make_body(choices, depth + 1) if tag in ("div", "table", "span") else "x & y"
        if tag == "table":
            inner = f"<tr><td{attributes}>{inner}</td></tr>"
        parts.append(f"<{tag}{attributes}>{inner}</{tag}>")
    return "".join(parts)


@pytest.mark.parametrize("seed", range(60))
def test_a_page_gets_the_styles_that_premailer_gives_it(seed: int) -> None:
    choices = random.Random(seed)
    rules = choices.sample(RULES, choices.randint(1, len(RULES)))
    for _ in range(3):
        page = make_page(rules, make_body(choices))
        assert inline(page) == by_premailer(page)


@pytest.mark.parametrize("rule", NOT_SIMPLE)
def test_a_sheet_with_other_selectors_is_inlined_too(rule: str) -> None:
    page = make_page([*RULES, rule], make_body(random.Random(rule)))
    assert inline(page) == by_premailer(page)


@pytest.mark.parametrize("attribute", ["class", "style"])
def test_a_page_with_control_characters_is_inlined_too(attribute: str) -> None:
    page = make_page(list(RULES), f'<p {attribute}="a\x01b">x</p><p class="a">y</p>')
    assert inline(page) == by_premailer(page)


@pytest.mark.parametrize("ignore", ["", ' data-premailer="ignore"'])
def test_a_sheet_with_a_class_is_inlined_too(ignore: str) -> None:
    rules = RULES if ignore else ()
    page = make_page(list(rules), f'<style class="a"{ignore}>.a {{ top: 1px; }}</style><p class="a">x</p>')
    if not ignore:
        page = page.replace('<style type="text/css"></style>', "")
    assert inline(page) == by_premailer(page)


@pytest.mark.parametrize(
    "head", ["", "<style></style>", '<style media="print">p { top: 0; }</style>', "<style>p { top: 0; }</style>" * 2]
)
def test_a_page_with_no_or_several_sheets_is_inlined_too(head: str) -> None:
    page = f'<html><head>{head}</head><body><p class="a">x</p></body></html>'
    assert inline(page) == by_premailer(page)


def test_every_mail_of_the_gallery_gets_the_styles_of_premailer(monkeypatch: pytest.MonkeyPatch) -> None:
    pages: list[str] = []
    monkeypatch.setattr(compile, "inline", lambda html: pages.append(html) or inline(html))
    for mail in documents(picture=flat_picture).values():
        render(mail)
    assert len(pages) > 20
    for page in pages:
        assert inline(page) == by_premailer(page)


def test_every_sheet_of_the_gallery_has_simple_selectors_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """One other selector makes Premailer match the whole page for every mail, which is slow."""
    monkeypatch.setattr(inlining, "_SHEETS", {})
    for mail in documents(picture=flat_picture).values():
        render(mail)
    assert len(inlining._SHEETS) > 5
    slow = [
        selector
        for sheet in inlining._SHEETS.values()
        for _, (_, selector, *_) in sheet.rules
        if not inlining._SIMPLE_SELECTOR.fullmatch(selector)
    ]
    assert slow == []
    assert all(sheet.find_elements for sheet in inlining._SHEETS.values())


def test_a_mail_with_known_kinds_of_elements_needs_no_premailer(monkeypatch: pytest.MonkeyPatch) -> None:
    first = render(rich_document()).html
    calls: list[object] = []
    monkeypatch.setattr(inlining._Inliner, "transform", lambda self, **given: calls.append(given))
    assert render(rich_document()).html == first
    assert calls == []


def test_the_cache_of_kinds_has_one_limit_for_all_sheets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inlining, "_MAX_CACHED_KINDS", 10)
    monkeypatch.setattr(inlining, "_SHEETS", {})
    for number in range(40):
        page = make_page([f".a {{ color: #0a0b0{number % 4}; }}"], f'<p class="a" style="top:{number}px">x</p>')
        assert inline(page) == by_premailer(page)
        assert 0 < sum(len(sheet.styles) for sheet in inlining._SHEETS.values()) <= 10
    assert len(inlining._SHEETS) == 4


def test_a_sheet_is_usable_although_another_thread_empties_the_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    class Emptied(dict[tuple[str, int], object]):
        def __setitem__(self, key: tuple[str, int], sheet: object) -> None:
            self.clear()

    monkeypatch.setattr(inlining, "_SHEETS", Emptied())
    page = make_page(list(RULES), '<p class="a">x</p>')
    assert inline(page) == by_premailer(page)
