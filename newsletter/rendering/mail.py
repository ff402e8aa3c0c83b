"""The rendered mail and its fingerprint. What is hashed here is what is approved and sent."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

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
