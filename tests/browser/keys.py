"""Going about a page as somebody does who has no mouse."""

from playwright.sync_api import Locator

MOST_STEPS = 400


def tab_to(target: Locator, *, key: str = "Tab") -> None:
    """Press Tab, or Shift+Tab, until the target has the focus. Fails where that never gets there."""
    page = target.page
    target.wait_for()
    for _ in range(MOST_STEPS):
        if target.evaluate("element => element === document.activeElement"):
            return
        page.keyboard.press(key)
    raise AssertionError(f"{key} does not reach {target}.")


def press(target: Locator, *, key: str = "Tab") -> None:
    """Follow a link, push a button: Tab to it, then Enter."""
    tab_to(target, key=key)
    target.page.keyboard.press("Enter")


def tick(target: Locator) -> None:
    """Tick a box that is not ticked yet."""
    tab_to(target)
    if not target.is_checked():
        target.page.keyboard.press("Space")


def type_over(target: Locator, text: str) -> None:
    """Write anew what stands in a field, key by key: an editor takes a moment before it sees that something changed."""
    tab_to(target)
    target.page.keyboard.press("ControlOrMeta+a")
    target.page.keyboard.type(text, delay=30)
