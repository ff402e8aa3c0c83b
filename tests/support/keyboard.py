"""Keyboard-only use of a page."""

from datetime import datetime

from playwright.sync_api import Locator

MOST_STEPS = 400
ORDERS = (("%m%d%Y", "%I%M%p"), ("%d%m%Y", "%H%M"))
"""The parts of a date and a time as browsers ask for them: in American English, and elsewhere."""


def tab_to(target: Locator, *, key: str = "Tab") -> None:
    """Press Tab, or Shift+Tab, until the target has the focus. Fail if it never gets it."""
    page = target.page
    target.wait_for()
    for _ in range(MOST_STEPS):
        if target.evaluate("element => element === document.activeElement"):
            return
        page.keyboard.press(key)
    raise AssertionError(f"{key} does not reach {target}.")


def press(target: Locator, *, key: str = "Tab") -> None:
    """Tab to a link or button and press Enter."""
    tab_to(target, key=key)
    target.page.keyboard.press("Enter")


def tick(target: Locator) -> None:
    """Check a box that is unchecked, or choose a radio button with the arrow keys."""
    if target.get_attribute("type") == "radio":
        _choose(target)
        return
    tab_to(target)
    if not target.is_checked():
        target.page.keyboard.press("Space")


def type_over(target: Locator, text: str) -> None:
    """Replace the text of a field key by key: an editor needs a moment to notice a change."""
    tab_to(target)
    target.page.keyboard.press("ControlOrMeta+a")
    target.page.keyboard.type(text, delay=30)


def type_moment(target: Locator, text: str) -> None:
    """Type a date and time, such as 2026-03-05T18:00, part by part in the order in which the browser has them."""
    tab_to(target)
    press, moment = target.page.keyboard.press, datetime.fromisoformat(text)
    for date, time in ORDERS:
        target.page.keyboard.type(f"{moment:{date}}")
        press("ArrowRight")  # a year may have six digits, so the browser waits for more
        target.page.keyboard.type(f"{moment:{time}}")
        if target.input_value() == text:
            return
        for _ in range(len("mdYHMp")):
            press("ArrowLeft")
    raise AssertionError(f"The keyboard does not type {text} into {target}.")


def _choose(target: Locator) -> None:
    page, name = target.page, target.get_attribute("name")
    for _ in range(MOST_STEPS):
        if target.is_checked():
            return
        in_group = page.evaluate("name => document.activeElement.name === name", name)
        page.keyboard.press("ArrowDown" if in_group else "Tab")
    raise AssertionError(f"The keyboard does not choose {target}.")
