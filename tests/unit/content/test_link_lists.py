"""A menu that a page does not mark as one is not taken for the text of its story."""

import pytest

from newsletter.content.parsing.entries import StoryEntry
from newsletter.content.parsing.pages.story_page import parse_story_page

NAMES = ("Home", "About us", "Our work", "News", "Events", "Donate", "Volunteer", "Contact", "Press", "Shop")
ROW = "".join(f'<a href="/{name}">{name}</a> | ' for name in NAMES)
LIST = "<ul>" + "".join(f'<li><a href="/{name}">{name}</a></li>' for name in NAMES) + "</ul>"
LEAD = "After four years, the clinic by the river opened its doors on Monday."
STORY = f"<h1>The clinic opens its doors</h1><p>{LEAD}</p>"
LINKS = (
    '<p>Read the <a href="/a">report</a>, the <a href="/b">letter</a> and the <a href="/c">verdict</a> of the court in full, '
    "and tell us what you think of it.</p>"
)


def read(body: str) -> StoryEntry:
    page = f"<html><head><title>The clinic opens its doors</title></head><body>{body}</body></html>"
    (story,) = parse_story_page(page.encode(), url="https://example.org/a/story").stories
    return story


@pytest.mark.parametrize(
    "body",
    [
        ROW + STORY,
        ROW.replace(" | ", "<br>") + STORY,
        f"<div>{ROW}</div>{STORY}",
        f"<p>{ROW}</p>{STORY}<p>{ROW}</p>",
        LIST + STORY,
        f"<table><tr><td>{LIST}</td><td>{STORY}</td></tr></table>",
        f"<div>{ROW}</div><h1>The clinic opens its doors</h1>{LEAD}",
    ],
    ids=range(7),
)
def test_an_unmarked_menu_is_left_out_of_a_short_story(body: str) -> None:
    story = read(body)
    assert story.teaser == LEAD
    assert story.body_html == f"<p>{LEAD}</p>"


def test_the_links_of_a_storys_own_sentences_stay() -> None:
    assert "Read the report, the letter and the verdict of the court in full" in read(STORY + LINKS).body_html


def test_a_list_of_links_in_a_marked_story_stays() -> None:
    assert "Volunteer" in read(f"<article>{STORY}{LIST}</article>").body_html
