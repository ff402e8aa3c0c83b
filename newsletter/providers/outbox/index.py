"""The page on which staff click through an issue in the outbox: its variants, how many people, a few real mails."""

import os
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import jinja2
import orjson

_PAGE = "page.html.j2"


@dataclass
class OutboxVariant:
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
    outbox_variants = read_outbox_variants(issue_folder)
    people = sum(shelf.people for shelf in outbox_variants)
    page = _template().render(
        title=_title(issue_folder, outbox_variants), people=people, outbox_variants=outbox_variants
    )
    path = issue_folder / "index.html"
    replace_file(path, page.encode("utf-8"))
    return path


def _title(issue_folder: Path, outbox_variants: list[OutboxVariant]) -> str:
    """The subject where all variants share one, else the folder's name."""
    subjects = {shelf.subject for shelf in outbox_variants}
    return subjects.pop() if len(subjects) == 1 else issue_folder.name


def read_outbox_variants(issue_folder: Path) -> list[OutboxVariant]:
    """Give the variants of an issue's folder, the one with most people first."""
    outbox_variants: dict[str, OutboxVariant] = {}
    for path in sorted((issue_folder / "batches").glob("*.json")):
        summary = orjson.loads(path.read_bytes())
        shelf = outbox_variants.setdefault(summary["variant"], OutboxVariant(summary["variant"], summary["folder"]))
        shelf.people += summary["people"]
        shelf.subject, shelf.sender = summary["subject"], summary["sender"]
    for shelf in outbox_variants.values():
        shelf.samples = sorted(path.stem for path in (issue_folder / shelf.folder).glob("*.eml"))
    return sorted(outbox_variants.values(), key=lambda shelf: (-shelf.people, shelf.variant))


def replace_file(path: Path, content: bytes) -> None:
    """Write a file so that a reader sees the old content or the new, never half of it. Raises OSError."""
    half = path.with_name(f".{path.name}.{os.getpid()}-{os.urandom(4).hex()}")
    try:
        half.write_bytes(content)
        os.replace(half, path)
    finally:
        half.unlink(missing_ok=True)


@cache
def _template() -> jinja2.Template:
    loader = jinja2.FileSystemLoader(Path(__file__).parent)
    environment = jinja2.Environment(loader=loader, autoescape=True, undefined=jinja2.StrictUndefined)
    return environment.get_template(_PAGE)
