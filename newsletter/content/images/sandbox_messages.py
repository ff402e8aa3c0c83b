"""What the picture sandbox is asked, and what it answers. Plain data; it decodes nothing."""

from dataclasses import dataclass
from typing import Literal

from newsletter.common.errors import DomainError

Focus = tuple[float, float]
DEFAULT_FOCUS: Focus = (0.5, 0.42)


class BadPicture(DomainError):
    """The bytes are not a picture that can go into a mail; the message says why."""


@dataclass(frozen=True)
class RenditionFormat:
    """``ratio`` is width to height, or None to keep the picture's own, no taller than ``max_height_ratio`` times its width.

    ``has_light_edge`` gives what is drawn in dark ink on nothing a thin light edge.
    """

    width: int
    max_bytes: int
    ratio: float | None = None
    max_height_ratio: float = 0.75
    has_light_edge: bool = False


@dataclass(frozen=True)
class EncodedPicture:
    """The bytes of a picture made by us; ``sha256`` is of ``data``, in hex."""

    data: bytes
    format: Literal["jpeg", "png"]
    width: int
    height: int
    sha256: str


@dataclass(frozen=True)
class PictureRequest:
    """The file to read, and the picture to make of it (the arguments of ``pictures.make_picture``)."""

    path: str
    width: int = 1200
    place: RenditionFormat | None = None
    focus: Focus = DEFAULT_FOCUS
    film: bool = False


@dataclass(frozen=True)
class PictureRefusal:
    """The answer where the file cannot be used; ``reason`` is for staff."""

    reason: str
