"""Wait for a database that another process prepares, such as `newsletter migrate` or the start of `newsletter web`."""

import logging
from collections.abc import Callable

from django.db import connection

from newsletter.monitoring.readiness import NOT_MIGRATED, UNREACHABLE, Readiness, check_readiness

log = logging.getLogger(__name__)
CHECK_SECONDS = 2.0
_WAITS_FOR = {NOT_MIGRATED.code, UNREACHABLE.code}
"""What a process that waits may find. While tables are changed, the database may not answer in time."""


def wait_until_prepared(
    wait_or_stop: Callable[[float], bool], *, check: Callable[[], Readiness] = check_readiness
) -> bool:
    """Wait until the database has the tables of this version. Return False if the process has to stop before.

    ``wait_or_stop`` waits so many seconds and returns True once the process has to stop. The log names the missing step once.
    """
    found = check()
    if found.code != NOT_MIGRATED.code:
        return True
    log.warning(
        "The database is not prepared for this version, so this process does nothing yet. Run: newsletter migrate. The start of "
        "`newsletter web` or `newsletter serve` prepares it too. Then this process goes on by itself."
    )
    while found.code in _WAITS_FOR:
        connection.close()
        if wait_or_stop(CHECK_SECONDS):
            return False
        found = check()
    return True
