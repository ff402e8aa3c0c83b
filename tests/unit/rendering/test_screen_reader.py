"""A screen reader reads each layout as its text file has it, and follows rules for all layouts."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from newsletter.rendering.blocks import Document, ImageBlock, LeadStory, StoryCards, StoryRows
from newsletter.rendering.pipeline import LAYOUTS, render
from tests.gallery.documents import documents, flat_picture
from tests.gallery.run import fill_sample
from tests.gallery.screen_reader import NAMELESS, read_aloud
from tests.gallery.screenshots import CHROMIUM, open_browser, open_mail
from tests.support.mail_documents import document, picture, story
from tests.support.read_aloud import FOLDER, assert_reads_as_before

NAMES = (
    "letter-harbour",
    "plain-harbour",
    "events_first-harbour",
    "digest-meadow",
    "announcement-lantern",
    "event_notice-harbour",
    "appeal-meadow",
    "letter-ar",
    "letter-bare",
    "letter-blocks",
    "notice-meadow",
)
_LINK = re.compile(r"\blink: (.*?)(?=\]|$)", re.MULTILINE)

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not Path(CHROMIUM).exists():
        pytest.skip(f"{CHROMIUM} is not installed")
    with open_browser() as started:
        yield started


@pytest.fixture(scope="module")
def gallery() -> dict[str, Document]:
    return documents(picture=flat_picture)


def hear(browser: Browser, mail: Document) -> str:
    with open_mail(browser, fill_sample(render(mail).html), width=640, scheme="light") as (page, _seen):
        return read_aloud(page)


@pytest.mark.parametrize("name", NAMES)
def test_a_mail_is_heard_as_before(browser: Browser, gallery: dict[str, Document], name: str):
    assert_reads_as_before(hear(browser, gallery[name]), name=f"mails/{name}")


def test_every_layout_is_heard_and_no_file_is_left_over():
    assert {name.split("-")[0] for name in NAMES} >= set(LAYOUTS)
    assert {path.stem for path in (FOLDER / "mails").iterdir()} == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_nameless_blank_or_a_layout_table(browser: Browser, gallery: dict[str, Document], name: str):
    said = hear(browser, gallery[name])
    assert NAMELESS not in said
    assert re.findall(r"^ *(?:blank|table|row|cell)\b.*", said, re.MULTILINE) == []


@pytest.mark.parametrize("name", ["letter-harbour", "events_first-harbour", "event_notice-harbour"])
def test_links_of_different_events_and_stories_have_different_names(
    browser: Browser, gallery: dict[str, Document], name: str
):
    links = _LINK.findall(hear(browser, gallery[name]))
    assert len(links) == len(set(links))


def test_the_title_of_an_event_says_its_date_in_words(browser: Browser, gallery: dict[str, Document]):
    said = hear(browser, gallery["letter-harbour"])
    assert "[link: Walk for the right to stay, Saturday 12 December, 10:00–13:00]" in said
    assert "text: Sat\n" not in said


def test_a_picture_without_a_description_does_not_repeat_the_title(browser: Browser):
    bare = replace(picture("flat-804x536.jpg"), alt="")
    stories = tuple(story(f"Story {number}", picture=bare) for number in range(3))
    said = hear(browser, document(LeadStory(stories[0]), StoryCards(stories[1:2]), StoryRows(stories[2:])))
    assert "image" not in said
    assert [said.count(f"[link: Story {number}]") for number in range(3)] == [1, 1, 1]


def test_a_linked_picture_with_only_a_caption_is_still_a_link(browser: Browser):
    bare = replace(picture("flat-804x536.jpg"), alt="")
    said = hear(browser, document(ImageBlock(bare, caption="The quay", url="https://harbour.example/quay/")))
    assert "link, image: The quay" in said
    assert "image" not in hear(browser, document(ImageBlock(bare, caption="The quay")))


def test_invisible_text_nameless_links_and_tables_are_written(browser: Browser):
    bad = (
        "<title>T</title><p>\u00a0</p><div>\u200a</div><a href='/x'><img src='x.png' alt=''></a>"
        "<table border><tr><th>Day<td>Mon</table><input type=checkbox checked aria-label='Weekly'>"
        "<input required aria-label='Town'>"
    )
    page = browser.new_page()
    page.set_content(bad)
    said = read_aloud(page)
    page.close()
    assert "text: blank" in said
    assert "\nblank" in said
    assert f"link: {NAMELESS}" in said
    assert "table\n" in said
    assert "checkbox, checked: Weekly\ntextbox, required: Town" in said
