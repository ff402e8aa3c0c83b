"""Draw the icon that browsers show next to the title of a page: an envelope in the organisation's colour."""

from functools import lru_cache
from io import BytesIO

from PIL import Image, ImageDraw

SIDE = 64
_SCALE = 4
"""The icon is drawn larger and made smaller, so that its lines have smooth edges."""


@lru_cache(maxsize=16)
def draw_site_icon(*, ground: str, ink: str) -> bytes:
    """Return a PNG of 64 × 64 pixels with transparent corners. Both colours are ``#rrggbb``."""
    side = SIDE * _SCALE
    image = Image.new("RGBA", (side, side), f"{ground}00")
    drawing = ImageDraw.Draw(image)
    drawing.rounded_rectangle((0, 0, side - 1, side - 1), radius=side // 5, fill=ground)
    left, right, top, bottom = side // 6, side - side // 6, side // 4, side - side // 4
    drawing.rounded_rectangle((left, top, right, bottom), radius=side // 24, fill=ink)
    inset, fold = side // 32, side // 24
    flap = [(left + inset, top + fold), (side // 2, side // 2 + fold), (right - inset, top + fold)]
    drawing.line(flap, fill=ground, width=side // 14, joint="curve")
    out = BytesIO()
    image.resize((SIDE, SIDE), Image.Resampling.LANCZOS).save(out, "PNG", optimize=True)
    return out.getvalue()
