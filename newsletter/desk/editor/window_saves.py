"""Order the saves of one open editor: a repeated save is no conflict, and one that ends late overwrites nothing newer.

The browser names its window and numbers its saves. If no answer comes, it saves again under the next number, and does not
know the version that its earlier save may have made. So each version records the save that made it.
"""

from typing import NamedTuple, Self

from django.http import QueryDict
from wagtail.models import Revision

_KEY = "editor_save"  # no column of an issue has this name


class WindowSave(NamedTuple):
    """A save of the editor. ``window`` is random, and ``number`` rises with each save of the window."""

    window: str
    number: int

    @classmethod
    def from_form(cls, data: QueryDict) -> Self | None:
        window, number = data.get("editor_window", ""), data.get("save_number", "")
        return cls(window[:32], int(number)) if window and number.isdecimal() and len(number) < 10 else None

    def find_earlier(self, latest: Revision | None) -> Self | None:
        """Return the save that made the latest version, if it was one of the same window."""
        window, number = (latest.content.get(_KEY) if latest else None) or ("", 0)
        return type(self)(window, number) if window == self.window else None

    def record(self, revision: Revision) -> None:
        revision.content = {**revision.content, _KEY: list(self)}
        Revision.objects.filter(pk=revision.pk).update(content=revision.content)
