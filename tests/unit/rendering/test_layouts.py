"""The layouts “plain” and “events first”: what they show, and in which order."""

import re
from dataclasses import replace
from typing import get_args

import pytest

from newsletter.models.brands import Layout
from newsletter.organisation.schema import PublicationEntry
from newsletter.organisation.starter_brands import load_starters
from newsletter.rendering.blocks import Divider, Document, EventCard, Events, LeadStory
from newsletter.rendering.colours import contrast, dark_palette, light_palette, put_on_paper
from newsletter.rendering.lint.checks import lint_mail
from newsletter.rendering.pipeline import LAYOUTS, render
from tests.gallery.documents import brand_of, flat_picture
from tests.support.sample_mails import sample_blocks, sample_document, sample_schema_block

BRAND = brand_of("meadow")
GREETING, LEAD, EVENTS = "Last week the labour court", "Tea pickers in the Ombari", "An evening of stories"
WITH_PICTURES = {"gallery", "image", "person_note", "portrait_quote", "video"}
"""The blocks in which staff put pictures, which a plain letter shows too."""


def letter(layout: str, **changes: object) -> Document:
    return replace(sample_document(layout=layout, brand=BRAND, picture=flat_picture), **changes)  # type: ignore[arg-type]


def positions(text: str) -> list[str]:
    return sorted((GREETING, LEAD, EVENTS), key=text.index)


def test_the_desk_and_the_organisation_file_offer_each_layout() -> None:
    offered = get_args(PublicationEntry.model_fields["layout"].annotation)
    assert tuple(Layout.values) == offered == LAYOUTS


def test_events_first_has_events_after_the_greeting_in_html_and_text() -> None:
    mail = render(letter("events_first"))
    assert positions(mail.html) == positions(mail.text) == [GREETING, EVENTS, LEAD]
    as_letter = render(letter("letter"))
    assert positions(as_letter.html) == positions(as_letter.text) == [GREETING, LEAD, EVENTS]


def test_events_first_shows_only_the_first_event_of_all_large() -> None:
    document = letter("events_first")
    events = next(block for block in document.blocks if isinstance(block, Events))
    html = render(replace(document, blocks=(*document.blocks, replace(events, kind="online")))).html
    assert html.count('class="bigday"') == 1
    assert html.count('class="chip"') == 2 * len(events.events) - 1


def test_events_first_leaves_an_invitation_to_host_in_its_location() -> None:
    document = letter("events_first")
    lead = next(block for block in document.blocks if isinstance(block, LeadStory))
    host = Events((), kind="host", host_url="https://harbour.example/host/")
    html = render(replace(document, blocks=(document.blocks[0], lead, host))).html
    assert html.index(LEAD) < html.index("https://harbour.example/host/")
    assert 'class="bigday"' not in html


def test_events_first_also_takes_an_event_in_full_to_the_top() -> None:
    document = letter("events_first")
    event = next(block.events[0] for block in document.blocks if isinstance(block, Events))
    lead = next(block for block in document.blocks if isinstance(block, LeadStory))
    mail = render(replace(document, blocks=(document.blocks[0], lead, EventCard(event))))
    assert positions(mail.text)[1] == EVENTS
    assert mail.html.count('class="bigday"') == 1
    assert 'class="chip"' not in mail.html
    assert event.url in mail.html


def test_events_first_shows_a_second_event_in_full_as_usual() -> None:
    document = letter("events_first")
    events = next(block.events for block in document.blocks if isinstance(block, Events))
    html = render(replace(document, blocks=(EventCard(events[0]), EventCard(events[1])))).html
    assert html.count('class="bigday"') == html.count('class="chip"') == 1
    assert html.index('class="bigday"') < html.index('class="chip"')


def test_events_first_links_the_map_of_an_event_in_full() -> None:
    document = letter("events_first")
    event = next(block.events[0] for block in document.blocks if isinstance(block, Events))
    mapped = replace(event, map_url="https://maps.example/library")
    html = render(replace(document, blocks=(EventCard(mapped),))).html
    assert 'href="https://maps.example/library"' in html


