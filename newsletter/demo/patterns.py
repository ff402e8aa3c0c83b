"""The sample pictures of buildings and patterns, each one a function that paints one canvas. No people, ever."""

import math

from newsletter.demo.canvas import CREAM, EMBER, FOAM, GOLD, INK, MIST, RUST, SAGE, SAND, SEA, TEAL, Canvas, Colour, mix


def paint_doorway(canvas: Canvas) -> None:
    """Light that falls through an open door across a warm wall and floor."""
    canvas.gradient(((0, (150, 62, 30)), (1, (190, 92, 46))), bottom=0.74)
    canvas.gradient(((0, (96, 46, 32)), (1, (58, 32, 30))), top=0.74)
    canvas.shape([(0.36, 0.74), (0.52, 0.74), (0.98, 1.02), (0.4, 1.02)], colour=(250, 205, 140), opacity=0.9)
    canvas.shape([(0.52, 0.2), (0.52, 0.74), (0.8, 0.74), (0.8, 0.34)], colour=(255, 208, 140), opacity=0.16)
    canvas.wedge((0.44, 0.3), radius=0.094, start=180, end=360, colour=(96, 40, 26))
    canvas.bar(0.346, 0.29, 0.534, 0.74, colour=(96, 40, 26))
    canvas.wedge((0.44, 0.31), radius=0.08, start=180, end=360, colour=(255, 238, 204))
    canvas.bar(0.36, 0.3, 0.52, 0.74, colour=(255, 238, 204))
    canvas.glow((0.44, 0.5), radius=0.3, colour=(255, 226, 172), strength=0.55)
    canvas.shape([(0.36, 0.61), (0.42, 0.55), (0.48, 0.585), (0.52, 0.56), (0.52, 0.74), (0.36, 0.74)], colour=MIST)
    canvas.shape([(0.36, 0.67), (0.44, 0.63), (0.52, 0.66), (0.52, 0.74), (0.36, 0.74)], colour=SEA)
    canvas.disc((0.465, 0.44), radius=0.021, colour=GOLD)
    canvas.shape([(0.36, 0.2), (0.27, 0.25), (0.27, 0.84), (0.36, 0.74)], colour=TEAL)
    for low, high in ((0.31, 0.5), (0.56, 0.74)):
        canvas.shape(
            [(0.345, low), (0.286, low + 0.025), (0.286, high + 0.05), (0.345, high)], colour=mix(TEAL, SEA, 0.45)
        )
    canvas.disc((0.349, 0.535), radius=0.005, colour=GOLD)
    canvas.bar(0.66, 0.62, 0.74, 0.76, colour=(72, 34, 26), round_by=0.006)
    for angle in (-62, -38, -16, 8, 30, 54):
        tip = (0.7 + 0.085 * math.sin(math.radians(angle)), 0.62 - 0.27 * math.cos(math.radians(angle)))
        middle = ((0.7 + tip[0]) / 2, (0.62 + tip[1]) / 2 - 0.02)
        canvas.shape(
            [(0.7, 0.63), (middle[0] - 0.013, middle[1]), tip, (middle[0] + 0.013, middle[1])],
            colour=mix(SAGE, TEAL, 0.35 + angle / 160),
        )


