"""Charts as SVG made by the server: no script, readable in both themes, with the numbers in words for those who do not see them.

Colours are classes of the desk's style sheet, never values.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe

WIDTH, HEIGHT = 560, 132
LEFT, RIGHT, TOP, BOTTOM = 8, 8, 12, 6
_MARGIN = 0.12


@dataclass(frozen=True)
class Point:
    """One value with the words that name it, such as a week or a link."""

    label: str
    value: int


def draw_line(points: Sequence[Point], *, title: str, summary: str, unit: str) -> SafeString:
    """A line over time. ``summary`` says in one sentence what it shows; ``unit`` heads the numbers ("people").

    The numbers follow in a table that can be opened.
    """
    low, high = _bounds([point.value for point in points])
    step = (WIDTH - LEFT - RIGHT) / max(len(points) - 1, 1)
    places = [(LEFT + at * step, _height(point.value, low=low, high=high)) for at, point in enumerate(points)]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    ground = f"{places[0][0]:.1f},{HEIGHT - BOTTOM} {line} {places[-1][0]:.1f},{HEIGHT - BOTTOM}" if places else ""
    marks = [{"x": f"{x:.1f}", "y": f"{y:.1f}", "point": point} for (x, y), point in zip(places, points, strict=True)]
    return _draw("line", points, title=title, summary=summary, unit=unit, line=line, ground=ground, marks=marks)


def draw_bars(points: Sequence[Point], *, title: str, summary: str, unit: str) -> SafeString:
    """Bars beside their words, the longest the full width: for what has no order in time, such as links."""
    most = max((point.value for point in points), default=0) or 1
    bars = [{"point": point, "share": f"{100 * point.value / most:.1f}"} for point in points]
    return _draw("bars", points, title=title, summary=summary, unit=unit, bars=bars)


def _draw(kind: str, points: Sequence[Point], **context: Any) -> SafeString:
    sizes = {"width": WIDTH, "height": HEIGHT, "floor": HEIGHT - BOTTOM, "end": WIDTH - RIGHT, "left": LEFT}
    return mark_safe(render_to_string(f"desk/charts/{kind}.html", {"points": points, **sizes, **context}))


def _bounds(values: Sequence[int]) -> tuple[float, float]:
    low, high = min(values, default=0), max(values, default=0)
    room = max((high - low) * _MARGIN, 1)
    return max(low - room, 0), high + room


def _height(value: float, *, low: float, high: float) -> float:
    return HEIGHT - BOTTOM - (value - low) / (high - low) * (HEIGHT - TOP - BOTTOM)
