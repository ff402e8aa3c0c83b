"""Two addresses of one page are recognised."""

import pytest

from newsletter.content.parsing.urls import make_url_search_key, normalise_url

MAYA = "https://example.org/stories/maya/"


@pytest.mark.parametrize(
    "other",
    [
        "http://www.example.org/stories/maya",
        "https://Example.ORG:443/stories/maya/#top",
        "https://example.org/stories/m%61ya/?utm_source=rss&fbclid=x",
        " https://example.org/stories/maya/ ",
    ],
)
def test_every_spelling_of_an_address_has_one_name(other: str) -> None:
    assert normalise_url(other) == normalise_url(MAYA)


@pytest.mark.parametrize(
    "other",
    [
        "https://example.org/stories/maya-2/",
        "https://example.org/stories/Maya/",
        "https://example.org/stories/maya/?page=2",
        "https://example.com/stories/maya/",
        "https://example.org:8443/stories/maya/",
        "https://[broken/stories/maya/",
    ],
)
def test_another_page_has_another_name(other: str) -> None:
    assert normalise_url(other) != normalise_url(MAYA)


def test_parameters_of_a_page_stay_in_any_order() -> None:
    assert normalise_url("https://example.org/?p=7&lang=es") == normalise_url(
        "http://example.org?lang=es&utm_medium=mail&p=7"
    )
    assert normalise_url("https://example.org/?p=7") != normalise_url("https://example.org/?p=8")


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        (MAYA, "https://Example.org/stories/maya/#top"),
        (MAYA, "https://example.org/stories/maya?fbclid=1"),
        ("http://example.org/?lang=es&p=12", "https://www.example.org?p=12&lang=es"),
        ("https://example.org/historias/señor-maya", "https://example.org/historias/se%c3%b1or-maya/"),
        ("https://example.org/historias/se%C3%B1or-maya/", "https://example.org/historias/señor-maya/"),
        ("https://example.org/a,b:c@d", "https://example.org/a%2Cb%3Ac%40d/"),
        ("https://example.org", "https://www.example.org/"),
    ],
)
def test_every_spelling_of_an_address_contains_its_search_key(url: str, kept: str) -> None:
    assert normalise_url(url) == normalise_url(kept)
    assert make_url_search_key(url).lower() in kept.lower()
    assert make_url_search_key(kept).lower() in url.lower()
