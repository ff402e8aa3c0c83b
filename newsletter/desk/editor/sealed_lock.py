"""The lock of an issue that was sent, is being sent or was cancelled."""

from django.utils.translation import gettext as _
from wagtail.locks import BaseLock


class SealedLock(BaseLock):
    def for_user(self, user: object) -> bool:
        return True

    def get_message(self, user: object) -> str:
        text = {
            "sending": _("%(issue)s is being sent, so its content cannot be changed. You can still view it."),
            "sent": _("%(issue)s has been sent, so its content cannot be changed. You can still view it."),
            "cancelled": _("%(issue)s was cancelled, so its content cannot be changed. You can still view it."),
        }[self.object.state]
        return text % {"issue": self.object}

    def get_locked_by(self, user: object) -> str:
        return _("Read-only")

    def get_description(self, user: object) -> str:
        return _("Content that was sent cannot be changed.")
