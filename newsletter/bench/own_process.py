"""Run one measurement in its own process and temporary database, so that it shares no memory or rows with another."""

import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from importlib import import_module
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread

from django.conf import settings
from django.db import connection, connections

from newsletter.bench.errors import NotMeasured

MAX_SECONDS = 3600
_INTERRUPTED = 130


def give_keys_to_children() -> None:
    """Let the processes that this one starts use its keys: in a folder without an installation they would create some."""
    os.environ["NEWSLETTER_SECRET_KEY"] = settings.SECRET_KEY
    os.environ["NEWSLETTER_ADDRESS_KEY"] = settings.SUBSCRIBERS_ADDRESS_KEY


def measure_in_own_process(measure: Callable[..., object], **options: object) -> dict[str, object]:
    """Return the figures of a measurement as plain data, with its ``database``.

    Raise NotMeasured if the process died or took longer than an hour. Its own output is on standard error.
    """
    ours, theirs = multiprocessing.Pipe(duplex=False)
    name = (measure.__module__, measure.__name__)
    process = multiprocessing.get_context("spawn").Process(target=_measure, args=(theirs, name, options))
    process.start()
    theirs.close()
    try:
        if not ours.poll(MAX_SECONDS):
            raise NotMeasured(f"{measure.__name__} took longer than an hour.")
        figures: dict[str, object] = ours.recv()
        return figures
    except EOFError as error:
        raise NotMeasured(f"{measure.__name__} did not finish; the reason is above.") from error
    finally:
        process.join(30)
        process.kill()


def _measure(pipe: Connection, name: tuple[str, str], options: dict[str, object]) -> None:
    end_with_parent()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "newsletter.project.settings")
    import django

    django.setup()

    module, function = name
    with without_traceback(), temporary_database() as database:
        figures = getattr(import_module(module), function)(**options)
        plain = asdict(figures) if is_dataclass(figures) and not isinstance(figures, type) else figures
        pipe.send({"database": database, **plain})


@contextmanager
def without_traceback() -> Iterator[None]:
    """End this process with the reason of a refusal, or silently after Ctrl-C. Both happen outside the program."""
    try:
        yield
    except NotMeasured as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)


def end_with_parent() -> None:
    """Interrupt this process when its parent is gone. The interruption deletes the temporary database."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it

    def wait() -> None:
        parent.join()
        os.kill(os.getpid(), signal.SIGINT)

    Thread(target=wait, daemon=True).start()


@contextmanager
def temporary_database() -> Iterator[str]:
    """Create a migrated, empty database, connect to it and drop it afterwards. Yield its kind and version."""
    with TemporaryDirectory(prefix="newsletter-bench-") as folder:
        before = connection.settings_dict["NAME"]
        name = str(Path(folder) / "bench.sqlite3") if connection.vendor == "sqlite" else f"{before}_bench"
        _run_elsewhere(_create_database, name)
        connections.close_all()
        settings.DATABASES["default"]["NAME"] = connection.settings_dict["NAME"] = name
        data_dir, settings.NEWSLETTER_DATA_DIR = settings.NEWSLETTER_DATA_DIR, Path(folder)
        try:
            yield _describe_database()
        finally:
            settings.NEWSLETTER_DATA_DIR = data_dir
            connections.close_all()
            connection.creation.destroy_test_db(str(before), verbosity=0)


def _run_elsewhere(create: Callable[[str], None], name: str) -> None:
    """Call this in a process of its own: migrations load 55 MB, which are no part of what is measured."""
    process = multiprocessing.get_context("spawn").Process(target=create, args=(name,))
    process.start()
    process.join()
    if process.exitcode:
        raise NotMeasured(
            "The temporary database could not be made; the reason is above. On PostgreSQL, the user of DATABASE_URL needs the "
            "right to create databases: ALTER ROLE the_user CREATEDB."
        )


def _create_database(name: str) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "newsletter.project.settings")
    import django

    django.setup()

    connection.settings_dict.setdefault("TEST", {})["NAME"] = name
    with without_traceback():
        connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    connections.close_all()


def _describe_database() -> str:
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            version = cursor.execute("SELECT sqlite_version()").fetchone()[0]
            return f"SQLite {version}"
        cursor.execute("SHOW server_version")
        return f"PostgreSQL {cursor.fetchone()[0].split()[0]}"
