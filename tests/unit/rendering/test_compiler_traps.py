"""Silent mistakes of the compilers: templates that cause one are refused, or mails are checked for it."""

import re
from collections.abc import Callable

import premailer.cache
import pytest
from lxml.html import document_fromstring

from newsletter.content.parsing.markup import clean_html
from newsletter.rendering.blocks import Brand, Document, LeadStory
from newsletter.rendering.compile import check_source, compile_mjml, inline_styles
from newsletter.rendering.errors import TemplateError
from newsletter.rendering.lint.tag_balance import view_for_outlook
from newsletter.rendering.mail import RenderedMail
from newsletter.rendering.pipeline import render
from newsletter.rendering.template_context import NAMES
from newsletter.rendering.templates import default_templates
from tests.gallery.documents import gallery_mails
from tests.gallery.mjml_lint import check_mjml
from tests.support.mail_documents import document, picture, story

TEMPLATES = {path.name: path.read_text() for path in default_templates().rglob("*.mjml.j2")}


@pytest.fixture(scope="module")
def mails() -> dict[str, tuple[Document, RenderedMail]]:
    return gallery_mails()


Mails = dict[str, tuple[Document, RenderedMail]]
REFUSED_IN_TEMPLATES = {
    "1: a zero without a unit loses the whole padding": '<mj-section padding="0 10px"></mj-section>',
    "2: what is included loses its widths": '<mj-include path="x.mjml" />',
    "4: mj-html-attributes is an error without a place": "<mj-html-attributes></mj-html-attributes>",
    "5: unknown elements are copied as they are": "<mj-section><mj-columm></mj-columm></mj-section>",
    "5: unknown attributes are dropped": '<mj-section colour="#111111"></mj-section>',
    "10: what is raw in a wrapper falls among Outlook's conditions": "<mj-wrapper><mj-raw></mj-raw></mj-wrapper>",
    "11: a hero of fluid height has no height": '<mj-hero mode="fluid-height"></mj-hero>',
    "12: the role of a table is dropped": '<mj-section><mj-column><mj-table role="presentation"></mj-table></mj-column>'
    "</mj-section>",
    "13: colours of three digits reach Outlook": '<mj-section background-color="#fff"></mj-section>',
    "15: of several mj-class names compilers take different ones": '<mj-section mj-class="a b"></mj-section>',
}


@pytest.mark.parametrize("trap", REFUSED_IN_TEMPLATES)
def test_a_trap_is_refused_in_templates(trap: str) -> None:
    assert list(check_mjml(REFUSED_IN_TEMPLATES[trap], inside="mj-body"))


REFUSED_IN_HEADS = {
    "3: inline styles stay in the head": '<mj-style inline="inline">p{}</mj-style>',
    "14: mj-class with defaults is an error": '<mj-attributes><mj-class name="a"><mj-text /></mj-class></mj-attributes>',
}


@pytest.mark.parametrize("trap", REFUSED_IN_HEADS)
def test_a_trap_is_refused_in_the_head_of_a_layout(trap: str) -> None:
    source = f"<mjml><mj-head>{REFUSED_IN_HEADS[trap]}</mj-head></mjml>"
    assert list(check_mjml(source, inside=""))


def test_marked_styles_are_written_into_the_tags(mails: Mails) -> None:
    for _, mail in mails.values():
        assert "/*inline*/" not in mail.html
        assert 'class="page"' in mail.html or 'class="page ' in mail.html
        assert re.search(r'<p class="foot[^>]* style=.[^>]*font-family', mail.html)


@pytest.mark.parametrize(
    "source",
    [
        "<mj-text><b><i>x</b></i></mj-text>",
        "<mj-raw><tr><td></mj-raw>",
        "<b>" * 9001 + "</b>" * 9001,
        "<p>" + "x" * 300_001 + "</p>",
    ],
    ids=[
        "5: closing tags are not compared",
        "9: what is raw must be whole",
        "16: nine thousand tags deep the process dies",
        "16: size is bounded",
    ],
)
def test_a_source_that_harms_the_compiler_is_refused(source: str) -> None:
    with pytest.raises(TemplateError):
        check_source(source)


def test_an_error_of_the_compiler_has_its_line() -> None:
    with pytest.raises(TemplateError) as refusal:
        compile_mjml("<mjml>\n<mj-head>\n<mj-html-attributes></mj-html-attributes></mj-head></mjml>")
    assert refusal.value.line == 3


@pytest.mark.parametrize("words", ["a < b", "AT&T &amp; <b>", "</mj-text>", "a\x00b", "<![CDATA[x]]>", "<!-- x"])
def test_a_title_is_escaped_before_the_compiler(words: str) -> None:
    root = document_fromstring(render(document(LeadStory(story(words)))).html)
    shown = "".join(root.xpath("//h2")[0].itertext())
    assert shown == words.replace("\x00", " ")


def test_quotes_in_attributes_and_in_the_title_stay_inside() -> None:
    made = document(LeadStory(story(picture=picture(alt='say "hi"'))), subject='Say "hi"', language="en")
    root = document_fromstring(render(made).html)
    assert 'say "hi"' in [image.get("alt") for image in root.iter("img")]
    assert root.xpath("//div[@role='article']")[0].get("aria-label") == 'Say "hi"'


@pytest.mark.parametrize(
    "words", ["चाय बागान की मज़दूरों को", "20\u00a0€", r"C:\u{41}", "👩🏾\u200d🌾", "سَلَام", "two\nlines", "a “b” – c"]
)
def test_labels_and_descriptions_keep_every_character(words: str) -> None:
    """The compiler writes characters of attributes as Rust code, such as `\\u{93c}`."""
    image = f'<mj-image src="https://x.example/a.jpg" alt="{words}" />'
    link = f"""<a href="https://x.example/" aria-label="{words}" title='{words} "x"'>x</a>"""
    body = f"<mj-section><mj-column>{image}<mj-text>{link}</mj-text></mj-column></mj-section>"
    root = document_fromstring(compile_mjml(f"<mjml><mj-body>{body}</mj-body></mjml>"))
    assert root.xpath("//img/@alt") == [words]
    assert root.xpath("//a/@aria-label") == [words]
    assert root.xpath("//a/@title") == [f'{words} "x"']


