"""The page of all blocks shows what the blocks are now: every one, its fields, and how it reads."""

from newsletter.rendering.templates import default_templates
from tests.gallery.blocks import PAGE, PICTURES, write_page

MAKE = "make email-blocks writes it again"


def test_the_page_of_blocks_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == write_page(), MAKE


def test_the_page_shows_exactly_the_blocks_that_have_templates() -> None:
    blocks = {path.name.removesuffix(".mjml.j2") for path in (default_templates() / "blocks").glob("*.mjml.j2")}
    page = PAGE.read_text(encoding="utf-8")
    assert [block for block in sorted(blocks) if f"(../images/blocks/{block}.jpg)" not in page] == []
    assert {picture.stem for picture in PICTURES.iterdir()} == blocks, MAKE
    assert sum(picture.stat().st_size for picture in PICTURES.iterdir()) < 800_000
