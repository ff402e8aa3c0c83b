"""Run the product's web server in its own process, on the connected database."""

import multiprocessing
import os
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TypedDict

from django.conf import settings
from django.db import connection

from newsletter.bench.errors import NotMeasured
from subscribers.links.signed_links import link_keys

READY_SECONDS = 60
STOP_SECONDS = 20


class _Setup(TypedDict):
    database: dict[str, object]
    port: int
    keys: Sequence[str]
    journal: Path


@contextmanager
def serve_web() -> Iterator[int]:
    """Start the server and yield its port. Raise NotMeasured if it does not start."""
    port = find_free_port()
    ours, theirs = multiprocessing.Pipe(duplex=False)
    database = {key: value for key, value in connection.settings_dict.items() if key != "TEST"}
    journal = settings.NEWSLETTER_DATA_DIR / "left.journal"  # not the journal of real people
    setup: _Setup = {"database": database, "port": port, "keys": link_keys(), "journal": journal}
    process = multiprocessing.get_context("spawn").Process(target=_work, args=(theirs, setup), daemon=True)
    process.start()
    theirs.close()
    try:
        if not _is_ready(ours):
            raise NotMeasured("The measured web server did not start.")
        yield port
    finally:
        process.terminate()
        process.join(STOP_SECONDS)
        process.kill()


def find_free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _is_ready(pipe: Connection) -> bool:
    try:
        return pipe.poll(READY_SECONDS) and pipe.recv() == "ready"
    except EOFError:
        return False


def _work(pipe: Connection, setup: _Setup) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "newsletter.project.settings")
    import django

    django.setup()
    connection.settings_dict.update(setup["database"])
    settings.SUBSCRIBERS_LINK_KEYS = setup["keys"]
    settings.SUBSCRIBERS_JOURNAL = setup["journal"]
    settings.ALLOWED_HOSTS = ["*"]

    from newsletter.management.server import Server

    Server(host="127.0.0.1", port=setup["port"], started=lambda: pipe.send("ready"), stopping=lambda: True).run()
