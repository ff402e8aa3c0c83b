"""The blocks with rows: a gallery, a timetable, a question with answers. And a document, and a quote with a portrait."""

import re

import pytest

from newsletter.rendering.blocks import Picture, SchemaBlock
from newsletter.rendering.lint.checks import lint_mail
from newsletter.rendering.mail import RenderedMail
from newsletter.rendering.pipeline import render
from newsletter.rendering.schemas import load_schemas
from newsletter.testing.blocks import BlockContract
from tests.gallery.odd_mails import LONG_WORD
from tests.support.mail_documents import document, picture, visible_text
from tests.support.sample_mails import endless_schema_block


@pytest.mark.parametrize("kind", sorted(load_schemas()))
class TestOwnBlocks(BlockContract):
    """Our own blocks keep the contract that we ask of others."""

    @pytest.fixture(autouse=True)
    def _choose(self, kind: str) -> None:
        self.name = kind  # type: ignore[misc]


def show(kind: str, /, **values: object) -> RenderedMail:
    return render(document(SchemaBlock(kind, values)))


def errors_of(kind: str, /, **values: object) -> list[str]:
    asked = document(SchemaBlock(kind, values, key="block"))
    return [finding.code for finding in lint_mail(render(asked), document=asked) if finding.block == "block"]


def make_images(number: int) -> tuple[dict[str, object], ...]:
    return tuple({"picture": picture(f"p{at}"), "caption": f"Caption {at}"} for at in range(number))


@pytest.mark.parametrize(("number", "width"), [(1, 560), (2, 268), (3, 176)])
def test_the_pictures_of_a_gallery_share_the_row(number: int, width: int) -> None:
    mail = show("gallery", images=make_images(number))
    assert re.findall(r'<img alt="Fields at dawn"[^>]* width="(\d+)"', mail.html) == [str(width)] * number
    assert mail.text.count("- Caption ") == number


def test_a_gallery_shows_at_most_three_pictures_that_load() -> None:
    assert "Caption 3" not in show("gallery", images=make_images(4)).html
    broken = {"picture": Picture("ftp://x/y.jpg", 800, 600, "A quay"), "caption": "Lost"}
    assert "Lost" not in show("gallery", images=(*make_images(2), broken)).html
    assert "image-source" in errors_of("gallery", images=(*make_images(2), broken))


def test_a_picture_of_a_gallery_needs_a_description() -> None:
    blind = {"picture": picture(alt=""), "caption": "The quay"}
    assert "alt-empty" in errors_of("gallery", images=(blind, blind))
    assert show("gallery", images=(blind, *make_images(1))).html.count("The quay") == 1


@pytest.mark.parametrize("language", ["en", "de"])
def test_no_link_has_the_soft_hyphens_of_a_long_word(language: str) -> None:
    address = "Donaudampfschifffahrtsgesellschaft, Wien"
    items = ({"time": "18:00", "what": "Beginn", "detail": ""},)
    timetable = SchemaBlock("timetable", {"title": "Programm", "address": address, "items": items})
    mailto = "mailto:donaudampfschifffahrtsgesellschaft@example.org"
    answers = ({"label": "Ja", "url": mailto}, {"label": "Nein", "url": mailto})
    question = SchemaBlock("question", {"question": "Kommen Sie?", "answers": answers})
    html = render(document(timetable, question, language=language)).html
    assert "search?query=Donaudampfschifffahrtsgesellschaft%2C%20Wien" in html
    assert html.count(f'href="{mailto}"') == 2
    assert ("\u00ad" in html) == (language == "de")


def test_a_timetable_of_a_festival_day_stays_in_two_columns() -> None:
    rows = tuple(
        {"time": f"{9 + at // 4}:{at % 4 * 15:02}", "what": f"Set {at}", "detail": "Stage A"} for at in range(40)
    )
    mail = show("timetable", title="Festival", items=rows)
    assert "10:00  Set 4\n       Stage A\n" in mail.text
    assert mail.text.count("Stage A") == 40
    assert len(mail.html.encode()) < 95_000


def test_a_long_time_has_a_line_of_its_own_in_plain_text() -> None:
    rows = ({"time": "9:00", "what": "Tea"}, {"time": "from the early morning", "what": "Walk"})
    assert "9:00           Tea\nfrom the early morning\n               Walk\n" in show("timetable", items=rows).text


@pytest.mark.parametrize(
    ("values", "link"),
    [
        ({"address": "1 Quay, Selby"}, "https://www.openstreetmap.org/search?query=1%20Quay%2C%20Selby"),
        ({"address": "1 Quay", "map_url": "https://maps.example/x"}, "https://maps.example/x"),
        ({"map_url": "https://maps.example/x"}, "https://maps.example/x"),
    ],
)
def test_a_timetable_links_to_a_map(values: dict[str, str], link: str) -> None:
    mail = show("timetable", title="Open day", items=({"time": "10:00", "what": "Tea"},), **values)
    assert f'href="{link}"' in mail.html
    assert f"See it on a map:\n{link}\n" in mail.text


def test_a_timetable_without_an_address_has_no_map_and_names_its_day() -> None:
    mail = show("timetable", title="Open day", day="2026-12-12", items=({"time": "10:00", "what": "Tea"},))
    assert "map" not in mail.text
    assert "Saturday, 12 December 2026" in visible_text(mail.html)
    assert "Saturday, 12 December 2026" in mail.text


def test_each_answer_is_a_plain_link_of_the_same_look() -> None:
    answers = tuple({"label": label, "url": f"https://ask.example/?a={label}"} for label in ("Yes", "No", "Later"))
    mail = show("question", question="More reports?", answers=answers)
    assert [f'href="https://ask.example/?a={label}"' in mail.html for label in ("Yes", "No", "Later")] == [True] * 3
    assert "Yes:\nhttps://ask.example/?a=Yes\n\nNo:\nhttps://ask.example/?a=No\n" in mail.text


def test_an_answer_that_leads_nowhere_is_an_error_and_is_left_out() -> None:
    answers = ({"label": "Yes", "url": "https://ask.example/"}, {"label": "No", "url": "javascript:1"})
    assert errors_of("question", question="More?", answers=answers) == ["link-scheme"]
    assert ">No<" not in show("question", question="More?", answers=answers).html


def test_a_document_says_its_kind_and_size_beside_its_link() -> None:
    mail = show("document", title="The year", kind="PDF, 2 MB", url="https://harbour.example/year.pdf")
    assert re.search("The year ?PDF, 2 MB", visible_text(mail.html))
    assert "PDF, 2 MB:\nhttps://harbour.example/year.pdf\n" in mail.text


def test_a_quote_is_above_the_portrait_and_the_name() -> None:
    mail = show("portrait_quote", text="It was true.", who="Ines", role="Director", portrait=picture())
    assert "It was true. Ines Director" in visible_text(mail.html)
    assert "  It was true.\n  Ines, Director\n" in mail.text


@pytest.mark.parametrize("direction", ["ltr", "rtl"])
@pytest.mark.parametrize("kind", sorted(load_schemas()))
def test_endless_words_in_either_direction_pass_the_checks(kind: str, direction: str) -> None:
    block = endless_schema_block(kind, LONG_WORD, lambda name, place: picture(name))
    asked = document(block, language="ar" if direction == "rtl" else "en", direction=direction)
    findings = lint_mail(render(asked), document=asked)
    assert [finding.code for finding in findings if finding.level == "error"] == []
