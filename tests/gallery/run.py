"""``make email-gallery``: every layout in every brand, light and dark, on a phone and a desktop, on one contact sheet.

A second sheet, ``readings.jpg``, has them as mail programs and readers change them: without styles, inverted, enlarged, printed,
and last as classic Outlook reads them, drawn by LibreOffice.
A third, ``editions.jpg``, has the usual letter beside our first edition and Ghost's default.
"""

import argparse
import sys
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont
from playwright.sync_api import Browser

from newsletter.rendering.mail import split
from newsletter.rendering.pipeline import render
from tests.gallery.documents import documents, painted_picture
from tests.gallery.editions import draw_editions
from tests.gallery.outlook_view import draw_pages, save_picture
from tests.gallery.readings import READINGS
from tests.gallery.screenshots import SCHEMES, WIDTHS, open_browser, open_mail, open_reading, save
from tests.gallery.validators import Unavailable

SCALE = 2
GAP, LABEL = 24, 30
CHOICES = "https://news.harbour.example/choices"


def fill_sample(text: str) -> str:
    """Return a mail's text with sample values for personal ones."""
    fragments = split(text)
    return fragments.join({name: "Amina" if "first_name" in name else CHOICES for name in fragments.names})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("var/email-gallery"))
    parser.add_argument("--only", default="", help="Only mails whose name holds this.")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    rows, readings, editions, figures = [], [], [], []
    with open_browser() as browser:
        for name, document in documents(picture=painted_picture).items():
            if options.only not in name:
                continue
            mail = render(document)
            (options.out / f"{name}.html").write_text(fill_sample(mail.html), encoding="utf-8")
            (options.out / f"{name}.txt").write_text(fill_sample(mail.text), encoding="utf-8")
            shots = []
            for scheme in SCHEMES:
                for width in WIDTHS:
                    path = options.out / f"{name}-{scheme}-{width}.png"
                    with open_mail(browser, fill_sample(mail.html), width=width, scheme=scheme) as (page, _):
                        save(page, path)
                    shots.append(path)
            rows.append((name, shots))
            sheet(rows[-1:], options.out / f"sheet-{name}.jpg")
            readings.append((name, save_readings(browser, name, fill_sample(mail.html), out=options.out)))
            if name == "letter-usual":
                editions, figures = draw_editions(browser, document, html=fill_sample(mail.html), out=options.out)
    add_outlook_view(readings, out=options.out)
    sheet(rows, options.out / "contact-sheet.jpg")
    sheet(readings, options.out / "readings.jpg")
    pictures = sum(len(shots) for _, shots in rows)
    sys.stdout.write(f"{len(rows)} mails, {pictures} pictures: {options.out / 'contact-sheet.jpg'}\n")
    if editions:
        sheet(editions, options.out / "editions.jpg")
        sys.stdout.write("\n".join(["Five stories, four events and an appeal, in editions.jpg:", *figures, ""]))


def add_outlook_view(readings: list[tuple[str, list[Path]]], *, out: Path) -> None:
    """Add to the row of each mail what classic Outlook reads of it, as LibreOffice draws it."""
    written = {name: (out / f"{name}.html").read_text(encoding="utf-8") for name, _ in readings}
    try:
        drawn = draw_pages(written, out=out)
    except Unavailable as missing:
        sys.stdout.write(f"Not drawn as classic Outlook reads it: {missing}\n")
        return
    for name, shots in readings:
        shots.append(out / f"{name}-outlook.png")
        save_picture(drawn[name], shots[-1])


def save_readings(browser: Browser, name: str, html: str, *, out: Path) -> list[Path]:
    """Draw the mail in each of the ways in which mail programs and readers change it."""
    shots = []
    for way, reading in READINGS.items():
        path = out / f"{name}-{way}.png"
        with open_reading(browser, html, reading=reading) as page:
            save(page, path)
        shots.append(path)
    return shots


def sheet(rows: list[tuple[str, list[Path]]], out: Path) -> None:
    """Return the contact sheet: one row for each mail, its pictures side by side at half size."""
    font = ImageFont.load_default(18)
    images = [[Image.open(path) for path in shots] for _, shots in rows]
    heights = [max(image.height for image in row) // SCALE + LABEL + GAP for row in images]
    width = max(sum(image.width // SCALE + GAP for image in row) for row in images) + GAP
    canvas = Image.new("RGB", (width, sum(heights) + GAP), "#b9b9bd")
    draw, top = ImageDraw.Draw(canvas), GAP
    for (name, _), row, height in zip(rows, images, heights, strict=True):
        draw.text((GAP, top - 4), name, fill="#111111", font=font)
        left = GAP
        for image in row:
            small = image.convert("RGB").resize((image.width // SCALE, image.height // SCALE), Image.Resampling.LANCZOS)
            canvas.paste(small, (left, top + LABEL))
            left += small.width + GAP
        top += height
    canvas.save(out, quality=82)


if __name__ == "__main__":
    main()