def paint_arches(canvas: Canvas) -> None:
    """A row of stone arches with long evening shadows."""
    canvas.gradient(((0, (243, 205, 150)), (1, (233, 168, 106))))
    canvas.bar(0, 0.12, 1, 0.8, colour=(226, 186, 138))
    canvas.bar(0, 0.12, 1, 0.165, colour=(244, 216, 172))
    canvas.bar(0, 0.175, 1, 0.186, colour=(190, 138, 92))
    canvas.gradient(((0, (206, 150, 98)), (1, (150, 94, 60))), top=0.8)
    for arch in range(-1, 6):
        x = 0.04 + arch * 0.205
        canvas.wedge((x + 0.08, 0.45), radius=0.094, start=180, end=360, colour=(244, 216, 172))
        canvas.wedge((x + 0.08, 0.45), radius=0.08, start=180, end=360, colour=TEAL)
        canvas.bar(x, 0.45, x + 0.16, 0.8, colour=TEAL)
        canvas.wedge((x + 0.095, 0.47), radius=0.065, start=180, end=360, colour=(40, 92, 106))
        canvas.bar(x + 0.03, 0.47, x + 0.16, 0.8, colour=(40, 92, 106))
        canvas.shape([(x + 0.05, 0.8), (x + 0.16, 0.66), (x + 0.16, 0.8)], colour=(222, 162, 104), opacity=0.55)
        canvas.bar(x + 0.163, 0.44, x + 0.202, 0.456, colour=(190, 138, 92))
        canvas.shape(
            [(x + 0.16, 0.8), (x + 0.205, 0.8), (x - 0.1, 1.02), (x - 0.19, 1.02)], colour=(98, 58, 44), opacity=0.75
        )
        canvas.bar(x + 0.163, 0.46, x + 0.174, 0.8, colour=(200, 152, 104))
    canvas.glow((0.95, 0.2), radius=0.4, colour=CREAM, strength=0.5)


def paint_windows(canvas: Canvas) -> None:
    """A row of gabled houses at dusk, with lit windows."""
    canvas.gradient(((0, (17, 44, 58)), (0.55, (62, 104, 114)), (1, (222, 150, 98))), bottom=0.85)
    canvas.disc((0.83, 0.2), radius=0.03, colour=SAND)
    canvas.disc((0.843, 0.187), radius=0.026, colour=(30, 62, 76))
    tones: tuple[Colour, ...] = (TEAL, (122, 58, 36), (34, 76, 88), (88, 70, 60), RUST, (28, 60, 72), (104, 84, 66))
    x = -0.02
    for house in range(8):
        width = 0.115 + canvas.random.random() * 0.04
        top = 0.36 + canvas.random.random() * 0.13
        tone = mix(tones[house % len(tones)], INK, 0.18)
        canvas.shape(
            [(x, top), (x + width / 2, top - 0.14), (x + width, top), (x + width, 0.86), (x, 0.86)], colour=tone
        )
        canvas.shape(
            [(x, top), (x + width / 2, top - 0.14), (x + width / 2, 0.86), (x, 0.86)], colour=mix(tone, SAND, 0.07)
        )
        canvas.bar(x + width * 0.72, top - 0.15, x + width * 0.82, top - 0.03, colour=mix(tone, INK, 0.3))
        for row in range(4):
            for column in range(2):
                left, high = x + width * (0.2 + 0.36 * column), top + 0.05 + row * 0.105
                lit = canvas.random.random() < 0.62
                pane = mix(GOLD, CREAM, canvas.random.random()) if lit else mix(tone, INK, 0.45)
                canvas.bar(left, high, left + width * 0.24, high + 0.066, colour=pane, round_by=0.0016)
                canvas.line(
                    [(left + width * 0.12, high), (left + width * 0.12, high + 0.066)], width=0.0016, colour=tone
                )
        x += width + 0.004
    canvas.glow((0.45, 0.7), radius=0.5, colour=(255, 206, 130), strength=0.22)
    canvas.gradient(((0, (26, 54, 64)), (1, INK)), top=0.86)
    for _ in range(46):
        left, y = canvas.random.random(), 0.875 + canvas.random.random() * 0.115
        tone = mix((196, 146, 84), INK, canvas.random.random() * 0.7)
        canvas.bar(left, y, left + 0.012 + canvas.random.random() * 0.03, y + 0.004, colour=tone, round_by=0.001)


