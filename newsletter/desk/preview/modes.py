"""The choices of the preview panel: which group of recipients, and which part of the mail in which look."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True)
class Mode:
    """One choice of the panel's menu. Its name is ``PART.RECIPIENTS``; modes of one ``group`` are listed together."""

    name: str
    label: str | Promise
    group: str = ""

    @property
    def recipients(self) -> str:
        return self.name.partition(".")[2]


PARTS = (
    ("mail", _("Light mode")),
    ("dark", _("Dark mode (Apple Mail and others)")),
    ("forced", _("Dark mode, inverted colours (Gmail, Outlook)")),
    ("bare", _("Images off")),
    ("text", _("Plain text")),
    ("inbox", _("Inbox row")),
)
PART_NAMES = tuple(name for name, _label in PARTS)
