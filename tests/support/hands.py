"""Two ways to use a page: by mouse and by keyboard alone."""

from typing import Protocol

from playwright.sync_api import Locator

from tests.support import keyboard


class Hand(Protocol):
    """Use a control as a person does."""

    def press(self, target: Locator) -> None: ...
    def write(self, target: Locator, text: str) -> None: ...
    def tick(self, target: Locator) -> None: ...


class Mouse:
    def press(self, target: Locator) -> None:
        target.click()

    def write(self, target: Locator, text: str) -> None:
        target.fill(text)

    def tick(self, target: Locator) -> None:
        target.check()


class Keyboard:
    """Tab, Space, Enter and letters. It fails if a control cannot be reached."""

    def press(self, target: Locator) -> None:
        keyboard.press(target)

    def write(self, target: Locator, text: str) -> None:
        if target.get_attribute("type") == "datetime-local":
            keyboard.type_moment(target, text)
            return
        keyboard.tab_to(target)
        target.page.keyboard.press("ControlOrMeta+a")
        target.page.keyboard.type(text)

    def tick(self, target: Locator) -> None:
        keyboard.tick(target)
