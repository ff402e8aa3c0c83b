"""``make email-blocks``: write docs/reference/email-blocks.md from the blocks, with a picture of each, light and dark."""

import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import fields
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page

from newsletter.rendering.block_schema import BlockSchema, FieldSchema
from newsletter.rendering.blocks import Block, Document, EventItem, Picture, StoryItem
from newsletter.rendering.pipeline import render
from newsletter.rendering.schemas import load_schemas
from tests.gallery.documents import brand_of, flat_picture, painted_picture
from tests.gallery.run import fill_sample
from tests.gallery.screenshots import SCHEMES, open_browser, open_mail
from tests.support.sample_mails import PictureFinder, sample_blocks

DOCS = Path(__file__).parents[2] / "docs"
PAGE, PICTURES = DOCS / "reference/email-blocks.md", DOCS / "images" / "blocks"
INTRODUCTION = Path(__file__).with_name("blocks_introduction.md")
WIDTH, SHOWN, GAP = 640, 360, 12
EXTENT = """() => {
  const pieces = [...document.querySelectorAll('.paper, .band, .tinted')].map(piece => piece.getBoundingClientRect());
  return [Math.min(...pieces.map(piece => piece.top)), Math.max(...pieces.map(piece => piece.bottom))];
}"""
OURS = {
    "note": ("Note", "A text by staff. It can contain personal fields."),
    "lead_story": ("Lead story", "The first story, with its image across the whole width."),
    "story_cards": ("Stories in two columns", "Cards, two in a row. A last single one is as wide as the row."),
    "story_rows": ("Stories in one column", "Each story with its image beside it."),
    "story_list": ("Stories without images", "Titles and teasers, with a line between them."),
    "quote": ("Quotation", "What somebody said, their name, and the note about a changed name."),
    "events": (
        "Events",
        "The events near one group of readers, or an invitation to host one if there are none.",
    ),
    "event_card": ("Event in full", "One event with a map and links to calendars."),
    "appeal": ("Appeal", "A coloured band that asks for one thing, often the last block."),
    "related": ("Related stories", "Two or three links to further stories."),
    "image": ("Image", "An image with a caption, and a link if it has one."),
    "button": ("Button", "One link as a button."),
    "divider": (
        "Divider",
        "A short line, three dots or three bars in the brand’s colours. The next block has no line above it.",
    ),
}
KINDS = {
    "line": "a line of text",
    "paragraphs": "paragraphs, separated by a blank line",
    "rich": "formatted text; it can contain personal fields",
    "lines": "a list of lines",
    "link": "a web address",
    "choice": "one of the options",
    "picture": "an image",
    "amount": "an amount of money",
    "currency": "the code of a currency",
    "day": "a date",
    "rows": "rows of the fields below",
}


def main() -> None:
    blocks = sample_blocks(painted_picture)
    PICTURES.mkdir(parents=True, exist_ok=True)
    with open_browser() as browser:
        for name, block in blocks.items():
            draw(browser, block, PICTURES / f"{name}.jpg")
    PAGE.write_text(write_page(), encoding="utf-8")
    sys.stdout.write(f"{len(blocks)} blocks: {PAGE}\n")


def write_page(*, picture: PictureFinder = flat_picture) -> str:
    """Return the whole page, with a part for every block that has templates, in the order of the samples."""
    blocks, schemas = sample_blocks(picture), load_schemas()
    parts = [INTRODUCTION.read_text(encoding="utf-8").rstrip()]
    parts += ["\n".join(_describe(name, block, schemas)) for name, block in blocks.items()]
    parts.append("\n".join(_describe_data()))
    return "\n\n".join(parts) + "\n"