def paint_lanterns(canvas: Canvas) -> None:
    """Rows of warm lanterns on strings against a deep blue evening."""
    canvas.gradient(((0, (12, 34, 47)), (0.6, (25, 66, 82)), (1, (72, 104, 106))))
    canvas.ridge(canvas.hills(0.84, swing=0.06, bends=4), colours=((22, 54, 66), (15, 42, 54)))
    canvas.ridge(canvas.hills(0.92, swing=0.05, bends=4), colours=((12, 36, 46), (9, 28, 37)))
    for string, (left, right, count, size) in enumerate(
        ((0.06, 0.2, 9, 0.62), (0.3, 0.1, 7, 0.85), (0.36, 0.5, 6, 1.15))
    ):

        def sag(x: float, left: float = left, right: float = right) -> float:
            return left + (right - left) * x + 0.2 * x * (1 - x)

        canvas.line([(x / 50, sag(x / 50)) for x in range(-1, 52)], width=0.0016, colour=(98, 122, 120))
        for lantern in range(count):
            x = (lantern + 0.5 + (string % 2) * 0.2) / count
            _lantern(
                canvas, x=x, y=sag(x), size=size, tone=(GOLD, EMBER, CREAM, (226, 140, 74))[(lantern + string) % 4]
            )


def _lantern(canvas: Canvas, *, x: float, y: float, size: float, tone: Colour) -> None:
    w, h = 0.026 * size, 0.115 * size
    canvas.line([(x, y), (x, y + 0.03 * size)], width=0.0014, colour=(98, 122, 120))
    top = y + 0.03 * size
    canvas.glow((x, top + h / 2), radius=0.1 * size, colour=(255, 200, 120), strength=0.5)
    belly = [(x + w * math.sin(math.pi * (0.16 + 0.68 * t / 20)), top + h * t / 20) for t in range(21)]
    canvas.shape(belly + [(2 * x - px, py) for px, py in belly[::-1]], colour=tone)
    core = [(x + (px - x) * 0.5, py) for px, py in belly]
    canvas.shape(core + [(2 * x - px, py) for px, py in core[::-1]], colour=mix(tone, (255, 246, 220), 0.5))
    for rib in range(1, 5):
        px, py = belly[rib * 4]
        canvas.line([(2 * x - px, py), (px, py)], width=0.0009, colour=mix(tone, RUST, 0.45))
    canvas.bar(x - w * 0.5, top - 0.006, x + w * 0.5, top + 0.008, colour=(60, 42, 34))
    canvas.bar(x - w * 0.5, top + h - 0.008, x + w * 0.5, top + h + 0.006, colour=(60, 42, 34))


def paint_mosaic(canvas: Canvas) -> None:
    """A mosaic of quarter circles."""
    canvas.grain = False
    grounds: tuple[Colour, ...] = (TEAL, SAND, SEA, FOAM, EMBER, (226, 209, 178), INK, GOLD)
    columns, rows = 8, 5
    side, tall = 1 / columns, 1 / 4.5
    for row in range(rows):
        for column in range(columns):
            ground = grounds[canvas.random.randrange(len(grounds))]
            figure = canvas.random.choice(
                [tone for tone in (TEAL, SAND, GOLD, EMBER, MIST, RUST) if _differs(tone, ground)]
            )
            left, top = column * side, row * tall
            canvas.bar(left, top, left + side + 0.001, top + tall + 0.001, colour=ground)
            turn = canvas.random.randrange(4)
            corner = ((left, top), (left + side, top), (left + side, top + tall), (left, top + tall))[turn]
            start = (0, 90, 180, 270)[turn]
            canvas.wedge(corner, radius=side * 0.985, start=start, end=start + 90, colour=figure)
            if canvas.random.random() < 0.5:
                canvas.wedge(corner, radius=side * 0.56, start=start, end=start + 90, colour=ground)


def _differs(one: Colour, other: Colour) -> bool:
    return sum(abs(a - b) for a, b in zip(one, other, strict=True)) > 150


