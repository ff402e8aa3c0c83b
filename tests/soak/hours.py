"""The readers' hours of a soak: they come one after the other, as the rows have it, and no call is made before its hour."""

import time
from datetime import UTC, datetime

from tests.soak.checks import Facts, key_of
from tests.support.fake_provider import FakeProvider
from tests.support.processes import Installation


class Hours:
    """The hours that are still to come. ``came`` counts those that `come` let begin."""

    def __init__(self, here: Installation) -> None:
        self._here = here
        self._came_at: dict[str, float] = {}
        self.came = 0

    def come(self) -> None:
        """Let the next hour begin, if the mails of every hour before it were sent."""
        now = datetime.now(UTC)
        waiting = self._here.query(
            "SELECT due_at, COUNT(*) FROM newsletter_batch WHERE state = 'pending' GROUP BY due_at"
        )
        hours = sorted(str(due_at) for due_at, _ in waiting if due_at is not None)
        if not hours or _parse(hours[0]) <= now:
            return
        batches = self._here.query(
            "SELECT id, key, due_at FROM newsletter_batch WHERE state = 'pending' AND due_at IS NOT NULL"
        )
        of_hour = [(int(pk), str(key)) for pk, key, due_at in batches if str(due_at) == hours[0]]
        ids = ",".join(str(pk) for pk, _ in of_hour)
        self._came_at |= dict.fromkeys((key for _, key in of_hour), time.time())
        self._here.query(f"UPDATE newsletter_batch SET due_at = ? WHERE id IN ({ids})", str(now))
        self.came += 1

    def check(self, provider: FakeProvider, facts: Facts) -> None:
        """Assert that no call was made before its hour, but by a worker whose clock was wrong."""
        early = [
            entry.number
            for entry in provider.accepted()
            if (key := key_of(entry)) in self._came_at
            and entry.at < self._came_at[key]
            and not facts.is_for_a_person(key)
        ]
        assert not early, f"{len(early)} calls were made before the hour of their readers"


def _parse(moment: str) -> datetime:
    parsed = datetime.fromisoformat(moment)
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
