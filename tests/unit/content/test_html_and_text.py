# ruff: noqa: E501  (tables of examples read best one a line)
"""HTML of others is made safe and made text; teasers and notes of changed names."""

import time

import pytest

from newsletter.content.parsing.markup import clean_html, paragraph_text, plain_text, title_text
from newsletter.content.parsing.pseudonyms import DEFAULT_NOTE, find_pseudonyms, list_notes_for
from newsletter.content.parsing.text import cut_at_word, make_teaser, tidy


@pytest.mark.requirement("H1")
def test_only_simple_tags_and_safe_links_stay() -> None:
    dirty = (
        '<p style="color:red" onclick="x()">Hi <a href="/a" class="b" target="_blank">a</a> <a href="javascript:x">j</a>'
        '<img src="x" onerror="y"><script>alert(1)</script><iframe src="//e"></iframe><b>b</b></p><!-- c -->'
    )
    assert (
        clean_html(dirty, base_url="https://news.example/s/")
        == '<p>Hi <a href="https://news.example/a">a</a> <a>j</a><b>b</b></p>'
    )


@pytest.mark.requirement("H1")
def test_without_a_base_relative_links_lose_their_target() -> None:
    assert (
        clean_html('<a href="/a">a</a><a href="mailto:a@b.example">m</a>')
        == '<a>a</a><a href="mailto:a@b.example">m</a>'
    )


@pytest.mark.requirement("H2")
@pytest.mark.parametrize(
    "text",
    ["<b>a &amp; b</b>", "&lt;script&gt;", "a < b", '<a href="https://x.example/?a=1&b=2">x</a>', "<p><p><ul><p>"],
)
def test_cleaning_is_idempotent(text: str) -> None:
    once = clean_html(text)
    assert clean_html(once) == once


def test_plain_text_keeps_paragraphs_and_drops_scripts() -> None:
    assert (
        plain_text("<p>One &amp; two</p><p>Three<br>four</p><ul><li>five</ul><style>p{}</style><script>x</script>")
        == "One & two\nThree\nfour\n- five"
    )
    assert plain_text("&amp;lt;b&amp;gt;") == "&lt;b&gt;"
    assert title_text("<b>a</b>\n b\0") == "a b"


def test_a_letter_has_a_blank_line_between_paragraphs_and_lists() -> None:
    html = "<p>Dear friends,</p><p>thank you.<br/>Truly.</p><ul><li>bread</li><li>soup</li></ul><p></p><h2>Next</h2><p>Us</p>"
    assert paragraph_text(html) == "Dear friends,\n\nthank you.\nTruly.\n\n- bread\n- soup\n\nNext\n\nUs"


def test_a_letter_numbers_the_items_of_an_ordered_list() -> None:
    html = "<ol><li>Write</li><li>Wait<ul><li>a day</li></ul></li><li>Call</li></ol><ul><li>Rest</li></ul>"
    assert paragraph_text(html) == "1. Write\n2. Wait\n- a day\n3. Call\n\n- Rest"


@pytest.mark.parametrize("html", ["<ul><li><p>bread</p></li>\n<li>soup</li>\n</ul>", "<ul>\n<li>bread<li>soup</ul>"])
def test_a_letter_has_an_item_of_a_list_on_one_line(html: str) -> None:
    assert paragraph_text(html) == "- bread\n- soup"


def test_a_letter_without_markup_or_with_much_of_it_is_text() -> None:
    assert paragraph_text("Hello &amp; welcome") == "Hello & welcome"
    assert paragraph_text("</ol></ul><li>x") == "- x"
    assert paragraph_text("<div>" * 2_000 + "words").endswith("words")
    assert paragraph_text("") == ""


def test_tidy_removes_invisible_characters_and_keeps_emoji() -> None:
    assert tidy("a\u202eb\u200bc\x07 \ud800 d\te\r\nf") == "abc d e f"
    assert tidy("👩‍👧 ❤️") == "👩‍👧 ❤️"
    assert tidy("a\n\n b  c", keep_lines=True) == "a\nb c"


def test_a_text_is_cut_at_a_word() -> None:
    assert cut_at_word("one two three", 9) == "one two…"
    assert cut_at_word("x" * 20, 5) == "xxxx…"
    assert cut_at_word("short", 9) == "short"


