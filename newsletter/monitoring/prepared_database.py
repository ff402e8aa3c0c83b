"""Wait for a database that starts later, or that another process prepares: `newsletter migrate` or `newsletter web`."""

import logging
from collections.abc import Callable

from django.db import connection

from newsletter.monitoring.readiness import NOT_MIGRATED, UNREACHABLE, Readiness, check_readiness

log = logging.getLogger(__name__)
CHECK_SECONDS = 2.0
_LOGGED = {
    NOT_MIGRATED.code: (
        "The database is not prepared for this version, so this process does nothing yet. Run: newsletter migrate. The start of "
        "`newsletter web` or `newsletter serve` prepares it too. Then this process goes on by itself."
    ),
    UNREACHABLE.code: (
        "The database does not answer, so this process does nothing yet. Check that it runs, and DATABASE_URL. Once it answers, "
        "this process goes on by itself."
    ),
}
"""What a process that waits says of what it finds."""


def wait_until_prepared(
    wait_or_stop: Callable[[float], bool], *, check: Callable[[], Readiness] = check_readiness
) -> bool:
    """Wait until the database answers and has the tables of this version. Return False if the process has to stop before.

    ``wait_or_stop`` waits so many seconds and returns True once the process has to stop. The log names each missing step once.
    """
    said: set[str] = set()
    while (found := check()).code in _LOGGED:
        # While tables are changed, the database may not answer in time. That is not worth a second line.
        if not said or (found.code == NOT_MIGRATED.code and found.code not in said):
            log.warning(_LOGGED[found.code])
        said.add(found.code)
        connection.close()
        if wait_or_stop(CHECK_SECONDS):
            return False
    return True