def paint_columns(canvas: Canvas) -> None:
    """Tall columns in warm light against a deep teal sky."""
    canvas.gradient(((0, (16, 52, 66)), (0.7, (64, 118, 126)), (1, (206, 186, 146))))
    canvas.glow((0.12, 0.75), radius=0.5, colour=CREAM, strength=0.75)
    canvas.shape([(0.2, 0.2), (0.61, -0.1), (1.02, 0.2)], colour=(226, 196, 150))
    canvas.shape([(0.31, 0.17), (0.61, -0.05), (0.91, 0.17)], colour=(188, 146, 102))
    canvas.bar(0.19, 0.2, 1.02, 0.27, colour=(246, 224, 184))
    canvas.bar(0.19, 0.255, 1.02, 0.27, colour=(190, 148, 104))
    canvas.bar(0.225, 0.27, 1.02, 0.82, colour=(48, 84, 92))
    for column in range(6):
        left, width = 0.235 + column * 0.138, 0.066
        canvas.shape(
            [(left + width, 0.32), (left + width + 0.05, 0.32), (left + width + 0.05, 0.82), (left + width, 0.82)],
            colour=(28, 62, 72),
            opacity=0.7,
        )
        for flute in range(9):
            share = flute / 8
            tone = mix((255, 240, 210), (166, 112, 74), share**0.85)
            canvas.bar(
                left + width * flute / 9,
                0.3,
                left + width * (flute + 1) / 9 + 0.0005,
                0.8,
                colour=mix(tone, RUST, 0.06 * (flute % 2)),
            )
        canvas.bar(left - 0.011, 0.27, left + width + 0.011, 0.305, colour=(246, 224, 184), round_by=0.003)
        canvas.bar(left - 0.011, 0.79, left + width + 0.011, 0.825, colour=(236, 206, 160), round_by=0.003)
    for step in range(5):
        left = 0.17 - step * 0.035
        canvas.bar(
            left, 0.82 + step * 0.042, 1.02, 0.87 + step * 0.042, colour=mix((250, 228, 190), (150, 100, 68), step / 5)
        )
        canvas.bar(
            left, 0.855 + step * 0.042, 1.02, 0.864 + step * 0.042, colour=mix((176, 128, 88), (96, 62, 48), step / 5)
        )


def paint_skyline(canvas: Canvas) -> None:
    """A city skyline of simple shapes under an orange evening sky."""
    canvas.gradient(((0, (47, 96, 110)), (0.5, (226, 176, 122)), (1, (226, 118, 62))), bottom=0.9)
    canvas.glow((0.68, 0.34), radius=0.36, colour=CREAM, strength=0.8)
    canvas.disc((0.68, 0.33), radius=0.07, colour=(255, 226, 178))
    for layer, (tone, low, high, step) in enumerate(
        (((196, 132, 92), 0.46, 0.64, 0.05), ((112, 88, 84), 0.42, 0.68, 0.07), (INK, 0.52, 0.78, 0.09))
    ):
        x = -0.02
        while x < 1.02:
            width = step * (0.6 + canvas.random.random() * 0.7)
            top = low + canvas.random.random() * (high - low)
            canvas.bar(x, top, x + width, 1.01, colour=tone)
            if canvas.random.random() < 0.3:
                canvas.shape([(x, top + 0.001), (x + width, top + 0.001), (x + width, top - 0.06)], colour=tone)
            if canvas.random.random() < 0.25:
                canvas.bar(x + width * 0.47, top - 0.09, x + width * 0.53, top, colour=tone)
            if layer == 2:
                _light_windows(canvas, left=x, right=x + width, top=top)
            x += width + (0.004 if layer == 2 else 0)


def _light_windows(canvas: Canvas, *, left: float, right: float, top: float) -> None:
    y = top + 0.035
    while y < 0.97:
        x = left + 0.009
        while x < right - 0.014:
            if canvas.random.random() < 0.34:
                canvas.bar(x, y, x + 0.0065, y + 0.018, colour=mix(GOLD, CREAM, canvas.random.random() * 0.7))
            x += 0.0125
        y += 0.038


