"""The pictures of the guides for staff in docs/how-to, which `make guide-pictures` takes."""

import os
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Locator, Page

GUIDE = "NEWSLETTER_GUIDE_PICTURES"
FOLDER = Path(__file__).parents[2] / "docs" / "images" / "guide"
MAX_BYTES = 150_000
LOOK = {"viewport": {"width": 1200, "height": 780}}


def take_picture(page: Page | Locator, name: str) -> None:
    """Save the page, or a part of one, as docs/images/guide/<name>.png if pictures are asked for."""
    if os.environ.get(GUIDE):
        FOLDER.mkdir(parents=True, exist_ok=True)
        (FOLDER / f"{name}.png").write_bytes(make_small(page.screenshot(animations="disabled")))


def make_small(shot: bytes) -> bytes:
    """Return the image with few enough colours to stay small. Raises AssertionError if that is impossible."""
    with Image.open(BytesIO(shot)) as picture:
        flat = picture.convert("RGB")
    for colours in (256, 128, 64, 32):
        out = BytesIO()
        flat.quantize(colors=colours, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
        if out.tell() <= MAX_BYTES:
            return out.getvalue()
    raise AssertionError(f"A picture of {out.tell():,} bytes is too heavy for the guide.")
