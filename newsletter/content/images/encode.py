"""A picture from outside becomes one that mail can carry: known format, upright, small, without hidden data.

It runs in the picture sandbox (``picture_apart``); only our own drawings are made elsewhere.
"""

import hashlib
import warnings
from io import SEEK_END, BytesIO
from math import ceil
from typing import BinaryIO, Literal

from PIL import Image, ImageFile, ImageOps, UnidentifiedImageError

from newsletter.common.messages import Message
from newsletter.content.images.formats import (
    RENDITION_FORMATS,
    crop_to_format,
    draw_placeholder,
    draw_play_button,
    edge,
)
from newsletter.content.images.large_images import STREAMED, read_small
from newsletter.content.images.picture_memory import (
    MAX_DECODED_BYTES,
    check_memory,
    count_decoded_bytes,
    find_shrinking,
)
from newsletter.content.images.sandbox_messages import (
    DEFAULT_FOCUS,
    BadPicture,
    EncodedPicture,
    Focus,
    PictureRefusal,
    PictureRequest,
    RenditionFormat,
)

__all__ = [
    "RENDITION_FORMATS",
    "BadPicture",
    "EncodedPicture",
    "make_picture",
    "make_placeholder",
    "make_requested_picture",
]

MAX_PIXELS = 100_000_000
MAX_JPEG_BYTES = 150 * 1024
_TOO_MANY = Message(
    "The picture has more than %(most_pixels)s million pixels. Make it smaller.", most_pixels=MAX_PIXELS // 1000000
)
_MAX_PNG_BYTES = 150 * 1024
_MIN_SIDE = 8
_QUALITIES = (85, 80, 75, 70, 62, 55, 48, 40, 32)
_SHRINK = 0.8
_FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "AVIF")
_MAGIC = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF87a", b"GIF89a")
_AVIF_BRANDS = (b"avif", b"avis")
_HEAD = 64 * 1024
_BAND_BYTES = 4 * 1024 * 1024
_OVERSAMPLING = 2
"""How many times wider than the result a picture is kept while it is worked on."""

# Bigger files than this are refused before a codec is asked; the bomb check of the library is for those without a limit.
Image.MAX_IMAGE_PIXELS = 2 * MAX_PIXELS


def make_requested_picture(order: PictureRequest) -> EncodedPicture | PictureRefusal:
    """Make the picture that an order asks for from the file that it names, or say why it cannot be made."""
    try:
        with open(order.path, "rb") as file:
            return _make(file, width=order.width, place=order.place, focus=order.focus, film=order.film)
    except BadPicture as error:
        return PictureRefusal(str(error))


def make_picture(
    body: bytes,
    *,
    width: int = 1200,
    place: RenditionFormat | None = None,
    focus: Focus = DEFAULT_FOCUS,
    film: bool = False,
) -> EncodedPicture:
    """The picture re-encoded at most ``width`` pixels wide, turned upright, without EXIF; a JPEG of at most 150 KB.

    With a ``place``, it is cut to the place's shape around ``focus`` and as light as the place asks; ``film`` marks it
    as the still of a film. Pictures with see-through parts become PNG, others JPEG; of a moving picture the first
    frame is used.
    Raises BadPicture for anything but JPEG, PNG, GIF, WebP and AVIF, and for what is damaged or too large.
    """
    return _make(BytesIO(body), width=width, place=place, focus=focus, film=film)


def _make(file: BinaryIO, *, width: int, place: RenditionFormat | None, focus: Focus, film: bool) -> EncodedPicture:
    head = file.read(_HEAD)
    file.seek(0)
    _check_magic(head)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        picture = _decode(file, width=place.width if place else width, ratio=place.ratio if place else None)
        transparent = _has_transparency(picture)
        picture = picture.convert("RGBA" if transparent else "RGB")
        picture = crop_to_format(picture, place, focus=focus) if place else _shrink_to_width(picture, width)
        if film:
            return _encode_jpeg(draw_play_button(picture), most=place.max_bytes if place else MAX_JPEG_BYTES)
        if transparent:
            picture = edge(picture) if place and place.has_light_edge else picture
            return _encode_png(picture, most=place.max_bytes if place else _MAX_PNG_BYTES)
        return _encode_jpeg(picture, most=place.max_bytes if place else MAX_JPEG_BYTES)


def make_placeholder(*, width: int, height: int) -> EncodedPicture:
    """The picture that takes the place of a withdrawn one, as large as that was."""
    return _encode_jpeg(draw_placeholder(width=width, height=height), most=MAX_JPEG_BYTES)