@pytest.mark.parametrize("words", ["चाय बागान की मज़दूरों को", "👩🏾\u200d🌾 & “x”", r"C:\u{41}"])
def test_a_mail_is_announced_by_its_subject(words: str) -> None:
    made = document(LeadStory(story(picture=picture(alt=words))), subject=words)
    root = document_fromstring(render(made).html)
    assert words in root.xpath("//img/@alt")
    assert root.xpath("//div[@role='article']/@aria-label") == root.xpath("//title/text()") == [words]


def test_every_table_for_layout_has_the_role_presentation(mails: Mails) -> None:
    for name, (_, mail) in mails.items():
        for view in (mail.html, view_for_outlook(mail.html)):
            roles = {table.get("role") for table in document_fromstring(view).iter("table")}
            assert roles == {"presentation"}, name


def test_a_brand_of_three_digits_is_sent_with_six() -> None:
    brand = Brand(name="Harbour", colour="#147", accent="#a41", background="#fed")
    html = render(document(LeadStory(story()), brand=brand)).html
    assert not re.search(r"#[0-9a-f]{3}\b(?![0-9a-f])", re.sub(r"&#\d+;", "", html.split("<body")[1]))
    assert "#ffeedd" in html


def test_the_preheader_is_not_white_on_white(mails: Mails) -> None:
    assert "mj-preview" not in "".join(TEMPLATES.values())
    for made, mail in mails.values():
        if made.preheader:
            hidden = re.search(r"<div style=\"display:none[^\"]*\"", mail.html)
            assert hidden
            assert "#fff" not in hidden.group()


def test_no_font_is_fetched(mails: Mails) -> None:
    for _, mail in mails.values():
        assert not re.search(r"googleapis|@import|@font-face|<link|Ubuntu", mail.html)


def test_social_icons_are_ours_and_link_to_the_page_not_to_a_share(mails: Mails) -> None:
    assert "mj-social" not in "".join(TEMPLATES.values())
    made, mail = mails["letter-harbour"]
    root = document_fromstring(mail.html)
    icons = {link.get("href"): link.find("img") for link in root.iter("a") if link.get("class") == "icon"}
    assert set(icons) == {url for _, url in made.brand.social}
    assert all(icon.get("src").startswith(made.brand.icons_url) for icon in icons.values())
    assert "mailjet" not in mail.html


def test_a_social_network_is_named_in_text_beside_its_icon(mails: Mails) -> None:
    """With pictures off, the name would not fit into the icon as its description."""
    made, mail = mails["letter-harbour"]
    links = [link for link in document_fromstring(mail.html).iter("a") if link.get("class") == "icon"]
    assert [link.text_content().strip() for link in links] == [NAMES[network] for network, _ in made.brand.social]
    assert [link.find("img").get("alt") for link in links] == [""] * len(links)


def test_a_tag_with_a_class_of_its_own_gets_no_other() -> None:
    for name, source in TEMPLATES.items():
        for defaults in re.findall(r"<mj-attributes>.*?</mj-attributes>", source, re.DOTALL):
            assert "css-class" not in defaults, name


def test_an_element_with_a_dark_background_has_a_light_one_too() -> None:
    for name, source in TEMPLATES.items():
        for section in re.findall(r"<mj-section[^>]*>", source):
            if re.search(r'css-class="(paper|band|tinted)\b', section):
                assert "background-color=" in section, f"{name}: {section}"


INLINED: dict[str, Callable[[str], bool]] = {
    "a small doctype puts browsers into quirks mode": lambda html: html.startswith("<!DOCTYPE html>"),
    "widths of pictures become 100% and Outlook blows them up": lambda html: 'width="150"' in html,
    "!important is taken out and columns never stand side by side": lambda html: "width:50%!important" in html,
    "rules without a medium are dropped": lambda html: "[data-ogsc] p" in html and "#outlook a" in html,
    "classes are taken off, and with them dark mode": lambda html: 'class="day"' in html,
    "Outlook's conditions are lost": lambda html: "<!--[if mso]><b>x</b><![endif]-->" in html,
    "tokens in addresses are escaped": lambda html: 'href="__pv_u_preferences__"' in html,
}


@pytest.mark.parametrize("trap", INLINED)
def test_a_trap_of_the_inliner_is_avoided(trap: str) -> None:
    html = (
        "<!doctype html><html><head><style>/*inline*/ .day { width: 100%; }</style>"
        "<style>#outlook a { padding: 0; } [data-ogsc] p { color: #ece6dc !important; }</style>"
        "<style>@media only screen { .half { width: 50% !important; } }</style></head>"
        '<body class="half"><!--[if mso]><b>x</b><![endif]--><img class="day" width="150" alt="" src="https://a.example/x.png">'
        '<a href="__pv_u_preferences__">Choose</a></body></html>'
    )
    assert INLINED[trap](inline_styles(html))


def test_a_style_that_somebody_pastes_cannot_stop_the_inliner() -> None:
    cleaned = clean_html('<p style="p">x</p><p style="}{">y</p>')
    assert cleaned == "<p>x</p><p>y</p>"


def test_the_cache_of_the_inliner_holds_several_brands(mails: Mails) -> None:
    assert len(mails) > 15
    assert len(premailer.cache.cache) < premailer.cache.cache.maxsize
