"""The progress of an import or of its undoing, for the bar on its page."""

from dataclasses import dataclass

from django.contrib.humanize.templatetags.humanize import intcomma
from django.utils.translation import ngettext

from subscribers.models import ImportBatch, ImportState


@dataclass(frozen=True)
class Progress:
    """The progress of an import. `progress.js` reloads the page when `version` changes."""

    done: int
    total: int
    count: str
    version: str
    note: str = ""


def measure_progress(batch: ImportBatch) -> Progress:
    lines = max(batch.lines - 1, batch.rows_done, 1)
    if batch.state == ImportState.UNDOING:
        undone = batch.counts.get("undone", {})
        done = sum(int(undone.get(name, 0)) for name in ("removed", "ended", "lifted"))
        lines = max(sum(int(batch.counts.get(name, 0)) for name in ("new", "newly_suppressed")), done, 1)
        text = ngettext("%(done)s of %(lines)s person", "%(done)s of %(lines)s people", lines)
    else:
        done = batch.rows_done
        text = ngettext("%(done)s of %(lines)s line", "%(done)s of %(lines)s lines", lines)
    return Progress(done, lines, text % {"done": intcomma(done), "lines": intcomma(lines)}, batch.state)
