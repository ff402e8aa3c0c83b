"""The finished brands that an organisation can start from."""

from pathlib import Path

import pytest
from PIL import Image

from newsletter.common.errors import NotFound
from newsletter.organisation.read_file import read_organisation
from newsletter.organisation.sample_files import write_samples
from newsletter.organisation.starter_brands import find_starter, load_starters
from newsletter.rendering.colours import contrast, dark_palette, light_palette
from newsletter.rendering.lint.colour_advice import find_colour_problems, suggest_readable_colour
from tests.gallery.looks import PICTURES, SHEET, SHOWN, make_fingerprint

KINDS = {
    *("Justice", "Shelter", "Museum", "Choir", "Hospice", "Climate"),
    *("School", "Faith", "Food bank", "Animal rescue", "Union", "Research"),
}
BODY_TEXT = (
    *(("ink", "paper"), ("soft", "paper"), ("ink", "tint"), ("tint_ink", "tint"), ("tint_soft", "tint")),
    *(("page_ink", "page"), ("page_soft", "page"), ("band_ink", "band")),
)
OTHER_TEXT = (
    *(("masthead", "page"), ("heading", "paper"), ("link", "paper"), ("tint_link", "tint"), ("chip_ink", "chip")),
    *(("button_ink", "button"), ("band_button_ink", "band_button"), ("tint_button_ink", "tint_button")),
)


def test_there_is_one_finished_look_for_each_kind_of_organisation() -> None:
    starters = load_starters().values()
    assert {starter.kind for starter in starters} == KINDS
    assert len(starters) == len(KINDS) == len({tuple(starter.look().values()) for starter in starters})


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("slug", sorted(load_starters()))
def test_body_text_of_each_look_reaches_7_to_1_and_the_rest_4_5(slug: str, scheme: str) -> None:
    starter = load_starters()[slug]
    dark = dark_palette(colour=starter.colour, accent=starter.accent)
    light = light_palette(colour=starter.colour, accent=starter.accent, background=starter.background)
    palette = light if scheme == "light" else dark
    for pairs, least in ((BODY_TEXT, 7), (OTHER_TEXT, 4.5)):
        for ink, ground in pairs:
            assert contrast(getattr(palette, ink), getattr(palette, ground)) >= least, (ink, ground)
    assert contrast(palette.band, palette.paper) >= 1.1


@pytest.mark.parametrize("slug", sorted(load_starters()))
def test_the_picture_of_each_look_shows_how_it_is_now(slug: str) -> None:
    path = PICTURES / f"{slug}.jpg"
    assert path.exists(), f"{path.name} is missing; run: make email-looks"
    with Image.open(path) as picture:
        assert picture.size == SHOWN
        drawn = picture.info["comment"].decode()
    assert drawn == make_fingerprint(load_starters()[slug]), f"{path.name} is out of date; run: make email-looks"
    assert path.stat().st_size < 60_000


def test_no_picture_of_a_look_is_left_over_and_the_docs_have_the_sheet() -> None:
    assert {path.stem for path in PICTURES.iterdir()} == set(load_starters())
    assert SHEET.stat().st_size < 250_000


@pytest.mark.parametrize("slug", sorted(load_starters()))
def test_each_finished_brand_makes_a_file_that_can_be_applied(slug: str, tmp_path: Path) -> None:
    starter = load_starters()[slug]
    write_samples(tmp_path, starter=starter)
    brand = read_organisation(tmp_path / "organisation.toml").brand
    assert brand is not None
    assert {name: getattr(brand, name) for name in starter.look()} == starter.look()


@pytest.mark.parametrize("slug", sorted(load_starters()))
def test_each_finished_brand_is_shown_by_day_in_the_colours_it_names(slug: str) -> None:
    starter = load_starters()[slug]
    advice = find_colour_problems(colour=starter.colour, accent=starter.accent, background=starter.background)
    assert [one for one in advice if one.scheme == "light"] == []


def test_an_unknown_brand_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(NotFound, match="Did you mean “meadow”"):
        find_starter("medow")


def test_a_colour_that_nobody_could_read_is_refused_with_one_that_can_be() -> None:
    advice = find_colour_problems(colour="#ffee00", accent="#ffd000", background="#ffffff")
    assert [one.field for one in advice if one.refused] == ["colour", "accent"]
    assert all(contrast(one.used, "#fffdf9") >= 4.5 and one.used in one.message for one in advice if one.refused)
    assert contrast(suggest_readable_colour("#ffee00"), "#fffdf9") >= 4.5
    assert suggest_readable_colour("yellow") == "#1f4e5f"


def test_a_colour_that_is_nearly_readable_is_corrected_and_said_so() -> None:
    advice = find_colour_problems(colour="#1f4e5f", accent="#c4622d", background="#f4f1ec")
    links = [one for one in advice if one.message.startswith("Links")]
    assert [(one.refused, one.scheme) for one in links] == [(False, "light")]
