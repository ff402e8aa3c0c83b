"""The sample pictures of land and water, each one a function that paints one canvas. No people, ever."""

import math

from newsletter.demo.canvas import (
    CREAM,
    EMBER,
    FOAM,
    GOLD,
    INK,
    MIST,
    MOSS,
    RUST,
    SAGE,
    SAND,
    SEA,
    TEAL,
    Canvas,
    Colour,
    mix,
)

DAWN = ((0, (92, 139, 149)), (0.45, (214, 197, 168)), (0.75, (243, 205, 150)), (1, (240, 178, 116)))


def paint_harbour(canvas: Canvas) -> None:
    """Small boats on still water at dawn."""
    canvas.gradient(DAWN, bottom=0.6)
    canvas.glow((0.66, 0.4), radius=0.34, colour=CREAM, strength=0.9)
    canvas.disc((0.66, 0.4), radius=0.05, colour=(255, 241, 211))
    canvas.ridge(canvas.hills(0.48, swing=0.05), colours=(mix(MIST, CREAM, 0.25), mix(MIST, CREAM, 0.5)))
    canvas.ridge(canvas.hills(0.53, swing=0.05, bends=4), colours=(SEA, mix(SEA, MIST, 0.4)))
    canvas.gradient(((0, (226, 190, 146)), (0.3, (140, 166, 163)), (1, TEAL)), top=0.6)
    for row in range(26):
        y = 0.615 + row * 0.0148
        half = 0.035 + canvas.random.random() * 0.05 + row * 0.0018
        shift = (canvas.random.random() - 0.5) * 0.03
        tone = mix((255, 232, 190), SEA, min(row / 24, 0.9))
        canvas.bar(0.66 + shift - half, y, 0.66 + shift + half, y + 0.0055, colour=tone, round_by=0.002)
    for x, y, size, sail in ((0.2, 0.7, 1.0, RUST), (0.36, 0.645, 0.55, SAND), (0.84, 0.78, 1.3, INK)):
        _boat(canvas, x=x, y=y, size=size, sail=sail)


def _boat(canvas: Canvas, *, x: float, y: float, size: float, sail: Colour) -> None:
    w, h = 0.075 * size, 0.19 * size
    canvas.shape(
        [(x - w * 0.1, y), (x + w * 0.1, y), (x - w * 0.2, y + h * 0.5)], colour=mix(TEAL, sail, 0.25), opacity=0.5
    )
    canvas.shape([(x - w * 0.04, y - h), (x - w * 0.04, y - 0.02 * size), (x - w * 0.55, y - 0.02 * size)], colour=sail)
    canvas.shape(
        [(x + w * 0.04, y - h * 0.86), (x + w * 0.04, y - 0.02 * size), (x + w * 0.42, y - 0.02 * size)],
        colour=mix(sail, SAND, 0.35),
    )
    hull = [(x - w * 0.62, y), (x + w * 0.62, y), (x + w * 0.42, y + 0.035 * size), (x - w * 0.44, y + 0.035 * size)]
    canvas.shape(hull, colour=mix(INK, TEAL, 0.3))


def paint_hills(canvas: Canvas) -> None:
    """Layered hills fading into morning mist."""
    canvas.gradient(((0, (172, 204, 204)), (0.35, (242, 226, 194)), (1, (246, 206, 152))))
    canvas.glow((0.3, 0.3), radius=0.26, colour=SAND, strength=0.9)
    canvas.disc((0.3, 0.3), radius=0.045, colour=(255, 250, 236))
    for layer in range(7):
        depth = layer / 6
        top = mix((176, 205, 200), (20, 58, 70), depth**0.9)
        canvas.ridge(
            canvas.hills(0.4 + 0.085 * layer, swing=0.05 + 0.02 * depth, bends=4),
            colours=(top, mix(top, (244, 214, 170), 0.7 * (1 - depth))),
            fade=0.3,
        )


def paint_terraces(canvas: Canvas) -> None:
    """Terraced fields that curve round a hillside."""
    canvas.gradient(DAWN)
    canvas.glow((0.8, 0.24), radius=0.3, colour=CREAM, strength=0.8)
    canvas.disc((0.8, 0.22), radius=0.04, colour=(255, 244, 220))
    canvas.ridge(canvas.hills(0.36, swing=0.07), colours=(MIST, mix(MIST, CREAM, 0.4)))
    tones = (MOSS, SAGE, (164, 170, 112), (92, 122, 92), (196, 184, 118), MOSS, (110, 140, 104))
    for step in range(16):
        base = 0.4 + 0.044 * step + 0.0012 * step * step

        def edge(x: float, base: float = base, step: int = step) -> float:
            return base + 0.16 * (x - 0.42) ** 2 * (1.6 - step / 14) + 0.018 * math.sin(5.2 * x + step * 0.35)

        tone = tones[step % len(tones)]
        canvas.ridge(edge, colours=(mix(tone, CREAM, 0.4), tone), fade=0.09)
        canvas.line([(x / 60, edge(x / 60)) for x in range(61)], width=0.0022, colour=mix(tone, CREAM, 0.65))


