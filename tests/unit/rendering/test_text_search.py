"""Protected terms are found however they are written, and never by chance inside other words."""

import pytest

from newsletter.rendering.text_search.folding import count_letters
from newsletter.rendering.text_search.matcher import Matcher, decode, is_short, mask, name_letters
from newsletter.rendering.text_search.page_text import read_page

NAME, CASE, PLACE, SHORT = "Jane Doe", "K-2031-77", "12 Elm Street", "Ana"
TERMS = dict(
    enumerate([NAME, CASE, PLACE, SHORT, "Theresa", "O'Brien", "Jäger", "王小明", "Анна Петрова", "Harbour House"])
)
FOUND = [
    ("Jane Doe", NAME),
    ("we met jane doe.", NAME),
    ("JANE DOE", NAME),
    ("Jane  \n Doe", NAME),
    ("J a n e D o e", NAME),
    ("J.a.n.e. D.o.e.", NAME),
    ("J-a-n-e-D-o-e", NAME),
    ("Jane-Doe", NAME),
    ("Jane_Doe", NAME),
    ("Jane.Doe@example.org", NAME),
    ("Jane\u00a0Doe", NAME),
    ("JaneDoe", NAME),
    ("#JaneDoeStory", NAME),
    ("JANE\u200bDOE", NAME),
    ("J\u200da\u2060n\ufeffe Doe", NAME),
    ("Ja\u00adne Doe", NAME),
    ("Ja-ne Doe", NAME),
    ("Ｊane Ｄｏｅ", NAME),
    ("𝐉𝐚𝐧𝐞 𝒟ℴℯ", NAME),
    ("Ⓙⓐⓝⓔ Doe", NAME),
    ("Jáné Dôe", NAME),
    ("Ja\u0301ne Doe", NAME),
    ("Jаnе Dое", NAME),  # Cyrillic а, е, о
    ("Jαne Dοe", NAME),  # Greek alpha, omicron
    ("Jane Doe’s story", NAME),
    ("die Geschichte Jane Does", NAME),
    ("Jane “Doe”", NAME),
    ("k203177", CASE),
    ("K 2031/77", CASE),
    ("K–2031–77", CASE),
    ("12, elm street", PLACE),
    ("12ElmStreet", PLACE),
    ("Ana", SHORT),
    ("ANA", SHORT),
    ("The-resa", "Theresa"),
    ("OBrien", "O'Brien"),
    ("O’BRIEN", "O'Brien"),
    ("jager", "Jäger"),
    ("Frau Jaeger", "Jäger"),
    ("JA\u0308GER", "Jäger"),
    ("昨天王小明说", "王小明"),
    ("анна петрова", "Анна Петрова"),
    ("АННА-ПЕТРОВА", "Анна Петрова"),
]
LEFT = [
    "there's a door",
    "banana, Anatolia, montana",
    "ana",
    "Jane said: do excuse me",
    "Jan edo e",
    "Janet Doering",
    "XJane Doex",
    "K-2031-775",
    "1K 2031 7",
    "112 Elm Street",
    "12 Elms Street",
    "Jane. ……… Doe",
    "the resa",
    "harbour of the house",
    "",
]


@pytest.fixture(scope="module")
def matcher() -> Matcher:
    return Matcher(TERMS)


@pytest.mark.parametrize(("text", "term"), FOUND)
@pytest.mark.requirement("V3")
def test_a_term_is_found_however_it_is_written(matcher: Matcher, text: str, term: str) -> None:
    assert {TERMS[number] for number in matcher.find(f"Before, {text} and after")} == {term}


@pytest.mark.parametrize("text", LEFT)
@pytest.mark.requirement("V3")
def test_a_term_is_not_found_in_other_words_or_by_chance(matcher: Matcher, text: str) -> None:
    assert matcher.find(text) == set()


@pytest.mark.parametrize(
    "address",
    [
        "https://example.org/stories/jane-doe",
        "https://example.org/stories/jane/doe/",
        "https://example.org/%4Aane%20Doe",
        "https://example.org/%254Aane%2520Doe",
        "https://example.org/?who=Jane+Doe",
        "https://example.org/portraitofjanedoe.jpg",
        "https://example.org/Portrait_JaneDoe_2.JPG",
        "mailto:jane.doe@example.org",
        "jane_doe.png",
        "https://example.org/J%C3%A1ne-D%C3%B3e",
    ],
)
@pytest.mark.requirement("V3")
def test_a_term_is_found_in_links_and_names_of_files(matcher: Matcher, address: str) -> None:
    assert {TERMS[number] for number in matcher.find_in_addresses([address])} == {NAME}


@pytest.mark.requirement("V3")
def test_two_links_one_after_the_other_make_no_term(matcher: Matcher) -> None:
    assert matcher.find_in_addresses(["https://example.org/jane", "https://doe.example.org/"]) == set()


@pytest.mark.requirement("V3")
def test_a_short_term_is_found_only_as_it_is_written_or_in_capitals() -> None:
    matcher = Matcher({1: "Li", 2: "K-7"})
    assert is_short("Li")
    assert matcher.find("Li came") == matcher.find("LI CAME") == {1}
    assert matcher.find("li, L i, Lían, Lin") == set()
    assert matcher.find("file K-7") == {2}
    assert matcher.find("file K 7, k7") == set()


@pytest.mark.requirement("V3")
def test_a_name_in_a_script_without_spaces_is_not_short() -> None:
    assert count_letters("王小") == 4
    assert not is_short("王小")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Jane Doe", "J••• D•••"),
        (CASE, "K•••"),
        ("Ana", "•••"),
        ("12 Elm Street, Springfield", "1••• E••• S••• …"),
    ],
)
@pytest.mark.requirement("V3")
def test_a_mask_shows_first_letters_and_no_length(text: str, shown: str) -> None:
    assert mask(text) == shown


@pytest.mark.requirement("V3")
def test_terms_of_the_same_letters_are_one() -> None:
    assert len({name_letters(text) for text in ("Jane Doe", "JANE-DOE", "jáne  doe", "Jаne Doe")}) == 1
    assert name_letters("… !") == ""


def test_an_address_is_decoded_as_often_as_it_was_encoded() -> None:
    assert decode("%25254A") == "J"
    assert decode("100%") == "100%"


@pytest.mark.requirement("V3")
def test_page_text_includes_descriptions_links_and_comments() -> None:
    page = read_page(
        "<html><head><title>T</title><style>.a{background:url(a-b.png)}</style></head><body style=\"background:url('c.png')\">"
        '<p>Ja<b>ne</b></p><p>Doe</p><img src="https://x.example/d.png" alt="who"><a href="https://x.example/e" title="t">f</a>'
        '<!--[if mso]><v:rect href="https://x.example/g" alt="h">i</v:rect><![endif]--></body></html>'
    )
    assert "Jane\n" in page.text
    assert "JaneDoe" not in page.text
    assert {"who", "t", "h"} <= set(page.words)
    assert any("i" in word.split() for word in page.words)
    assert {"a-b.png", "c.png", "https://x.example/d.png", "https://x.example/e", "https://x.example/g"} <= set(
        page.addresses
    )
    assert read_page("").text == ""
