"""Measure how long `newsletter send --now` takes from its start to its first call at the provider."""

import os
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import quote, urlencode

from django.conf import settings
from django.db import connection, connections

from newsletter.bench.audience import make_approved_issue, make_audience
from newsletter.bench.errors import NotMeasured
from newsletter.bench.provider import ANSWER
from newsletter.bench.serving.own_commands import make_environment, run_command

PEOPLE = 1_500


def measure_first_call() -> tuple[float, float]:
    """Send an issue to 1,500 people. Return the seconds until the first call began, and the processor time of the command."""
    with serve_calls() as (endpoint, calls), TemporaryDirectory(prefix="newsletter-first-call-") as folder:
        settings.NEWSLETTER_PROVIDER_URL = f"mailgun://bench@news.example.org?endpoint={endpoint}&max_batch=1000"
        issue = make_approved_issue(make_audience(PEOPLE))
        environment = {
            **make_environment(Path(folder)),
            "DATABASE_URL": make_database_url(connection.settings_dict),
            "NEWSLETTER_PROVIDER_URL": settings.NEWSLETTER_PROVIDER_URL,
            "NEWSLETTER_SECRET_KEY": settings.SECRET_KEY,
            "NEWSLETTER_ADDRESS_KEY": settings.SUBSCRIBERS_ADDRESS_KEY,
        }
        connections.close_all()
        started, before = time.perf_counter(), os.times()
        run_command("send", str(issue.pk), "--now", environment=environment, folder=Path(folder))
        after = os.times()
    if not calls:
        raise NotMeasured("newsletter send --now ended without a call to the provider, so there is no figure for it.")
    processor = after.children_user + after.children_system - before.children_user - before.children_system
    return calls[0] - started, processor


@contextmanager
def serve_calls() -> Iterator[tuple[str, list[float]]]:
    """Run a provider that accepts every call. Yield its address, and the moments in which calls began."""
    calls: list[float] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            calls.append(time.perf_counter())
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(ANSWER)))
            self.end_headers()
            self.wfile.write(ANSWER)

        def log_message(self, *_message: object) -> None:
            """Write nothing: standard error is for errors of the measurement."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}", calls
        finally:
            server.shutdown()


def make_database_url(database: Mapping[str, Any]) -> str:
    """Return the DATABASE_URL of Django's settings of a database. Names and passwords may have any characters."""
    if "sqlite" in database["ENGINE"]:
        return f"sqlite:///{quote(os.path.abspath(database['NAME']))}"
    user, password, host = (quote(str(database[part]), safe="") for part in ("USER", "PASSWORD", "HOST"))
    port = f":{database['PORT']}" if database["PORT"] else ""
    options = urlencode(database.get("OPTIONS", {}))
    return f"postgres://{user}:{password}@{host}{port}/{quote(database['NAME'], safe='')}" + (
        f"?{options}" if options else ""
    )
