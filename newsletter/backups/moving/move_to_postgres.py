"""Move an installation from SQLite to an empty PostgreSQL database."""

from dataclasses import dataclass
from datetime import UTC, datetime

import dj_database_url
from django.db import connection

from newsletter.backups.errors import BackupError
from newsletter.backups.installation import describe_installation
from newsletter.backups.moving.target_process import fill_in_own_process
from newsletter.backups.schema_state import require_up_to_date
from newsletter.models import RunningProcess
from newsletter.sending.limits.installation_hold import get_installation

WRITE_WAIT_SECONDS = 30.0


@dataclass(frozen=True)
class MovedInstallation:
    """The rows of each table, the same in both databases."""

    rows: dict[str, int]


def move_to_postgres(*, url: str, write_wait: float = WRITE_WAIT_SECONDS) -> MovedInstallation:
    """Raise BackupError if a row cannot be moved or differs afterwards. Then neither database is changed."""
    file = describe_installation().database_file
    if file is None:
        raise BackupError(
            "DATABASE_URL names a PostgreSQL database already. `newsletter move` goes from SQLite to PostgreSQL."
        )
    require_target(url)
    if not file.is_file():
        raise BackupError(
            f"There is no database in {file}, so there is nothing to move. Run the command in the folder of your installation, "
            "which contains its .env, or check DATABASE_URL."
        )
    require_up_to_date()
    now = datetime.now(UTC)
    _require_no_process(now=now)
    get_installation(now=now)
    connection.close()
    return MovedInstallation(fill_in_own_process(file, url=url, write_wait=write_wait))


def _require_no_process(*, now: datetime) -> None:
    """Raise BackupError if a process still uses SQLite: it would go on to keep there what people do after the move."""
    running = RunningProcess.objects.running(now=now).order_by("started_at").first()
    if running:
        raise BackupError(
            f"A process ({', '.join(running.roles)}) still uses the SQLite database, and what people do after the move would be "
            "kept there only. Nothing was moved. Stop `newsletter serve` and every other process, then run this again. If one "
            "was killed, wait a minute first."
        )


def require_target(url: str) -> None:
    """Raise BackupError if it is no address of a PostgreSQL database."""
    try:
        target = dj_database_url.parse(url)
    except (ValueError, KeyError, dj_database_url.UnknownSchemeError) as error:
        raise _no_target() from error
    if target.get("ENGINE") != "django.db.backends.postgresql" or not target.get("NAME"):
        raise _no_target()


def _no_target() -> BackupError:
    return BackupError(
        "--to needs the address of a PostgreSQL database, such as postgresql://newsletter@127.0.0.1/newsletter. "
        "Nothing was moved."
    )
