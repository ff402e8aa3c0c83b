"""The preview of mail programs that force a dark mode."""

import pytest

from newsletter.desk.preview.forced_dark import darken, force_dark, lighten
from newsletter.rendering.colours import contrast


def test_light_backgrounds_become_dark_and_dark_text_light() -> None:
    ground, ink = darken("#fffdf9"), lighten("#2c2a27")
    assert contrast(ground, "#ffffff") > 10
    assert contrast(ink, ground) > 4.5


@pytest.mark.parametrize("colour", ["#1f4e5f", "#000", "#333333"])
def test_a_dark_background_stays(colour: str) -> None:
    assert darken(colour) == colour


@pytest.mark.parametrize("colour", ["#ffffff", "#eee"])
def test_light_text_stays(colour: str) -> None:
    assert lighten(colour) == colour


def test_only_background_text_and_border_colours_change() -> None:
    html = '<head></head><td bgcolor="#ffffff" style="background:#ffffff;color:#000000;width:600px"><img src="#ffffff"></td>'
    turned = force_dark(html + "<h1 style='font-family:\"A\"; color:#17414f'>")
    assert "color:#17414f" not in turned
    assert 'bgcolor="#1c1c1c" style="background:#1c1c1c;color:#ededed;width:600px"' in turned
    assert '<img src="#ffffff">' in turned
