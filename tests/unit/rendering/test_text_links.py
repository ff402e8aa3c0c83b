"""Links of the plain text, numbered in a list at the end."""

import re
from dataclasses import replace

import pytest

from newsletter.rendering.blocks import Button, Document, LeadStory, Note, StoryCards
from newsletter.rendering.clean_text import number_links
from newsletter.rendering.lint.checks import lint_mail
from newsletter.rendering.pipeline import LAYOUTS, render
from tests.gallery.documents import brand_of, documents, flat_picture, notice
from tests.support.mail_documents import document, story
from tests.support.sample_mails import sample_document

SITE = "https://harbour.example"


def numbered(mail: Document) -> Document:
    return replace(mail, brand=replace(mail.brand, text_links="end"))


def sample(layout: str) -> Document:
    return sample_document(layout=layout, brand=brand_of("meadow"), picture=flat_picture)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_link_has_one_number_and_is_in_the_list(layout: str):
    beneath, end = render(sample(layout)).text, render(numbered(sample(layout))).text
    body, _, footer = end.partition("\n[1] ")
    listed = re.findall(r"^\[(\d+)\] (\S+)$", f"[1] {footer}", re.MULTILINE)
    assert [int(number) for number, _ in listed] == list(range(1, len(listed) + 1))
    assert "://" not in body
    assert set(re.findall(r"\[(\d+)\]", body)) == {number for number, _ in listed}
    assert set(re.findall(r"https?://\S+", beneath)) == set(re.findall(r"https?://\S+", end))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_numbering_keeps_lines_of_72_characters_and_passes_the_checks(layout: str):
    mail = numbered(sample(layout))
    text = render(mail).text
    assert [line for line in text.splitlines() if len(line.rstrip()) > 72 and "://" not in line] == []
    assert [found.code for found in lint_mail(render(mail), document=mail)] == [
        found.code for found in lint_mail(render(sample(layout)), document=sample(layout))
    ]


def test_the_choice_changes_the_text_only():
    beneath, end = render(sample("letter")), render(numbered(sample("letter")))
    assert (beneath.html, beneath.subject) == (end.html, end.subject)
    assert beneath.text != end.text
    assert beneath.sha256 != end.sha256


def test_the_links_of_the_footer_and_of_system_mails_stay_beneath():
    text = render(numbered(sample("letter"))).text
    assert "Unsubscribe:\n__pv_t_unsubscribe__" in text
    assert f"Our website: {SITE}/" in text
    mail = documents(picture=flat_picture)["notice-meadow"]
    assert render(numbered(mail)).text == render(notice(brand_of("meadow"))).text


def test_a_link_to_follow_a_case_is_numbered_with_its_reader():
    mail = document(LeadStory(story(case="river")))
    assert "] __pv_t_preferences__?case=river" in render(numbered(mail)).text


def test_a_link_that_is_twice_in_a_mail_has_one_number():
    same = story(url=f"{SITE}/a/")
    text = render(numbered(document(LeadStory(same), StoryCards((same,)), Button("Again", f"{SITE}/a/")))).text
    assert text.count("[1]") == 4
    assert "[2]" not in text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Give monthly:\nhttps://a.example/", "Give monthly [1]"),
        ("Add: https://a.example/?a=1&b=2", "Add [1]"),
        ("Read (https://a.example/x), then write.", "Read ([1]), then write."),
        ("Write to mailto:us@a.example.", "Write to [1]."),
        ("Above\n\nhttps://a.example/", "Above\n\n[1]"),
        ("A title\n-------\nhttps://a.example/", "A title\n-------\n[1]"),
        ("x" * 70 + "\nhttps://a.example/", "x" * 70 + "\n[1]"),
        ("It is 10:00 on __pv_t_town_1__", "It is 10:00 on __pv_t_town_1__"),
    ],
)
def test_a_number_follows_the_words_of_its_link(text: str, expected: str):
    assert number_links(text, links=[]) == expected


def test_a_link_that_staff_wrote_in_a_sentence_is_numbered_there():
    note = Note(body_html="<p>See https://a.example/x.</p>", body_text="See https://a.example/x.")
    assert "See [1]." in render(numbered(document(note))).text
