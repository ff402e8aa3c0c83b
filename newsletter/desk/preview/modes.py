"""The choices of the preview panel: as which readers, and as what: in light, in dark, without pictures, as text."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True)
class Mode:
    """One choice of the panel's menu; modes of one ``group`` stand together. Its name is ``PART.READERS``."""

    name: str
    label: str | Promise
    group: str = ""

    @property
    def readers(self) -> str:
        return self.name.partition(".")[2]


PARTS = (
    ("mail", _("Mail, light")),
    ("dark", _("Mail, dark (Apple Mail and others)")),
    ("forced", _("Mail, colours turned round (Gmail, Outlook)")),
    ("bare", _("Mail, pictures off")),
    ("text", _("Plain text")),
    ("inbox", _("Inbox row")),
)
PART_NAMES = tuple(name for name, _label in PARTS)
