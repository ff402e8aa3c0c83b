"""Cards of stories in a browser: a tap anywhere on a card opens its story; a screen reader hears no link twice."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from newsletter.rendering.blocks import Block, LeadStory, SchemaBlock, StoryCards, StoryItem, StoryList, StoryRows
from newsletter.rendering.pipeline import LAYOUTS, render
from tests.gallery.documents import flat_picture
from tests.gallery.screen_reader import read_aloud
from tests.gallery.screenshots import CHROMIUM, open_browser, open_mail
from tests.support.mail_documents import document, story
from tests.support.sample_mails import sample_schema_block

PICTURE = flat_picture("terraces", "card")
STORIES = tuple(
    story(title, url=f"https://harbour.example/{number}/", picture=PICTURE, topic="Fair wages", date="1 March")
    for number, title in enumerate(("One", "Two", "Three"), start=1)
)
# For each card: what a tap on the middle of each of its parts opens.
_TAP = """() => [...document.querySelectorAll('.tap')].map(card => {
  const parts = [...card.querySelectorAll('img, .kicker, .teaser, .intro, h2, h3, p')];
  return parts.filter(part => part.getClientRects().length).map(part => {
    part.scrollIntoView({block: 'center'});
    const box = part.getBoundingClientRect();
    const hit = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2);
    return hit.closest('a')?.getAttribute('href');
  });
})"""
# Makes a link of a phone number, as Apple Mail does. Returns what a tap on it opens, and a tap on the words before it.
_TAP_ADDED_LINK = """part => {
  part.innerHTML = 'Call us at any hour of the day: <a href="tel:+4420">+44 20</a>';
  part.scrollIntoView({block: 'center'});
  return [part.querySelector('a').getClientRects()[0], part.getClientRects()[0]].map(box =>
    document.elementFromPoint(box.left + 5, box.top + 8).closest('a')?.getAttribute('href') ?? '');
}"""
SHORT_DOCUMENT = SchemaBlock("document", {**sample_schema_block("document", flat_picture).values, "text": ""})
_WHOLE = replace(STORIES[0], text="All of it, from the first word to the last.")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not Path(CHROMIUM).exists():
        pytest.skip(f"{CHROMIUM} is not installed")
    with open_browser() as started:
        yield started


@pytest.mark.browser
@pytest.mark.parametrize("width", [375, 640])
@pytest.mark.parametrize(
    ("blocks", "cards"),
    [
        ((LeadStory(STORIES[0]),), 1),
        ((StoryCards(STORIES),), 3),
        ((LeadStory(STORIES[0]), StoryCards(STORIES[1:])), 3),
        ((StoryCards(STORIES[:1]),), 1),
        ((StoryRows(STORIES),), 3),
        ((StoryList(STORIES),), 3),
        ((sample_schema_block("video", flat_picture), SHORT_DOCUMENT), 2),
    ],
    ids=["lead", "cards", "cards-after-lead", "one-card", "rows", "list", "video-and-document"],
)
def test_a_tap_anywhere_on_a_card_opens_its_story(browser: Browser, blocks: tuple[Block, ...], cards: int, width: int):
    with open_mail(browser, render(document(*blocks)).html, width=width, scheme="light") as (page, _):
        opened = page.evaluate(_TAP)
    assert len(opened) == cards
    for card in opened:
        assert len(card) > 1
        assert len(set(card)) == 1
        assert card[0]
    assert len({card[0] for card in opened}) == cards


@pytest.mark.browser
def test_a_tap_on_a_second_link_of_a_card_opens_that(browser: Browser):
    mail = render(document(StoryRows((replace(STORIES[0], case="widows-v-registry"),))))
    with open_mail(browser, mail.html, width=375, scheme="light") as (page, _):
        opened = page.locator(".tap .link").evaluate(
            """link => { const box = link.getBoundingClientRect();
            return document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2) === link; }"""
        )
    assert opened


@pytest.mark.browser
@pytest.mark.parametrize("language", ["en", "ar"])
@pytest.mark.parametrize("width", [375, 1280])
@pytest.mark.parametrize(
    "block",
    [LeadStory(STORIES[0]), StoryCards(STORIES[:1]), StoryCards(STORIES[:2]), StoryList(STORIES)],
    ids=["lead", "one-card", "cards", "list"],
)
def test_a_tap_on_a_link_that_the_mail_program_adds_opens_that(
    browser: Browser, block: Block, width: int, language: str
):
    mail = render(document(block, language=language))
    with open_mail(browser, mail.html, width=width, scheme="light") as (page, _):
        summary = page.locator(".tap p:has-text('Four islands')").first
        assert summary.evaluate(_TAP_ADDED_LINK) == ["tel:+4420", STORIES[0].url]


@pytest.mark.browser
@pytest.mark.parametrize("width", [375, 1280])
@pytest.mark.parametrize(
    "block",
    [LeadStory(_WHOLE), StoryCards((_WHOLE,)), StoryRows((_WHOLE,)), StoryList((_WHOLE,))],
    ids=["lead", "cards", "rows", "list"],
)
def test_the_text_of_a_whole_story_opens_only_its_own_links(browser: Browser, block: Block, width: int):
    with open_mail(browser, render(document(block)).html, width=width, scheme="light") as (page, _):
        assert page.locator(".copy p").evaluate(_TAP_ADDED_LINK) == ["tel:+4420", ""]
        assert page.locator(".tap").count() == 0


@pytest.mark.browser
def test_the_text_about_a_document_opens_only_its_own_links(browser: Browser):
    mail = render(document(sample_schema_block("document", flat_picture)))
    with open_mail(browser, mail.html, width=375, scheme="light") as (page, _):
        assert page.locator(".panel p.gap").first.evaluate(_TAP_ADDED_LINK) == ["tel:+4420", ""]


@pytest.mark.browser
@pytest.mark.parametrize("shown", [StoryRows, StoryCards, StoryList])
def test_a_card_without_a_page_does_not_become_a_link_of_its_title(
    browser: Browser, shown: Callable[[tuple[StoryItem, ...]], Block]
):
    mail = render(document(shown((replace(STORIES[0], url=""),))))
    with open_mail(browser, mail.html, width=640, scheme="light") as (page, _):
        page.locator("h2.title").evaluate("title => { title.innerHTML = '<a href=\"tel:+4420\">+44 20</a>'; }")
        assert page.locator(".teaser").evaluate(_TAP_ADDED_LINK) == ["tel:+4420", ""]


@pytest.mark.browser
def test_a_screen_reader_hears_the_title_of_a_tappable_card_once(browser: Browser):
    with open_mail(browser, render(document(StoryRows(STORIES))).html, width=640, scheme="light") as (page, _):
        said = read_aloud(page)
    assert said.count("link: One]") == 1
    assert said.count("Four islands, one magistrate.") == 3


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_rules_for_taps_are_in_a_style_block_of_their_own(layout: str):
    html = render(document(StoryRows(STORIES), layout=layout, headline="News")).html
    blocks = [block for block in html.split("<style") if "::after" in block]
    assert len(blocks) == (0 if layout == "plain" else 1)
    assert all("@media" not in block and "data-ogsc" not in block for block in blocks)
