"""The interface of a block: what an extension of the group ``newsletter.blocks`` brings.

A block is three files, ``<name>.toml``, ``<name>.mjml.j2`` and ``<name>.txt.j2``. The editor, rendering, lint and the gallery
find it by its name.
"""

from pathlib import Path
from typing import ClassVar

from jinja2 import Environment, TemplateSyntaxError

from newsletter.common.extension_registry import BadExtension, Extension, Registry
from newsletter.rendering.block_schema import BlockSchema, read_schema
from newsletter.rendering.errors import TemplateError

RESERVED = frozenset(
    {
        "appeal",
        "best_story",
        "button",
        "divider",
        "event_card",
        "events",
        "image",
        "lead_story",
        "next_event",
        "note",
        "picture",
        "quote",
        "related",
        "stories",
        "story_cards",
        "story_list",
        "story_rows",
    }
)
"""The blocks whose content comes from rows, or that are drawn without a schema."""


class BlockKind(Extension):
    """A block that a schema describes. ``folder`` has its three files."""

    folder: ClassVar[Path]
    schema: BlockSchema


def _read(name: str, kind: BlockKind) -> None:
    """Read the schema and look at the templates. Raise BadExtension, which names the file."""
    if name in RESERVED:
        raise BadExtension("the name is taken by the package “%(other)s”", other="newsletter")
    try:
        kind.schema = read_schema(Path(kind.folder) / f"{name}.toml")
    except TemplateError as error:
        raise BadExtension("%(why)s", why=str(error.message).rstrip(".")) from error
    for part in ("mjml", "txt"):
        file = Path(kind.folder) / f"{name}.{part}.j2"
        try:
            Environment(autoescape=True).parse(file.read_text(encoding="utf-8"))
        except TemplateSyntaxError as error:
            raise BadExtension(
                "%(file)s, line %(line)s: %(error)s", file=file.name, line=error.lineno, error=error.message or ""
            ) from error


BLOCK_KINDS = Registry("newsletter.blocks", BlockKind, check=_read)


def find_template(name: str) -> Path | None:
    """Return the file of a block's template, such as ``blocks/video.mjml.j2``, or None if no installed kind has it."""
    folder, _, file = name.partition("/")
    kind, _, part = file.partition(".")
    if folder != "blocks" or part not in ("mjml.j2", "txt.j2") or kind not in BLOCK_KINDS:
        return None
    return Path(BLOCK_KINDS[kind].folder) / file
