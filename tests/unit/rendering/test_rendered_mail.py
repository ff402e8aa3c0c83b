"""Rendered mails: blocks, headings, notes, odd content, directions, size."""

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from html import unescape
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from lxml.html import document_fromstring

from newsletter.rendering import inline_styles, templates
from newsletter.rendering.blocks import (
    AppealBlock,
    Block,
    Brand,
    Button,
    EventCard,
    Events,
    ImageBlock,
    LeadStory,
    Note,
    Picture,
    Quote,
    Related,
    SchemaBlock,
    StoryCards,
    StoryRows,
)
from newsletter.rendering.colours import MIN_CONTRAST_RATIO, choose_text_colour, contrast
from newsletter.rendering.errors import MergeError, TemplateError
from newsletter.rendering.lint.checks import lint_mail
from newsletter.rendering.lint.tag_balance import view_for_outlook
from newsletter.rendering.pipeline import LAYOUTS, render
from tests.support.mail_documents import (
    BRAND,
    NOTE,
    big_document,
    document,
    event,
    picture,
    rich_document,
    story,
    visible_text,
)
from tests.support.sample_mails import sample_schema_block

CORPUS = Path(os.environ.get("NEWSLETTER_CORPUS", Path(__file__).parents[4] / "shared" / "data"))
TEMPLATES = Path(__file__).parents[3] / "templates" / "email"


def errors_of(*blocks: Block, **changes: object) -> list[str]:
    made = document(*blocks, **changes)
    return [finding.code for finding in lint_mail(render(made), document=made) if finding.level == "error"]


def test_the_html_has_what_its_compilers_are_known_to_lose():
    html = render(rich_document()).html
    assert html.startswith("<!DOCTYPE html>")
    assert '<html lang="en" dir="ltr"' in html
    assert "max-width:519px" in html
    assert "!important" in html
    assert "@media (prefers-color-scheme:dark)" in html
    assert "[data-ogsc] .paper" in html
    assert 'name="color-scheme"' in html
    assert "/*inline*/" not in html
    assert "data-premailer" not in html
    assert 'height="auto"' not in html
    assert 'width="100%" alt' not in html
    assert "fonts.googleapis" not in html
    assert not re.search(r"#(000000|ffffff|000|fff)\b", html)


def test_nothing_is_asked_of_anybody_but_the_pictures():
    root = document_fromstring(render(rich_document()).html)
    assert {image.get("src").split("/")[2] for image in root.iter("img")} == {"harbour.example"}
    assert not list(root.iter("link", "script", "iframe"))
    assert "url(" not in render(rich_document()).html


OF_ITS_OWN = ("prefers-color-scheme:dark", "data-ogsc", ".pad>table")


def test_responsive_and_dark_rules_have_style_blocks_of_their_own():
    blocks = re.findall(r"<style[^>]*>(.*?)</style>", render(rich_document()).html, re.DOTALL)
    for name in OF_ITS_OWN:
        holding = [block for block in blocks if name in block]
        assert len(holding) == 1
        assert sum(other in holding[0] for other in OF_ITS_OWN) == 1


def test_columns_have_the_widths_that_outlook_needs():
    outlook = view_for_outlook(render(rich_document()).html)
    assert outlook.count("vertical-align:top;width:294px;") == 1
    assert outlook.count("vertical-align:top;width:266px;") == 1
    assert 'width="266"' in outlook
    assert 'width="560"' in outlook


def test_templates_write_zero_with_its_unit():
    for path in TEMPLATES.rglob("*.mjml.j2"):
        for padding in re.findall(r' (?:padding|border-radius)="([^"]*)"', path.read_text()):
            assert not re.search(r"(?<![\w.])0(?![\w.])", padding), f"{path.name}: {padding}"


def test_there_is_one_main_heading_and_the_levels_do_not_skip():
    root = document_fromstring(render(rich_document()).html)
    levels = [(element.tag, element.text_content()) for element in root.iter("h1", "h2", "h3")]
    assert levels[:4] == [
        ("h1", "The Weekly Letter"),
        ("h2", "Tea pickers receive three seasons of wages"),
        ("h2", "More stories"),
        ("h3", "The court that arrives by boat"),
    ]


