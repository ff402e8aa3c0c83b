"""Handmade copies of real feeds, posts and pages give exactly the expected stories."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from newsletter.content.parsing.entries import Parsed
from newsletter.content.parsing.parse import Document, parse_document
from newsletter.content.parsing.pseudonyms import ANY_NAME
from tests.support.sample_documents import MARKER

NOW = datetime(2026, 3, 4, 9, 30, tzinfo=UTC)
SHAPES = Path(__file__).resolve().parents[2] / "data" / "shapes"
KINDS = {"feed": "feed", "jsonfeed": "feed", "wordpress": "wordpress", "page": "page"}
STORIES = {
    "feed/dates-english.xml": [
        ("Month first", "A day.", "", "", "2026-02-03T00:00"),
        ("No thirteenth month", "A day.", "", "", "2026-02-13T00:00"),
        ("The weekday decides", "A day.", "", "", "2026-02-03T10:00"),
        ("Nonsense", "A day.", "", "", ""),
        ("A zero date", "A day.", "", "", ""),
    ],
    "feed/dates-french.xml": [
        ("Avec le mois", "Onze sont libres.", "", "", "2026-03-02T10:00"),
        ("En chiffres", "Onze sont libres.", "", "", "2026-03-02T00:00"),
    ],
    "feed/dates-german.xml": [
        ("Mit Monat in Worten", "Elf sind frei.", "", "", "2026-03-02T00:00"),
        ("Mit Wochentag", "Elf sind frei.", "", "", "2026-03-02T09:00"),
        ("Mit Punkten", "Elf sind frei.", "", "", "2026-02-03T00:00"),
        ("Wie es sein soll", "Elf sind frei.", "", "", "2026-03-02T09:00"),
    ],
    "feed/dates-spanish.xml": [
        ("Con el mes", "Once son libres.", "", "", "2026-03-03T00:00"),
        ("En cifras", "Once son libres.", "", "", "2026-03-02T10:00"),
    ],
    "feed/drupal-fields.xml": [
        (
            "Boats for the harbour",
            "Two boats came on Monday. They carry water and bread.",
            "/sites/default/files/styles/large/public/boats.jpg",
            "Two boats",
            "2026-03-02T10:00",
        ),
    ],
    "feed/lazy-pictures.xml": [
        ("Lazy by data-src", "One.", "/one.webp", "One", "2026-03-02T10:00"),
        ("Lazy by data-lazy-srcset", "Two.", "/two-1200.jpg", "Two", "2026-03-02T10:00"),
        ("Lazy with noscript", "Three.", "/three.jpg", "Three", "2026-03-02T10:00"),
    ],
    "feed/media-group.xml": [
        ("Sizes of one picture", "A picture in four sizes.", "/p-1600.jpg", "A hill at dawn", "2026-03-02T10:00"),
        (
            "An author's face is no picture",
            "The author's picture comes first.",
            "/classroom.avif?w=1200",
            "",
            "2026-03-02T11:00",
        ),
        ("A logo and a pixel are no pictures", "Only words.", "", "", "2026-03-02T12:00"),
    ],
    "feed/shortcodes-and-addresses.xml": [
        (
            "A caption shortcode",
            "The river is clean again. Children swim in it.",
            "/r.jpg",
            "The river",
            "2026-03-02T10:00",
        ),
        ("A film on a line of its own", "A film of the river.", "", "", "2026-03-02T10:00"),
        ("Words that were escaped twice", "The river’s banks & the mill.", "", "", "2026-03-02T10:00"),
        ("Buttons to share", "The mill turns.", "", "", "2026-03-02T10:00"),
        ("Maya* came home", "Maya* is home again.", "", "", "2026-03-02T10:00"),
        ("All came home", "All eleven are home again.", "", "", "2026-03-02T10:00"),
    ],
    "feed/wordpress-rss.xml": [
        (
            "Eleven people walk free – after three days",
            "The court freed eleven people on Monday.",
            "/u/gate-1536x1024.jpg",
            "An open gate",
            "2026-03-02T10:00",
        ),
        (
            "A garden for the school",
            "Children planted beans and maize behind the school hall this week, and the oldest of them…",
            "",
            "",
            "2026-03-03T10:00",
        ),
    ],
    "jsonfeed/text-titles.json": [
        ("Maya’s day & {{ 7*7 }} <b>bold</b>", "Maya went to court.", "/court.jpg", "", "2026-03-02T10:00"),
        ("Nora* is free", "Nora* is free.", "/nora.jpg", "A street", "2026-03-02T10:00"),
        ("Only a picture", "", "", "", ""),
    ],
    "page/block-theme.html": [
        (
            "Eleven walk free",
            "The court freed eleven people on Monday, after they had been held in a brick kiln for three years.",
            "/u/gate-1536x1024.webp",
            "An open gate",
            "2026-03-02T10:00",
        ),
    ],
    "page/date-in-the-article.html": [
        (
            "Ein Brunnen für das Dorf",
            "Das Dorf hat seit Montag einen Brunnen, und die Kinder tragen das Wasser nach Hause.",
            "/u/brunnen.jpg",
            "Ein Brunnen",
            "2026-03-02T00:00",
        ),
    ],
    "page/dates-of-other-posts.html": [
        (
            "A well for the village",
            "The village has a well since Monday, and the children carry water home from it.",
            "/well.jpg",
            "The well",
            "2026-03-02T10:00",
        ),
    ],
    "page/site-in-the-title.html": [
        ("The mill turns again", "The mill on the river turns again.", "/u/mill.jpg", "The mill", "2026-03-02T10:00"),
    ],
    "wordpress/pictures.json": [
        (
            "Eleven – free",
            "The court that sat for three days in the old hall heard that eleven people had been held in a kiln. They are free.",
            "/u/kiln-1536x1024.jpg",
            "A kiln",
            "2026-03-02T10:00",
        ),
        ("A picture that loads late", "A new well. It gives water.", "/u/well.jpg", "A well", "2026-03-02T11:00"),
        ("A logo is no picture", "Words.", "", "", "2026-03-02T13:00"),
    ],
}
"""By file: the title, teaser, path of the picture, its words, and the date in UTC of each story."""


def parse(name: str) -> Parsed:
    file = SHAPES / name
    kind = KINDS[file.parent.name]
    return parse_document(
        Document(kind=kind, body=file.read_bytes(), url="https://site.example.org/well", content_type="", now=NOW)
    )


@pytest.mark.parametrize("name", STORIES)
def test_a_shape_gives_exactly_its_stories(name: str) -> None:
    found = [
        (
            story.title,
            story.teaser,
            story.picture_url.split("example.org")[-1],
            story.picture_alt,
            story.published_at.isoformat()[:16] if story.published_at else "",
        )
        for story in parse(name).stories
    ]
    assert found == STORIES[name]


def test_a_date_of_no_standard_form_has_a_note() -> None:
    notes = {story.title: story.note for story in parse("feed/dates-english.xml").stories}
    assert notes["Month first"].startswith("Its date “02/03/2026” was read as 3 February 2026.")
    assert notes["Nonsense"].startswith("Its date “0000-00-00 00:00:00” cannot be read")
    assert [story.note for story in parse("feed/dates-german.xml").stories][-1] == ""
    assert "was read as 2 March 2026" in parse("page/date-in-the-article.html").stories[0].note
    assert "was read" not in parse("page/block-theme.html").stories[0].note


def test_a_date_far_ahead_and_a_protected_post_are_set_aside() -> None:
    assert [aside.entry for aside in parse("feed/dates-english.xml").set_aside] == ["Too far ahead"]
    assert [aside.entry for aside in parse("wordpress/pictures.json").set_aside] == ["For members"]


@pytest.mark.parametrize(("name", "refused"), [("wordpress/protected.json", 4), ("feed/protected.xml", 2)])
def test_posts_with_a_password_and_drafts_are_refused_one_by_one(name: str, refused: int) -> None:
    parsed = parse(name)
    assert [story.title for story in parsed.stories] == ["The clinic opens", "A verdict on rents"]
    assert len(parsed.set_aside) == refused
    assert MARKER not in repr(parsed.stories)


def test_pseudonym_notes_are_kept_once_with_their_story() -> None:
    pairs = {story.title: story.pseudonyms for story in parse("feed/shortcodes-and-addresses.xml").stories}
    assert pairs["Maya* came home"] == (("Maya", "*Names have been changed."),)
    assert pairs["All came home"] == ((ANY_NAME, "Names have been changed to protect identities."),)
    nora = next(story for story in parse("jsonfeed/text-titles.json").stories if "Nora" in story.title)
    assert len(nora.pseudonyms) == 1


def test_a_page_takes_nothing_from_other_stories_on_it() -> None:
    (story,) = parse("page/dates-of-other-posts.html").stories
    assert "older" not in f"{story.author} {story.picture_url} {story.teaser}".lower()


@pytest.mark.parametrize(
    ("old", "new"),
    [(b'encoding="UTF-8"', b'encoding="U\0F-8"'), (b"https://gate.example.org/2026", "https://gateí\u00a0€.example.org/2026".encode())],
    ids=["a null in the name of the encoding", "a host that no name may be"],
)  # fmt: skip
def test_a_damaged_feed_is_read_or_refused(old: bytes, new: bytes) -> None:
    body = (SHAPES / "feed/wordpress-rss.xml").read_bytes()
    assert old in body
    document = Document(kind="feed", body=body.replace(old, new), url="https://x.example/", content_type="", now=NOW)
    parsed = parse_document(document)
    assert parsed.error or parsed.set_aside or parsed.stories
