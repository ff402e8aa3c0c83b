"""One thing on Home that waits for a person, and how a long list of them is shortened."""

from dataclasses import dataclass
from typing import Literal

from django.utils.translation import gettext as _

MAX_TASKS_PER_KIND = 3


@dataclass(frozen=True)
class Task:
    """``url`` is "" if no page of the desk helps; then there is no link.

    ``done_url`` is "", or gets a POST from a second button that says that the person has done it. Its field ``seen`` says
    what the page showed them.
    """

    title: str
    detail: str
    url: str
    button: str
    tone: Literal["urgent", "waits", "calm"] = "waits"
    done_url: str = ""
    done_button: str = ""
    seen: str = ""


def shorten(tasks: list[Task], *, list_url: str) -> list[Task]:
    """Return the first tasks of one kind, and one more that links to the list if there are many."""
    more = len(tasks) - MAX_TASKS_PER_KIND
    if more <= 1:
        return tasks
    rest = Task(
        title=_("%(more)s more of this kind") % {"more": more},
        detail=_("The list shows all of them."),
        url=list_url,
        button=_("Open the list"),
        tone="urgent" if tasks[0].tone == "urgent" else "calm",
    )
    return [*tasks[:MAX_TASKS_PER_KIND], rest]