def paint_woven(canvas: Canvas) -> None:
    """Woven bands, over and under."""
    canvas.grain = False
    canvas.gradient(((0, INK), (1, INK)))
    across: tuple[Colour, ...] = (EMBER, SAND, GOLD, RUST, FOAM)
    down: tuple[Colour, ...] = (TEAL, MIST, SEA, (34, 84, 98), SAGE)
    side, tall = 1 / 14, 1 / 7.875
    for row in range(9):
        for column in range(15):
            horizontal = (row + column) % 2 == 0
            tone = across[(row * 2) % 5] if horizontal else down[(column * 3) % 5]
            left, top = (column - 0.4) * side, (row - 0.4) * tall
            canvas.bar(left, top, left + side, top + tall, colour=mix(tone, INK, 0.62))
            if horizontal:
                box = (left - side * 0.06, top + tall * 0.1, left + side * 1.06, top + tall * 0.9)
            else:
                box = (left + side * 0.1, top - tall * 0.06, left + side * 0.9, top + tall * 1.06)
            canvas.bar(*box, colour=tone, round_by=0.01)
            for thread in range(1, 5):
                share = thread / 5
                if horizontal:
                    y = box[1] + (box[3] - box[1]) * share
                    ends = [(box[0] + 0.006, y), (box[2] - 0.006, y)]
                else:
                    x = box[0] + (box[2] - box[0]) * share
                    ends = [(x, box[1] + 0.01), (x, box[3] - 0.01)]
                canvas.line(ends, width=0.0016, colour=mix(tone, INK if thread % 2 else SAND, 0.2))


def paint_bridge(canvas: Canvas) -> None:
    """A stone bridge and its reflection in quiet water."""
    canvas.gradient(((0, (152, 184, 184)), (0.7, (238, 218, 182)), (1, (244, 204, 156))), bottom=0.6)
    canvas.glow((0.24, 0.34), radius=0.26, colour=SAND, strength=0.9)
    canvas.ridge(canvas.hills(0.42, swing=0.07, bends=4), colours=((150, 178, 170), (206, 204, 178)))
    canvas.ridge(canvas.hills(0.51, swing=0.04, bends=4), colours=((104, 138, 126), (160, 170, 144)))
    water = 0.62
    canvas.gradient(((0, (214, 198, 164)), (0.4, (120, 156, 156)), (1, (40, 84, 96))), top=water)
    for mirror in (True, False):
        _span(canvas, water=water, mirror=mirror)
    for _ in range(70):
        y = water + 0.012 + canvas.random.random() ** 1.3 * 0.36
        x, half = canvas.random.random(), 0.01 + canvas.random.random() * 0.05
        tone = mix((236, 214, 176), (64, 110, 120), (y - water) / 0.38)
        canvas.bar(x - half, y, x + half, y + 0.0036, colour=tone, round_by=0.001)


def _span(canvas: Canvas, *, water: float, mirror: bool) -> None:
    def place(y: float) -> float:
        return water + (water - y) * 0.72 if mirror else y

    stone, shade, cap = (
        ((84, 98, 96), (112, 146, 146), (100, 112, 106)) if mirror else ((126, 84, 58), (218, 204, 170), (176, 126, 86))
    )
    deck = [(x / 60, 0.43 - 0.06 * math.sin(math.pi * x / 60)) for x in range(61)]
    canvas.shape([(x, place(y)) for x, y in deck] + [(1, water), (0, water)], colour=stone)
    canvas.shape([(x, place(y)) for x, y in deck] + [(x, place(y + 0.026)) for x, y in deck[::-1]], colour=cap)
    for middle, half, rise in ((0.14, 0.09, 0.115), (0.37, 0.105, 0.165), (0.63, 0.105, 0.165), (0.86, 0.09, 0.115)):
        for grow, tone in ((1.13, cap), (1.0, shade)):
            arc = [
                (
                    middle - half * grow * math.cos(math.pi * t / 40),
                    place(water - rise * grow * math.sin(math.pi * t / 40)),
                )
                for t in range(41)
            ]
            canvas.shape(arc, colour=tone)
