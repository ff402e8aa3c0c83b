"""Lint finds each defect that is put into a good mail, by its name, and none in a good mail."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from newsletter.rendering.blocks import AppealBlock, Block, Button, ImageBlock, LeadStory, Note, Picture, StoryCards
from newsletter.rendering.lint.checks import lint_mail
from newsletter.rendering.lint.findings import Finding, is_vague
from newsletter.rendering.lint.tag_balance import view_for_others, view_for_outlook
from newsletter.rendering.mail import RenderedMail
from newsletter.rendering.pipeline import render
from tests.support.mail_documents import BRAND, document, picture, rich_document, story

DOCUMENT = rich_document()
MAIL = render(DOCUMENT)


def codes(findings: tuple[Finding, ...]) -> list[tuple[str, str]]:
    return [(finding.level, finding.code) for finding in findings]


def put(before: str, after: str) -> Callable[[RenderedMail], RenderedMail]:
    def seed(mail: RenderedMail) -> RenderedMail:
        assert before in mail.html
        return replace(mail, html=mail.html.replace(before, after, 1))

    return seed


def add(html: str) -> Callable[[RenderedMail], RenderedMail]:
    return put('<div class="copy">', f'<div class="copy">{html}')


SEEDED = {
    "size": add("x" * 60_000),
    "html-empty": lambda mail: replace(mail, html=" "),
    "doctype": put("<!DOCTYPE html>", ""),
    "lang": put('lang="en"', 'lang="und"'),
    "title": put("<title>Wages paid, friend</title>", "<title> </title>"),
    "alt": put('alt="Fields at dawn"', ""),
    "image-source": put('src="https://harbour.example/media/terraces.jpg"', 'src="/terraces.jpg"'),
    "image-width": put(' width="560"', ' width="560px"'),
    "data-image": put("https://harbour.example/media/terraces.jpg", "data:image/png;base64,AA"),
    "link-scheme": put('href="https://harbour.example/give/"', 'href="javascript:alert(1)"'),
    "link-text": add('<a href="https://harbour.example/"> </a>'),
    "unresolved": add("Dear {{ name }}"),
    "forbidden-tag": add("<form></form>"),
    "script": add('<p onclick="x()">Text</p>'),
    "duplicate-id": add('<p id="a">One</p><p id="a">Two</p>'),
    "table-role": add("<table><tr><td>1</td></tr></table>"),
    "contrast": add('<p style="color:#cccccc">Pale</p>'),
    "tag-balance": put("</h1>", ""),
    "stray-condition": add("<![endif]-->"),
    "nested-link": add('<a href="https://a.example/">A <a href="https://b.example/">B</a></a>'),
    "h1": add("<h1>Another</h1>"),
    "unsubscribe": put('href="__pv_u_unsubscribe__"', 'href="https://harbour.example/leave/"'),
    "preferences": put('href="__pv_u_preferences__"', 'href="https://harbour.example/choose/"'),
    "postal-address": put(BRAND.postal_address, ""),
    "subject-characters": lambda mail: replace(mail, subject="Line\nbreak"),
    "text-empty": lambda mail: replace(mail, text="\n"),
    "text-unsubscribe": lambda mail: replace(mail, text=mail.text.replace("__pv_t_unsubscribe__", "")),
    "text-preferences": lambda mail: replace(mail, text=mail.text.replace("__pv_t_preferences__", "")),
}


@pytest.mark.parametrize("code", SEEDED)
def test_a_seeded_defect_is_an_error_by_its_name(code: str):
    found = lint_mail(SEEDED[code](MAIL), document=DOCUMENT)
    assert ("error", code) in codes(found)
    assert all(len(finding.message) > 20 for finding in found)


WARNED = {
    "size": add("x" * 45_000),
    "vague-link": add('<a href="https://harbour.example/">Click here</a>'),
    "heading-order": add("<h2>Two</h2><h4>Four</h4>"),
    "text-line": lambda mail: replace(mail, text=mail.text + "x" * 999),
}


@pytest.mark.parametrize("code", WARNED)
def test_a_seeded_weakness_is_a_warning_and_no_error(code: str):
    assert codes(lint_mail(WARNED[code](MAIL), document=DOCUMENT)) == [("warning", code)]


@pytest.mark.parametrize("mark", ["{{ x", "x }}", "{% x", "x %}", "*|FNAME", "X|*", "<mj-text>", "%7B%7Bname"])
def test_marks_of_merge_languages_that_a_template_left_over_are_errors(mark: str):
    assert ("error", "unresolved") in codes(lint_mail(replace(MAIL, text=MAIL.text + mark), document=DOCUMENT))


def test_template_marks_in_a_story_are_only_a_warning():
    made = document(LeadStory(story("{{ 7*7 }}")))
    assert codes(lint_mail(render(made), document=made)) == [("warning", "literal-marks")] * 2


def test_outlook_and_others_each_read_their_own_half_of_a_condition():
    html = "<p>all</p><!--[if mso | IE]><td>outlook</td><![endif]--><!--[if !mso]><!--><i>others</i><!--<![endif]-->"
    assert view_for_outlook(html) == "<p>all</p><td>outlook</td>"
    assert view_for_others(html) == "<p>all</p><i>others</i>"


def test_a_tag_that_is_open_only_for_outlook_is_found():
    found = lint_mail(put("<!--[if mso | IE]></td></tr></table><![endif]-->", "")(MAIL), document=DOCUMENT)
    assert [(finding.code, "For Outlook" in finding.message) for finding in found] == [("tag-balance", True)]


def test_a_mail_of_one_picture_is_warned_of():
    poster = document(ImageBlock(picture(), url="https://harbour.example/"))
    assert ("warning", "few-words") in codes(lint_mail(render(poster), document=poster))
    short = document(Note("<p>Short.</p>", "Short."))
    assert codes(lint_mail(render(short), document=short)) == []


def test_text_that_is_hidden_needs_no_contrast():
    assert lint_mail(add('<p style="display:none;color:#fffdf9">Hidden</p>')(MAIL), document=DOCUMENT) == ()


def note(html: str) -> Note:
    return Note(body_html=html, body_text="", key="k")


@pytest.mark.parametrize(
    ("block", "level", "code", "field"),
    [
        (note('<p><a href="javascript:x">Our page</a></p>'), "error", "link-scheme", "body_html"),
        (note('<p><a href="/about/">Our page</a></p>'), "error", "link-scheme", "body_html"),
        (note("<p>Dear *|FNAME|*</p>"), "error", "unresolved", "body_html"),
        (Button("Press", "", key="k"), "error", "no-link", "url"),
        (AppealBlock("Give", "", " ", "Give", key="k"), "error", "no-link", "url"),
        (AppealBlock("Give", "", "ftp://x.example", "Give", key="k"), "error", "link-scheme", "url"),
        (LeadStory(story(url=""), key="k"), "warning", "no-link", "url"),
        (StoryCards((story(url=""),), key="k"), "warning", "no-link", "url"),
        (LeadStory(story(picture=Picture("cid:1", 9, 9, "x")), key="k"), "error", "image-source", "picture"),
        (StoryCards((story(picture=picture(alt="")),), key="k"), "warning", "alt-empty", "picture"),
        (ImageBlock(picture(alt=" "), key="k"), "warning", "alt-empty", "picture"),
    ],
)
def test_a_finding_names_the_block_and_the_field_that_staff_must_change(
    block: Block, level: str, code: str, field: str
):
    made = document(block)
    found = [finding for finding in lint_mail(render(made), document=made) if finding.block]
    assert [(f.level, f.code, f.block, f.field) for f in found] == [(level, code, "k", field)]


@pytest.mark.parametrize(
    ("changes", "level", "code", "field"),
    [
        ({"subject": "  "}, "error", "subject-empty", "subject"),
        ({"subject": "x" * 151}, "warning", "subject-long", "subject"),
        ({"subject": "Line\nbreak"}, "error", "subject-characters", "subject"),
        ({"subject": "Over\u202eride"}, "error", "subject-characters", "subject"),
        ({"preheader": "x" * 50 + "\x00"}, "error", "preheader-characters", "preheader"),
        ({"preheader": ""}, "warning", "preheader-length", "preheader"),
        ({"preheader": "x" * 39}, "warning", "preheader-length", "preheader"),
        ({"preheader": "x" * 111}, "warning", "preheader-length", "preheader"),
        ({"brand": replace(BRAND, postal_address=" \n")}, "error", "postal-address", "postal_address"),
        ({"brand": replace(BRAND, social=(("x", "x:y"),))}, "error", "link-scheme", "url"),
        ({"brand": replace(BRAND, website="harbour.example")}, "error", "link-scheme", "website"),
    ],
)
def test_a_finding_of_the_issue_or_brand_names_the_field(changes: dict[str, object], level: str, code: str, field: str):
    made = document(**changes)
    found = [finding for finding in lint_mail(render(made), document=made) if finding.field]
    assert [(f.level, f.code, f.field) for f in found] == [(level, code, field)]


@pytest.mark.parametrize(
    ("preheader", "said"), [("x", "has 1 character."), ("xx", "has 2 characters."), ("", "is empty.")]
)
def test_a_short_preheader_is_counted_in_the_right_number(preheader: str, said: str):
    made = replace(rich_document(), preheader=preheader)
    found = [one.message for one in lint_mail(render(made), document=made) if one.code == "preheader-length"]
    assert [message.partition(" Between")[0] for message in found] == [f"The preheader {said}"]


@pytest.mark.parametrize(
    ("brief", "said"), [(1, "1 story shows its title alone"), (2, "2 stories show their titles alone")]
)
def test_shortened_stories_are_counted_in_the_right_number(brief: int, said: str):
    made = rich_document()
    mail = render(made)
    mail = replace(mail, html=mail.html.replace("</body>", '<p class="brief">A story</p>' * brief + "</body>"))
    assert any(said in one.message for one in lint_mail(mail, document=made) if one.code == "shortened")


def test_a_postal_address_on_several_lines_is_found_in_the_footer():
    made = document(brand=replace(BRAND, postal_address="Harbour Justice,\n1 Example Quay\r\nLondon"))
    assert lint_mail(render(made), document=made) == ()
    assert "Harbour Justice, 1 Example Quay, London" in render(made).text


def test_errors_come_before_warnings_and_nothing_is_repeated():
    made = document(LeadStory(story(url="")), LeadStory(story(url="")), subject="", preheader="")
    assert codes(lint_mail(render(made), document=made)) == [
        ("error", "subject-empty"),
        ("warning", "preheader-length"),
        ("warning", "no-link"),
    ]


@pytest.mark.parametrize("words", ["Click here", "HERE »", "read more…", "Leer más", "En savoir plus", "hier", "هنا"])
def test_vague_link_texts_are_known_in_several_languages(words: str):
    assert is_vague(words)
    assert not is_vague(f"{words} about fair wages")
