"""The schemas of the blocks that are installed, and our own blocks of this kind."""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from newsletter.common.extension_registry import RegistryPart
from newsletter.rendering.block_kind import BLOCK_KINDS, BlockKind
from newsletter.rendering.block_schema import BlockSchema, read_schema
from newsletter.rendering.templates import default_templates

_INSTALLED: Mapping[str, BlockSchema] = RegistryPart(BLOCK_KINDS, lambda kind: kind.schema)


class OwnBlock(BlockKind):
    """A block beside our own mail templates."""

    interface = 1
    folder = default_templates() / "blocks"


class DocumentLink(OwnBlock):
    pass


class Gallery(OwnBlock):
    pass


class PartnerBand(OwnBlock):
    pass


class PersonNote(OwnBlock):
    pass


class PortraitQuote(OwnBlock):
    pass


class Progress(OwnBlock):
    pass


class Question(OwnBlock):
    pass


class Statistic(OwnBlock):
    pass


class Timetable(OwnBlock):
    pass


class Video(OwnBlock):
    pass


def load_schemas(folder: Path | None = None) -> Mapping[str, BlockSchema]:
    """Return the schemas of the installed blocks, or of a folder like ``templates/email``, by kind.

    Raise TemplateError, which names the file, for a folder.
    """
    return _INSTALLED if folder is None else _load_folder(folder)


@lru_cache(maxsize=8)
def _load_folder(folder: Path) -> Mapping[str, BlockSchema]:
    return {path.stem: read_schema(path) for path in sorted((folder / "blocks").glob("*.toml"))}