def paint_road(canvas: Canvas) -> None:
    """A pale road that winds through hills towards the sun."""
    canvas.gradient(((0, (70, 122, 134)), (0.5, (233, 200, 152)), (1, (236, 160, 98))), bottom=0.6)
    canvas.glow((0.56, 0.42), radius=0.36, colour=CREAM, strength=0.9)
    canvas.disc((0.56, 0.42), radius=0.06, colour=(255, 236, 200))
    canvas.ridge(canvas.hills(0.44, swing=0.05, bends=4), colours=((150, 142, 118), (190, 164, 126)))
    canvas.ridge(lambda x: 0.5 + 0.03 * math.sin(4 * x + 1), colours=(MOSS, (118, 128, 92)), fade=0.5)
    canvas.ridge(lambda x: 0.66 - 0.05 * math.cos(3.2 * x), colours=((58, 88, 76), TEAL), fade=0.4)
    left, right = [], []
    for step in range(121):
        t = step / 120
        y = 1.02 - 0.515 * t
        centre = 0.43 + 0.25 * math.sin(t * 7.2 + 0.5) * (1 - t) ** 1.1 + 0.13 * t
        half = 0.1 * (1 - t) ** 1.7 + 0.0014
        left.append((centre - half, y))
        right.append((centre + half, y))
    canvas.shape(left + right[::-1], colour=(244, 222, 182))
    canvas.line(left, width=0.0016, colour=(214, 178, 128))


def paint_fields(canvas: Canvas) -> None:
    """A patchwork of fields seen from above, with a river."""
    canvas.gradient(((0, MOSS), (1, MOSS)))
    tones = (MOSS, SAGE, (164, 170, 112), GOLD, (210, 190, 132), (96, 126, 94), (190, 128, 74), (222, 206, 158))
    rows, columns = 5, 8
    grid = [
        [
            (
                (column - 0.5) / (columns - 1) + (canvas.random.random() - 0.5) * 0.07 + row * 0.018,
                (row - 0.3) / (rows - 0.6) + (canvas.random.random() - 0.5) * 0.11,
            )
            for column in range(columns + 1)
        ]
        for row in range(rows + 1)
    ]
    for row in range(rows):
        for column in range(columns):
            corners = [grid[row][column], grid[row][column + 1], grid[row + 1][column + 1], grid[row + 1][column]]
            tone = tones[canvas.random.randrange(len(tones))]
            canvas.shape(corners, colour=tone)
            strips = canvas.random.choice((6, 9, 12))
            for strip in range(strips):
                share = (strip + 0.5) / strips
                (ax, ay), (bx, by), (cx, cy), (dx, dy) = corners
                ends = [
                    (ax + (bx - ax) * share, ay + (by - ay) * share),
                    (dx + (cx - dx) * share, dy + (cy - dy) * share),
                ]
                canvas.line(ends, width=0.0022, colour=mix(tone, INK if strip % 2 else SAND, 0.14))
            canvas.line([*corners, corners[0]], width=0.0042, colour=mix(SAND, SAGE, 0.25))
    bank = [(x / 80, 0.62 - 0.3 * (x / 80) + 0.16 * math.sin(x / 80 * 6.5)) for x in range(-4, 86)]
    canvas.line(bank, width=0.062, colour=mix(SAND, GOLD, 0.3))
    canvas.line(bank, width=0.05, colour=SEA)
    canvas.line([(x, y - 0.012) for x, y in bank], width=0.004, colour=MIST)


def paint_river(canvas: Canvas) -> None:
    """A broad river that bends through green and ochre land to a far horizon."""
    canvas.gradient(((0, (120, 164, 170)), (1, (240, 214, 170))), bottom=0.36)
    canvas.ridge(canvas.hills(0.3, swing=0.05, bends=5), colours=(MIST, mix(MIST, CREAM, 0.4)))
    canvas.gradient(((0, (198, 184, 122)), (0.35, SAGE), (1, (52, 84, 74))), top=0.36)
    for band in range(9):
        y = 0.375 + 0.011 * (band + 1) ** 1.82
        tone = mix((206, 176, 108), MOSS, band / 8)

        def edge(x: float, y: float = y, band: int = band) -> float:
            return y + 0.012 * math.sin(x * (9 - band * 0.5) + band * 1.7)

        canvas.ridge(edge, colours=(mix(tone, CREAM, 0.18), tone), fade=0.12)
    left, right = [], []
    for step in range(161):
        t = step / 160
        y = 0.365 + 0.66 * t**1.7
        centre = 0.5 + (0.05 + 0.3 * t) * math.sin(1.5 + t**0.55 * 9.5) * 0.9
        half = 0.006 + 0.16 * t**1.8
        left.append((centre - half, y))
        right.append((centre + half, y))
    canvas.shape(
        [(x - 0.006, y + 0.004) for x, y in left] + [(x + 0.006, y) for x, y in right[::-1]], colour=(228, 206, 158)
    )
    canvas.shape(left + right[::-1], colour=(104, 154, 160))
    middle = [((a + b) / 2, y) for (a, y), (b, _) in zip(left, right, strict=True)]
    inner = [((x + m) / 2, y) for (x, y), (m, _) in zip(left, middle, strict=True)]
    canvas.shape(inner + right[::-1], colour=(124, 172, 174))


