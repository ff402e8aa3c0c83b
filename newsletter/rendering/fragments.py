"""Split a text at its tokens once, and join it with each person's values. Nothing is escaped here."""

from collections.abc import Mapping
from dataclasses import dataclass

from newsletter.common.personal_tokens import TOKEN


@dataclass(frozen=True)
class Fragments:
    """Literal pieces, with a token's name between each two: ``len(pieces) == len(names) + 1``."""

    pieces: tuple[str, ...]
    names: tuple[str, ...]

    def join(self, values: Mapping[str, str]) -> str:
        """Return one person's text. ``values`` are escaped, by token name. Raise KeyError if one is missing."""
        parts = [""] * (2 * len(self.names) + 1)
        parts[0::2] = self.pieces
        parts[1::2] = [values[name] for name in self.names]
        return "".join(parts)


def split(text: str) -> Fragments:
    """Split a text at its tokens."""
    parts = TOKEN.split(text)
    return Fragments(pieces=tuple(parts[0::2]), names=tuple(parts[1::2]))
