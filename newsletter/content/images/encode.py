"""Encode an outside image for mail: in a known format, upright, small, without metadata.

It runs in the image sandbox (``sandboxed``). Placeholders, which we draw ourselves, may be made outside the sandbox.
"""

import hashlib
import warnings
from collections import Counter
from io import BytesIO
from typing import BinaryIO, Literal

from PIL import Image

from newsletter.content.images.decode import HEAD_BYTES, decode_image, has_transparency, is_animated
from newsletter.content.images.formats import add_light_edge, crop_to_format, draw_placeholder, draw_play_button
from newsletter.content.images.sandbox_messages import (
    DEFAULT_FOCUS,
    BadImage,
    EncodedImage,
    Focus,
    ImageRefusal,
    ImageRequest,
    RenditionFormat,
)

MAX_JPEG_BYTES = 150 * 1024
_MAX_PNG_BYTES = 150 * 1024
_QUALITIES = (85, 80, 75, 70, 62, 55, 48, 40, 32)
_SHRINK = 0.8
_SAMPLE_SIDE, _FLAT_COLOURS, _FLAT_SHARE = 200, 32, 0.95
_COLOUR_SAMPLE_SIDE, _DOMINANT_COLOURS = 64, 8
_MAGIC = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF87a", b"GIF89a")
_AVIF_BRANDS = (b"avif", b"avis")


def encode_requested_image(request: ImageRequest) -> EncodedImage | ImageRefusal:
    """Encode the file that a request names, or return the reason why that is not possible."""
    try:
        with open(request.path, "rb") as file:
            return _encode(
                file,
                width=request.width,
                rendition_format=request.rendition_format,
                focus=request.focus,
                is_video=request.is_video,
            )
    except BadImage as error:
        return ImageRefusal(error.message)


def encode_image(
    body: bytes,
    *,
    width: int = 1200,
    rendition_format: RenditionFormat | None = None,
    focus: Focus = DEFAULT_FOCUS,
    is_video: bool = False,
) -> EncodedImage:
    """Return the image at most ``width`` pixels wide, upright, without EXIF, as a JPEG or PNG of at most 150 KB.

    With a ``rendition_format``, crop it to that shape around ``focus``, within that format's width and size.
    ``is_video`` draws a play button on it. An image with transparency becomes PNG, and so does one in a few flat colours if
    its file is small enough in its size; any other becomes a progressive JPEG. Of an animation, use the first frame. Raises
    BadImage for anything but JPEG, PNG, GIF, WebP and AVIF, and for a damaged or too large file.
    """
    return _encode(BytesIO(body), width=width, rendition_format=rendition_format, focus=focus, is_video=is_video)


def _encode(
    file: BinaryIO, *, width: int, rendition_format: RenditionFormat | None, focus: Focus, is_video: bool
) -> EncodedImage:
    head = file.read(HEAD_BYTES)
    file.seek(0)
    _check_magic(head)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        shape = rendition_format
        if shape and shape.only_stills and is_animated(file):
            raise BadImage(
                "The image moves, and emails do not: readers would see its first frame only. Save the frame that says "
                "what you mean as JPEG or PNG, and add that."
            )
        image = decode_image(file, width=shape.width if shape else width, ratio=shape.ratio if shape else None)
        transparent, flat = has_transparency(image), _is_flat(image)
        image = image.convert("RGBA" if transparent else "RGB")
        image = crop_to_format(image, shape, focus=focus) if shape else _shrink_to_width(image, width)
        if is_video:
            return _encode_jpeg(draw_play_button(image), max_bytes=shape.max_bytes if shape else MAX_JPEG_BYTES)
        if transparent:
            image = add_light_edge(image) if shape and shape.has_light_edge else image
            return _encode_png(image, max_bytes=shape.max_bytes if shape else _MAX_PNG_BYTES)
        if flat and (png := _encode_whole_png(image, max_bytes=shape.max_bytes if shape else _MAX_PNG_BYTES)):
            return png
        return _encode_jpeg(image, max_bytes=shape.max_bytes if shape else MAX_JPEG_BYTES)


def _is_flat(image: Image.Image) -> bool:
    """Return True if a few colours cover nearly all of an image, as in drawings, charts and screenshots."""
    side = max(image.size)
    scale = min(1.0, _SAMPLE_SIDE / side)
    size = max(1, int(image.width * scale)), max(1, int(image.height * scale))
    sample = image.convert("RGB").resize(size, Image.Resampling.NEAREST)
    counts = sorted((count for count, _colour in sample.getcolors(size[0] * size[1]) or ()), reverse=True)
    return sum(counts[:_FLAT_COLOURS]) >= _FLAT_SHARE * size[0] * size[1]


def _find_dominant_colour(image: Image.Image) -> str:
    """Reduce an image to a few colours and return the most frequent one, as ``#rrggbb``."""
    sample = image.resize((_COLOUR_SAMPLE_SIDE, _COLOUR_SAMPLE_SIDE), Image.Resampling.BOX)
    pixels = sample.quantize(_DOMINANT_COLOURS, method=Image.Quantize.MEDIANCUT).convert("RGB").tobytes()
    colours = Counter(pixels[at : at + 3] for at in range(0, len(pixels), 3))
    return "#" + colours.most_common(1)[0][0].hex()


def make_placeholder(*, width: int, height: int) -> EncodedImage:
    """Return the image that replaces a withdrawn one, in the same size."""
    return _encode_jpeg(draw_placeholder(width=width, height=height), max_bytes=MAX_JPEG_BYTES)


def _check_magic(head: bytes) -> None:
    is_webp = head[:4] == b"RIFF" and head[8:12] == b"WEBP"
    is_avif = head[4:8] == b"ftyp" and any(brand in head[8:64] for brand in _AVIF_BRANDS)
    if is_webp or is_avif or head.startswith(_MAGIC):
        return
    if not head:
        raise BadImage("The image is empty.")
    start = head[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith(b"<") and b"<svg" in head.lower():
        raise BadImage("The image is an SVG drawing, which mail programs do not show. Use JPEG or PNG.")
    if start.startswith(b"<"):
        raise BadImage("The address leads to a web page, not to an image. Enter the address of the image itself.")
    raise BadImage("The image is not JPEG, PNG, GIF, WebP or AVIF. Use one of these formats.")


def _shrink_to_width(image: Image.Image, width: int) -> Image.Image:
    if image.width <= width:
        return image
    height = max(1, round(image.height * width / image.width))
    return image.resize((width, height), Image.Resampling.LANCZOS)


def _encode_jpeg(image: Image.Image, *, max_bytes: int) -> EncodedImage:
    """Lower the quality, then the size, until the file is small enough."""
    while True:
        for quality in _QUALITIES:
            out = BytesIO()
            image.save(out, "JPEG", quality=quality, optimize=True, progressive=True)
            if out.tell() <= max_bytes:
                return _make_encoded(out.getvalue(), "jpeg", image)
        image = _shrink(image)


def _encode_png(image: Image.Image, *, max_bytes: int) -> EncodedImage:
    """Lower the number of colours, then the size, until the file is small enough."""
    while (png := _encode_whole_png(image, max_bytes=max_bytes)) is None:
        image = _shrink(image)
    return png


def _encode_whole_png(image: Image.Image, *, max_bytes: int) -> EncodedImage | None:
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
