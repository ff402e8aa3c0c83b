"""``make email-looks``: draw each finished look for the desk, light and dark in one picture, and all on a sheet for the docs.

A picture's comment is the fingerprint of what it shows, by which a test finds pictures that are out of date.
"""

import sys
from dataclasses import asdict
from hashlib import sha256
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont
from playwright.sync_api import Browser

from newsletter.organisation.starter_brands import Starter, load_starters
from newsletter.rendering.blocks import Brand, Button, Document, EventItem, Events, LeadStory, StoryItem
from newsletter.rendering.colours import dark_palette, light_palette
from newsletter.rendering.pipeline import render
from tests.gallery.documents import flat_picture, painted_picture
from tests.gallery.run import fill_sample
from tests.gallery.screenshots import SCHEMES, open_browser, open_mail
from tests.support.sample_mails import PictureFinder

ROOT = Path(__file__).parents[2]
PICTURES, SHEET = ROOT / "newsletter/static/newsletter/looks", ROOT / "docs/images/looks.jpg"
WIDTH, HEIGHT = 700, 840
SHOWN = (400, 480)
COLUMNS, GAP, LABEL = 4, 20, 28
SITE = "https://news.harbour.example"
SAMPLES = {
    "Justice": ("The Harbour Letter", "A notebook becomes evidence, and wages are paid", "terraces", "An open evening"),
    "Research": ("Findings", "What ten years of rainfall records say", "river", "Ask the authors"),
    "Climate": ("The Green Line", "The valley that bought its own hillside", "fields", "Plant a hedge with us"),
    "Shelter": ("Open Door", "Forty beds more before the first frost", "lanterns", "Cook supper with us"),
    "Museum": ("On View", "The harbour, painted every day for a year", "harbour", "Late opening"),
    "Choir": ("Programme Notes", "Evensong on the bridge, by lantern light", "bridge", "Come and sing"),
    "Hospice": ("From the Garden Room", "An evening of lights, and of names", "lanterns", "Coffee for carers"),
    "School": ("School Post", "Year 5 measured the river, all of it", "river", "Summer concert"),
    "Faith": ("Gathered", "A harvest table that ran down the whole street", "fields", "Shared meal"),
    "Food bank": ("The Full Shelf", "Two tonnes of apples, and what became of them", "terraces", "Sort with us"),
    "Animal rescue": ("Second Home", "The quay where nine cats used to live", "harbour", "Meet the animals"),
    "Union": ("The Banner", "The cleaners of the tower won their sick pay", "skyline", "Branch meeting"),
}
"""By kind of organisation: the name of its newsletter, its lead story, the picture of that, and an event."""


def main() -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    with open_browser() as browser:
        for slug, starter in load_starters().items():
            save_picture(draw(browser, starter), PICTURES / f"{slug}.jpg", comment=make_fingerprint(starter))
    save_picture(draw_sheet(), SHEET, comment="")
    sys.stdout.write(f"{len(load_starters())} looks: {SHEET}\n")


def make_document(starter: Starter, *, picture: PictureFinder) -> Document:
    """Return a short letter in the look."""
    name, title, shown, gathering = SAMPLES[starter.kind]
    story = StoryItem(
        title, f"{SITE}/story/", teaser="How it began, who helped, and what comes next.", picture=picture(shown, "wide")
    )
    event = EventItem(
        gathering, f"{SITE}/event/", "", "3", "Dec", where="Central Library", weekday="Thu", hours="18:30"
    )
    return Document(
        subject=title,
        preheader="",
        language="en",
        brand=Brand(name=name, **starter.look()),  # type: ignore[arg-type]
        blocks=(LeadStory(story), Button("Give monthly", f"{SITE}/give/"), Events((event,))),
        publication=name,
        edition="26 November 2026",
    )


def make_fingerprint(starter: Starter) -> str:
    """Return a hash of what the picture shows: the body of the mail with its inline styles, and its colours."""
    html = render(make_document(starter, picture=flat_picture)).html
    colours = {name: str(starter.look()[name]) for name in ("colour", "accent", "background")}
    dark = dark_palette(colour=colours["colour"], accent=colours["accent"])
    shown = f"{html[html.index('<body') :]}{asdict(light_palette(**colours))}{asdict(dark)}"
    return sha256(shown.encode()).hexdigest()


def draw(browser: Browser, starter: Starter) -> Image.Image:
    """Return the top of the mail: light on the left of a slanted line, dark on the right of it."""
    html = fill_sample(render(make_document(starter, picture=painted_picture)).html)
    shots = []
    for scheme in SCHEMES:
        with open_mail(browser, html, width=WIDTH, scheme=scheme) as (page, _seen):
            data = page.screenshot(clip={"x": 0, "y": 0, "width": WIDTH, "height": HEIGHT}, full_page=True)
        shots.append(Image.open(BytesIO(data)).convert("RGB"))
    light, dark = shots
    mask = Image.new("L", (WIDTH, HEIGHT), 0)
    ImageDraw.Draw(mask).polygon([(WIDTH * 0.78, 0), (WIDTH, 0), (WIDTH, HEIGHT), (WIDTH * 0.5, HEIGHT)], fill=255)
    return Image.composite(dark, light, mask).resize(SHOWN, Image.Resampling.LANCZOS)


def draw_sheet() -> Image.Image:
    """Return all looks with their names, as docs/reference/email-design.md shows them."""
    font = ImageFont.load_default(17)
    width, height = (side * 7 // 10 for side in SHOWN)
    starters = list(load_starters().values())
    rows = -(-len(starters) // COLUMNS)
    sheet = Image.new("RGB", (COLUMNS * (width + GAP) + GAP, rows * (height + LABEL + GAP) + GAP), "#c9c9cd")
    pen = ImageDraw.Draw(sheet)
    for at, starter in enumerate(starters):
        left, top = GAP + at % COLUMNS * (width + GAP), GAP + at // COLUMNS * (height + LABEL + GAP)
        pen.text((left, top), f"{starter.label}: {starter.kind.lower()}", fill="#111111", font=font)
        with Image.open(PICTURES / f"{starter.slug}.jpg") as picture:
            sheet.paste(picture.resize((width, height), Image.Resampling.LANCZOS), (left, top + LABEL))
    return sheet


def save_picture(image: Image.Image, path: Path, *, comment: str) -> None:
    image.save(path, "JPEG", quality=82, optimize=True, progressive=True, comment=comment.encode())


if __name__ == "__main__":
    main()
