"""Names that staff wrote are compared with those of the stories' sources."""

import pytest

from newsletter.common.edit_distance import count_edits
from newsletter.issues.checks.source_names import find_misspelt_names, find_names

SOURCE = """Three Families Win Their Land Back
Amina Yusuf walked to the clinic in Khartoum every Tuesday. On Monday, the judge told Daniel Whitfield that the
Whitfields of Newport may stay. The women of the valley met Judge Okonkwo in São Paulo, with José and the UNHCR."""


def misspelt(text: str, *, single_words: bool = True) -> set[tuple[str, str]]:
    return find_misspelt_names(text, source_names=find_names(SOURCE), single_words=single_words)


@pytest.mark.parametrize(
    ("text", "written", "in_source"),
    [
        ("Amina Yusof gets her clinic", "Amina Yusof", "Amina Yusuf"),
        ("Last week Yusof said no", "Yusof", "Yusuf"),
        ("How Daniel Whitfeild won", "Daniel Whitfeild", "Daniel Whitfield"),
        ("A long night in Khartum", "Khartum", "Khartoum"),
        ("She met Okonkow at noon", "Okonkow", "Okonkwo"),
        ("A letter from Sao Paulo to all of us", "Sao Paulo", "São Paulo"),
        ("It is told by Jose himself", "Jose", "José"),
    ],
)
def test_a_name_that_is_nearly_a_name_of_the_source_is_found(text: str, written: str, in_source: str) -> None:
    assert misspelt(text) == {(written, in_source)}


@pytest.mark.parametrize(
    "text",
    [
        "We met Amina Yusuf and Daniel Whitfield",
        "Whitfield’s house, and what the Whitfields say of Daniel's clinic",
        "The Judges met. Women win. Monday is here.",
        "A Family Wins Land Back From A Company",
        "YUSOF",
        "The UNHRC and others wrote",
        "Tuesdays in Leeds with Monika",
        "",
    ],
)
def test_exact_names_endings_titles_and_other_words_give_no_warning(text: str) -> None:
    assert misspelt(text) == set()


def test_german_nouns_are_not_taken_for_names() -> None:
    source = "Das Gericht schrieb einen Brief an Amina Yusuf."
    names = find_names(source)
    assert find_misspelt_names("Viele Briefe kamen", source_names=names, single_words=False) == set()
    assert find_misspelt_names("Heute schreibt Amina Yusof", source_names=names, single_words=False) == {
        ("Amina Yusof", "Amina Yusuf")
    }


@pytest.mark.parametrize(
    ("one", "other", "edits"),
    [("Yusuf", "Yusuf", 0), ("Yusof", "Yusuf", 1), ("Whitfeild", "Whitfield", 1), ("a", "wxyz", 3)],
)
def test_edits_are_counted_with_swapped_neighbours_as_one(one: str, other: str, edits: int) -> None:
    assert count_edits(one, other) == edits
