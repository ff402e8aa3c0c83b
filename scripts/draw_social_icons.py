"""Draw the social icons of mails: newsletter/rendering/icons/<network>.png. Run it after changing one.

Each is a white sign on a grey disc that is readable on light and dark paper, 64 pixels for a place of 32. The signs are
plain shapes of our own; no network's artwork is copied.
"""

from collections.abc import Callable
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

FOLDER = Path(__file__).parents[1] / "newsletter" / "rendering" / "icons"
SIZE, SCALE = 64, 8
DISC, SIGN = "#756f68", "#ffffff"
Draw = ImageDraw.ImageDraw
UNIT = SIZE * SCALE / 100


def box(left: float, top: float, right: float, bottom: float) -> tuple[float, float, float, float]:
    return left * UNIT, top * UNIT, right * UNIT, bottom * UNIT


def points(*pairs: tuple[float, float]) -> list[tuple[float, float]]:
    return [(x * UNIT, y * UNIT) for x, y in pairs]


def letter(text: str, *, size: float = 56, rise: float = 0) -> Callable[[Draw], None]:
    def draw(on: Draw) -> None:
        font = ImageFont.load_default(size * UNIT)
        on.text((50 * UNIT, (50 - rise) * UNIT), text, fill=SIGN, font=font, anchor="mm", stroke_width=int(1.6 * UNIT))

    return draw


def camera(on: Draw) -> None:
    on.rounded_rectangle(box(26, 26, 74, 74), radius=14 * UNIT, outline=SIGN, width=int(5 * UNIT))
    on.ellipse(box(38, 38, 62, 62), outline=SIGN, width=int(5 * UNIT))
    on.ellipse(box(62, 31, 68, 37), fill=SIGN)


def screen(on: Draw) -> None:
    on.rounded_rectangle(box(22, 31, 78, 69), radius=10 * UNIT, fill=SIGN)
    on.polygon(points((44, 40), (44, 60), (61, 50)), fill=DISC)


def plane(on: Draw) -> None:
    on.polygon(points((21, 50), (77, 27), (66, 73)), fill=SIGN)
    on.line(points((72, 32), (43, 58)), fill=DISC, width=int(3 * UNIT))
    on.polygon(points((40, 56), (47, 61), (42, 72)), fill=SIGN)


def bubble(on: Draw) -> None:
    on.ellipse(box(24, 24, 76, 74), outline=SIGN, width=int(5 * UNIT))
    on.polygon(points((25, 78), (30, 60), (42, 72)), fill=SIGN)
    on.arc(box(37, 26, 73, 62), 80, 190, fill=SIGN, width=int(7 * UNIT))


def note(on: Draw) -> None:
    on.ellipse(box(30, 54, 54, 78), outline=SIGN, width=int(7 * UNIT))
    on.rectangle(box(48, 24, 55, 66), fill=SIGN)
    on.arc(box(50, 6, 90, 42), 95, 170, fill=SIGN, width=int(7 * UNIT))


def microphone(on: Draw) -> None:
    on.rounded_rectangle(box(41, 22, 59, 56), radius=9 * UNIT, fill=SIGN)
    on.arc(box(32, 32, 68, 66), 0, 180, fill=SIGN, width=int(4 * UNIT))
    on.rectangle(box(48, 64, 52, 76), fill=SIGN)
    on.rectangle(box(39, 74, 61, 78), fill=SIGN)


def butterfly(on: Draw) -> None:
    for side in (-1, 1):
        on.polygon(points((50, 48), (50 + side * 12, 32), (50 + side * 29, 24), (50 + side * 27, 46)), fill=SIGN)
        on.polygon(points((50, 50), (50 + side * 26, 50), (50 + side * 20, 66), (50 + side * 8, 72)), fill=SIGN)


def elephant(on: Draw) -> None:
    on.rounded_rectangle(box(24, 24, 76, 68), radius=16 * UNIT, fill=SIGN)
    on.polygon(points((30, 60), (30, 80), (60, 67)), fill=SIGN)
    font = ImageFont.load_default(40 * UNIT)
    on.text((50 * UNIT, 44 * UNIT), "m", fill=DISC, font=font, anchor="mm", stroke_width=int(1.6 * UNIT))


SIGNS: dict[str, Callable[[Draw], None]] = {
    "bluesky": butterfly,
    "facebook": letter("f", size=64),
    "instagram": camera,
    "linkedin": letter("in", size=52, rise=2),
    "mastodon": elephant,
    "podcast": microphone,
    "telegram": plane,
    "threads": letter("@", size=56),
    "tiktok": note,
    "whatsapp": bubble,
    "x": letter("X", size=52),
    "youtube": screen,
}


def main() -> None:
    for name, sign in SIGNS.items():
        image = Image.new("RGBA", (SIZE * SCALE, SIZE * SCALE), (*(0x75, 0x6F, 0x68), 0))
        draw = ImageDraw.Draw(image)
        draw.ellipse((0, 0, SIZE * SCALE - 1, SIZE * SCALE - 1), fill=DISC)
        sign(draw)
        image.resize((SIZE, SIZE), Image.Resampling.LANCZOS).save(FOLDER / f"{name}.png", optimize=True)


if __name__ == "__main__":
    main()
