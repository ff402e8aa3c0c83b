"""Write an image as a file that is small enough for a mail. It decodes nothing, so it may run outside the sandbox."""

import hashlib
from collections import Counter
from io import BytesIO
from typing import Literal

from PIL import Image

from newsletter.content.images.formats import draw_placeholder
from newsletter.content.images.sandbox_messages import EncodedImage

MAX_JPEG_BYTES = 150 * 1024
_QUALITIES = (85, 80, 75, 70, 62, 55, 48, 40, 32)
_SHRINK = 0.8
_COLOUR_SAMPLE_SIDE, _DOMINANT_COLOURS = 64, 8


def make_placeholder(*, width: int, height: int) -> EncodedImage:
    """Return the image that replaces a withdrawn one, in the same size."""
    return write_jpeg(draw_placeholder(width=width, height=height), max_bytes=MAX_JPEG_BYTES)


def write_jpeg(image: Image.Image, *, max_bytes: int) -> EncodedImage:
    """Lower the quality, then the size, until the file is small enough."""
    while True:
        for quality in _QUALITIES:
            out = BytesIO()
            image.save(out, "JPEG", quality=quality, optimize=True, progressive=True)
            if out.tell() <= max_bytes:
                return _make_encoded(out.getvalue(), "jpeg", image)
        image = _shrink(image)


def write_png(image: Image.Image, *, max_bytes: int) -> EncodedImage:
    """Lower the number of colours, then the size, until the file is small enough."""
    while (png := write_whole_png(image, max_bytes=max_bytes)) is None:
        image = _shrink(image)
    return png


def write_whole_png(image: Image.Image, *, max_bytes: int) -> EncodedImage | None:
    """Return the image in its size, with 256 colours if it has to be, or None if the file would be too large."""
    out = BytesIO()
    image.save(out, "PNG", optimize=True)
    if out.tell() > max_bytes:
        out = BytesIO()
        image.quantize(256, method=Image.Quantize.FASTOCTREE).save(out, "PNG", optimize=True)
    return _make_encoded(out.getvalue(), "png", image) if out.tell() <= max_bytes else None


def _shrink(image: Image.Image) -> Image.Image:
    size = max(1, round(image.width * _SHRINK)), max(1, round(image.height * _SHRINK))
    return image.resize(size, Image.Resampling.LANCZOS)


def _make_encoded(data: bytes, kind: Literal["jpeg", "png"], image: Image.Image) -> EncodedImage:
    colour = _find_dominant_colour(image) if image.mode == "RGB" else ""
    return EncodedImage(data, kind, image.width, image.height, hashlib.sha256(data).hexdigest(), colour)


def _find_dominant_colour(image: Image.Image) -> str:
    """Reduce an image to a few colours and return the most frequent one, as ``#rrggbb``."""
    sample = image.resize((_COLOUR_SAMPLE_SIDE, _COLOUR_SAMPLE_SIDE), Image.Resampling.BOX)
    pixels = sample.quantize(_DOMINANT_COLOURS, method=Image.Quantize.MEDIANCUT).convert("RGB").tobytes()
    colours = Counter(pixels[at : at + 3] for at in range(0, len(pixels), 3))
    return "#" + colours.most_common(1)[0][0].hex()
