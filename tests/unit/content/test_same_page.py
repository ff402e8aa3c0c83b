"""Whether two addresses lead to one page."""

import pytest

from newsletter.content.same_page import name_page, spell_page

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
def test_one_page_has_one_name_however_it_is_written(other: str) -> None:
    assert name_page(other) == name_page(MAYA)


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
    assert name_page(other) != name_page(MAYA)


def test_parameters_that_name_a_page_stay_in_whatever_order() -> None:
    assert name_page("https://example.org/?p=7&lang=es") == name_page("http://example.org?lang=es&utm_medium=mail&p=7")
    assert name_page("https://example.org/?p=7") != name_page("https://example.org/?p=8")


@pytest.mark.parametrize(
    "url",
    [
        MAYA,
        "http://www.example.org/stories/maya",
        "https://example.org/?p=7",
        "https://example.org/historias/ni%C3%B1a/",
    ],
)
def test_a_page_is_among_its_own_spellings(url: str) -> None:
    assert url in spell_page(url)
    assert {name_page(way) for way in spell_page(url)} == {name_page(url)}
