"""Requests to the image sandbox and its answers, as plain data."""

from dataclasses import dataclass
from typing import Literal

from newsletter.common.errors import DomainError

Focus = tuple[float, float]
DEFAULT_FOCUS: Focus = (0.5, 0.42)


class BadImage(DomainError):
    """The bytes are not an image that can go into a mail; the message says why."""


@dataclass(frozen=True)
class RenditionFormat:
    """The size of an image for one use in a mail.

    ``ratio`` is width to height; None keeps the image's own, no taller than ``max_height_ratio`` times its width.
    ``has_light_edge`` adds a thin light edge to a transparent image in dark ink. ``only_stills`` refuses an animation;
    otherwise its first frame is used.
    """

    width: int
    max_bytes: int
    ratio: float | None = None
    max_height_ratio: float = 0.75
    has_light_edge: bool = False
    only_stills: bool = False


@dataclass(frozen=True)
class EncodedImage:
    """An image encoded by us; ``sha256`` is of ``data``, in hex. ``colour`` is its dominant one, "" if it is transparent."""

    data: bytes
    format: Literal["jpeg", "png"]
    width: int
    height: int
    sha256: str
    colour: str


@dataclass(frozen=True)
class ImageRequest:
    """The file to read, and the arguments of ``encode.encode_image``."""

    path: str
    width: int = 1200
    rendition_format: RenditionFormat | None = None
    focus: Focus = DEFAULT_FOCUS
    is_video: bool = False


@dataclass(frozen=True)
class ImageRefusal:
    """The answer if the file cannot be used; ``reason`` is for staff."""

    reason: str
