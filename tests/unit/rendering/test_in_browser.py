"""Mails as a browser lays them out: readable in both schemes, nothing to scroll sideways, targets for thumbs, axe silent.

Each layout in one brand; ``make email-check`` looks at all of them in all.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from newsletter.rendering.blocks import Document, LeadStory, StoryCards
from newsletter.rendering.pipeline import LAYOUTS, render
from tests.gallery.browser_checks import find_axe_violations, find_page_problems, find_reading_problems
from tests.gallery.documents import documents, flat_picture
from tests.gallery.readings import READINGS, rename_classes
from tests.gallery.screenshots import CHROMIUM, SCHEMES, open_browser, open_mail, open_reading
from tests.support.mail_documents import document, story

BRANDS = ("harbour", "harbour", "meadow", "meadow", "lantern", "meadow", "harbour")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not Path(CHROMIUM).exists():
        pytest.skip(f"{CHROMIUM} is not installed")
    with open_browser() as started:
        yield started


@pytest.fixture(scope="module")
def gallery() -> dict[str, Document]:
    return documents(picture=flat_picture)


CASES = [
    *((f"{layout}-{brand}", scheme) for layout, brand in zip(LAYOUTS, BRANDS, strict=True) for scheme in SCHEMES),
    ("letter-ar", "light"),
    ("letter-hi", "dark"),
    ("letter-de", "light"),
    ("letter-blocks", "light"),
    ("letter-blocks", "dark"),
    ("odd-endless-blocks", "light"),
    ("odd-arabic-blocks", "dark"),
    ("letter-bare", "dark"),
    ("notice-meadow", "light"),
]


@pytest.mark.long
@pytest.mark.browser
@pytest.mark.parametrize(("name", "scheme"), CASES)
def test_each_layout_can_be_read_by_everybody_on_every_screen(
    browser: Browser, gallery: dict[str, Document], name: str, scheme: str
):
    html = render(gallery[name]).html
    with open_mail(browser, html, width=640, scheme=scheme) as (page, seen):
        for width in (640, 375):
            page.set_viewport_size({"width": width, "height": 900})
            assert list(find_page_problems(page, seen, width=width, scheme=scheme)) == []
        assert find_axe_violations(page) == []


@pytest.mark.browser
@pytest.mark.parametrize("way", READINGS)
def test_a_mail_that_programs_change_stays_whole(browser: Browser, gallery: dict[str, Document], way: str):
    reading = READINGS[way]
    with open_reading(browser, render(gallery["letter-harbour"]).html, reading=reading) as page:
        assert list(find_reading_problems(page, reading)) == []


@pytest.mark.browser
@pytest.mark.parametrize(("name", "side"), [("letter-harbour", "x"), ("letter-ar", "right")])
def test_cards_below_each_other_are_in_line_and_apart(
    browser: Browser, gallery: dict[str, Document], name: str, side: str
):
    with open_reading(browser, render(gallery[name]).html, reading=READINGS["no-styles"]) as page:
        first, second = (page.locator(f"img[width='266'] >> nth={at}").bounding_box() for at in (0, 1))
        texts = page.locator(".teaser >> nth=0").bounding_box()
    assert first is not None
    assert second is not None
    assert texts is not None
    edges = [box["x"] + (box["width"] if side == "right" else 0) for box in (first, second)]
    assert abs(edges[0] - edges[1]) < 1
    assert round(second["y"] - texts["y"] - texts["height"]) == 16


@pytest.mark.browser
def test_renamed_classes_match_their_renamed_styles():
    html = rename_classes('<style>.a .b > p { margin: .5em } [data-ogsc] .a { top: 0 }</style><p class="a b">1.5</p>')
    assert html == (
        '<style>.m_42a .m_42b > p { margin: .5em } [data-ogsc] .m_42a { top: 0 }</style><p class="m_42a m_42b">1.5</p>'
    )


@pytest.mark.browser
def test_a_usual_letter_is_short_on_a_phone(browser: Browser, gallery: dict[str, Document]):
    with open_mail(browser, render(gallery["letter-usual"]).html, width=375, scheme="light") as (page, _):
        assert page.evaluate("document.documentElement.scrollHeight") <= 3200


@pytest.mark.browser
def test_thumbnails_are_beside_their_titles_on_a_phone(browser: Browser):
    titles = ("Short", "Fair", "Forty-one widows hold title to the land they farm", "A bridge")
    rows = tuple(story(title, url=f"https://harbour.example/{len(title)}/", teaser="") for title in titles)
    mail = render(document(LeadStory(story()), StoryCards(rows)))
    with open_mail(browser, mail.html, width=375, scheme="light") as (page, _):
        for title in titles:
            text = page.get_by_role("heading", name=title).bounding_box()
            picture = page.locator(f"a:has(img)[href='{_find_href(page, title)}'] img").bounding_box()
            assert text is not None
            assert picture is not None
            assert round(picture["width"]) == 100
            assert round(text["x"] - picture["x"]) == 116


def _find_href(page: Page, title: str) -> str | None:
    return page.get_by_role("heading", name=title).get_by_role("link").get_attribute("href")


@pytest.mark.browser
def test_long_words_break_on_the_narrowest_phone(browser: Browser):
    odd = document(LeadStory(story("x" * 3000, picture=None)), StoryCards((story("y" * 300, picture=None),)))
    with open_mail(browser, render(odd).html, width=320, scheme="light") as (page, seen):
        faults = [fault for fault in find_page_problems(page, seen, width=320, scheme="light") if "asks" not in fault]
    assert faults == []


@pytest.mark.browser
def test_the_bar_itself_finds_what_is_wrong(browser: Browser):
    html = render(document(LeadStory(story()))).html
    bad = html.replace(
        "<h1", '<p style="color:#ccc">pale</p><img src="https://elsewhere.example/x.png" width="1"><h1', 1
    )
    with open_mail(browser, bad, width=640, scheme="light") as (page, seen):
        faults = " ".join(find_page_problems(page, seen, width=640, scheme="light"))
        assert "hard to read: ['pale'" in faults
        assert "asks somebody else: https://elsewhere.example/x.png" in faults
        assert any(fault.startswith("image-alt") for fault in find_axe_violations(page))
