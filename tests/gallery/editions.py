"""The usual letter as our first edition wrote it, as it is now, and in the layout of Ghost's default template.

``first_edition.html`` is what the first edition made of the same texts. ``ghost_default.html.j2`` is our drawing of what
Ghost's newsletter looks like as published; it has none of its code. Its writer has only what Ghost's editor has: headings,
paragraphs, buttons and bookmark cards.
"""

import re
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from playwright.sync_api import Browser

from newsletter.rendering.blocks import AppealBlock, Document, Events, LeadStory, Note, StoryCards
from tests.gallery.screenshots import SCHEMES, WIDTHS, open_mail, save

_HERE = Path(__file__).parent
FIRST_EDITION = _HERE / "first_edition.html"
_FIELD = re.compile(r"\{\{.*?\}\}")
# How a letter says when something is: weekdays, the month of its events, years, clock times and cities of clocks.
_DATE_WORDS = re.compile(
    r"\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)(?:\w*day)?\b|\bDec(?:ember)?\b|\b20\d\d\b|\b\d\d:\d\d\b|\(London\)"
)
_MEASURE = """() => {
  const links = [...document.querySelectorAll('a')].filter(link => link.textContent.includes('calendar'));
  return {
    height: document.documentElement.scrollHeight, events: document.body.innerText.split(/Events near/i)[1],
    calendar: Math.min(...links.map(link => link.getBoundingClientRect().height)),
  };
}"""


def draw_editions(
    browser: Browser, document: Document, *, html: str, out: Path
) -> tuple[list[tuple[str, list[Path]]], list[str]]:
    """Draw a letter in each edition; ``html`` is what it is now. Return the rows of a sheet, and a line of figures for each."""
    editions = {
        "first-edition": FIRST_EDITION.read_text(encoding="utf-8"),
        "second-edition": html,
        "ghost-default": write_ghost_default(document),
    }
    rows, figures = [], []
    for name, written in editions.items():
        shots = []
        for scheme in SCHEMES:
            for width in WIDTHS:
                path = out / f"edition-{name}-{scheme}-{width}.png"
                with open_mail(browser, written, width=width, scheme=scheme) as (page, _):
                    save(page, path)
                    measured = page.evaluate(_MEASURE)
                shots.append(path)
                if (scheme, width) == (SCHEMES[0], WIDTHS[0]):
                    figures.append(
                        f"{name}: {measured['height']:,} px on a phone of {width} px; {len(written.encode()):,} bytes of HTML; "
                        f"{len(_DATE_WORDS.findall(measured['events']))} words of date and time for its events; "
                        f"links to a calendar {measured['calendar']:.0f} px high"
                    )
        rows.append((name, shots))
    return rows, figures


def write_ghost_default(document: Document) -> str:
    """Return the HTML of a letter as its writer would put it into Ghost. It needs a lead story, cards, events and an appeal."""
    blocks = document.blocks
    greeting = next(block.body_html for block in blocks if isinstance(block, Note))
    environment = Environment(loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined)
    return environment.get_template("ghost_default.html.j2").render(
        document=document,
        accent=document.brand.accent,
        greeting=Markup(_FIELD.sub("Amina", greeting)),
        lead=next(block.story for block in blocks if isinstance(block, LeadStory)),
        stories=next(block.stories for block in blocks if isinstance(block, StoryCards)),
        events=next(block.events for block in blocks if isinstance(block, Events)),
        appeal=next(block for block in blocks if isinstance(block, AppealBlock)),
    )