@pytest.mark.parametrize("block", [LeadStory(story(notes=(NOTE,))), StoryCards((story(notes=(NOTE,)),))])
def test_a_pseudonym_note_is_directly_under_its_text(block: Block):
    mail = render(document(block))
    assert f"Four islands, one magistrate. {NOTE}" in visible_text(mail.html)
    assert f"Four islands, one magistrate.\n{NOTE}\n" in mail.text


def test_a_pseudonym_note_is_under_the_title_if_there_is_no_teaser():
    mail = render(document(LeadStory(story("Amara* was heard", teaser="", notes=(NOTE,)))))
    assert f"Amara* was heard {NOTE}" in visible_text(mail.html)
    assert f"Amara* was heard\n----------------\n{NOTE}\n" in mail.text


def test_a_pseudonym_note_is_under_a_quotation():
    mail = render(document(Quote("I was believed.", "Ruth*", notes=(NOTE,))))
    assert f"I was believed. Ruth* {NOTE}" in visible_text(mail.html)
    assert f"  Ruth*\n  {NOTE}\n" in mail.text


def test_an_odd_last_story_fills_its_row_and_says_what_the_others_say():
    html = render(document(StoryCards((story("One"), story("Two"), story("Three", picture=None))))).html
    assert [heading.text_content() for heading in document_fromstring(html).iter("h2")] == ["One", "Two", "Three"]
    assert html.count('class="mj-outlook-group-fix mj-column-per-52-5') == 1
    assert html.count('class="mj-outlook-group-fix mj-column-per-47-5') == 1


def test_a_story_without_picture_teaser_or_link_is_still_a_whole_card():
    mail = render(document(StoryCards((story("Bare", picture=None, teaser="", url=""), story("Dressed")))))
    root = document_fromstring(mail.html)
    assert len(list(root.iter("img"))) == 1
    assert root.xpath("//h2[.='Bare']//a") == []
    assert "Bare\n\nDressed\n" in mail.text


@pytest.mark.requirement("M4")
def test_a_title_of_3000_characters_is_cut_at_a_word():
    mail = render(document(LeadStory(story("courage " * 375))))
    shown = document_fromstring(mail.html).xpath("string(//h2)")
    assert len(shown) <= 200
    assert shown.endswith("courage…")
    assert all(len(line.encode()) <= 998 for line in mail.text.splitlines())


@pytest.mark.requirement("M4")
def test_one_word_of_3000_characters_is_cut_and_may_wrap():
    mail = render(document(LeadStory(story("x" * 3000, teaser="y" * 3000))))
    assert len(document_fromstring(mail.html).xpath("string(//h2)")) == 200
    assert "overflow-wrap:anywhere" in mail.html.replace(": ", ":")
    assert all(len(line.rstrip()) <= 72 for line in mail.text.splitlines() if "://" not in line)


def test_a_long_time_location_button_or_source_wraps_in_plain_text():
    long = "The hall of the Old Rope Works beside the second quay of the island harbour"
    card = EventCard(
        event(when=f"{long} (London)", where=f"{long}, Reading", distance="within 15 km of you"), button=long
    )
    statistic = SchemaBlock("statistic", {"figure": "8 in 10", "meaning": "claims were settled.", "source": long})
    text = render(document(card, statistic)).text
    assert text.count("harbour") > 4
    assert [line for line in text.splitlines() if len(line.rstrip()) > 72 and "://" not in line] == []


def test_the_points_of_a_list_have_no_blank_lines_between_them():
    band = sample_schema_block("partner_band", picture)
    text = render(document(replace(band, values={**band.values, "points": ("One boat", "Two boats")}))).text
    assert "- One boat\n- Two boats\n\n" in text


@pytest.mark.requirement("M4")
def test_14_stories_and_12_events_stay_below_the_size_limit():
    made = big_document(stories=14, events=12)
    mail = render(made)
    assert len(mail.html.encode()) < 90_000
    assert lint_mail(mail, document=made) == ()


@pytest.mark.parametrize("block", [StoryCards, StoryRows], ids=["cards", "rows"])
def test_a_whole_story_keeps_its_picture_and_its_first_words(block: type[StoryCards]):
    whole = story(url="", text="The rest of it.")
    html = render(document(LeadStory(story()), block((whole, whole, whole)))).html
    assert html.count(f'src="{picture().url}"') == 4
    assert 'href=""' not in html
    assert html.count('class="teaser"') == 0
    assert "narrow" not in html.partition("</head>")[2]