def _check_magic(head: bytes) -> None:
    is_webp = head[:4] == b"RIFF" and head[8:12] == b"WEBP"
    is_avif = head[4:8] == b"ftyp" and any(brand in head[8:64] for brand in _AVIF_BRANDS)
    if is_webp or is_avif or head.startswith(_MAGIC):
        return
    if not head:
        raise BadPicture("The picture is empty.")
    start = head[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith(b"<") and b"<svg" in head.lower():
        raise BadPicture("The picture is an SVG drawing, which mail programs do not show. Use JPEG or PNG.")
    if start.startswith(b"<"):
        raise BadPicture("The address gave a web page where a picture was expected.")
    raise BadPicture("The picture is not JPEG, PNG, GIF, WebP or AVIF. Use one of these.")


def _decode(file: BinaryIO, *, width: int, ratio: float | None) -> Image.Image:
    """The picture upright, about twice as wide as is asked, decoded as small as its format allows."""
    try:
        strips = _size_in_strips(file, width=width, ratio=ratio)
        if strips:
            return read_small(file, size=strips)
        upright = _read_reduced(file, width=width, ratio=ratio)
        ImageOps.exif_transpose(upright, in_place=True)
        # Comments, colour profiles and the like would be written out again.
        upright.info = {key: value for key, value in upright.info.items() if key == "transparency"}
        return upright
    except Image.DecompressionBombError as error:
        raise BadPicture(_TOO_MANY) from error
    except UnidentifiedImageError as error:
        raise BadPicture("The picture is damaged and cannot be opened.") from error
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise BadPicture("The picture is damaged or cut off and cannot be read to its end.") from error


def _read_reduced(file: BinaryIO, *, width: int, ratio: float | None) -> Image.Image:
    """Decode the picture and reduce it. Only the result is left in memory: the decoded whole is let go."""
    file_bytes = file.seek(0, SEEK_END)
    file.seek(0)
    head = file.read(_HEAD)
    file.seek(0)
    with Image.open(file, formats=_FORMATS) as opened:
        factor = _reduction_factor(opened.size, width=width, ratio=ratio)
        while count_decoded_bytes(opened) > MAX_DECODED_BYTES * factor**2:
            factor *= 2
        opened.draft("RGB", (max(1, opened.width // factor), max(1, opened.height // factor)))
        factor = max(_reduction_factor(opened.size, width=width, ratio=ratio), ceil(find_shrinking(opened)))
        check_memory(opened, head=head, file_bytes=file_bytes, factor=factor)
        opened.load()
        return _reduce(opened, factor)


def _size_in_strips(file: BinaryIO, *, width: int, ratio: float | None) -> tuple[int, int] | None:
    """Return the size in which a large PNG or WebP is read; None if the picture is read whole.

    The opened file is let go before that: for WebP it holds the whole picture twice.
    """
    with Image.open(file, formats=_FORMATS) as opened:
        _check_size(opened)
        if opened.format not in STREAMED or count_decoded_bytes(opened) <= MAX_DECODED_BYTES:
            return None
        factor = max(_reduction_factor(opened.size, width=width, ratio=ratio), find_shrinking(opened))
        return int(opened.width / factor), int(opened.height / factor)


def _check_size(opened: ImageFile.ImageFile) -> None:
    if opened.width * opened.height > MAX_PIXELS:
        raise BadPicture(_TOO_MANY)
    if min(opened.size) < _MIN_SIDE:
        raise BadPicture(
            "The picture is only %(width)s × %(height)s pixels, too small to show.",
            width=opened.width,
            height=opened.height,
        )


def _reduction_factor(size: tuple[int, int], *, width: int, ratio: float | None) -> int:
    """How many times smaller the picture may be made before the finer work, and still be large enough for it."""
    kept = min(size[0], round(size[1] * ratio)) if ratio else size[0]
    return max(1, min(kept // (_OVERSAMPLING * width), *size))


def _reduce(opened: ImageFile.ImageFile, factor: int) -> Image.Image:
    """The picture ``factor`` times smaller, band by band, so that no second copy of the whole is ever made."""
    if factor == 1:
        return opened.copy()
    transparent = _has_transparency(opened)
    mode = "RGBA" if transparent else "RGB"
    size = -(-opened.width // factor), -(-opened.height // factor)
    small = Image.new(mode, size)
    rows = max(1, _BAND_BYTES // (4 * opened.width * factor)) * factor
    for top in range(0, opened.height, rows):
        band = opened.crop((0, top, opened.width, min(top + rows, opened.height)))
        small.paste(band.convert(mode).reduce(factor), (0, top // factor))
    small.info = {"exif": opened.info["exif"]} if "exif" in opened.info else {}
    return small


def _has_transparency(picture: Image.Image) -> bool:
    if picture.mode in ("RGBA", "LA", "PA"):
        alpha = picture.getchannel("A").getextrema()
        return isinstance(alpha[0], int | float) and alpha[0] < 255
    return "transparency" in picture.info


def _shrink_to_width(picture: Image.Image, width: int) -> Image.Image:
    if picture.width <= width:
        return picture
    height = max(1, round(picture.height * width / picture.width))
    return picture.resize((width, height), Image.Resampling.LANCZOS)


def _encode_jpeg(picture: Image.Image, *, most: int) -> EncodedPicture:
    """Lowers the quality, then the size, until the file is small enough; a hundred pixels across always are."""
    while True:
        for quality in _QUALITIES:
            out = BytesIO()
            picture.save(out, "JPEG", quality=quality, optimize=True, progressive=True)
            if out.tell() <= most:
                return _encoded(out.getvalue(), "jpeg", picture)
        picture = _shrink(picture)


def _encode_png(picture: Image.Image, *, most: int) -> EncodedPicture:
    while True:
        out = BytesIO()
        picture.save(out, "PNG", optimize=True)
        if out.tell() > most:
            out = BytesIO()
            picture.quantize(256, method=Image.Quantize.FASTOCTREE).save(out, "PNG", optimize=True)
        if out.tell() <= most:
            return _encoded(out.getvalue(), "png", picture)
        picture = _shrink(picture)


def _shrink(picture: Image.Image) -> Image.Image:
    size = max(1, round(picture.width * _SHRINK)), max(1, round(picture.height * _SHRINK))
    return picture.resize(size, Image.Resampling.LANCZOS)


def _encoded(data: bytes, kind: Literal["jpeg", "png"], picture: Image.Image) -> EncodedPicture:
    return EncodedPicture(data, kind, picture.width, picture.height, hashlib.sha256(data).hexdigest())
