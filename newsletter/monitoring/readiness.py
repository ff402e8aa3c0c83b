"""Decide whether this process can serve: the database answers, has this version's tables, and belongs to this address key.

A process may wait for a database that starts later, or that `newsletter migrate` or `newsletter web` prepares.
"""

import hmac
import logging
from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings
from django.db import Error, connection

from newsletter.common.database.deadlines import database_deadline, is_database_unavailable
from newsletter.common.database.missing_migrations import list_missing_migrations
from newsletter.models import Installation
from newsletter.monitoring.shared_check import SharedCheck
from newsletter.sending.limits.installation_hold import hash_address_key

DATABASE_SECONDS = 2.0
ANSWER_SECONDS = 3.0
KEEP_SECONDS = 2.0
log = logging.getLogger(__name__)
CHECK_SECONDS = 2.0


@dataclass(frozen=True)
class Readiness:
    """``code`` is "ready", or names what is wrong. ``message`` is for people."""

    code: str
    message: str

    @property
    def ready(self) -> bool:
        return self.code == READY.code


READY = Readiness("ready", "The database answers, its tables are those of this version, and the keys belong to it.")
UNREACHABLE = Readiness(
    "database_unreachable",
    "The database does not answer, so no page works. Check that it runs, and DATABASE_URL.",
)
NOT_MIGRATED = Readiness(
    "migrations_missing",
    "The database lacks changes of its tables that this version needs, so pages may fail. Run: newsletter migrate",
)
OTHER_KEY = Readiness(
    "address_key_differs",
    "The database belongs to an installation with another NEWSLETTER_ADDRESS_KEY, so this process would not recognise who "
    "unsubscribed. It sends nothing and stores nobody. Set the key that belongs to it, and restart.",
)


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


def check_readiness() -> Readiness:
    """Ask the database. The answer takes no longer than the database's deadline for public pages on PostgreSQL."""
    try:
        with database_deadline(DATABASE_SECONDS):
            if list_missing_migrations():
                return NOT_MIGRATED
            owner = Installation.objects.filter(pk=1).values_list("address_key_hash", flat=True).first()
    except Error as error:
        return UNREACHABLE if is_database_unavailable(error) else NOT_MIGRATED
    own_hash = hash_address_key(settings.SUBSCRIBERS_ADDRESS_KEY)
    return READY if owner is None or hmac.compare_digest(owner, own_hash) else OTHER_KEY


_shared = SharedCheck(check_readiness, keep_seconds=KEEP_SECONDS)


def get_readiness() -> Readiness:
    """Return the readiness of the last two seconds. A database that does not answer in time counts as unreachable."""
    return _shared.get(within=ANSWER_SECONDS) or UNREACHABLE


def wait_until_prepared(
    wait_or_stop: Callable[[float], bool], *, check: Callable[[], Readiness] = check_readiness
) -> bool:
    """Wait until the database answers and has the tables of this version. Return False if the process has to stop before.

    ``wait_or_stop`` waits so many seconds and returns True once the process has to stop. The log names each missing step once,
    and another address key.
    """
    logged_codes: set[str] = set()
    while (readiness := check()).code in _LOGGED:
        # While tables are changed, the database may not answer in time. That is not worth a second line.
        if not logged_codes or (readiness.code == NOT_MIGRATED.code and readiness.code not in logged_codes):
            log.warning(_LOGGED[readiness.code])
        logged_codes.add(readiness.code)
        connection.close()
        if wait_or_stop(CHECK_SECONDS):
            return False
    log_other_key(readiness)
    return True


def log_other_key(readiness: Readiness) -> None:
    """Log it at the start of a process: pages open, but nothing is sent and nobody is stored."""
    if readiness.code == OTHER_KEY.code:
        log.warning(OTHER_KEY.message)
