"""How much memory a picture file takes to open and to reduce, told from its first bytes.

An AVIF is decoded whole: Pillow holds its planes, its pixels as bytes and as a picture at once. Measured with Pillow 13
at 34.8 megapixels (the most address space, with one thread): 305 MiB with 8 bits in 4:2:0, 359 in 4:4:4, 395 with
see-through parts; 10 bits take 367 in 4:2:0, 474 in 4:4:4 and 597 with see-through parts. libvips takes about twice that
(597 to 905 MiB). So the child's 384 MiB hold all of 8 bits in 4:2:0 up to 35.65 megapixels, where a coded image of AV1's
advanced profile ends. The heavier kinds end between 20 and 33 megapixels.
"""

from math import sqrt

from PIL import AvifImagePlugin, ImageFile

from newsletter.content.images.sandbox_messages import BadPicture

MAX_DECODED_BYTES = 64 * 1024 * 1024
# The child's 384 MiB less what the AV1 decoder takes for itself and for the bands of the reduction.
_MOST_AVIF_BYTES = 344 * 1024 * 1024
_ONE_BYTE_MODES = ("1", "L", "P")
_WORKED_BYTES = 4
"""A pixel of the reduced picture, RGB or RGBA."""
_HIGH_DEPTH, _MONOCHROME, _HALF_WIDTH, _HALF_HEIGHT = 0x40, 0x10, 0x08, 0x04
_CONFIGURATION = b"av1C"

# Each thread of the AV1 decoder costs 2 to 8 MiB of address space, and a large server has many cores.
AvifImagePlugin.DEFAULT_MAX_THREADS = 1


def count_decoded_bytes(opened: ImageFile.ImageFile) -> int:
    """Return the size of the whole picture in Pillow's memory."""
    return opened.width * opened.height * (1 if opened.mode in _ONE_BYTE_MODES else 4)


def find_shrinking(opened: ImageFile.ImageFile) -> float:
    """Return how many times smaller the picture has to be, at least, for its pixels to take 64 MiB in full colour."""
    return max(1.0, sqrt(opened.width * opened.height * _WORKED_BYTES / MAX_DECODED_BYTES))


def check_memory(opened: ImageFile.ImageFile, *, head: bytes, file_bytes: int, factor: int) -> None:
    """Refuse an AVIF that the child's memory cannot hold, and whatever else takes more than 64 MiB once decoded.

    A GIF may have all the pixels that a picture may have: they take one byte each. ``head`` holds the file's first bytes,
    and ``factor`` is how many times smaller the picture is made after it is decoded.
    """
    if opened.format == "GIF" and opened.mode in _ONE_BYTE_MODES:
        return
    if opened.format == "AVIF":
        needed, most = _count_avif_bytes(opened, head=head, factor=factor) + file_bytes, _MOST_AVIF_BYTES
    else:
        needed, most = count_decoded_bytes(opened), MAX_DECODED_BYTES
    if needed > most:
        raise BadPicture(
            "The picture needs more than %(most)s MB of memory to open: %(width)s × %(height)s pixels as "
            "%(format)s. Save it as JPEG, or smaller.",
            most=most // (1024 * 1024),
            width=opened.width,
            height=opened.height,
            format=opened.format,
        )


def _count_avif_bytes(opened: ImageFile.ImageFile, *, head: bytes, factor: int) -> int:
    samples, depth = _read_configuration(head)
    see_through = opened.mode == "RGBA"
    planes = (samples + see_through) * depth
    pixels_as_bytes = 4 if see_through else 3
    each = planes + pixels_as_bytes + 4 + _WORKED_BYTES / factor**2
    return round(opened.width * opened.height * each)


def _read_configuration(head: bytes) -> tuple[float, int]:
    """Return the samples of a pixel and the bytes of a sample: the most that any image in the file has.

    The heaviest kind is taken if the file does not say it in its first bytes.
    """
    samples, depth = [], []
    at = head.find(_CONFIGURATION)
    while 0 <= at < len(head) - 6:
        flags = head[at + 6]
        colour = 2 / ((2 if flags & _HALF_WIDTH else 1) * (2 if flags & _HALF_HEIGHT else 1))
        samples.append(1.0 if flags & _MONOCHROME else 1 + colour)
        depth.append(2 if flags & _HIGH_DEPTH else 1)
        at = head.find(_CONFIGURATION, at + 1)
    return max(samples, default=3.0), max(depth, default=2)
