"""The findings of lint, with messages for staff."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Finding:
    """``error`` stops a send, ``warning`` does not. ``block`` is a block's key, ``field`` a field's name."""

    level: Literal["error", "warning"]
    code: str
    message: str
    block: str = ""
    field: str = ""