@pytest.mark.requirement("M4")
def test_a_gap_parts_the_intro_of_a_whole_story_from_its_text():
    html = render(document(LeadStory(story(url="", teaser="In short.", text="At length.")))).html
    intro = html[: html.index("In short.")].rpartition("<p ")[2]
    assert 'class="intro"' in intro
    assert "margin-bottom:16px" in intro


@pytest.mark.parametrize(
    ("changes", "shown"),
    [
        ({}, True),
        ({"edition": ""}, False),
        ({"layout": "announcement"}, False),
        ({"preheader": "Dear friend, we have n…"}, False),
    ],
    ids=str,
)
def test_a_dated_letter_begins_with_what_is_in_it(changes: dict[str, str], shown: bool):
    greeting = Note(body_html="<p>Dear friend, we have news.</p>", body_text="Dear friend, we have news.")
    fields = {"edition": "26 November 2026", "preheader": "A boat, a court and a walk"} | changes
    mail = render(document(greeting, **fields))
    first = f"{fields['edition']} {fields['preheader']} Dear friend"
    assert (first in visible_text(mail.html)) == shown
    assert (first in " ".join(mail.text.split())) == shown


def test_a_letter_of_one_story_says_its_teaser_once():
    teaser = "A boat, a court and a walk by the sea."
    mail = render(
        document(LeadStory(story(teaser=teaser)), edition="26 November 2026", preheader="A boat, a court and…")
    )
    assert "26 November 2026 A boat" not in visible_text(mail.html)
    assert teaser in visible_text(mail.html)


@pytest.mark.parametrize(
    ("width", "height", "shown"), [(448, 140, 205), (600, 48, 320), (1200, 60, 320), (2000, 40, 0), (40, 2000, 1)]
)
def test_a_logo_is_as_wide_as_it_can_be_read_or_the_name_is_instead(width: int, height: int, shown: int):
    logo = Picture("https://news.harbour.example/m/logo.png", width, height, "A ship")
    html = render(document(LeadStory(story()), brand=replace(BRAND, logo=logo, logo_dark=None))).html
    assert (f'alt="Harbour Justice" width="{shown}"' in html) == bool(shown)
    assert ("/m/logo.png" in html) == bool(shown)
    assert ("brandname" in html[html.index("<body") :]) != bool(shown)


def test_a_small_picture_is_not_made_larger_in_rows():
    small = picture(width=30, height=30)
    rows = tuple(story(title, picture=small) for title in ("One", "Two", "Three"))
    html = render(document(LeadStory(story()), StoryCards(rows))).html
    assert html.count('width="30"') == 3
    assert html.count("tiny") == 3
    assert html.count('class="stamp"') == 1


def test_words_of_another_direction_keep_their_place():
    html = render(document(LeadStory(story(topic="أجور عادلة", date="24 November")))).html
    assert '<span class="topic" dir="auto"' in html
    note = Note(body_html="<p>Dear friends.</p>", body_text="Dear friends.", language="en")
    assert '<div class="copy" lang="en" dir="ltr">' in render(document(note, language="ar", direction="rtl")).html


def test_60_stories_are_shortened_and_keep_all_notes_and_the_footer():
    made = big_document(stories=60, events=4)
    mail = render(made)
    text = visible_text(mail.html)
    assert len(mail.html.encode()) < 100_000
    assert all(f"Story number {number}:" in text for number in range(60))
    assert all(f"*A pseudonym of story {number}." in text for number in range(0, 60, 3))
    assert text.endswith(BRAND.postal_address)
    assert [finding.code for finding in lint_mail(mail, document=made)] == ["shortened"]
    assert mail.text.count("one magistrate") == 61


@pytest.mark.parametrize(
    ("kind", "heading"),
    [("near", "Events near you"), ("region", "Events in your region"), ("online", "Events online")],
)
def test_events_are_headed_by_how_near_they_are(kind: str, heading: str):
    mail = render(document(Events((event(),), kind=kind)))
    assert heading in visible_text(mail.html)
    assert f"\n{heading}\n" in mail.text


def test_without_events_near_readers_are_invited_to_host():
    mail = render(document(Events((), kind="host", host_url="https://harbour.example/host/")))
    assert 'href="https://harbour.example/host/"' in mail.html
    assert "Host an event near you" in mail.text
    assert "Nothing is planned near you yet" in mail.text


