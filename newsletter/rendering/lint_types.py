"""What lint says: one finding, in words for staff."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Finding:
    """``error`` stops a send, ``warning`` does not. ``block`` is a block's key, ``field`` a field of it or of the document."""

    level: Literal["error", "warning"]
    code: str
    message: str
    block: str = ""
    field: str = ""
