"""Encode an outside image for mail: in a known format, upright, small, without metadata.

It runs in the image sandbox (``sandboxed``).
"""

import warnings
from io import BytesIO
from typing import BinaryIO

from PIL import Image

from newsletter.content.images.decode import HEAD_BYTES, decode_image, has_transparency, is_animated
from newsletter.content.images.formats import add_light_edge, crop_to_format, draw_play_button
from newsletter.content.images.sandbox_messages import (
    DEFAULT_FOCUS,
    BadImage,
    EncodedImage,
    Focus,
    ImageRefusal,
    ImageRequest,
    RenditionFormat,
)
from newsletter.content.images.write import MAX_JPEG_BYTES, write_jpeg, write_png, write_whole_png

_MAX_PNG_BYTES = 150 * 1024
_SAMPLE_SIDE, _FLAT_COLOURS, _FLAT_SHARE = 200, 32, 0.95
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
            return write_jpeg(draw_play_button(image), max_bytes=shape.max_bytes if shape else MAX_JPEG_BYTES)
        if transparent:
            image = add_light_edge(image) if shape and shape.has_light_edge else image
            return write_png(image, max_bytes=shape.max_bytes if shape else _MAX_PNG_BYTES)
        if flat and (png := write_whole_png(image, max_bytes=shape.max_bytes if shape else _MAX_PNG_BYTES)):
            return png
        return write_jpeg(image, max_bytes=shape.max_bytes if shape else MAX_JPEG_BYTES)


def _is_flat(image: Image.Image) -> bool:
    """Return True if a few colours cover nearly all of an image, as in drawings, charts and screenshots."""
    side = max(image.size)
    scale = min(1.0, _SAMPLE_SIDE / side)
    size = max(1, int(image.width * scale)), max(1, int(image.height * scale))
    sample = image.convert("RGB").resize(size, Image.Resampling.NEAREST)
    counts = sorted((count for count, _colour in sample.getcolors(size[0] * size[1]) or ()), reverse=True)
    return sum(counts[:_FLAT_COLOURS]) >= _FLAT_SHARE * size[0] * size[1]


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
