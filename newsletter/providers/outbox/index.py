"""The page on which staff look through an issue in the outbox: its variants, number of people and sample mails."""

import os
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import jinja2
import orjson

_PAGE = "page.html.j2"


@dataclass
class OutboxVariant:
    """One variant in the outbox. ``samples`` are the names of its sample mails."""

    variant: str
    folder: str
    people: int = 0
    subject: str = ""
    sender: str = ""
    samples: list[str] = field(default_factory=list)


def write_index(issue_folder: Path) -> Path:
    """Write ``index.html`` from what the issue's folder holds now, and return its path. Raise OSError.

    It reads one small file for each batch, never the lines of recipients.
    """
    variants = read_outbox_variants(issue_folder)
    people = sum(variant.people for variant in variants)
    page = _load_template().render(title=_make_title(issue_folder, variants), people=people, variants=variants)
    path = issue_folder / "index.html"
    replace_file(path, page.encode("utf-8"))
    return path


def _make_title(issue_folder: Path, variants: list[OutboxVariant]) -> str:
    """Return the subject if all variants have the same, else the folder's name."""
    subjects = {variant.subject for variant in variants}
    return subjects.pop() if len(subjects) == 1 else issue_folder.name


def read_outbox_variants(issue_folder: Path) -> list[OutboxVariant]:
    """Return the variants of an issue's folder, the largest first."""
    variants: dict[str, OutboxVariant] = {}
    for path in sorted((issue_folder / "batches").glob("*.json")):
        summary = orjson.loads(path.read_bytes())
        variant = variants.setdefault(summary["variant"], OutboxVariant(summary["variant"], summary["folder"]))
        variant.people += summary["people"]
        variant.subject, variant.sender = summary["subject"], summary["sender"]
    for variant in variants.values():
        variant.samples = sorted(path.stem for path in (issue_folder / variant.folder).glob("*.eml"))
    return sorted(variants.values(), key=lambda variant: (-variant.people, variant.variant))


def replace_file(path: Path, content: bytes) -> None:
    """Write a file so that a reader sees the old content or the new, never a part of it. Raise OSError."""
    part = path.with_name(f".{path.name}.{os.getpid()}-{os.urandom(4).hex()}")
    try:
        part.write_bytes(content)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


@cache
def _load_template() -> jinja2.Template:
    loader = jinja2.FileSystemLoader(Path(__file__).parent)
    environment = jinja2.Environment(loader=loader, autoescape=True, undefined=jinja2.StrictUndefined)
    return environment.get_template(_PAGE)
