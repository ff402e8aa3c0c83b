# ruff: noqa: E501  (tables of examples read best one a line)
"""Teasers say what the story says, in whole sentences, and nothing of what programs put around it."""

import time

import pytest

from newsletter.content.parsing.pseudonyms import ANY_NAME, find_pseudonyms, list_notes_for
from newsletter.content.parsing.shortcodes import remove_shortcodes
from newsletter.content.parsing.teasers import teaser_from_html, teaser_from_text

LEAD = "The court freed eleven people on Monday."
LONG = "The court that sat for three days in the old town hall heard that eleven people had been held in a"


@pytest.mark.parametrize(
    "html",
    [
        f"<p>{LEAD} [&hellip;]</p>\n<p>The post <a href='https://e.example/a'>Eleven are free</a> appeared first on <a href='https://e.example'>E</a>.</p>",
        f"<p>{LEAD} And then the judge [&#8230;]</p>",
        f"<p>{LEAD} And then [...]</p>",
        f"<p>{LEAD} [&amp;hellip;]</p>",
        f"<p>{LEAD}&hellip; <a class='more-link' href='/a'>Continue reading <span class='screen-reader-text'>Eleven are free</span></a></p>",
        f"<p>{LEAD} <a href='/a'>Continue reading Who is free? &rarr;</a></p>",
        f"<p>{LEAD}</p><p><a href='/a'>Read more &raquo;</a></p>",
        f"<p>{LEAD} Read More »</p>",
        f"<p>{LEAD} [Read more…]</p>",
        f"<p>{LEAD}</p><p>Read the full story here.</p>",
        f"<p>{LEAD} Weiterlesen „Elf sind frei“</p>",
        f"<p>{LEAD} Lire la suite</p>",
        f"<p>{LEAD} Seguir leyendo →</p>",
        f"<p>{LEAD}</p><p>La entrada Once libres se publicó primero en Ejemplo.</p>",
        f"<p>{LEAD}</p><p>Der Beitrag Elf sind frei erschien zuerst auf Beispiel.</p>",
        f"<p>{LEAD}</p><p>L’article Onze libres est apparu en premier sur Exemple.</p>",
        f"<figure><img src='/a.jpg'><figcaption>The gate. Photo: staff</figcaption></figure><p>{LEAD}</p>",
        f"<div class='wp-caption'><img src='/a.jpg'><p class='wp-caption-text'>The gate</p></div><p>{LEAD}</p>",
        f"[caption id='attachment_7' align='alignnone']<img src='/a.jpg'> The gate[/caption]<p>{LEAD}</p>",
        f"<p>[gallery ids=&#8221;1,2,3&#8243;]</p><p>{LEAD}</p>",
        f"[et_pb_section fb_built='1'][et_pb_row][et_pb_text]{LEAD}[/et_pb_text][/et_pb_row][/et_pb_section]",
        f"<p>https://www.youtube.com/watch?v=abc123</p><p>{LEAD}</p>",
        f"<figure class='wp-block-embed'><div>https://youtu.be/abc123</div></figure><p>{LEAD}</p>",
        f"<p>{LEAD} More at https://news.example/a.</p>",
        f"<div class='sharedaddy'><h3>Share this:</h3><ul><li>Tweet</li></ul></div><p>{LEAD}</p>",
        f"<p>{LEAD}</p><p>Share this:</p><ul><li>Tweet</li><li>Facebook</li></ul>",
        f"<p class='byline'>By the field team</p><p class='posted-on'>2 March 2026</p><p>{LEAD}</p>",
        f"<p>By Field Team | 2 March 2026</p><p>{LEAD}</p>",
        "<span class='field field--name-title'>Eleven are free</span>\n<span class='field field--name-uid'><span>webteam</span></span>"
        "<span class='field field--name-created'><time datetime='2026-03-02T10:00'>Mon, 03/02/2026 - 10:00</time></span>"
        f"<div class='clearfix text-formatted field field--name-body field--type-text-with-summary'><p>{LEAD}</p></div>",
        f"<p>{LEAD}</p><p>*Names have been changed to protect identities.</p>",
        f"<p>{LEAD} Names have been changed.</p>",
        f"<p>Eleven are free</p><p>{LEAD}</p>",
    ],
)  # fmt: skip
def test_only_the_storys_own_sentences_stay(html: str) -> None:
    assert teaser_from_html(html, title="Eleven are free") == LEAD


def test_entities_that_were_escaped_twice_are_decoded() -> None:
    assert teaser_from_html("<p>Maya&amp;#8217;s day &amp;amp; night.</p>") == "Maya’s day & night."
    assert teaser_from_html("<p>Fish &amp; chips; R&amp;D; 1 &lt; 2.</p>") == "Fish & chips; R&D; 1 < 2."


def test_a_text_that_breaks_off_ends_with_its_last_whole_sentence() -> None:
    assert teaser_from_html(f"<p>{LEAD} {LONG} [&hellip;]</p>") == LEAD
    assert teaser_from_html(f"<p>{LONG} [&hellip;]</p>") == f"{LONG}…"
    assert teaser_from_html(f"<p>{LONG}&hellip; <a href='/a'>Read more</a></p>") == f"{LONG}…"


def test_a_cut_summary_is_replaced_by_its_full_text() -> None:
    whole = f"{LONG} cellar near the river."
    assert teaser_from_html(f"<p>{LONG} [&hellip;]</p>", f"<p>{whole} And more.</p>") == f"{whole} And more."
    assert teaser_from_html(f"<p>{LONG} [&hellip;]</p>", "<p>Another text.</p>") == f"{LONG}…"


