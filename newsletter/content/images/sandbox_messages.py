"""What the picture sandbox is asked, and what it answers. Plain data; it decodes nothing."""

from dataclasses import dataclass
from typing import Literal

from newsletter.common.errors import DomainError

Focus = tuple[float, float]
MIDDLE: Focus = (0.5, 0.42)


class BadPicture(DomainError):
    """The bytes are not a picture that can go into a mail; the message says why."""


@dataclass(frozen=True)
class Place:
    """``ratio`` is width to height, or None to keep the picture's own, no taller than ``tallest`` times its width.

    ``edged`` gives what is drawn in dark ink on nothing a thin light edge.
    """

    width: int
    most_bytes: int
    ratio: float | None = None
    tallest: float = 0.75
    edged: bool = False


@dataclass(frozen=True)
class EncodedPicture:
    """The bytes of a picture made by us; ``sha256`` is of ``data``, in hex."""

    data: bytes
    format: Literal["jpeg", "png"]
    width: int
    height: int
    sha256: str


@dataclass(frozen=True)
class PictureOrder:
    """The file to read, and the picture to make of it (the arguments of ``pictures.make_picture``)."""

    path: str
    width: int = 1200
    place: Place | None = None
    focus: Focus = MIDDLE
    film: bool = False


@dataclass(frozen=True)
class RefusedPicture:
    """The answer where the file cannot be used; ``reason`` is for staff."""

    reason: str
