"""Accessibility faults that axe-core finds on a page that is open in a browser."""

from functools import cache
from pathlib import Path
from typing import Any

import axe_playwright_python
from playwright.sync_api import Page

_FINISH_FADES = """() => document.getAnimations().forEach(one => {
    if (one.effect.getComputedTiming().endTime !== Infinity) one.finish()
})"""
"""Text that fades in has too little contrast until it is all there."""
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def find_axe_violations(page: Page) -> list[str]:
    """Return each violation of WCAG 2.2 AA and of good practice, with the element at fault."""
    return [f"{rule}: {html[:140]}" for rule, html in run_axe(page)]


def run_axe(page: Page) -> list[tuple[str, str]]:
    """Return the violated rule and the HTML of each element at fault. Frames are not looked into."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(_axe_source())
    finish_animations(page)
    options = {"runOnly": {"type": "tag", "values": RULES}, "resultTypes": ["violations"], "iframes": False}
    found: dict[str, Any] = page.evaluate("options => axe.run(document, options)", options)
    return [(violation["id"], node["html"]) for violation in found["violations"] for node in violation["nodes"]]


def finish_animations(page: Page) -> None:
    page.evaluate(_FINISH_FADES)


@cache
def _axe_source() -> str:
    return (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