def test_the_invitation_to_host_is_shown_only_without_events():
    mail = render(document(Events((event(),), host_url="https://harbour.example/host/")))
    assert "harbour.example/host" not in mail.html + mail.text


def test_an_event_online_says_so_and_offers_its_calendar_entry():
    mail = render(document(Events((event(where="", online=True, calendar_url="https://harbour.example/1.ics"),))))
    assert "Online Add to your calendar" in visible_text(mail.html)
    assert "Add to your calendar: https://harbour.example/1.ics" in mail.text


DATED = {"weekday": "Thu", "hours": "18:30", "when": "Thursday 3 December, 18:30"}


@pytest.mark.parametrize("layout", sorted(set(LAYOUTS) - {"plain"}))
@pytest.mark.parametrize("block", [EventCard(event(**DATED)), Events((event(**DATED),))], ids=["in-full", "in-a-list"])
def test_each_layout_shows_each_fact_of_an_event_once(layout: str, block: Block):
    seen = visible_text(render(document(block, layout=layout, headline="Come along")).html)
    for fact in ("Thu", "Dec", "18:30", "Central Library"):
        assert len(re.findall(rf"\b{fact}", seen)) == 1, fact


@pytest.mark.parametrize("layout", LAYOUTS)
def test_plain_text_and_a_plain_letter_say_the_date_in_words_once(layout: str):
    mail = render(document(EventCard(event(**DATED)), layout=layout, headline="Come along"))
    assert mail.text.count("Thursday 3 December, 18:30") == mail.text.count("December") == 1
    shown = visible_text(mail.html).count("Thursday 3 December, 18:30")
    assert shown == (1 if layout == "plain" else 0)


def test_an_event_of_one_whole_day_has_no_line_for_its_hours():
    card = EventCard(event(weekday="Thu", hours="", when="Thursday 3 December"))
    seen = visible_text(render(document(card)).html)
    assert "When" not in seen
    assert "Where Central Library" in seen


def test_a_notice_of_a_list_of_events_opens_with_no_day():
    html = render(document(Events((event(**DATED),)), layout="event_notice")).html
    assert 'class="bigday' not in html
    assert html.count('class="chip"') == 1


@pytest.mark.parametrize("hours", ["18:30–20:00", "18.30–20.00", "6:30 – 8:00 pm"])
def test_no_line_ends_within_the_hours_of_an_event(hours: str):
    html = render(document(Events((event(when=f"Thursday <3> December, {hours} (London)"),)))).html
    assert f'December, <span class="whole">{hours}</span> (London)' in html
    assert "&lt;3&gt;" in html
    assert ".whole,.day{white-space:nowrap}" in html


def test_headings_of_the_caller_win_over_our_own():
    mail = render(
        document(LeadStory(story()), StoryCards((story(),), heading="From the islands"), Related((), "Read on"))
    )
    assert "More stories" not in mail.html + mail.text
    assert "From the islands" in mail.text
    assert "Read on" in visible_text(mail.html)


def test_a_letter_from_right_to_left_is_so_throughout():
    made = document(
        LeadStory(story("قاطفات الشاي")), StoryCards((story("أ"), story("ب"))), language="ar", direction="rtl"
    )
    mail = render(made)
    assert '<html lang="ar" dir="rtl"' in mail.html
    assert "direction:ltr" not in mail.html
    assert "إلغاء الاشتراك" in mail.text
    assert [finding.code for finding in lint_mail(mail, document=made)] == []


@pytest.mark.requirement("M4")
def test_emoji_made_of_several_characters_survive():
    family = "👩🏽‍⚖️ 🏳️‍🌈 👨‍👩‍👧"
    mail = render(document(LeadStory(story(family)), subject=family))
    assert mail.subject == family
    assert family in mail.html
    assert family in mail.text


def test_a_dark_logo_replaces_the_logo_in_the_dark():
    logo = Picture("https://harbour.example/logo.png", 480, 120)
    brand = Brand(**{**vars(BRAND), "logo": logo, "logo_dark": picture("logo-dark", width=480, height=120)})
    html = render(document(brand=brand)).html
    assert html.count('alt="Harbour Justice" width="220"') == 2
    assert "display:none;mso-hide:all" in html
    assert "logo-dark" not in view_for_outlook(html)


