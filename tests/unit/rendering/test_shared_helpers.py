"""Colours, words, and plain text, each by itself."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.rendering.clean_text import (
    MAX_LINE_LENGTH,
    SOFT_BREAK,
    safe_url,
    shorten,
    tidy_lines,
    tidy_paragraphs,
    wrap,
)
from newsletter.rendering.colours import (
    contrast,
    dark_palette,
    light_palette,
    make_readable,
    mix_colours,
    normalise_colour,
)
from newsletter.rendering.errors import RenderingError
from newsletter.rendering.lint.tag_balance import find_tag_problem
from newsletter.rendering.phrases import PHRASES, find_phrase, find_phrase_of_list, find_text_direction
from newsletter.rendering.typography import add_soft_hyphens

COLOURS = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")
PAIRS = [
    ("page_ink", "page"),
    ("page_soft", "page"),
    ("masthead", "page"),
    ("ink", "paper"),
    ("soft", "paper"),
    ("heading", "paper"),
    ("link", "paper"),
    ("tint_ink", "tint"),
    ("tint_soft", "tint"),
    ("band_ink", "band"),
    ("band_button_ink", "band_button"),
    ("button_ink", "button"),
]


def test_contrast_is_what_the_guidelines_say():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)
    assert contrast("#123456", "#123456") == 1


@given(colour=COLOURS, accent=COLOURS, background=COLOURS)
def test_every_text_can_be_read_in_both_schemes_whatever_the_brand(colour: str, accent: str, background: str):
    for palette in (
        light_palette(colour=colour, accent=accent, background=background),
        dark_palette(colour=colour, accent=accent),
    ):
        for ink, ground in PAIRS:
            assert contrast(getattr(palette, ink), getattr(palette, ground)) >= 4.5, (ink, ground)


@given(colour=COLOURS, accent=COLOURS)
def test_the_dark_scheme_is_dark_and_never_pure_black_or_white(colour: str, accent: str):
    dark = dark_palette(colour=colour, accent=accent)
    assert contrast(dark.page, "#000000") < contrast(dark.page, "#ffffff")
    assert not {dark.page, dark.paper, dark.ink, dark.band} & {"#000000", "#ffffff"}


def test_a_readable_colour_is_unchanged():
    assert make_readable("#17414f", on="#fffdf9") == "#17414f"


def test_colours_are_written_with_six_digits():
    assert normalise_colour("FaB", fallback="#000000") == "#ffaabb"
    assert normalise_colour("#fab1", fallback="#1f4e5f") == "#1f4e5f"
    assert mix_colours("#000000", "#ffffff", share=0.5) == "#808080"


def test_every_language_has_every_word():
    assert all(set(table) == set(PHRASES["en"]) for table in PHRASES.values())


def test_a_language_with_a_country_or_unknown_has_words_all_the_same():
    assert find_phrase("unsubscribe", "es-MX") == "Darse de baja"
    assert find_phrase("unsubscribe", "DE_at") == "Abbestellen"
    assert find_phrase("unsubscribe", "xx") == "Unsubscribe"


def test_values_in_words_are_taken_as_they_are():
    said = find_phrase("why_you_get_this", "en", list="{organisation}", organisation="Harbour {list}")
    assert said == "You get this because you signed up for {organisation} from Harbour {list}."


@pytest.mark.parametrize("language", sorted(PHRASES))
@pytest.mark.parametrize("key", ["why_you_get_this", "confirm_text"])
def test_a_list_named_like_the_organisation_is_named_once(key, language):
    said = find_phrase_of_list(key, language, list_name="Harbour Justice", organisation="harbour  justice")
    assert said.lower().count("harbour") == 1
    both = find_phrase_of_list(key, language, list_name="Weekly", organisation="Harbour Justice")
    assert ("Weekly" in both, "Harbour Justice" in both) == (True, True)


def test_a_translation_without_the_short_phrase_keeps_its_own(monkeypatch):
    monkeypatch.setitem(PHRASES, "pl", {"why_you_get_this": "{list}, {organisation}."})
    assert find_phrase_of_list("why_you_get_this", "pl-PL", list_name="A", organisation="A") == "A, A."
    said = find_phrase_of_list("why_you_get_this", "xx", list_name="A", organisation="A")
    assert said == "You get this because you signed up for A."


def test_an_unknown_phrase_is_refused_by_name():
    with pytest.raises(RenderingError, match="no phrase “goodbye”"):
        find_phrase("goodbye", "en")


@pytest.mark.parametrize(
    ("language", "direction"),
    [
        ("ar", "rtl"),
        ("he-IL", "rtl"),
        ("FA", "rtl"),
        ("en", "ltr"),
        ("az-Arab", "rtl"),
        ("ku-Latn", "ltr"),
        ("", "ltr"),
    ],
)
def test_the_direction_follows_the_language_or_its_script(language: str, direction: str):
    assert find_text_direction(language) == direction


@given(text=st.text(max_size=400), length=st.integers(2, 50))
def test_a_shortened_text_is_never_longer_and_a_short_one_is_left(text: str, length: int):
    short = shorten(text, length)
    assert len(short) <= length
    assert short == text or short.endswith("…")


def test_text_is_cut_at_a_word_if_there_is_one():
    assert shorten("one two three", 9) == "one two…"
    assert shorten("one two three", 8) == "one two…"
    assert shorten("onetwothree", 8) == "onetwot…"


@given(text=st.text(alphabet=st.characters(exclude_categories=["C", "Z"]) | st.just(" "), max_size=500))
def test_wrapped_lines_fit_and_lose_nothing(text: str):
    wrapped = wrap(text, indent="  ")
    assert all(len(line) <= MAX_LINE_LENGTH for line in wrapped.split("\n")) or "/" in text or "__pv_" in text
    assert "".join(wrapped.split()) == "".join(text.split())


def test_links_and_tokens_are_never_broken_by_wrapping():
    link = "https://harbour.example/" + "a" * 100
    assert wrap(f"Read {link} now").replace(SOFT_BREAK, "") == f"Read\n{link}\nnow"
    assert wrap(f"Office ({link[8:]})").replace(SOFT_BREAK, "") == f"Office\n({link[8:]})"
    assert "__pv_t_first_name_1__" in wrap("x" * 70 + "__pv_t_first_name_1__")


def test_paragraphs_and_lines_keep_their_breaks_and_lose_controls():
    assert tidy_paragraphs("One\r\nline\x00\n \n\nTwo\u202e") == "One line\n\nTwo"
    assert tidy_lines("One\r\ntwo\n\n\n\nthree\x07\n") == "One\ntwo\n\nthree"


@pytest.mark.parametrize(
    "url",
    ["https://a.example/x?y=1", "http://127.0.0.1:8000/", "mailto:us@a.example", "tel:+44123", "HTTPS://A.example"],
)
def test_links_of_the_web_mail_and_telephone_are_kept(url: str):
    assert safe_url(f" {url}\n") == url


@pytest.mark.parametrize(
    "url",
    [
        "",
        "javascript:x",
        "java\nscript:x",
        "//a.example",
        "/x",
        "data:x",
        "https://",
        "https://a b",
        'https://a"b',
        "http://[1",
    ],
)
def test_every_other_link_is_dropped(url: str):
    assert safe_url(url) == ""


def test_tags_that_close_in_order_have_no_fault():
    assert find_tag_problem("<p title='a > b'>x<br>y<img src=z><o:p/></p><!-- </p> --><style>a{</b>}</style>") is None


def test_a_tag_problem_has_its_line():
    problem = find_tag_problem("<div>\n<p>\n</div>")
    assert problem
    assert (problem.line, problem.problem) == (3, "closes <div> while <p> is open")


@pytest.mark.parametrize(
    ("language", "words", "parted"),
    [
        ("de", "Die Rechtsschutzversicherung zahlt", "Die Rechts|schutz|ver|siche|rung zahlt"),
        ("de-AT", "Grundstücksverkehrsgenehmigung", "Grund|stücks|ver|kehrs|geneh|migung"),
        ("de", "Kurze Wörter bleiben ganz", "Kurze Wörter bleiben ganz"),
        (
            "de",
            "https://beispiel.example/Rechtsschutzversicherung",
            "https://beispiel.example/Rechtsschutzversicherung",
        ),
        ("en", "Rechtsschutzversicherung", "Rechtsschutzversicherung"),
        ("fi", "Oikeusturvavakuutusyhtiö", "Oikeusturvavakuutusyhtiö"),
    ],
)
def test_long_words_are_hyphenated_by_the_rules_of_their_language(language: str, words: str, parted: str):
    assert add_soft_hyphens(words, language=language).replace("\u00ad", "|") == parted
    assert add_soft_hyphens((words,), language=language) == (parted.replace("|", "\u00ad"),)
