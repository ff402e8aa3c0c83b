"""The finished brands that an organisation can start from."""

from pathlib import Path

import pytest

from newsletter.common.errors import NotFound
from newsletter.organisation.read_file import read_organisation
from newsletter.organisation.sample_files import write_samples
from newsletter.organisation.starter_brands import find_starter, load_starters
from newsletter.rendering.colours import contrast
from newsletter.rendering.lint.colour_advice import find_colour_problems, suggest_readable_colour


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


def test_a_brand_that_is_none_of_them_is_refused_with_the_nearest() -> None:
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
