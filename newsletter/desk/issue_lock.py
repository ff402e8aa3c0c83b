"""Seals an issue that is on its way or has gone out."""

from typing import Any

from wagtail.locks import BaseLock


class SealedLock(BaseLock):
    def for_user(self, user: Any) -> bool:
        return True

    def get_message(self, user: Any) -> str:
        said = {
            "sending": "is going out now",
            "sent": "has gone out",
            "cancelled": "was cancelled",
        }[self.object.state]
        return f"{self.object} {said}; what it says cannot be changed any more. You can still look at it."

    def get_locked_by(self, user: Any) -> str:
        return "Sealed"

    def get_description(self, user: Any) -> str:
        return "Nobody can change what was sent."
