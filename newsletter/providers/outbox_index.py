"""The page that staff open to click through an issue in the outbox: every variant, how many people, a few real mails."""

import html
import os
from dataclasses import dataclass, field
from pathlib import Path

import orjson


@dataclass
class Shelf:
    """What the outbox holds of one variant."""

    variant: str
    folder: str
    people: int = 0
    subject: str = ""
    sender: str = ""
    samples: list[str] = field(default_factory=list)


def write_index(issue_folder: Path) -> Path:
    """Write ``index.html`` from what the issue's folder holds now, and give its path. Raises OSError.

    Reads one small file a batch, never the lines of people.
    """
    shelves = read_shelves(issue_folder)
    page = _page(issue_folder.name, shelves)
    path = issue_folder / "index.html"
    half = issue_folder / f".index.{os.getpid()}-{os.urandom(4).hex()}"
    try:
        half.write_text(page, encoding="utf-8")
        os.replace(half, path)
    finally:
        half.unlink(missing_ok=True)
    return path


def read_shelves(issue_folder: Path) -> list[Shelf]:
    """Give the variants of an issue's folder, the one with most people first."""
    shelves: dict[str, Shelf] = {}
    for path in sorted((issue_folder / "batches").glob("*.json")):
        summary = orjson.loads(path.read_bytes())
        shelf = shelves.setdefault(summary["variant"], Shelf(summary["variant"], summary["folder"]))
        shelf.people += summary["people"]
        shelf.subject, shelf.sender = summary["subject"], summary["sender"]
    for shelf in shelves.values():
        shelf.samples = sorted(path.stem for path in (issue_folder / shelf.folder).glob("*.eml"))
    return sorted(shelves.values(), key=lambda shelf: (-shelf.people, shelf.variant))


def _page(issue: str, shelves: list[Shelf]) -> str:
    people = sum(shelf.people for shelf in shelves)
    contents = "".join(
        f'<li><a href="#v{number}">{html.escape(shelf.variant)}</a> <span>{shelf.people:,}</span></li>'
        for number, shelf in enumerate(shelves, 1)
    )
    cards = "".join(_card(number, shelf) for number, shelf in enumerate(shelves, 1))
    versions = f"{len(shelves):,} version{'' if len(shelves) == 1 else 's'}"
    return _FRAME.format(
        title=html.escape(issue),
        summary=f"{people:,} {'person' if people == 1 else 'people'} in {versions}",
        contents=contents,
        cards=cards,
    )


def _card(number: int, shelf: Shelf) -> str:
    first = f"{shelf.folder}/{shelf.samples[0]}.html" if shelf.samples else ""
    samples = "".join(
        f'<li>Reader {html.escape(name)}: <a href="{shelf.folder}/{name}.html">HTML</a> · <a href="{shelf.folder}/{name}.txt">plain text</a>'
        f' · <a href="{shelf.folder}/{name}.eml">mail file</a></li>'
        for name in shelf.samples
    )
    frame = (
        f'<iframe src="{first}" title="The mail of this version" sandbox="allow-popups" loading="lazy"></iframe>'
        if first
        else ""
    )
    return _CARD.format(
        number=number,
        variant=html.escape(shelf.variant),
        people=f"{shelf.people:,} {'person' if shelf.people == 1 else 'people'}",
        subject=html.escape(shelf.subject),
        sender=html.escape(shelf.sender),
        samples=samples,
        frame=frame,
    )


_CARD = """<section id="v{number}"><header><h2>{variant}</h2><p class="people">{people}</p></header>
<dl><dt>Subject</dt><dd>{subject}</dd><dt>From</dt><dd>{sender}</dd></dl>
{frame}<ul class="samples">{samples}</ul></section>
"""

_FRAME = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><meta name="robots" content="noindex"><title>Outbox: {title}</title>
<style>
:root {{ --ink: #20262b; --soft: #56626b; --page: #f4f1ec; --card: #fff; --line: #ddd6cb; --link: #1f4e5f; }}
@media (prefers-color-scheme: dark) {{ :root {{ --ink: #ece8e1; --soft: #a9b4bb; --page: #171b1e; --card: #20262a; --line: #3a434a; --link: #8cc6da; }} }}
* {{ box-sizing: border-box; }}
body {{ margin: 0; background: var(--page); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }}
a {{ color: var(--link); }} a:focus-visible {{ outline: 3px solid var(--link); outline-offset: 2px; }}
main {{ max-width: 1240px; margin: 0 auto; padding: 32px 20px 64px; }}
h1 {{ font: 600 30px/1.2 Georgia, serif; margin: 0 0 4px; overflow-wrap: anywhere; }} .summary {{ margin: 0; font-size: 18px; }}
.hint {{ color: var(--soft); margin: 4px 0 24px; max-width: 65ch; }}
nav ul {{ list-style: none; margin: 0 0 28px; padding: 0; display: flex; flex-wrap: wrap; gap: 8px; }}
nav li {{ background: var(--card); border: 1px solid var(--line); border-radius: 999px; padding: 4px 14px; }} nav span {{ color: var(--soft); }}
.grid {{ display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 380px), 1fr)); gap: 20px; }}
section {{ background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 18px; display: flex; flex-direction: column; gap: 12px; min-width: 0; }}
section:target {{ border-color: var(--link); box-shadow: 0 0 0 2px var(--link); }}
section header {{ display: flex; justify-content: space-between; gap: 12px; align-items: baseline; }}
h2 {{ font-size: 17px; margin: 0; overflow-wrap: anywhere; }} .people {{ margin: 0; white-space: nowrap; color: var(--soft); }}
dl {{ margin: 0; display: grid; grid-template-columns: auto 1fr; gap: 2px 12px; }} dt {{ color: var(--soft); }} dd {{ margin: 0; overflow-wrap: anywhere; }}
iframe {{ width: 100%; height: 560px; border: 1px solid var(--line); border-radius: 8px; background: #fff; }}
.samples {{ margin: 0; padding: 0; list-style: none; color: var(--soft); }}
</style></head><body><main>
<h1>{title}</h1><p class="summary">{summary}</p>
<p class="hint">Nothing was sent: these are the mails as they would have gone out. Each version shows a few real readers' copies, with their own links.</p>
<nav aria-label="Versions"><ul>{contents}</ul></nav><div class="grid">{cards}</div>
</main></body></html>
"""
