"""Change a mail as mail programs and readers do: styles removed, inverted, enlarged, printed.

Each reading is a name, what is done to the HTML, and how the page is opened.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from playwright.sync_api import Page

_STYLE = re.compile(r"<style[^>]*>.*?</style>", re.DOTALL)
_MEDIA_STYLE = re.compile(r"<style[^>]*\bmedia=[^>]*>.*?</style>", re.DOTALL)
_AT_MEDIA = re.compile(r"@media[^{]*\{(?:[^{}]*\{[^{}]*\})*\s*\}")
_CLASSES = re.compile(r"\bclass=(\"[^\"]*\"|'[^']*')")
_CLASS_SELECTOR = re.compile(r"\.(?=[A-Za-z_-])([\w-]+)(?=[^{}]*\{)")
_PREFIX = "m_42"
# The page as a whole, with pictures turned back, as apps do that make any mail dark.
_INVERT_ALL = (
    "html { filter: invert(1) hue-rotate(180deg); background: #fff } img { filter: invert(1) hue-rotate(180deg) }"
)
# Light grounds become dark and dark ink light, one element at a time; what is dark already stays.
_INVERT_LIGHT = """() => {
  const numbers = colour => (colour.match(/[\\d.]+/g) || []).map(Number);
  const lightness = ([r, g, b]) => (0.299 * r + 0.587 * g + 0.114 * b) / 255;
  const turned = ([r, g, b]) => {
    const high = Math.max(r, g, b), low = Math.min(r, g, b), add = 255 - high - low;
    return `rgb(${r + add}, ${g + add}, ${b + add})`;
  };
  const changes = [];
  for (const element of document.querySelectorAll('*')) {
    const style = getComputedStyle(element), ground = numbers(style.backgroundColor), ink = numbers(style.color);
    if ((ground.length < 4 || ground[3] > 0) && ground.length && lightness(ground) > 0.5)
      changes.push([element, 'background-color', turned(ground)]);
    if (lightness(ink) < 0.5) changes.push([element, 'color', turned(ink)]);
  }
  changes.forEach(([element, name, value]) => element.style.setProperty(name, value, 'important'));
  document.documentElement.style.background = '#111';
}"""
_DOUBLE_TEXT = """() => {
  const sizes = [...document.querySelectorAll('*')].map(element => [element, parseFloat(getComputedStyle(element).fontSize),
    getComputedStyle(element).lineHeight]);
  for (const [element, size, line] of sizes) {
    element.style.setProperty('font-size', `${2 * size}px`, 'important');
    if (line.endsWith('px')) element.style.setProperty('line-height', `${2 * parseFloat(line)}px`, 'important');
  }
}"""


def _leave(html: str) -> str:
    return html


def _do_nothing(_page: Page) -> None: ...


@dataclass(frozen=True)
class Reading:
    """``change`` is done to the HTML, ``prepare`` to the open page. ``media`` is emulated as Playwright names it."""

    change: Callable[[str], str] = _leave
    prepare: Callable[[Page], None] = _do_nothing
    width: int = 375
    pictures: bool = True
    media: dict[str, str] = field(default_factory=dict)


def remove_styles(html: str) -> str:
    """Return the mail as the Gmail app shows it for accounts of other providers."""
    return _STYLE.sub("", html)


def remove_media_queries(html: str) -> str:
    return _AT_MEDIA.sub("", _MEDIA_STYLE.sub("", html))


def rename_classes(html: str) -> str:
    """Return the mail with a prefix before each class, in the styles too, as Gmail writes them. The page still matches."""
    renamed = _CLASSES.sub(lambda match: f'class="{_prefix_all(match[1][1:-1])}"', html)
    return _STYLE.sub(lambda match: _CLASS_SELECTOR.sub(rf".{_PREFIX}\1", match[0]), renamed)


def _prefix_all(classes: str) -> str:
    return " ".join(f"{_PREFIX}{name}" for name in classes.split())


def _invert_all(page: Page) -> None:
    page.add_style_tag(content=_INVERT_ALL)


def _invert_light(page: Page) -> None:
    page.evaluate(_INVERT_LIGHT)


def _double_text(page: Page) -> None:
    page.evaluate(_DOUBLE_TEXT)


READINGS = {
    "no-styles": Reading(change=remove_styles),
    "no-media-queries": Reading(change=remove_media_queries),
    "renamed-classes": Reading(change=rename_classes),
    "no-pictures": Reading(pictures=False),
    "double-text": Reading(prepare=_double_text),
    "narrow": Reading(width=320),
    "forced-colours": Reading(media={"forced_colors": "active", "color_scheme": "dark"}),
    "print": Reading(width=640, media={"media": "print"}),
    "partly-inverted": Reading(change=remove_media_queries, prepare=_invert_light),
    "inverted": Reading(change=remove_media_queries, prepare=_invert_all),
}
"""Each way of reading, by its name."""
