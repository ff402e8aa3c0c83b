"""Image files for tests, drawn on the spot."""

from io import BytesIO

from PIL import Image


def encode(picture: Image.Image, kind: str, **options: object) -> bytes:
    out = BytesIO()
    picture.save(out, kind, **options)  # type: ignore[arg-type]
    return out.getvalue()


def draw(width: int, height: int, kind: str = "JPEG", *, colour: str = "teal", **options: object) -> bytes:
    """A picture of one colour as a file of a kind that Pillow writes."""
    return encode(Image.new("RGB", (width, height), colour), kind, **options)
