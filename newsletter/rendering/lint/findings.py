"""The findings of lint, with messages for staff."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Finding:
    """``error`` stops a send, ``warning`` does not. ``block`` is a block's key, ``field`` a field's name.

    ``story`` is the id of the story that it concerns, or 0.
    """

    level: Literal["error", "warning"]
    code: str
    message: str
    block: str = ""
    field: str = ""
    story: int = 0
