"""The base of all commands: errors become one line, `--json` output is one document, a new database is prepared."""

import os
from collections.abc import Callable, Iterable
from importlib.metadata import version
from pathlib import Path
from typing import IO, cast

import orjson
from django.conf import settings
from django.core.management import CommandError, call_command
from django.core.management.base import BaseCommand
from django.db import (
    DatabaseError,
    InterfaceError,
    NotSupportedError,
    OperationalError,
    ProgrammingError,
    connection,
)
from rich.console import Console
from rich.table import Column, Table

from newsletter.common.database.error_codes import (
    describe_cause,
    is_damaged,
    is_disk_full,
    is_locked,
    is_read_only,
    is_refused_by_disk,
    is_statement_refused,
    is_table_missing,
)
from newsletter.common.errors import DomainError

DATABASE_ERRORS = (OperationalError, ProgrammingError, InterfaceError, NotSupportedError)
"""The errors that `explain_database_error` explains. Others are defects of the program."""
_DJANGO_OPTIONS = {
    "--version",
    "--verbosity",
    "--settings",
    "--pythonpath",
    "--traceback",
    "--no-color",
    "--force-color",
    "--skip-checks",
}
_SQLITE_PAGE_BYTES = 4096
_WIDTH_WITHOUT_TERMINAL = 1_000
_DJANGO_VALUES = {option.strip("-").replace("-", "_") for option in _DJANGO_OPTIONS} | {"stdout", "stderr"}


def describe_version() -> str:
    return f"newsletter {version('newsletter')}"


class ProductCommand(BaseCommand):
    """A command of the product. Subclasses write `run`, and `add_arguments` if they take any.

    `run` takes the command's own options by name, and raises DomainError for an error that a person can act on.
    """

    requires_system_checks: list[str] = []
    suppressed_base_arguments = _DJANGO_OPTIONS
    run: Callable[..., None]

    def get_version(self) -> str:
        """Return what `--version` prints after any command: our version, not Django's."""
        return describe_version()

    def handle(self, *args: object, **options: object) -> None:
        try:
            self.run(**{name: value for name, value in options.items() if name not in _DJANGO_VALUES})
        except DomainError as error:
            raise CommandError(str(error)) from error
        except DATABASE_ERRORS as error:
            raise CommandError(explain_database_error(error)) from error

    def write_json(self, document: object) -> None:
        """Write one indented JSON document with a final line break."""
        text = orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS, default=str)
        self.stdout.write(text.decode())

    def console(self, *, soft_wrap: bool = False) -> Console:
        """Return the console for tables and styled lines; plain if standard output is no terminal.

        A file or a pipe has no width, so nothing is wrapped there. Square brackets are text: staff and feeds write them.
        """
        out = cast(IO[str], self.stdout)
        width = None if out.isatty() or os.environ.get("COLUMNS") else _WIDTH_WITHOUT_TERMINAL
        return Console(file=out, width=width, highlight=False, markup=False, soft_wrap=soft_wrap)

    def write_lines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.stdout.write(line)


def make_table(*headers: str, title: str | None = None, whole: Iterable[str] = ()) -> Table:
    """Return a table without lines that loses no letter in a narrow terminal. It never breaks the columns ``whole``."""
    columns = (Column(header, no_wrap=header in whole, overflow="fold") for header in headers)
    return Table(*columns, title=title, title_justify="left", box=None)


def describe_start() -> str:
    """Return one line that names the settings of the process, so that a start in the wrong folder is noticed."""
    file = settings.ENV.env_file
    read = f"Settings: {file}" if file else f"Settings: environment variables only (no .env in {Path.cwd()})"
    return f"{read}. Data: {settings.NEWSLETTER_DATA_DIR}. {_describe_recipients()}."


def _describe_recipients() -> str:
    if settings.NEWSLETTER_PRODUCTION:
        return "Production"
    if settings.SUBSCRIBERS_ONLY_TO:
        return f"Not production: only {', '.join(settings.SUBSCRIBERS_ONLY_TO)} is mailed"
    return "Not production: no real mail is sent"


def prepare_new_database() -> bool:
    """Create the tables if the database is an empty SQLite file. Return True if it was."""
    if connection.vendor != "sqlite" or connection.introspection.table_names():
        return False
    call_command("migrate", verbosity=0, interactive=False)
    return True


def _is_without_tables(file: Path) -> bool:
    """Return True for an SQLite file that this command made. Its first page lists the tables, and each needs one more."""
    return file.is_file() and file.stat().st_size <= _SQLITE_PAGE_BYTES


def _name_unwritable(file: Path | None) -> str:
    """Return a sentence that names what this user may not write of an SQLite database: its folder, or one of its files."""
    if file is None:
        return ""
    paths = (file.parent, file, *(file.with_name(f"{file.name}{end}") for end in ("-wal", "-shm", "-journal")))
    refused = [str(path) for path in paths if path.exists() and not os.access(path, os.W_OK)]
    return f" This user may not write {', '.join(refused)}." if refused else ""


def describe_missing_data(file: Path, *, note: str = "") -> str:
    """Return what to do if the database is not there yet. ``note`` is a further clause, such as one about the settings file."""
    return (
        f"There are no data in {file} yet{note}. Nothing was done. If your installation is elsewhere, run the command in its "
        "folder, which contains its .env. If it is new, run: newsletter setup"
    )


REPAIR_READ_ONLY = (
    "If its disk is full, make it larger. If it is a standby, let DATABASE_URL name the server that takes changes."
)
"""What to do if PostgreSQL takes no changes."""
REPAIR_TOO_OLD = "Upgrade the server, or let DATABASE_URL name a newer one."
"""What to do if Django does not support so old a PostgreSQL."""


def explain_database_error(error: DatabaseError | InterfaceError) -> str:
    """Return one line that says why a database cannot be used, and what to do."""
    cause = describe_cause(error)
    file = settings.NEWSLETTER_DATABASE_FILE
    if file is not None and (
        (is_table_missing(error) and _is_without_tables(file))
        or (is_refused_by_disk(error) and not file.exists() and not _name_unwritable(file))
    ):
        return describe_missing_data(file)
    if is_table_missing(error):
        return f"The database is not prepared for this version ({cause}). Run: newsletter migrate"
    if is_locked(error):
        return "The database is busy with another command. Wait for it to finish, then run this again."
    if is_refused_by_disk(error):
        return (
            f"The database {file} cannot be written: {cause}.{_name_unwritable(file)} Run the command as the user who owns it. "
            "Let that user write its folder, the file, and the files that begin with its name."
        )
    if is_disk_full(error):
        return f"The database {file} cannot be written: {cause}. Free some disk space, then run this again."
    if is_damaged(error):
        return f"{file} is damaged, or no SQLite database: {cause}. Check DATABASE_URL, or restore a backup."
    if isinstance(error, NotSupportedError):
        return f"{cause}. Nothing was done. {REPAIR_TOO_OLD}"
    if is_read_only(error):
        return f"PostgreSQL takes no changes: {cause}. The command did not finish. {REPAIR_READ_ONLY}"
    if is_statement_refused(error):
        return (
            f"The database works, but it refused a step of this command: {cause}. The command did not finish. Run it "
            "again. If it fails again, report this message to the program's developers."
        )
    return f"The database cannot be used: {cause}. Check DATABASE_URL, and that the database runs."
