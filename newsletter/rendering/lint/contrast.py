"""Check the contrast of text and background, by the colours that each element inherits from inline styles."""

import re
from collections.abc import Iterator

from lxml.html import HtmlElement

from newsletter.common.messages import Message
from newsletter.rendering.colours import MIN_CONTRAST_RATIO, contrast, normalise_colour
from newsletter.rendering.lint.findings import Finding

_HEX = re.compile(r"#[0-9a-fA-F]{3}(?:[0-9a-fA-F]{3})?\b")
_SKIPPED = frozenset({"head", "style", "script", "title"})


def check_contrast(root: HtmlElement) -> Iterator[Finding]:
    """Return one finding for each pair of colours whose contrast is below 4.5."""
    seen: set[tuple[str, str]] = set()
    stack: list[tuple[HtmlElement, str, str]] = [(root, "#000000", "#ffffff")]
    while stack:
        element, ink, ground = stack.pop()
        if not isinstance(element.tag, str) or element.tag in _SKIPPED:
            continue
        style = _declarations(element)
        if style.get("display", "").startswith("none"):
            continue
        ink = _colour(style.get("color", "")) or ink
        back = style.get("background-color") or style.get("background") or element.get("bgcolor") or ""
        ground = _colour(back) or ground
        text = (element.text or "") + "".join(child.tail or "" for child in element)
        if text.strip() and (ink, ground) not in seen and contrast(ink, ground) < MIN_CONTRAST_RATIO:
            seen.add((ink, ground))
            yield Finding(
                "error",
                "contrast",
                Message(
                    "“%(text)s” is hard to read: %(ink)s on %(ground)s has a contrast of %(ink_2)s, and "
                    "%(readable)s is needed. Choose a darker or a lighter colour.",
                    text=" ".join(text.split())[:60],
                    ink=ink,
                    ground=ground,
                    ink_2=f"{contrast(ink, ground):.1f}",
                    readable=MIN_CONTRAST_RATIO,
                ),
            )
        stack.extend((child, ink, ground) for child in reversed(element))


def _declarations(element: HtmlElement) -> dict[str, str]:
    pairs = (part.partition(":") for part in (element.get("style") or "").split(";"))
    return {name.strip().lower(): value.replace("!important", "").strip() for name, _, value in pairs if value}


def _colour(value: str) -> str:
    match = _HEX.search(value)
    return normalise_colour(match.group(), fallback="") if match else ""
