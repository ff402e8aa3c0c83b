"""Read a large PNG or WebP in a smaller size. libvips decodes it in strips, so that the whole is never in memory."""

import os
from typing import BinaryIO

from PIL import Image

# One thread: each further one costs memory, and the sandbox has little.
os.environ.setdefault("VIPS_CONCURRENCY", "1")
import pyvips

STREAMED = frozenset({"PNG", "WEBP"})
_MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}
pyvips.cache_set_max(0)


def read_small(file: BinaryIO, *, size: tuple[int, int]) -> Image.Image:
    """Return the picture upright, within ``size`` (width and height as stored). Raise OSError if it is damaged."""
    file.seek(0)
    is_webp = file.read(4) == b"RIFF"
    file.seek(0)
    source = pyvips.SourceCustom()
    source.on_read(file.read)
    source.on_seek(file.seek)
    # A square box, because the picture is turned upright on the way.
    side = max(*size, 1)
    try:
        if is_webp:
            small = pyvips.Image.thumbnail_source(source, side, height=side, size="down")
        else:
            # A thumbnail of a source forgets ``fail_on`` for PNG, and half a picture would pass for a whole one.
            whole = pyvips.Image.new_from_source(source, "", access="sequential", fail_on="truncated")
            small = whole.thumbnail_image(side, height=side, size="down")
        small = small.colourspace("b-w" if small.bands < 3 else "srgb").cast("uchar")
        pixels = small.write_to_memory()
    except pyvips.Error as error:
        raise OSError("libvips cannot read this picture") from error
    return Image.frombytes(_MODES[small.bands], (small.width, small.height), pixels)