def test_a_logo_has_its_space_before_it_is_loaded():
    logo = Picture("https://harbour.example/logo.png", 480, 120)
    brand = Brand(**{**vars(BRAND), "logo": logo, "logo_dark": picture("logo-dark", width=480, height=96)})
    images = list(document_fromstring(render(document(brand=brand)).html).iter("img"))
    assert [(image.get("width"), image.get("height")) for image in images[:1]] == [("220", "55")]
    assert 'width="220" height="44"' in render(document(brand=brand)).html


def test_a_logo_without_a_dark_one_has_a_light_background():
    logo = Picture("https://harbour.example/logo.png", 100, 400)
    html = render(document(brand=Brand(**{**vars(BRAND), "logo": logo}))).html
    assert '<img class="plate" src="https://harbour.example/logo.png" alt="Harbour Justice" width="16"' in html


def test_without_a_logo_the_name_is_text_and_read_once():
    assert visible_text(render(document(publication="")).html).count("Harbour Justice") == 2
    assert visible_text(render(document(preheader="")).html).startswith("Harbour Justice The Weekly Letter")


def test_small_pictures_are_not_blown_up():
    html = render(document(ImageBlock(picture(width=120, height=80), caption="Small"))).html
    assert 'width="120"' in html


def test_a_picture_has_its_space_and_colour_before_it_is_loaded():
    shown = replace(picture(width=804, height=536), colour="#5A6B7C")
    html = render(document(ImageBlock(shown, caption="Dawn"), StoryRows((story(picture=shown),)))).html
    images = [image for image in document_fromstring(html).iter("img") if image.get("src") == shown.url]
    assert [(image.get("width"), image.get("height")) for image in images] == [("560", "373"), ("100", "67")]
    assert all("c567" in image.get("class", "").split() for image in images)
    assert html.count("@media only screen{img.c567{background:#567!important;color:#fdfbf7!important}}") == 1


def test_a_blocked_logo_is_not_made_into_a_square():
    html = render(document(brand=replace(BRAND, logo=Picture("https://harbour.example/logo.png", 480, 120)))).html
    look = next(document_fromstring(html).iter("img")).get("style")
    assert ["max-height:78px" in look, "aspect-ratio" in look] == [True, False]


def test_a_blocked_picture_keeps_its_shape_whatever_its_description():
    shown = story(picture=picture(width=1280, height=720))
    html = render(document(LeadStory(shown), StoryCards((shown, shown)), StoryRows((shown,)))).html
    looks = [image.get("style") for image in document_fromstring(html).iter("img")]
    assert [re.findall(r"height:auto;aspect-ratio:16/9|max-height", look) for look in looks] == [
        ["height:auto;aspect-ratio:16/9"]
    ] * 4


@given(colour=st.integers(0, 0xFFFFFF).map("#{:06x}".format))
@example(colour="#767676")
def test_the_description_of_a_picture_can_be_read_on_its_colour(colour: str):
    assert contrast(choose_text_colour(colour), colour) >= MIN_CONTRAST_RATIO


@pytest.mark.parametrize("colour", ["", "red", "#12345", "#fff}*{display:none"])
def test_a_picture_without_a_known_colour_has_only_its_space(colour: str):
    html = render(document(ImageBlock(replace(picture(), colour=colour), caption="Dawn"))).html
    assert ' height="373"' in html
    assert "@media only screen{" not in html


def test_the_description_of_a_linked_picture_is_not_underlined():
    blocks = (
        LeadStory(story()),
        StoryCards((story(),)),
        StoryRows((story(),)),
        ImageBlock(picture(), url="https://a.example/"),
    )
    root = document_fromstring(render(document(*blocks)).html)
    links = [image.getparent() for image in root.iter("img") if image.getparent().tag == "a"]
    assert len(links) == 4
    assert all("text-decoration:none" in link.get("style") for link in links)


def test_a_linked_picture_without_description_is_named_by_its_story():
    assert 'alt="The court that arrives by boat"' in render(document(LeadStory(story(picture=picture(alt=""))))).html


def test_a_letter_without_blocks_or_links_still_has_its_footer():
    made = document(urls={}, preheader="", reason="", brand=Brand(name="Harbour Justice"))
    mail = render(made)
    assert "View online" not in mail.html + mail.text
    assert "Unsubscribe" in mail.html
    assert mail.text.startswith("The Weekly Letter\n=====")


