"""Charts as SVG from the server: no script, readable in both themes, with the numbers in a table.

Colours are classes of the desk's style sheet, never values.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe

WIDTH, HEIGHT = 560, 132
LEFT, RIGHT, TOP, BOTTOM = 8, 8, 12, 6
_MARGIN = 0.12


@dataclass(frozen=True)
class Point:
    """One value and its label, such as a week or a link."""

    label: str
    value: int


def draw_line(points: Sequence[Point], *, title: str, summary: str, unit: str) -> SafeString:
    """Return a line over time, filled below it if its floor is 0.

    ``summary`` describes it in a sentence; ``unit`` heads the numbers, such as “People”.
    """
    low, high = _bounds([point.value for point in points])
    step = (WIDTH - LEFT - RIGHT) / max(len(points) - 1, 1)
    positions = [(LEFT + at * step, _height(point.value, low=low, high=high)) for at, point in enumerate(points)]
    marks = [
        {"x": f"{x:.1f}", "y": f"{y:.1f}", "point": point} for (x, y), point in zip(positions, points, strict=True)
    ]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in positions)
    ground = (
        f"{marks[0]['x']},{HEIGHT - BOTTOM} {line} {marks[-1]['x']},{HEIGHT - BOTTOM}" if marks and low == 0 else ""
    )
    return _draw("line", points, title=title, summary=summary, unit=unit, line=line, ground=ground, marks=marks)


def draw_bars(points: Sequence[Point], *, title: str, summary: str, unit: str) -> SafeString:
    """Return horizontal bars with their labels, for values without an order in time. The longest fills the width."""
    highest = max((point.value for point in points), default=0) or 1
    bars = [{"point": point, "share": f"{100 * point.value / highest:.1f}"} for point in points]
    return _draw("bars", points, title=title, summary=summary, unit=unit, bars=bars)


def _draw(kind: str, points: Sequence[Point], **context: object) -> SafeString:
    sizes = {"width": WIDTH, "height": HEIGHT, "floor": HEIGHT - BOTTOM, "end": WIDTH - RIGHT, "left": LEFT}
    return mark_safe(render_to_string(f"desk/charts/{kind}.html", {"points": points, **sizes, **context}))


def _bounds(values: Sequence[int]) -> tuple[float, float]:
    low, high = min(values, default=0), max(values, default=0)
    margin = max((high - low) * _MARGIN, 1)
    return max(low - margin, 0), high + margin


def _height(value: float, *, low: float, high: float) -> float:
    return HEIGHT - BOTTOM - (value - low) / (high - low) * (HEIGHT - TOP - BOTTOM)
