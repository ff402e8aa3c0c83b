"""Seals an issue that is on its way or has gone out."""

from typing import Any

from django.utils.translation import gettext as _
from wagtail.locks import BaseLock


class SealedLock(BaseLock):
    def for_user(self, user: Any) -> bool:
        return True

    def get_message(self, user: Any) -> str:
        said = {
            "sending": _("is going out now"),
            "sent": _("has gone out"),
            "cancelled": _("was cancelled"),
        }[self.object.state]
        return _("%(object)s %(said)s; what it says cannot be changed any more. You can still look at it.") % {
            "object": self.object,
            "said": said,
        }

    def get_locked_by(self, user: Any) -> str:
        return _("Sealed")

    def get_description(self, user: Any) -> str:
        return _("Nobody can change what was sent.")