def test_a_teaser_is_whole_sentences_if_possible() -> None:
    assert make_teaser("One is here. Two is here. Three is too long to fit.", limit=30) == "One is here. Two is here."
    assert make_teaser("“We won!” she said. Then they went on and on without an end", limit=30) == "“We won!” she said."
    assert (
        make_teaser("We met Dr. Who and then went on and on without any end at all", limit=30)
        == "We met Dr. Who and then went…"
    )
    assert make_teaser("one two three four five six seven", limit=20) == "one two three four…"
    assert make_teaser("Short.") == "Short."
    assert make_teaser("") == ""


@pytest.mark.parametrize(
    "note",
    ["*A pseudonym. Note: Maya is not a client.", "*Name has been changed", "* Not her real name", "*pseudonym", "** Names have been changed.", "*Names changed to protect identity",
     "Maya's name has been changed.", "*Maya is a pseudonym"],
)  # fmt: skip
def test_the_note_of_a_pseudonym_is_found(note: str) -> None:
    ((name, found),) = find_pseudonyms("How Maya* came home", "", f"Maya* is safe.\nMore words.\n{note}\nShare this")
    assert (name, found) == ("Maya", tidy(note))


def test_a_note_at_the_end_of_the_last_line_is_found() -> None:
    assert find_pseudonyms("Maya* is safe now. *Name has been changed.") == (("Maya", "*Name has been changed."),)


def test_each_pseudonym_gets_its_own_note() -> None:
    text = "Maya* and Nora* spoke.\n*A pseudonym. Note: Maya is not a client."
    assert dict(find_pseudonyms(text)) == {"Maya": "*A pseudonym. Note: Maya is not a client.", "Nora": DEFAULT_NOTE}
    both = "Maya* and Nora* spoke.\n*Names have been changed."
    assert set(dict(find_pseudonyms(both)).values()) == {"*Names have been changed."}


def test_a_pseudonym_without_a_note_gets_the_default_one() -> None:
    assert find_pseudonyms("Maya* is safe.") == (("Maya", DEFAULT_NOTE),)


def test_a_pseudonym_named_only_in_its_note_is_found() -> None:
    assert find_pseudonyms("Maya is safe.\nMaya is a pseudonym.") == (("Maya", "Maya is a pseudonym."),)


@pytest.mark.parametrize(
    "text", ["5 * 3 = 15*", "See the terms*", "a *bold* word", "**Strong** words", "", "Nothing here"]
)
def test_other_asterisks_do_not_mark_names(text: str) -> None:
    assert find_pseudonyms(text) == ()


def test_a_name_of_two_words_is_one_name_inside_a_sentence() -> None:
    assert find_pseudonyms("They met Anna Maria* there.") == (("Anna Maria", DEFAULT_NOTE),)


@pytest.mark.parametrize("text", ["Maya* is safe", "Maya is safe", "They met Maya’s mother", "MAYA, or Maya?"])
def test_the_note_belongs_to_every_text_with_the_name(text: str) -> None:
    assert list_notes_for(text, (("Maya", "*A pseudonym."), ("Nora", "*A pseudonym."))) == ("*A pseudonym.",)


def test_no_note_belongs_to_other_texts() -> None:
    assert list_notes_for("Mayan pyramids", (("Maya", "*A pseudonym."),)) == ()


def test_a_hostile_text_is_searched_in_time() -> None:
    started = time.process_time()
    for text in ("*" * 50_000, "A* " * 20_000, "\n* " * 20_000, "a " * 50_000, "Names " * 20_000, "A-" * 40_000):
        find_pseudonyms(text)
        make_teaser(text)
    assert time.process_time() - started < 3


@pytest.mark.requirement("X7")
@pytest.mark.parametrize(
    "tag", ["<div>", "<div></x>", "<b>", "<a href=x>", "<table>", "<p>", "<div><p></p>", "</div><div>", "<"]
)
def test_deeply_nested_html_is_read_in_time(tag: str) -> None:
    started = time.process_time()
    text = tag * (200_000 // len(tag)) + " words"
    assert plain_text(text).endswith("words")
    assert clean_html(text).count("words") == 1
    assert time.process_time() - started < 10
