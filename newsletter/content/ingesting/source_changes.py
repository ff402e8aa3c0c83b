"""Decide what the next reading of a source does after its settings were changed."""

from collections.abc import Collection
from datetime import datetime

from newsletter.models import Source

_ADDRESS = frozenset({"kind", "url", "key"})
_RESTARTS = _ADDRESS | {"enabled"}
_DEFAULTS = frozenset({"language", "region", "topics"})


def schedule_changed_source(source: Source, *, changed: Collection[str], now: datetime) -> None:
    """Read a changed source at once and completely. The caller saves the row.

    A corrected address has not failed yet, nor has a source that was off. A changed default also applies to earlier entries.
    """
    if not changed:
        return
    source.due_at = now
    if not _RESTARTS.isdisjoint(changed):
        source.failures, source.failing_since, source.failure_notified_at, source.error = 0, None, None, ""
    if not _ADDRESS.isdisjoint(changed):
        source.last_event_count = None
    if not (_ADDRESS | _DEFAULTS).isdisjoint(changed):
        source.etag = source.last_modified = ""
    if source.pk and not _DEFAULTS.isdisjoint(changed):
        source.stories.update(source_sha256="")
        source.events.update(source_sha256="")
