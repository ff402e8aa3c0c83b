"""A picture from outside becomes one that mail can carry: known format, upright, small, without hidden data."""

import hashlib
import warnings
from dataclasses import dataclass
from io import BytesIO
from typing import Literal

from PIL import Image, ImageOps, UnidentifiedImageError

from newsletter.content.picture_places import MIDDLE, PLACES, Focus, Place, cut_for, draw_neutral, edge, mark_as_film
from subscribers.errors import DomainError

__all__ = ["PLACES", "BadPicture", "EncodedPicture", "make_neutral", "make_picture"]

MOST_PIXELS = 40_000_000
MOST_JPEG_BYTES = 150 * 1024
_TOO_MANY = f"The picture has more than {MOST_PIXELS // 1_000_000} million pixels. Make it smaller."
_MOST_PNG_BYTES = 150 * 1024
_SMALLEST_SIDE = 8
_QUALITIES = (85, 80, 75, 70, 62, 55, 48, 40, 32)
_SHRINK = 0.8
_FORMATS = ("JPEG", "PNG", "GIF", "WEBP")
_MAGIC = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF87a", b"GIF89a")


class BadPicture(DomainError):
    """The bytes are not a picture that can go into a mail; the message says why."""


@dataclass(frozen=True)
class EncodedPicture:
    """The bytes of a picture made by us; ``sha256`` is of ``data``, in hex."""

    data: bytes
    format: Literal["jpeg", "png"]
    width: int
    height: int
    sha256: str


def make_picture(
    body: bytes, *, width: int = 1200, place: Place | None = None, focus: Focus = MIDDLE, film: bool = False
) -> EncodedPicture:
    """The picture re-encoded at most ``width`` pixels wide, turned upright, without EXIF; a JPEG of at most 150 KB.

    With a ``place``, it is cut to the place's shape around ``focus`` and as light as the place asks; ``film`` marks it
    as the still of a film. Pictures with see-through parts become PNG, others JPEG; of a moving picture the first
    frame is used.
    Raises BadPicture for anything but JPEG, PNG, GIF and WebP, and for what is damaged or too large.
    """
    _check_magic(body)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        picture = _decode(body)
        see_through = _is_see_through(picture)
        picture = picture.convert("RGBA" if see_through else "RGB")
        picture = cut_for(picture, place, focus=focus) if place else _fit(picture, width)
        if film:
            return _encode_jpeg(mark_as_film(picture), most=place.most_bytes if place else MOST_JPEG_BYTES)
        if see_through:
            picture = edge(picture) if place and place.edged else picture
            return _encode_png(picture, most=min(place.most_bytes, _MOST_PNG_BYTES) if place else _MOST_PNG_BYTES)
        return _encode_jpeg(picture, most=place.most_bytes if place else MOST_JPEG_BYTES)


def make_neutral(*, width: int, height: int) -> EncodedPicture:
    """The picture that takes the place of a withdrawn one, as large as that was."""
    return _encode_jpeg(draw_neutral(width=width, height=height), most=MOST_JPEG_BYTES)


def _check_magic(body: bytes) -> None:
    is_webp = body[:4] == b"RIFF" and body[8:12] == b"WEBP"
    if is_webp or body.startswith(_MAGIC):
        return
    if not body:
        raise BadPicture("The picture is empty.")
    start = body[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith(b"<") and b"<svg" in body[:4096].lower():
        raise BadPicture("The picture is an SVG drawing, which mail programs do not show. Use JPEG or PNG.")
    if start.startswith(b"<"):
        raise BadPicture("The address gave a web page where a picture was expected.")
    raise BadPicture("The picture is not JPEG, PNG, GIF or WebP. Use one of these.")


def _decode(body: bytes) -> Image.Image:
    try:
        with Image.open(BytesIO(body), formats=_FORMATS) as opened:
            pixels = opened.width * opened.height
            if pixels > MOST_PIXELS:
                raise BadPicture(_TOO_MANY)
            if min(opened.size) < _SMALLEST_SIDE:
                raise BadPicture(f"The picture is only {opened.width} × {opened.height} pixels, too small to show.")
            opened.draft("RGB", (2400, 2400))
            opened.load()
            upright = ImageOps.exif_transpose(opened)
            # Comments, colour profiles and the like would be written out again.
            upright.info = {key: value for key, value in upright.info.items() if key == "transparency"}
            return upright
    except Image.DecompressionBombError as error:
        raise BadPicture(_TOO_MANY) from error
    except UnidentifiedImageError as error:
        raise BadPicture("The picture is damaged and cannot be opened.") from error
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise BadPicture("The picture is damaged or cut off and cannot be read to its end.") from error


def _is_see_through(picture: Image.Image) -> bool:
    if picture.mode in ("RGBA", "LA", "PA"):
        alpha = picture.getchannel("A").getextrema()
        return isinstance(alpha[0], int | float) and alpha[0] < 255
    return "transparency" in picture.info


def _fit(picture: Image.Image, width: int) -> Image.Image:
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
        picture = _smaller(picture)


def _encode_png(picture: Image.Image, *, most: int) -> EncodedPicture:
    while True:
        out = BytesIO()
        picture.save(out, "PNG", optimize=True)
        if out.tell() > most:
            out = BytesIO()
            picture.quantize(256, method=Image.Quantize.FASTOCTREE).save(out, "PNG", optimize=True)
        if out.tell() <= most:
            return _encoded(out.getvalue(), "png", picture)
        picture = _smaller(picture)


def _smaller(picture: Image.Image) -> Image.Image:
    size = max(1, round(picture.width * _SHRINK)), max(1, round(picture.height * _SHRINK))
    return picture.resize(size, Image.Resampling.LANCZOS)


def _encoded(data: bytes, kind: Literal["jpeg", "png"], picture: Image.Image) -> EncodedPicture:
    return EncodedPicture(data, kind, picture.width, picture.height, hashlib.sha256(data).hexdigest())
