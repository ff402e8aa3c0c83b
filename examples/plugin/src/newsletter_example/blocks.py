"""A block that thanks donors. Its schema and its two templates are beside this file."""

from pathlib import Path

from newsletter.extensions.blocks import BlockKind


class ThankYou(BlockKind):
    interface = 1
    folder = Path(__file__).parent