def paint_nightsea(canvas: Canvas) -> None:
    """A lighthouse beam over a calm night sea."""
    canvas.gradient(((0, (9, 26, 38)), (0.6, (26, 66, 84)), (1, (90, 122, 122))), bottom=0.66)
    for _ in range(110):
        x, y, size = canvas.random.random(), canvas.random.random() * 0.5, canvas.random.random()
        canvas.disc((x, y), radius=0.0006 + 0.0009 * size, colour=mix((60, 100, 116), SAND, size))
    lamp = (0.248, 0.315)
    for spread, opacity in ((0.17, 0.1), (0.11, 0.14), (0.05, 0.2)):
        canvas.shape([lamp, (1.05, 0.2 - spread), (1.05, 0.2 + spread)], colour=(255, 224, 160), opacity=opacity)
    canvas.glow(lamp, radius=0.13, colour=(255, 226, 160), strength=0.9)
    canvas.gradient(((0, (84, 118, 120)), (0.25, (34, 76, 92)), (1, (10, 30, 42))), top=0.66)
    for row in range(40):
        y = 0.67 + row * 0.0085
        x = canvas.random.random()
        half = 0.02 + canvas.random.random() * 0.09
        canvas.bar(
            x - half, y, x + half, y + 0.0028, colour=mix((112, 146, 146), (14, 38, 50), row / 42), round_by=0.001
        )
    for row in range(14):
        half = 0.012 + canvas.random.random() * 0.03
        canvas.bar(
            0.248 - half,
            0.7 + row * 0.021,
            0.248 + half,
            0.704 + row * 0.021,
            colour=mix(GOLD, TEAL, row / 15),
            round_by=0.002,
        )
    rock = [(-0.02, 0.74), (0.06, 0.66), (0.16, 0.615), (0.3, 0.622), (0.37, 0.67), (0.44, 0.74)]
    canvas.shape(rock, colour=(8, 24, 33))
    canvas.shape([(0.226, 0.63), (0.236, 0.35), (0.26, 0.35), (0.27, 0.63)], colour=SAND)
    for low, high in ((0.42, 0.48), (0.545, 0.605)):
        canvas.shape([(0.233, low), (0.263, low), (0.266, high), (0.23, high)], colour=RUST)
    canvas.bar(0.231, 0.338, 0.265, 0.352, colour=INK)
    canvas.bar(0.239, 0.292, 0.257, 0.34, colour=(255, 238, 196))
    canvas.shape([(0.234, 0.294), (0.248, 0.252), (0.262, 0.294)], colour=RUST)


def paint_furrows(canvas: Canvas) -> None:
    """Furrows that run towards a low golden sun."""
    canvas.gradient(((0, (120, 160, 164)), (0.6, (240, 206, 150)), (1, (244, 176, 98))), bottom=0.42)
    canvas.glow((0.5, 0.4), radius=0.34, colour=CREAM, strength=0.95)
    canvas.disc((0.5, 0.395), radius=0.062, colour=(255, 240, 208))
    canvas.ridge(canvas.hills(0.4, swing=0.02, bends=5), colours=(SAGE, SAGE))
    canvas.gradient(((0, (176, 120, 66)), (1, (92, 50, 30))), top=0.42)
    for furrow in range(-17, 18):
        near, far = 0.5 + furrow * 0.098, 0.5 + furrow * 0.0115
        canvas.shape(
            [(far, 0.42), (far + 0.005, 0.42), (near + 0.045, 1), (near, 1)],
            colour=mix((226, 166, 96), (140, 82, 46), min(abs(furrow) / 15, 1)),
        )
        canvas.shape(
            [(far + 0.001, 0.42), (far + 0.0022, 0.42), (near + 0.02, 1), (near + 0.004, 1)], colour=(86, 120, 82)
        )


def paint_waves(canvas: Canvas) -> None:
    """Rows of overlapping waves, as on a printed cloth."""
    canvas.grain = False
    canvas.gradient(((0, FOAM), (1, FOAM)))
    radius = 0.1667
    for row in range(-1, 9):
        y = row * 0.165 + 0.02
        depth = max(row, 0) / 8
        for column in range(-1, 5):
            x = column * radius * 2 + (radius if row % 2 else 0)
            heart = GOLD if (row * 3 + column) % 5 == 0 else EMBER
            for ring, tone in enumerate((TEAL, SAND, SEA, SAND, MIST, SAND, heart)):
                shade = mix(SAND, MIST, 0.35 * depth) if tone is SAND else mix(tone, INK, 0.32 * depth)
                canvas.disc((x, y + 0.296), radius=radius * (1 - 0.138 * ring), colour=shade)