def test_links_that_run_scripts_are_left_out_and_reported():
    link = "javascript:alert(1)"
    blocks = (
        LeadStory(story(url=link), key="1"),
        Related((("Title", link),), key="2"),
        Button("Press", "data:text/html,x", key="3"),
        AppealBlock("Give", "", "vbscript:x", "Give", key="4"),
        ImageBlock(Picture("file:///etc/passwd", 10, 10, "x"), key="5"),
    )
    mail = render(document(*blocks))
    for scheme in ("javascript:", "data:", "vbscript:", "file:"):
        assert scheme not in mail.html + mail.text
    assert errors_of(*blocks) == ["link-scheme"] * 4 + ["image-source"]


@pytest.mark.parametrize("bad", ["#12", "red", "javascript:x", "", "<script>"])
def test_an_invalid_colour_or_font_falls_back(bad: str):
    html = render(document(brand=Brand(**{**vars(BRAND), "colour": bad, "font": f"{bad}'"}))).html
    assert "#1f4e5f" in html
    assert "Georgia" in html


@pytest.mark.parametrize("colour", ["#ffe94a", "#000000", "#ffffff", "#808080", "#9effc2"])
@pytest.mark.parametrize("background", ["#ffffff", "#101010", "#777777"])
def test_colours_that_staff_choose_are_corrected_until_they_can_be_read(colour: str, background: str):
    brand = Brand(**{**vars(BRAND), "colour": colour, "accent": colour, "background": background})
    made = document(*rich_document().blocks, brand=brand)
    assert [finding for finding in lint_mail(render(made), document=made) if finding.code == "contrast"] == []


def naughty_strings() -> Iterator[str]:
    path = CORPUS / "naughty-strings" / "blns.json"
    if not path.exists():
        pytest.skip(f"The corpus of naughty strings is not at {CORPUS}")
    yield from json.loads(path.read_text(encoding="utf-8"))


@pytest.mark.long
@pytest.mark.requirement("M2")
def test_naughty_titles_and_subjects_are_safe_or_refused():
    strings = list(naughty_strings())
    titles = render(document(StoryCards(tuple(story(text, picture=None) for text in strings[:60]))))
    assert "<script" not in titles.html
    for text in strings:
        item = story(text, teaser=text, picture=None)
        made = document(LeadStory(item), subject=text, preheader=text)
        if "{{" in text or "{%" in text:
            with pytest.raises(MergeError, match="personal field"):
                render(made)
            made = document(LeadStory(item))
        mail = render(made)
        assert not re.search("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]", mail.subject)
        root = document_fromstring(mail.html)
        assert not root.xpath("//script|//iframe|//svg|//form|//*[@onerror]|//*[@onload]")
        assert len(root.xpath("//h2")) == 1


@dataclass(frozen=True)
class Unheard(Block):
    pass


def test_a_block_that_has_no_template_is_refused():
    with pytest.raises(TemplateError, match=r"blocks/unheard.mjml.j2 is missing"):
        render(document(Unheard(key="x")))


def note(html: str) -> Note:
    return Note(body_html=html, body_text="", key="intro")


@pytest.mark.parametrize(
    ("html", "says"),
    [
        ("<p>never closed", "never closes <p>"),
        ("<p><b><i>x</b></i></p>", "closes <b> while <i> is open"),
        ("<div>" * 201 + "</div>" * 201, "nests more than 200 tags"),
        ("<b>" * 9500 + "</b>" * 9500, "nests more than 200 tags"),
        ("<p>" + "x" * 300_000 + "</p>", "is 300,"),
        ("<p>a < b</p>", "cannot become mail HTML"),
        (
            "</div></mj-text></mj-column></mj-section><mj-section><mj-column><mj-text><div>",
            "closes <div> while no tag is open",
        ),
    ],
)
def test_a_block_with_invalid_html_is_named_before_compiling(html: str, says: str):
    with pytest.raises(TemplateError) as refusal:
        render(document(LeadStory(story()), note(html)))
    assert (refusal.value.block, refusal.value.kind) == ("intro", "note")
    assert says in str(refusal.value)
    assert "“intro”" in str(refusal.value)


def copy_templates(folder: Path, **changed: str) -> Path:
    for path in TEMPLATES.rglob("*.j2"):
        target = folder / path.relative_to(TEMPLATES)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(changed.get(path.name.replace(".", "_"), path.read_text()))
    return folder