@pytest.mark.parametrize(
    "text",
    [
        "Continue reading was her way to stay awake.",
        "She said that [sic] they would read more books.",
        "Children read more in our libraries. The campaign goes on.",
        "He wrote [laughs] and [...] was silent. Then he spoke.",
        "By noon the court was full.",
        "Share this: a table, a meal and a day. It helps.",
        "Its name was changed in 1990. The hall still stands.",
        "The mayor (pictured) spoke at 5 p.m. and left.",
        "Am 3. März kam die Nachricht. Alle sind frei.",
    ],
)  # fmt: skip
def test_sentences_that_resemble_links_to_read_on_stay(text: str) -> None:
    assert teaser_from_text(text) == text.replace("[...] ", "")


def test_a_teaser_of_nothing_but_marks_is_empty() -> None:
    assert teaser_from_html("<p>[gallery ids='1']</p><p><a href='/a'>Read more</a></p>") == ""
    assert teaser_from_html("", "<p>https://youtu.be/abc</p>") == ""


def test_sentences_are_not_cut_at_initials_and_days() -> None:
    text = "Am 3. März sprach Richter J. Sommer. " + "Dann ging es weiter und weiter " * 12
    assert teaser_from_text(text, limit=100) == "Am 3. März sprach Richter J. Sommer."


def test_shortcodes_are_removed_and_other_brackets_stay() -> None:
    assert remove_shortcodes('a [vc_row css=".x{}"]b[/vc_row] c [contact-form-7 id="4"]').split() == ["a", "b", "c"]
    assert remove_shortcodes("he [sic] said [laughs] no [1]") == "he [sic] said [laughs] no [1]"


def test_a_note_without_a_marked_name_belongs_to_the_story_once() -> None:
    pairs = find_pseudonyms("Eleven are free", LEAD, f"{LEAD}\n*Names have been changed.", "Names have been changed")
    assert pairs == ((ANY_NAME, "*Names have been changed."),)
    assert list_notes_for(f"Eleven are free\n{LEAD}", pairs) == ("*Names have been changed.",)


@pytest.mark.parametrize(
    "note",
    ["Names have been changed to protect identities.", "Some names have been changed.", "Nombres cambiados para proteger su identidad.",
     "Alle Namen geändert.", "Les prénoms ont été modifiés."],
)  # fmt: skip
def test_a_note_in_its_own_sentence_is_recognised(note: str) -> None:
    assert find_pseudonyms("A title", f"{LEAD} {note}") == ((ANY_NAME, note),)
    assert teaser_from_text(f"{LEAD} {note}") == LEAD


def test_two_spellings_of_a_note_are_one() -> None:
    text = "Maya* and Nora* spoke.\n*Names have been changed.\n* Names have been changed"
    pairs = find_pseudonyms(text)
    assert list_notes_for("Maya and Nora", pairs) == ("*Names have been changed.",)


@pytest.mark.parametrize(
    "text", ["Its name was changed in 1990.", "Her name was changed to Ana by the men.", "An alias of the command."]
)
def test_other_changes_of_names_are_not_notes(text: str) -> None:
    assert find_pseudonyms("A title", text) == ()


@pytest.mark.parametrize(
    "piece", ["… ", "[ab]", "[caption]", "\n", "The post ", "Continue reading ", "Maya* ", "&amp;#8217;"]
)
def test_a_hostile_text_takes_no_longer_than_another(piece: str) -> None:
    text = (piece * 100_000)[:100_000]
    started = time.process_time()
    teaser_from_html(f"<p>{text}")
    teaser_from_text(text)
    find_pseudonyms(text)
    remove_shortcodes(text)
    assert time.process_time() - started < 6


@pytest.mark.parametrize(
    "text",
    [
        "By Monday, the court had ruled",
        "By the river, 40 people met in 2026",
        "By next spring all 40 flats will be open",
        "Von Berlin nach Köln in 2026",
        "Par la fenêtre on voyait 2 tours",
        "The post office in Leeds was first published on maps in 1840. It closed.",
        "The article of the constitution was first published on vellum. It lasts.",
        "Click to share your story with us and win.",
        "Ten people met in the library. Read more books, said the librarian.",
    ],
)
def test_sentences_that_look_like_bylines_or_buttons_are_kept(text: str) -> None:
    assert teaser_from_text(text) == text


@pytest.mark.parametrize(
    "line",
    ["By Ada Example", "Submitted by admin on Mon, 03/04/2026", "By Ada Example and the team", "Von Ada von Beispiel"],
)
def test_bylines_are_left_out(line: str) -> None:
    assert teaser_from_text(f"{line}\nThe court ruled today.") == "The court ruled today."


def test_removing_a_publication_note_keeps_other_sentences() -> None:
    text = "This article first appeared in example.org in May. It is about rent."
    assert teaser_from_text(text) == "It is about rent."


@pytest.mark.parametrize(
    "invitation",
    ["Читать далее", "Czytaj więcej", "Läs mer", "اقرأ المزيد", "Devamını oku", "続きを読む", "Подробнее →"],
)
def test_links_to_read_on_in_other_languages_are_removed(invitation: str) -> None:
    assert teaser_from_text(f"It happened. {invitation}") == "It happened."
