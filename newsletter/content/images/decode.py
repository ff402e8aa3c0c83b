"""Decode an image file from outside within the sandbox's memory: as small as its format allows, upright, without metadata.

An AVIF is decoded at once: Pillow has its planes, its pixels as bytes and as an image in memory together. Measured with
Pillow 13 at 34.8 megapixels (the most address space, with one thread): 305 MiB with 8 bits in 4:2:0, 359 in 4:4:4, 395 with
transparency; 10 bits take 367 in 4:2:0, 474 in 4:4:4 and 597 with transparency. libvips takes about twice that (597 to 905
MiB). So the child's 384 MiB hold all of 8 bits in 4:2:0 up to 35.65 megapixels, where a coded image of AV1's advanced
profile ends. The heavier kinds end between 20 and 33 megapixels.
"""

import os
from io import SEEK_END
from math import ceil, sqrt
from typing import BinaryIO

from PIL import AvifImagePlugin, Image, ImageFile, ImageOps, UnidentifiedImageError

# One thread: each further one costs memory, and the sandbox has little.
os.environ.setdefault("VIPS_CONCURRENCY", "1")
import pyvips

from newsletter.common.messages import Message
from newsletter.content.images.sandbox_messages import BadImage

HEAD_BYTES = 64 * 1024
_MAX_PIXELS = 100_000_000
_TOO_MANY_PIXELS = Message(
    "The image has more than %(limit)s million pixels. Make it smaller.", limit=_MAX_PIXELS // 1_000_000
)
_MIN_SIDE = 8
_FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "AVIF")
_JPEG_WITH_SECOND_PICTURE = "MPO"
_STREAMED_FORMATS = frozenset({"PNG", "WEBP"})
_VIPS_MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}
_MAX_DECODED_BYTES = 64 * 1024 * 1024
# The child's 384 MiB less the memory of the AV1 decoder and of the bands of the reduction.
_MAX_AVIF_BYTES = 344 * 1024 * 1024
_BAND_BYTES = 4 * 1024 * 1024
_ONE_BYTE_MODES = ("1", "L", "P")
# The bytes of one pixel of the reduced image, RGB or RGBA.
_REDUCED_PIXEL_BYTES = 4
# While it is processed, an image is this many times wider than the result.
_OVERSAMPLING = 2
_HIGH_DEPTH, _MONOCHROME, _HALF_WIDTH, _HALF_HEIGHT = 0x40, 0x10, 0x08, 0x04
_AVIF_CONFIGURATION = b"av1C"

# Larger files are refused before a codec sees them. Pillow's own check is for programs without a limit.
Image.MAX_IMAGE_PIXELS = 2 * _MAX_PIXELS
# Each thread of the AV1 decoder costs 2 to 8 MiB of address space, and a large server has many cores.
AvifImagePlugin.DEFAULT_MAX_THREADS = 1
pyvips.cache_set_max(0)


def decode_image(file: BinaryIO, *, width: int, ratio: float | None) -> Image.Image:
    """Return the image upright, at least twice as wide as ``width`` if it is that large. Raises BadImage.

    ``ratio`` is width to height of the part that will be used, or None for the whole image.
    """
    try:
        size = _find_streamed_size(file, width=width, ratio=ratio)
        if size:
            return _read_streamed(file, size=size)
        upright = _read_reduced(file, width=width, ratio=ratio)
        ImageOps.exif_transpose(upright, in_place=True)
        # Comments, colour profiles and the like would be written out again.
        upright.info = {key: value for key, value in upright.info.items() if key == "transparency"}
        return upright
    except Image.DecompressionBombError as error:
        raise BadImage(_TOO_MANY_PIXELS) from error
    except UnidentifiedImageError as error:
        raise BadImage("The image is damaged and cannot be opened.") from error
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise BadImage("The image is damaged or cut off and cannot be read to its end.") from error


