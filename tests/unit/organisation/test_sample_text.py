"""Values are written into the samples, and their comments stay."""

import tomllib
from pathlib import Path

import pytest

from newsletter.organisation.sample_files import is_sample, read_sample, write_samples
from newsletter.organisation.sample_text import comment_out, set_keys, set_settings
from newsletter.organisation.starter_brands import find_starter
from newsletter.project.settings_file import parse_settings

SAMPLE = read_sample("sample.toml")
ODD = 'He said: "it’s \\ 5 #1" 100 %'


def test_a_value_is_written_as_toml_reads_it_back() -> None:
    text = set_keys(SAMPLE, table="[brand]", values={"name": ODD, "radius": 2, "logo": "https://x.example/a.png"})
    brand = tomllib.loads(text)["brand"]
    assert (brand["name"], brand["radius"], brand["logo"]) == (ODD, 2, "https://x.example/a.png")
    assert "# headings and bands" in text


def test_a_value_without_one_becomes_a_comment() -> None:
    text = set_keys(SAMPLE, table="[brand]", values={"website": None, "social": None})
    assert {"website", "social"}.isdisjoint(tomllib.loads(text)["brand"])
    assert '# website = "https://www.example.org/"' in text


def test_only_the_first_table_of_a_header_changes() -> None:
    text = set_keys(SAMPLE, table="[[source]]", values={"url": "https://x.example/feed"})
    assert [one["url"] for one in tomllib.loads(text)["source"]] == [
        "https://x.example/feed",
        "https://www.example.org/events.ics",
    ]


@pytest.mark.parametrize(("keep", "left"), [(0, None), (1, ["Stories"])])
def test_tables_become_comments(keep: int, left: list[str] | None) -> None:
    sources = tomllib.loads(comment_out(SAMPLE, table="[[source]]", keep=keep)).get("source")
    assert (sources and [one["name"] for one in sources]) == left


@pytest.mark.parametrize("value", ["plain", ODD, "smtp://a:b%20c@mail.example.org:587?x=1&y=2", "", "it's"])
def test_a_setting_is_read_back_as_it_was_written(value: str) -> None:
    text = set_settings(read_sample("sample.env"), {"NEWSLETTER_PROVIDER_URL": value, "ANOTHER_KEY": value})
    read = {name: value for name, value, _ in parse_settings(text, name=".env")}
    assert (read["NEWSLETTER_PROVIDER_URL"], read["ANOTHER_KEY"]) == (value, value)


def test_a_setting_in_a_comment_takes_the_place_of_the_comment() -> None:
    text = set_settings(read_sample("sample.env"), {"NEWSLETTER_SECRET_KEY": "k"})
    assert text.count("NEWSLETTER_SECRET_KEY") == 1
    assert "\nNEWSLETTER_SECRET_KEY=k\n" in text


def test_a_sample_that_nobody_changed_is_recognised(tmp_path: Path) -> None:
    (file, settings), _kept = write_samples(tmp_path, starter=find_starter("harbour"))
    assert is_sample(file)
    assert is_sample(settings)
    file.write_text(file.read_text() + "\n")
    assert not is_sample(file)
    assert not is_sample(tmp_path / "none.toml")
