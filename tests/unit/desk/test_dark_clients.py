"""The likeness of mail programs that turn a mail's colours round: light grounds become dark, dark words light, no more."""

import pytest

from newsletter.desk.preview.forced_dark import darken, force_dark, lighten
from newsletter.rendering.colours import contrast


def test_paper_becomes_dark_and_ink_light_so_that_both_stay_readable() -> None:
    ground, ink = darken("#fffdf9"), lighten("#2c2a27")
    assert contrast(ground, "#ffffff") > 10
    assert contrast(ink, ground) > 4.5


@pytest.mark.parametrize("colour", ["#1f4e5f", "#000", "#333333"])
def test_a_ground_that_is_dark_already_stays(colour: str) -> None:
    assert darken(colour) == colour


@pytest.mark.parametrize("colour", ["#ffffff", "#eee"])
def test_words_that_are_light_already_stay(colour: str) -> None:
    assert lighten(colour) == colour


def test_only_colours_of_grounds_words_and_borders_change() -> None:
    html = '<head></head><td bgcolor="#ffffff" style="background:#ffffff;color:#000000;width:600px"><img src="#ffffff"></td>'
    turned = force_dark(html + "<h1 style='font-family:\"A\"; color:#17414f'>")
    assert "color:#17414f" not in turned
    assert 'bgcolor="#1c1c1c" style="background:#1c1c1c;color:#ededed;width:600px"' in turned
    assert '<img src="#ffffff">' in turned
