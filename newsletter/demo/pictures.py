"""The sample organisation's pictures and logos by name, as JPEG and PNG bytes made once per process.

Abstract landscapes and patterns in the brand's colours; they show no people.
"""

import io
from collections.abc import Callable
from functools import cache

from PIL import Image, ImageDraw, ImageFont

from newsletter.demo import landscapes, patterns
from newsletter.demo.canvas import EMBER, GOLD, MIST, RUST, SAND, TEAL, Canvas, Colour

_PAINTERS: dict[str, Callable[[Canvas], None]] = {
    "arches": patterns.paint_arches,
    "bridge": patterns.paint_bridge,
    "columns": patterns.paint_columns,
    "doorway": patterns.paint_doorway,
    "fields": landscapes.paint_fields,
    "furrows": landscapes.paint_furrows,
    "harbour": landscapes.paint_harbour,
    "hills": landscapes.paint_hills,
    "lanterns": patterns.paint_lanterns,
    "mosaic": patterns.paint_mosaic,
    "nightsea": landscapes.paint_nightsea,
    "river": landscapes.paint_river,
    "road": landscapes.paint_road,
    "skyline": patterns.paint_skyline,
    "terraces": landscapes.paint_terraces,
    "waves": landscapes.paint_waves,
    "windows": patterns.paint_windows,
    "woven": patterns.paint_woven,
}
NAMES = tuple(_PAINTERS)


@cache
def picture_jpeg(name: str) -> bytes:
    """The picture of that name (one of ``NAMES``): JPEG, 1200 by 675 pixels, under 120 kB."""
    canvas = Canvas(seed=name)
    _PAINTERS[name](canvas)
    return canvas.to_jpeg()


@cache
def logo_png(*, dark: bool) -> bytes:
    """The logo, 640 by 192 pixels on a transparent ground; ``dark`` is the one for dark backgrounds."""
    ink, sun, water, second = (SAND, GOLD, MIST, GOLD) if dark else (TEAL, EMBER, TEAL, RUST)
    scale = 6
    image = Image.new("RGBA", (320 * scale, 96 * scale), (*ink, 0))
    draw = ImageDraw.Draw(image)
    _draw_mark(draw, scale=scale, ink=ink, sun=sun, water=water)
    _draw_words(draw, scale=scale, first=ink, second=second)
    small = image.resize((640, 192), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    small.save(out, "PNG", optimize=True)
    return out.getvalue()


def _draw_mark(draw: ImageDraw.ImageDraw, *, scale: int, ink: Colour, sun: Colour, water: Colour) -> None:
    """A sun in an archway over three lines of water."""
    x, s = 44 * scale, scale
    draw.pieslice((x - 36 * s, 8 * s, x + 36 * s, 80 * s), 180, 360, fill=(*ink, 255))
    draw.rectangle((x - 36 * s, 44 * s, x + 36 * s, 58 * s), fill=(*ink, 255))
    draw.pieslice((x - 29 * s, 15 * s, x + 29 * s, 73 * s), 180, 360, fill=(*ink, 0))
    draw.rectangle((x - 29 * s, 44 * s, x + 29 * s, 58 * s), fill=(*ink, 0))
    draw.pieslice((x - 20 * s, 36 * s, x + 20 * s, 76 * s), 180, 360, fill=(*sun, 255))
    for row, half in enumerate((36, 27, 18)):
        y = (64 + row * 9) * s
        draw.rounded_rectangle((x - half * s, y, x + half * s, y + 4 * s), radius=2 * s, fill=(*water, 255))


def _draw_words(draw: ImageDraw.ImageDraw, *, scale: int, first: Colour, second: Colour) -> None:
    for word, size, top, colour, gap in (("HARBOUR", 36, 14, first, 5.0), ("JUSTICE", 22, 58, second, 18.2)):
        font = ImageFont.load_default(size * scale)
        x = 100.0 * scale
        for letter in word:
            draw.text((x, top * scale), letter, font=font, fill=(*colour, 255), stroke_width=scale * size // 40)
            x += draw.textlength(letter, font=font) + gap * scale
