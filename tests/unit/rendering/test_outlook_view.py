"""What LibreOffice draws of a mail as classic Outlook reads it: the judge finds lost, moved and overlapping words."""

from pathlib import Path

import pytest

from newsletter.rendering.pipeline import render
from tests.gallery.documents import documents, flat_picture
from tests.gallery.outlook_view import Word, draw_pages, find_drawing_problems, find_lost_words, list_words
from tests.gallery.run import fill_sample
from tests.gallery.validators import Unavailable

FILLING = [f"filling{number}" for number in range(60)]


@pytest.mark.parametrize(
    ("shown", "lost"),
    [
        (["One", "two", "three", *FILLING], []),
        (["•", "One", "tw", "o", "three", *FILLING], []),
        (["two", "One", "three", *FILLING], []),
        (["One", "three", *FILLING], ["two"]),
        (["One", "three", *FILLING, "two"], ["two"]),
    ],
    ids=["whole", "in-parts", "within-a-row", "lost", "moved"],
)
def test_words_that_are_lost_or_far_from_their_place_are_named(shown: list[str], lost: list[str]) -> None:
    assert find_lost_words(["One", "two", "three"], shown, in_order=True) == lost


def test_words_over_each_other_are_found_and_neighbours_are_not() -> None:
    word = Word("a", 10, 10, 50, 20)
    assert word.overlaps(Word("b", 12, 12, 40, 22))
    assert not word.overlaps(Word("b", 52, 10, 90, 20))
    assert not word.overlaps(Word("b", 10, 19, 50, 29))


def test_classic_outlook_reads_its_own_parts_and_not_what_is_hidden_from_it() -> None:
    html = (
        "<html><head><title>T</title><style>p{}</style></head><body><div style='mso-hide:all'>hidden</div>"
        "<!--[if mso]><p>for Outlook</p><![endif]--><!--[if !mso]><!--><p>for others</p><!--<![endif]--></body></html>"
    )
    assert list_words(html) == ["for", "Outlook"]


@pytest.mark.long
def test_libreoffice_shows_a_letter_whole_and_finds_what_is_taken_away(tmp_path: Path) -> None:
    html = fill_sample(render(documents(picture=flat_picture)["letter-harbour"]).html)
    try:
        drawn = draw_pages({"letter": html}, out=tmp_path)
    except Unavailable as missing:
        pytest.skip(str(missing))
    assert list(find_drawing_problems(drawn["letter"], html)) == []
    more = html.replace("Dear Amina", "Dear Amina, whom nobody drew")
    (problem,) = find_drawing_problems(drawn["letter"], more)
    assert "whom" in problem
