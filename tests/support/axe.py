"""What axe-core finds on a page that is open in a browser."""

from functools import cache
from pathlib import Path
from typing import Any

import axe_playwright_python
from playwright.sync_api import Page

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def find_axe_violations(page: Page) -> list[str]:
    """Each violation of WCAG 2.2 AA and of good practice, with the element at fault."""
    page.evaluate(_axe_source())
    options = {"runOnly": {"type": "tag", "values": RULES}}
    found: dict[str, Any] = page.evaluate("options => axe.run(document, options)", options)
    return [
        f"{violation['id']}: {node['html'][:140]}" for violation in found["violations"] for node in violation["nodes"]
    ]


@cache
def _axe_source() -> str:
    return (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
