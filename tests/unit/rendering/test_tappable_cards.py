"""Cards of stories in a browser: a tap anywhere on a card opens its story; a screen reader hears no link twice."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from newsletter.rendering.blocks import Block, LeadStory, StoryCards, StoryList, StoryRows
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
        ((sample_schema_block("video", flat_picture), sample_schema_block("document", flat_picture)), 2),
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
def test_a_story_without_a_page_is_no_link(browser: Browser):
    mail = render(document(StoryRows((replace(STORIES[0], url="", text="All of it."),))))
    with open_mail(browser, mail.html, width=375, scheme="light") as (page, _):
        assert set(page.evaluate(_TAP)[0]) == {None}


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
