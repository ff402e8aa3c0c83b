"""A block of an extension can have templates of its own for one layout, such as the plain letter."""

import pytest

from newsletter.rendering.block_kind import BLOCK_KINDS, find_template, list_own_layouts
from newsletter.rendering.blocks import Document, SchemaBlock
from newsletter.rendering.pipeline import render
from tests.support.installed_extensions import Extensions
from tests.support.installed_extensions import extensions as extensions
from tests.support.mail_documents import document

CODE = """
from pathlib import Path
from newsletter.extensions.blocks import BlockKind

class Box(BlockKind):
    interface = 1
    folder = Path(__file__).parent
"""
SCHEMA = 'label = "Box"\nabout = "A box."\nicon = "pick"\n[[field]]\nname = "words"\nkind = "line"\nlabel = "Words"\nmost = 80\n'
SECTION = "<mj-section><mj-column><mj-text><p>{mark} {{{{ block.words }}}}</p></mj-text></mj-column></mj-section>"


@pytest.fixture
def installed(extensions: Extensions) -> Extensions:
    extensions.write("box.toml", SCHEMA)
    extensions.write("box.mjml.j2", SECTION.format(mark="USUAL"))
    extensions.write("box.txt.j2", "usual {{ block.words }}\n")
    extensions.write("box.plain.mjml.j2", SECTION.format(mark="PLAIN"))
    return extensions


def install(extensions: Extensions) -> None:
    extensions.install("boxes", CODE, {"blocks": {"box": "Box"}})


def letter(layout: str) -> Document:
    return document(SchemaBlock("box", {"words": "<Thanks>"}), layout=layout)


def test_a_plain_letter_takes_the_template_for_it_and_others_the_usual_one(installed: Extensions) -> None:
    install(installed)
    plain, usual = render(letter("plain")), render(letter("digest"))
    assert "PLAIN &lt;Thanks&gt;" in plain.html
    assert "USUAL &lt;Thanks&gt;" in usual.html
    assert "usual <Thanks>" in plain.text
    assert list_own_layouts("box") == ["plain"]


def test_the_plain_text_can_be_its_own_too(installed: Extensions) -> None:
    installed.write("box.plain.txt.j2", "plain {{ block.words }}\n")
    install(installed)
    assert "plain <Thanks>" in render(letter("plain")).text
    assert "usual <Thanks>" in render(letter("letter")).text


def test_an_unreadable_template_of_a_layout_is_refused_with_its_line(installed: Extensions) -> None:
    installed.write("box.plain.mjml.j2", "<mj-section>\n{% if %}\n</mj-section>")
    install(installed)
    assert "box" not in BLOCK_KINDS
    assert "box.plain.mjml.j2, line 2" in " ".join(str(broken.reason) for broken in BLOCK_KINDS.list_broken())


@pytest.mark.parametrize(
    "name", ["layouts/plain/../box.mjml.j2", "layouts/plain/box.toml", "layouts/plain/note.mjml.j2"]
)
def test_no_other_file_of_an_extension_is_a_template(installed: Extensions, name: str) -> None:
    install(installed)
    assert find_template(name) is None


def test_no_extension_replaces_a_template_of_ours_in_a_layout(installed: Extensions) -> None:
    for name in ("video.toml", "video.mjml.j2", "video.txt.j2", "video.plain.mjml.j2"):
        installed.write(name, SCHEMA if name.endswith("toml") else SECTION.format(mark="STOLEN"))
    installed.install("videos", CODE, {"blocks": {"video": "Box"}})
    mail = render(document(SchemaBlock("video", {"title": "A film", "url": "https://a.example/"}), layout="plain"))
    assert "STOLEN" not in mail.html
