"""The interface of a block of the mail: the group ``newsletter.blocks``."""

from newsletter.rendering.block_kind import BlockKind
from newsletter.rendering.block_schema import BlockSchema, FieldSchema

__all__ = ["BlockKind", "BlockSchema", "FieldSchema"]