def _describe(name: str, block: Block, schemas: Mapping[str, BlockSchema]) -> Iterator[str]:
    schema = schemas.get(name)
    label, about = (schema.label, schema.about) if schema else OURS[name]
    yield from (
        f"## {label} (`{name}`)",
        "",
        about,
        "",
        f"![{label}, in light and dark mode](../images/blocks/{name}.jpg)",
        "",
    )
    if schema:
        yield from ("| field | content | |", "|---|---|---|")
        for field in schema.fields:
            yield _describe_field(field)
            yield from (_describe_field(part, of=f"{field.name}.") for part in field.fields)
    elif rows := list(_fields_of(type(block))):
        yield from ("| field | type |", "|---|---|", *rows)
    else:
        yield "It has no fields."
    yield from ("", "In plain text:", "", "```text", _plain_text(block), "```")


def _describe_field(field: FieldSchema, *, of: str = "") -> str:
    bounds = f", at most {field.most} characters" if field.kind in ("line", "paragraphs", "rich", "lines") else ""
    place = f", cut for the place `{field.place}`" if field.kind == "picture" else ""
    options = f": {', '.join(name for name, _ in field.options)}" if field.options else ""
    more = " ".join(part for part in ("Required." if field.required else "", field.help) if part)
    rows = f", {field.min_rows} to {field.max_rows}" if field.kind == "rows" else ""
    above = ", more than 0" if field.positive else ""
    return f"| `{of}{field.name}` {field.label} | {KINDS[field.kind]}{rows}{above}{options}{bounds}{place} | {more} |"


def _describe_data() -> Iterator[str]:
    yield from ("## Types", "")
    for data in (StoryItem, EventItem, Picture):
        about = " ".join((data.__doc__ or "").replace("``", "`").split())
        yield from (f"**`{data.__name__}`** {about}", "", "| field | type |", "|---|---|", *_fields_of(data), "")


def _fields_of(data: type[Block] | type[StoryItem] | type[EventItem] | type[Picture]) -> Iterator[str]:
    for field in fields(data):
        if field.name != "key":
            kind = field.type if isinstance(field.type, str) else getattr(field.type, "__name__", "")
            kind = str(field.type) if not kind or "[" in str(field.type) or "|" in str(field.type) else kind
            kind = re.sub(r"[\w.]+\.(?=\w)", "", kind).replace("|", "\\|")
            yield f"| `{field.name}` | `{kind}` |"


def _plain_text(block: Block) -> str:
    """Return the block's part of a mail's text part."""
    text = re.sub(r" +$", "", fill_sample(render(_mail_of(block)).text), flags=re.MULTILINE)
    head, _, rest = text.partition("\n\n")
    return rest.partition("\n----------------------------------------\n")[0].strip("\n") or head


def _mail_of(block: Block) -> Document:
    return Document(
        subject="Block",
        preheader="",
        language="en",
        brand=brand_of("harbour"),
        blocks=(block,),
        publication="The Weekly Letter",
    )


def draw(browser: Browser, block: Block, path: Path) -> None:
    """Draw the block between masthead and footer, in light and dark mode side by side."""
    html = fill_sample(render(_mail_of(block)).html)
    shots = []
    for scheme in SCHEMES:
        with open_mail(browser, html, width=WIDTH, scheme=scheme) as (page, _):
            shots.append(_shoot(page))
    height = max(shot.height for shot in shots)
    canvas = Image.new("RGB", (2 * SHOWN + GAP, height), "#d9d9dc")
    for at, shot in enumerate(shots):
        canvas.paste(shot, (at * (SHOWN + GAP), 0))
    canvas.save(path, quality=80, optimize=True)


def _shoot(page: Page) -> Image.Image:
    top, bottom = page.evaluate(EXTENT)
    clip = {"x": 0, "y": top, "width": WIDTH, "height": bottom - top}
    shot = Image.open(BytesIO(page.screenshot(full_page=True, clip=clip))).convert("RGB")  # type: ignore[arg-type]
    return shot.resize((SHOWN, round(shot.height * SHOWN / shot.width)), Image.Resampling.LANCZOS)


if __name__ == "__main__":
    main()
