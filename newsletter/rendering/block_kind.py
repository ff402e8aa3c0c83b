"""The interface of a block, for extensions of the group ``newsletter.blocks``.

A block is three files, ``<name>.toml``, ``<name>.mjml.j2`` and ``<name>.txt.j2``. ``<name>.<layout>.mjml.j2`` or ``.txt.j2``
replaces a template in one layout, such as ``plain``. The editor, rendering, lint and the gallery find a block by its name.
"""

import re
from collections.abc import Iterator
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
_TEMPLATE = re.compile(r"(?:blocks|layouts/(?P<layout>[a-z_]+))/(?P<kind>[a-z0-9_]+)\.(?P<part>mjml|txt)\.j2")


class BlockKind(Extension):
    """A block that a schema describes. ``folder`` has its files."""

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
    for file in _list_templates(name, Path(kind.folder)):
        try:
            Environment(autoescape=True).parse(file.read_text(encoding="utf-8"))
        except TemplateSyntaxError as error:
            raise BadExtension(
                "%(file)s, line %(line)s: %(error)s", file=file.name, line=error.lineno, error=error.message or ""
            ) from error


BLOCK_KINDS = Registry("newsletter.blocks", BlockKind, check=_read)


def find_template(name: str) -> Path | None:
    """Return the file of a block's template, or None if no installed kind has it.

    ``name`` is such as ``blocks/document.mjml.j2``, or ``layouts/plain/document.mjml.j2`` for that of one layout.
    """
    match = _TEMPLATE.fullmatch(name)
    if match is None or match["kind"] not in BLOCK_KINDS:
        return None
    folder = Path(BLOCK_KINDS[match["kind"]].folder)
    if match["layout"] is None:
        return folder / f"{match['kind']}.{match['part']}.j2"
    template = folder / f"{match['kind']}.{match['layout']}.{match['part']}.j2"
    return template if template.is_file() else None


def list_own_layouts(name: str) -> list[str]:
    """Return the layouts for which an installed block has special templates."""
    files = _list_templates(name, Path(BLOCK_KINDS[name].folder))
    return sorted({parts[1] for file in files if len(parts := file.name.split(".")) > len(("name", "part", "j2"))})


def _list_templates(name: str, folder: Path) -> Iterator[Path]:
    """Return the two templates of a block, and those for one layout that it has."""
    for part in ("mjml", "txt"):
        yield folder / f"{name}.{part}.j2"
        yield from sorted(folder.glob(f"{name}.*.{part}.j2"))