def is_animated(file: BinaryIO) -> bool:
    """Return True if the file has a second frame. A file that cannot be opened has none here.

    Pillow counts the preview or gain map that cameras add to a JPEG as a frame, and calls the file MPO. It does not move.
    """
    file.seek(0)
    try:
        with Image.open(file, formats=_FORMATS) as opened:
            return opened.format != _JPEG_WITH_SECOND_PICTURE and bool(getattr(opened, "is_animated", False))
    except (Image.DecompressionBombError, OSError, SyntaxError, ValueError, EOFError):
        # decode_image raises the error.
        return False
    finally:
        file.seek(0)


def _read_reduced(file: BinaryIO, *, width: int, ratio: float | None) -> Image.Image:
    """Decode the image and reduce it, so that only the result stays in memory."""
    file_bytes = file.seek(0, SEEK_END)
    file.seek(0)
    head = file.read(HEAD_BYTES)
    file.seek(0)
    with Image.open(file, formats=_FORMATS) as opened:
        factor = _reduction_factor(opened.size, width=width, ratio=ratio)
        while _count_decoded_bytes(opened) > _MAX_DECODED_BYTES * factor**2:
            factor *= 2
        opened.draft("RGB", (max(1, opened.width // factor), max(1, opened.height // factor)))
        factor = max(_reduction_factor(opened.size, width=width, ratio=ratio), ceil(_find_min_reduction(opened)))
        _check_memory(opened, head=head, file_bytes=file_bytes, factor=factor)
        opened.load()
        return _reduce(opened, factor)


def _find_streamed_size(file: BinaryIO, *, width: int, ratio: float | None) -> tuple[int, int] | None:
    """Return the size in which a large PNG or WebP is streamed; None if the image is read whole.

    The file is closed before it is streamed: an open WebP has the complete image in memory twice.
    """
    with Image.open(file, formats=_FORMATS) as opened:
        _check_size(opened)
        if opened.format not in _STREAMED_FORMATS or _count_decoded_bytes(opened) <= _MAX_DECODED_BYTES:
            return None
        factor = max(_reduction_factor(opened.size, width=width, ratio=ratio), _find_min_reduction(opened))
        return int(opened.width / factor), int(opened.height / factor)


def _check_size(opened: ImageFile.ImageFile) -> None:
    if opened.width * opened.height > _MAX_PIXELS:
        raise BadImage(_TOO_MANY_PIXELS)
    if min(opened.size) < _MIN_SIDE:
        raise BadImage(
            "The image is only %(width)s × %(height)s pixels, too small to show.",
            width=opened.width,
            height=opened.height,
        )


def _reduction_factor(size: tuple[int, int], *, width: int, ratio: float | None) -> int:
    """Return how many times smaller the image may be made and still be large enough for the final resize."""
    kept_width = min(size[0], round(size[1] * ratio)) if ratio else size[0]
    return max(1, min(kept_width // (_OVERSAMPLING * width), *size))


def _reduce(opened: ImageFile.ImageFile, factor: int) -> Image.Image:
    """Return the image ``factor`` times smaller. It works in bands, so that the whole is never copied."""
    if factor == 1:
        return opened.copy()
    transparent = has_transparency(opened)
    mode = "RGBA" if transparent else "RGB"
    size = -(-opened.width // factor), -(-opened.height // factor)
    small = Image.new(mode, size)
    rows = max(1, _BAND_BYTES // (4 * opened.width * factor)) * factor
    for top in range(0, opened.height, rows):
        band = opened.crop((0, top, opened.width, min(top + rows, opened.height)))
        small.paste(band.convert(mode).reduce(factor), (0, top // factor))
    small.info = {"exif": opened.info["exif"]} if "exif" in opened.info else {}
    return small


def has_transparency(image: Image.Image) -> bool:
    if image.mode in ("RGBA", "LA", "PA"):
        alpha = image.getchannel("A").getextrema()
        return isinstance(alpha[0], int | float) and alpha[0] < 255
    return "transparency" in image.info


def _read_streamed(file: BinaryIO, *, size: tuple[int, int]) -> Image.Image:
    """Return a PNG or WebP upright, within ``size`` (width and height as stored). Raises OSError if it is damaged.

    libvips decodes it in strips, so that the whole is never in memory.
    """
    file.seek(0)
    is_webp = file.read(4) == b"RIFF"
    file.seek(0)
    source = pyvips.SourceCustom()
    source.on_read(file.read)
    source.on_seek(file.seek)
    # A square box, because the image is turned upright on the way.
    side = max(*size, 1)
    try:
        if is_webp:
            small = pyvips.Image.thumbnail_source(source, side, height=side, size="down")
        else:
            # A thumbnail of a source forgets ``fail_on`` for PNG, and half an image would pass for a whole one.
            full_size = pyvips.Image.new_from_source(source, "", access="sequential", fail_on="truncated")
            small = full_size.thumbnail_image(side, height=side, size="down")
        small = small.colourspace("b-w" if small.bands < 3 else "srgb").cast("uchar")
        pixels = small.write_to_memory()
    except pyvips.Error as error:
        raise OSError("libvips cannot read this image") from error
    return Image.frombytes(_VIPS_MODES[small.bands], (small.width, small.height), pixels)


def _check_memory(opened: ImageFile.ImageFile, *, head: bytes, file_bytes: int, factor: int) -> None:
    """Raise BadImage for an AVIF that the child's memory cannot hold, or anything else over 64 MiB once decoded.

    A GIF may have every allowed pixel, because each takes one byte. ``head`` has the file's first bytes. ``factor`` is how
    many times smaller the image is made after it is decoded.
    """
    if opened.format == "GIF" and opened.mode in _ONE_BYTE_MODES:
        return
    if opened.format == "AVIF":
        needed, limit = _count_avif_bytes(opened, head=head, factor=factor) + file_bytes, _MAX_AVIF_BYTES
    else:
        needed, limit = _count_decoded_bytes(opened), _MAX_DECODED_BYTES
    if needed > limit:
        raise BadImage(
            "The image needs more than %(limit)s MB of memory to open: %(width)s × %(height)s pixels as "
            "%(format)s. Save it as JPEG, or smaller.",
            limit=limit // (1024 * 1024),
            width=opened.width,
            height=opened.height,
            format=opened.format,
        )


def _count_avif_bytes(opened: ImageFile.ImageFile, *, head: bytes, factor: int) -> int:
    samples, depth = _read_avif_configuration(head)
    transparent = opened.mode == "RGBA"
    planes = (samples + transparent) * depth
    pixels_as_bytes = 4 if transparent else 3
    pixel_bytes = planes + pixels_as_bytes + 4 + _REDUCED_PIXEL_BYTES / factor**2
    return round(opened.width * opened.height * pixel_bytes)


def _read_avif_configuration(head: bytes) -> tuple[float, int]:
    """Return the samples of a pixel and the bytes of a sample, the most that any image in the file has.

    If the file does not say it in its first bytes, the heaviest kind is assumed.
    """
    samples, depth = [], []
    position = head.find(_AVIF_CONFIGURATION)
    while 0 <= position < len(head) - 6:
        flags = head[position + 6]
        colour = 2 / ((2 if flags & _HALF_WIDTH else 1) * (2 if flags & _HALF_HEIGHT else 1))
        samples.append(1.0 if flags & _MONOCHROME else 1 + colour)
        depth.append(2 if flags & _HIGH_DEPTH else 1)
        position = head.find(_AVIF_CONFIGURATION, position + 1)
    return max(samples, default=3.0), max(depth, default=2)


def _count_decoded_bytes(opened: ImageFile.ImageFile) -> int:
    """Return the size of the whole image in Pillow's memory."""
    return opened.width * opened.height * (1 if opened.mode in _ONE_BYTE_MODES else 4)


def _find_min_reduction(opened: ImageFile.ImageFile) -> float:
    """Return how many times smaller the image has to be for its pixels to take 64 MiB in full colour."""
    return max(1.0, sqrt(opened.width * opened.height * _REDUCED_PIXEL_BYTES / _MAX_DECODED_BYTES))
