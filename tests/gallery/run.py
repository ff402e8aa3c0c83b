"""``make email-gallery``: every layout in every brand, light and dark, on a phone and a desktop, on a contact sheet.

A second sheet, ``readings.jpg``, has them as mail programs and readers change them: without styles, inverted, enlarged, printed,
and last as classic Outlook reads them, drawn by LibreOffice. Sheets that are too long for one picture have numbers.
A third, ``editions.jpg``, has the usual letter beside our first edition and Ghost's default.
"""

import argparse
import sys
from pathlib import Path

from playwright.sync_api import Browser

from newsletter.rendering.mail import split
from newsletter.rendering.pipeline import render
from tests.gallery.contact_sheet import Row, save_sheets
from tests.gallery.documents import documents, painted_picture
from tests.gallery.editions import draw_editions
from tests.gallery.outlook_view import draw_pages, save_picture
from tests.gallery.readings import READINGS
from tests.gallery.screenshots import SCHEMES, WIDTHS, open_browser, open_mail, open_reading, save
from tests.gallery.validators import Unavailable

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
    drawn = {name: document for name, document in documents(picture=painted_picture).items() if options.only in name}
    if not drawn:
        parser.error(f"No mail's name holds “{options.only}”. Leave out --only to draw all of them.")
    options.out.mkdir(parents=True, exist_ok=True)
    rows: list[Row] = []
    readings: list[Row] = []
    editions: list[Row] = []
    figures: list[str] = []
    with open_browser() as browser:
        for name, document in drawn.items():
            write_line(f"Drawing {name}")
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
            save_sheets(rows[-1:], options.out / f"sheet-{name}.jpg")
            readings.append((name, save_readings(browser, name, fill_sample(mail.html), out=options.out)))
            if name == "letter-usual":
                editions, figures = draw_editions(browser, document, html=fill_sample(mail.html), out=options.out)
    if editions:
        write_line("Five stories, four events and an appeal:", *figures)
        report_saved("Editions", save_sheets(editions, options.out / "editions.jpg"))
    add_outlook_view(readings, out=options.out)
    pictures = sum(len(shots) for _, shots in rows)
    report_saved(f"{len(rows)} mails, {pictures} pictures", save_sheets(rows, options.out / "contact-sheet.jpg"))
    report_saved("The same as mail programs change them", save_sheets(readings, options.out / "readings.jpg"))


def report_saved(what: str, paths: list[Path]) -> None:
    write_line(f"{what}: {', '.join(str(path) for path in paths)}")


def write_line(*lines: str) -> None:
    sys.stdout.write("\n".join([*lines, ""]))
    sys.stdout.flush()


def add_outlook_view(readings: list[Row], *, out: Path) -> None:
    """Add to the row of each mail what classic Outlook reads of it, as LibreOffice draws it."""
    written = {name: (out / f"{name}.html").read_text(encoding="utf-8") for name, _ in readings}
    try:
        pages = draw_pages(written, out=out)
    except Unavailable as missing:
        sys.stdout.write(f"Not drawn as classic Outlook reads it: {missing}\n")
        return
    for name, shots in readings:
        shots.append(out / f"{name}-outlook.png")
        save_picture(pages[name], shots[-1])


def save_readings(browser: Browser, name: str, html: str, *, out: Path) -> list[Path]:
    """Draw the mail in each of the ways in which mail programs and readers change it."""
    shots = []
    for way, reading in READINGS.items():
        path = out / f"{name}-{way}.png"
        with open_reading(browser, html, reading=reading) as page:
            save(page, path)
        shots.append(path)
    return shots


if __name__ == "__main__":
    main()