@pytest.mark.parametrize(
    ("template", "says", "line"),
    [
        ("<mj-section>\n{{ block.nonsense }}</mj-section>", "asks for something that does not exist", 2),
        ("<mj-section>\n{{ 1 // 0 }}</mj-section>", "line 2, failed", 2),
        ("<mj-section>\n{{ block.text + 1 }}</mj-section>", "line 2, failed", 2),
        ("\n\n{% if %}", "cannot be read", 3),
        ("{% include 'gone.mjml.j2' %}", "gone.mjml.j2 is missing", 0),
    ],
)
def test_a_template_at_fault_is_named_with_its_line(tmp_path: Path, template: str, says: str, line: int):
    folder = copy_templates(tmp_path, quote_mjml_j2=template)
    with pytest.raises(TemplateError, match=says) as refusal:
        render(document(Quote("x", key="said")), templates=folder)
    assert (refusal.value.block, refusal.value.kind, refusal.value.line) == ("said", "quote", line)


def test_a_layout_at_fault_is_not_blamed_on_a_block(tmp_path: Path):
    layout = "<mjml>\n<mj-body>{% for block in blocks %}{{ block }}{% endfor %}\n1 < 2</mj-body></mjml>"
    with pytest.raises(TemplateError, match="The mail") as refusal:
        render(document(Quote("x", key="said")), templates=copy_templates(tmp_path, letter_mjml_j2=layout))
    assert refusal.value.block == ""


def test_own_templates_are_taken_from_the_folder_given(tmp_path: Path):
    folder = copy_templates(tmp_path, button_txt_j2="PRESS {{ block.label }}")
    assert "PRESS here" in render(document(Button("here", "https://harbour.example/")), templates=folder).text


@pytest.mark.requirement("M4")
def test_links_that_the_plain_form_of_a_note_forgot_are_listed_under_it():
    html = (
        '<p>Read <a href="https://a.example/?x=1&amp;y=2">our <b>report</b>, {{ name | default:"friend" }}</a></p>'
        '<p>or <a href="https://b.example/">this letter</a> or <a href="javascript:x">none</a></p>'
    )
    made = document(Note(body_html=html, body_text="Read our report or this letter: https://b.example/", key="k"))
    text = render(made).text
    assert "https://b.example/\n\nour report, __pv_t_name_1__: https://a.example/?x=1&y=2\n" in text
    assert text.count("https://b.example/") == 1
    assert "javascript" not in text


def test_without_templates_the_error_names_their_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(templates, "_TEMPLATE_FOLDERS", (tmp_path / "one", tmp_path / "two"))
    with pytest.raises(TemplateError, match="templates are missing"):
        render(document())


def test_in_an_installed_package_the_templates_beside_it_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    copy_templates(tmp_path / "two")
    monkeypatch.setattr(templates, "_TEMPLATE_FOLDERS", (tmp_path / "one", tmp_path / "two"))
    assert render(document()).html == render(document(), templates=TEMPLATES).html


def test_the_text_part_holds_every_link_of_the_html():
    mail = render(rich_document())
    root = document_fromstring(mail.html)
    targets = {unescape(link.get("href")) for link in root.iter("a")}
    missing = {target for target in targets if not target.startswith("__pv_") and target not in mail.text}
    assert missing == set()


def test_cached_style_rules_serve_a_mail_that_uses_more_of_them():
    inline_styles._SHEETS.clear()
    whole = render(rich_document()).html
    inline_styles._SHEETS.clear()
    render(document(Button("Go", "https://harbour.example/")))
    assert render(rich_document()).html == whole
    assert len(inline_styles._SHEETS) == 1


def test_only_the_words_of_the_html_have_soft_hyphens():
    word = "Rechtsschutzversicherung"
    one = story(word, url=f"https://harbour.example/{word}/", picture=picture(alt=word))
    mail = render(document(LeadStory(one), language="de", subject=word))
    root = document_fromstring(mail.html)
    assert root.xpath("string(//h2)") == "Rechts\u00adschutz\u00adver\u00adsiche\u00adrung"
    assert [image.get("alt") for image in root.iter("img")] == [word]
    assert root.xpath("string(//title)") == word
    assert f"https://harbour.example/{word}/" in root.xpath("//h2/a/@href")
    assert "\u00ad" not in mail.text + mail.subject
