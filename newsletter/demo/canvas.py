"""Brushes for the sample pictures: gradients, discs, ridges and grain on a canvas twice as large as the picture.

All positions are fractions of the picture's width and height; the same seed gives the same pixels.
"""

import io
import itertools
import math
import random
from collections.abc import Callable, Sequence

from PIL import Image, ImageChops, ImageDraw, ImageFilter

WIDTH, HEIGHT = 1200, 675
MAX_BYTES = 112_000
_SCALE = 2

Colour = tuple[int, int, int]
Point = tuple[float, float]

INK: Colour = (16, 40, 50)
TEAL: Colour = (23, 65, 79)
SEA: Colour = (48, 108, 121)
MIST: Colour = (143, 178, 180)
FOAM: Colour = (214, 224, 215)
SAND: Colour = (245, 240, 230)
CREAM: Colour = (250, 228, 190)
GOLD: Colour = (232, 177, 92)
EMBER: Colour = (201, 103, 52)
RUST: Colour = (168, 72, 27)
SAGE: Colour = (122, 143, 105)
MOSS: Colour = (70, 98, 80)


def mix(one: Colour, other: Colour, share: float) -> Colour:
    """The colour ``share`` (0 to 1) of the way from one to the other."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


class Canvas:
    """A picture in the making, painted from back to front."""

    def __init__(self, *, seed: str) -> None:
        self.grain = True
        self.random = random.Random(seed)  # noqa: S311  for looks, not for secrets
        self._size = (WIDTH * _SCALE, HEIGHT * _SCALE)
        self.image = Image.new("RGB", self._size)

    def gradient(self, stops: Sequence[tuple[float, Colour]], *, top: float = 0, bottom: float = 1) -> None:
        """Fill the band from ``top`` to ``bottom`` with colours that change downwards; stops are (0 to 1, colour)."""
        first, last = self._y(top), self._y(bottom)
        column = Image.new("RGB", (1, last - first))
        for row in range(last - first):
            column.putpixel((0, row), _colour_at(stops, row / max(last - first - 1, 1)))
        self.image.paste(column.resize((self._size[0], last - first)), (0, first))

    def glow(self, centre: Point, *, radius: float, colour: Colour, strength: float = 0.6) -> None:
        """A soft light round a point; ``radius`` is a fraction of the width."""
        small = (WIDTH // 4, HEIGHT // 4)
        mask = Image.new("L", small)
        x, y, r = centre[0] * small[0], centre[1] * small[1], radius * small[0]
        ImageDraw.Draw(mask).ellipse((x - r / 2, y - r / 2, x + r / 2, y + r / 2), fill=round(255 * strength))
        mask = mask.filter(ImageFilter.GaussianBlur(r / 2.6)).resize(self._size, Image.Resampling.BICUBIC)
        self.image.paste(Image.new("RGB", self._size, colour), (0, 0), mask)

    def disc(self, centre: Point, *, radius: float, colour: Colour) -> None:
        """A filled circle; ``radius`` is a fraction of the width."""
        self.wedge(centre, radius=radius, start=0, end=360, colour=colour)

    def wedge(self, centre: Point, *, radius: float, start: float, end: float, colour: Colour) -> None:
        """A slice of a circle from ``start`` to ``end`` degrees, clockwise from three o'clock."""
        x, y, r = self._x(centre[0]), self._y(centre[1]), radius * self._size[0]
        box = (x - r, y - r, x + r, y + r)
        if end - start >= 360:
            self._draw().ellipse(box, fill=colour)
        else:
            self._draw().pieslice(box, start, end, fill=colour)

    def shape(self, points: Sequence[Point], *, colour: Colour, opacity: float = 1) -> None:
        """A filled polygon."""
        pixels = [(self._x(x), self._y(y)) for x, y in points]
        if opacity >= 1:
            self._draw().polygon(pixels, fill=colour)
            return
        mask = Image.new("L", self._size)
        ImageDraw.Draw(mask).polygon(pixels, fill=round(255 * opacity))
        self.image.paste(Image.new("RGB", self._size, colour), (0, 0), mask)

    def bar(self, left: float, top: float, right: float, bottom: float, *, colour: Colour, round_by: float = 0) -> None:
        """A rectangle; ``round_by`` rounds its corners, as a fraction of the width."""
        box = (self._x(left), self._y(top), self._x(right), self._y(bottom))
        self._draw().rounded_rectangle(box, radius=round_by * self._size[0], fill=colour)

    def line(self, points: Sequence[Point], *, width: float, colour: Colour) -> None:
        """A line with round joints; ``width`` is a fraction of the picture's width."""
        pixels = [(self._x(x), self._y(y)) for x, y in points]
        self._draw().line(pixels, fill=colour, width=max(round(width * self._size[0]), 1), joint="curve")

    def ridge(self, height: Callable[[float], float], *, colours: tuple[Colour, Colour], fade: float = 0.35) -> None:
        """Land below the line ``height(x)``, its colour changing from the ridge down over ``fade`` of the height."""
        line = [(step / 240, height(step / 240)) for step in range(241)]
        mask = Image.new("L", self._size)
        pixels = [(self._x(x), self._y(y)) for x, y in line] + [self._size, (0, self._size[1])]
        ImageDraw.Draw(mask).polygon(pixels, fill=255)
        top = min(y for _, y in line)
        if top >= 1:
            return
        layer = Canvas(seed="layer")
        layer.gradient([(0, colours[0]), (1, colours[1])], top=max(top, 0), bottom=min(top + fade, 1))
        layer.bar(0, min(top + fade, 1), 1, 1.01, colour=colours[1])
        self.image.paste(layer.image, (0, 0), mask)

    def hills(self, base: float, *, swing: float, bends: int = 3) -> Callable[[float], float]:
        """A smooth random skyline round ``base``; give it to ``ridge``."""
        waves = [
            (swing / (n + 1), (n + 0.6 + self.random.random()) * math.pi, self.random.random() * math.tau)
            for n in range(bends)
        ]
        return lambda x: base + sum(size * math.sin(speed * x * 2 + phase) for size, speed, phase in waves) / 1.6

    def to_jpeg(self) -> bytes:
        """The finished picture at 1200 by 675 pixels, with fine grain against banding unless ``grain`` is off."""
        picture = self.image.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS)
        if self.grain:
            noise = Image.frombytes("L", (WIDTH, HEIGHT), random.Random(1).randbytes(WIDTH * HEIGHT))  # noqa: S311  grain
            grain = noise.point([118 + value // 26 for value in range(256)]).convert("RGB")
            picture = ImageChops.add(picture, grain, scale=1, offset=-122)
        encoded = b""
        for quality in (86, 80, 74, 68):
            out = io.BytesIO()
            picture.save(out, "JPEG", quality=quality, optimize=True, progressive=True)
            encoded = out.getvalue()
            if len(encoded) <= MAX_BYTES:
                break
        return encoded

    def _draw(self) -> ImageDraw.ImageDraw:
        return ImageDraw.Draw(self.image)

    def _x(self, share: float) -> int:
        return round(share * self._size[0])

    def _y(self, share: float) -> int:
        return round(share * self._size[1])


def _colour_at(stops: Sequence[tuple[float, Colour]], place: float) -> Colour:
    for (low, first), (high, second) in itertools.pairwise(stops):
        if place <= high:
            return mix(first, second, (place - low) / (high - low) if high > low else 0)
    return stops[-1][1]
