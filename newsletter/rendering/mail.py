"""The rendered mail, its fingerprint, and its texts split at their tokens. Approval and sending use this hash."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from newsletter.common.personal_tokens import TOKEN
from newsletter.rendering.tokens import Variable


@dataclass(frozen=True)
class RenderedMail:
    """One variant, with a token wherever a personal value goes. ``sha256`` is the hex digest of all that is sent."""

    subject: str
    preheader: str
    html: str
    text: str
    variables: tuple[Variable, ...]
    sha256: str


def hash_mail(*, subject: str, html: str, text: str, variables: Sequence[Variable]) -> str:
    """Return the hex digest of all that is sent: the texts, and how each personal value is filled."""
    fields = [[variable.token, variable.field, variable.default, variable.context] for variable in variables]
    canonical = json.dumps([subject, html, text, fields], ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


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