def test_events_first_says_under_its_date_what_is_in_it() -> None:
    document = letter("events_first")
    assert document.preheader in " ".join(render(document).text.split())


@pytest.mark.parametrize("kind", sorted(sample_blocks(flat_picture)))
def test_a_plain_letter_has_no_pictures_buttons_bands_or_pills(kind: str) -> None:
    html = render(letter("plain", blocks=(sample_blocks(flat_picture)[kind],))).html
    body = html[html.index("<body") :]
    assert "<img" not in body or kind in WITH_PICTURES
    for name in ("chip", "pill", "band", "tinted", "tintbutton", "panel", "icon", "button", "bandbutton"):
        assert not re.search(rf'class="[^"]*\b{name}\b', body), name


def test_a_plain_letter_keeps_what_no_mail_may_lack() -> None:
    document = letter("plain")
    mail = render(document)
    assert [one.code for one in lint_mail(mail, document=document) if one.code != "preheader-length"] == []
    for part in (mail.html, mail.text):
        assert BRAND.postal_address.split(",")[0] in part
        assert "A pseudonym" in part
        assert document.reason in " ".join(part.split())
    links = {"u_preferences", "u_unsubscribe", "t_preferences", "t_unsubscribe"}
    assert links <= {variable.token for variable in mail.variables}
    assert mail.html.count("<h1") == 1


def test_a_plain_letter_shows_a_picture_that_staff_put_in() -> None:
    image = sample_blocks(flat_picture)["image"]
    html = render(letter("plain", blocks=(*letter("plain").blocks, image))).html
    assert html.count("<img") == 1


@pytest.mark.parametrize("kind", sorted(sample_blocks(flat_picture)))
def test_a_plain_letter_shows_each_block_and_its_links(kind: str) -> None:
    block = sample_blocks(flat_picture)[kind]
    plain, usual = (render(letter(layout, blocks=(block,))) for layout in ("plain", "letter"))
    links = [set(re.findall(r'href="([^"]+)"', mail.html)) for mail in (plain, usual)]
    assert links[0] >= {link for link in links[1] if "/m/" not in link} - {BRAND.website}
    assert usual.text.endswith(plain.text.partition("\n\n")[2])


def test_the_link_to_a_calendar_has_the_size_of_text_in_a_plain_letter() -> None:
    html = render(letter("plain", blocks=(sample_blocks(flat_picture)["event_card"],))).html
    (look,) = re.findall(r"""<a class="calendar"[^>]* style=(?:'([^']*)'|"[^"]*")""", html)
    assert "font-size:17px" in look


def test_a_layout_without_a_template_of_its_own_uses_the_blocks() -> None:
    html = render(letter("plain", blocks=(sample_schema_block("timetable", flat_picture),))).html
    assert 'class="ruledtop"' in html


@pytest.mark.parametrize("slug", sorted(load_starters()))
def test_a_plain_letter_can_be_read_in_each_look_light_and_dark(slug: str) -> None:
    look = load_starters()[slug]
    light = light_palette(colour=look.colour, accent=look.accent, background=look.background)
    for palette in (light, dark_palette(colour=look.colour, accent=look.accent)):
        plain = put_on_paper(palette)
        assert plain.page == plain.tint == palette.paper
        for name in ("page_ink", "page_soft", "tint_soft", "ink", "soft"):
            assert contrast(getattr(plain, name), plain.paper) >= 7, name
        for name in ("masthead", "tint_ink", "tint_link", "link", "heading"):
            assert contrast(getattr(plain, name), plain.paper) >= 4.5, name


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("masthead", ["band", "plain", "rule"])
def test_a_long_german_name_is_shown_once(layout: str, masthead: str) -> None:
    name = "Bundesarbeitsgemeinschaft"
    brand = replace(BRAND, name=name, masthead=masthead, logo=None, logo_dark=None, postal_address="Wien")
    blocks = (Divider(),)
    html = render(
        letter(layout, blocks=blocks, brand=brand, publication=name, language="de", headline="Neu", reason="Weil.")
    ).html
    body = html[html.index("<body") :].replace("\u00ad", "")
    assert body.count(name) == 1
