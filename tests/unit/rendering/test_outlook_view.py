"""LibreOffice draws a mail as classic Outlook reads it: lost, moved and overlapping words are found."""

import os
from pathlib import Path

import pytest

from newsletter.rendering.pipeline import render
from tests.gallery import outlook_view
from tests.gallery.documents import documents, flat_picture
from tests.gallery.outlook_view import Word, draw_pages, find_drawing_problems, find_lost_words, list_words
from tests.gallery.run import fill_sample
from tests.gallery.validators import Unavailable

FILLING = [f"filling{number}" for number in range(60)]


@pytest.mark.parametrize(
    ("shown", "lost"),
    [
        (["One", "of", "neighbours", "and", "friends", *FILLING], []),
        (["•", "One", "of", "neigh", "bours", "and", "friends", *FILLING], []),
        (["of", "One", "neighbours", "and", "friends", *FILLING], []),
        (["One", "neighbours", "and", "friends", *FILLING], ["of"]),
        (["One", "o", "f", "neighbours", "and", "friends", *FILLING], ["of"]),
        (["One", "neighbours", "and", "often", "friends", *FILLING], ["of"]),
        (["One", "neighbours", "and", "friends", *FILLING, *FILLING, "of"], ["of"]),
    ],
    ids=["whole", "in-parts", "within-a-row", "lost", "broken", "within-another-word", "moved"],
)
@pytest.mark.parametrize("in_order", [True, False])
def test_words_that_are_lost_or_far_from_their_place_are_named(
    shown: list[str], lost: list[str], *, in_order: bool
) -> None:
    found = find_lost_words(["One", "of", "neighbours", "and", "friends"], shown, in_order=in_order)
    assert found == (lost if in_order or "of" not in shown else [])


def test_a_word_that_is_written_twice_and_shown_once_is_lost() -> None:
    assert find_lost_words(["to", "give", "to"], ["to", "give", "tomorrow"], in_order=True) == ["to"]


def test_rows_that_are_alike_are_compared_with_themselves() -> None:
    row = ["Sat", "12", "Dec", "Walk", "for", "the", "right", "to", "stay", "10:00", "Oxford", "Broad", "Street"]
    read_over_two_pages = [*row[:1], *row[3:9], *row[1:3], *row[9:]]
    shown = [*read_over_two_pages, *row * 2, *read_over_two_pages, *row * 8]
    assert find_lost_words(row * 12, shown, in_order=True) == []
    assert find_lost_words(row * 12, shown[:-1], in_order=True) == ["Street"]


def test_words_over_each_other_are_found_and_neighbours_are_not() -> None:
    word = Word("a", 10, 10, 50, 20)
    assert word.overlaps(Word("b", 12, 12, 40, 22))
    assert not word.overlaps(Word("b", 52, 10, 90, 20))
    assert not word.overlaps(Word("b", 10, 19, 50, 29))


def test_classic_outlook_reads_its_own_parts_and_nothing_hidden() -> None:
    html = (
        "<html><head><title>T</title><style>p{}</style></head><body><div style='mso-hide:all'>hidden</div>"
        "<!--[if mso]><p>for Outlook</p><![endif]--><!--[if !mso]><!--><p>for others</p><!--<![endif]--></body></html>"
    )
    assert list_words(html) == ["for", "Outlook"]


def test_a_libreoffice_that_hangs_is_stopped_and_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for program in ("soffice", "pdftotext", "pdftoppm"):
        (tmp_path / program).write_text("#!/bin/sh\nexec sleep 30\n")
        (tmp_path / program).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr(outlook_view, "_MAX_DRAWING_SECONDS", 0.2)
    with pytest.raises(Unavailable, match=r"drew no pages in 0\.2 seconds"):
        draw_pages({"letter": "<html><body><p>x</p></body></html>"}, out=tmp_path)


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
