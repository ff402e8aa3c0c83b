"""Put the whole load on one installation and print what every page did: `python -m benchmarks.load`."""

import os
import subprocess
import sys
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import orjson
import requests

from benchmarks.load.figures import LoadFigures, MemoryFigures, SendFigures, read_moments, read_pages, write_figures
from benchmarks.provider import Provider, serve_provider
from benchmarks.tools.base import NotMeasured, plain_environment
from newsletter.bench.serving.own_commands import stop_process
from newsletter.bench.serving.process_tree import read_memory_mb
from newsletter.bench.serving.web import find_free_port

_DATABASE = "NEWSLETTER_TEST_DATABASE_URL"
"""The database that `tests.support.postgres` starts."""
_LOCUST = Path(sys.executable).parents[1] / "load/bin/python"
"""`make load` installs it there, from `requirements/load.txt`."""
_PROJECT = Path(__file__).parents[2]
_PROVIDER_LATENCY = 0.15
_PERSON = "person"
"""How the addresses of the audience begin. Staff get mails about the send, too."""
_SHARE_OF_SEND, _START_AT = 0.6, 0.2
_SAMPLE_SECONDS = 5
_READY_SECONDS, _PREPARE_SECONDS, _SEND_SECONDS = 120, 3600, 600


def main() -> int:
    parser = ArgumentParser(prog="python -m benchmarks.load", description="Staff, readers and a send at once.")
    parser.add_argument("--people", type=int, default=1_000_000, help="how many people get the issue")
    parser.add_argument("--staff", type=int, default=20, help="how many people walk the desk")
    parser.add_argument("--readers", type=int, default=500, help="how many people open public pages")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument(
        "--apart", action="store_true", help="run web, scheduler and worker each in a process of its own"
    )
    given = parser.parse_args()
    if given.apart and _DATABASE not in os.environ:
        parser.error(
            "--apart needs PostgreSQL. Run it under: python -m tests.support.postgres_if_installed --as-recommended"
        )
    with TemporaryDirectory(prefix="newsletter-load-") as folder, serve_provider(latency=_PROVIDER_LATENCY) as provider:
        figures = measure(given, Path(folder), provider)
    sys.stdout.write(write_figures(figures, arguments=sys.argv[1:]))
    return int(figures.has_errors)


def measure(given: Namespace, folder: Path, provider: Provider) -> LoadFigures:
    """Fill an installation, serve it and let the visitors in. Raise NotMeasured if one of these does not work."""
    port, seconds = find_free_port(), given.minutes * 60
    environment = _make_environment(folder, provider, port=port, per_second=given.people / seconds / _SHARE_OF_SEND)
    if given.apart:
        environment["NEWSLETTER_ENGINE"] = "procrastinate"
    visits = folder / "visits.json"
    if not _LOCUST.exists():
        raise NotMeasured(f"Locust is not installed in {_LOCUST.parents[1]}. Run `make load`, which installs it.")
    prepare = [sys.executable, "-m", "benchmarks.load.installation", str(visits), str(given.people), str(given.staff)]
    run_command(prepare, environment, seconds=_PREPARE_SECONDS)
    with _serve(folder, environment, port=port, apart=given.apart) as servers:
        before = round(sum(_read_memory(servers)), 1)
        during = {}
        with _walk(given, folder, port=port, seconds=seconds) as walking:
            began = time.monotonic()
            while walking.poll() is None:
                during[time.monotonic() - began] = round(sum(_read_memory(servers)), 1)
                time.sleep(_SAMPLE_SECONDS)
        if not during:
            raise NotMeasured("Locust ended at once. Its messages are above.")
        send = _wait_for_send(environment, provider, issue=orjson.loads(visits.read_bytes())["issue"])
        end = _read_memory(servers)
    return LoadFigures(
        database=_describe_database(environment),
        pages=read_pages(folder / "load_stats.csv"),
        moments=read_moments(folder / "answers.csv"),
        left_out=orjson.loads(visits.read_bytes())["left_out"],
        visitors_failed=bool(walking.returncode),
        send=send,
        memory=MemoryFigures(before, during, end),
    )


def _read_memory(servers: "list[subprocess.Popen[bytes]]") -> list[float]:
    return [megabytes for server in servers for megabytes in read_server_memory(server.pid)]


def read_server_memory(server: int) -> list[float]:
    """Return the MB of the server and of each process that it started, the largest first. Raise NotMeasured if it has ended."""
    processes = read_memory_mb(server)
    if not processes:
        raise NotMeasured("The server ended during the measurement, so there is no figure of its memory.")
    return [round(one, 1) for one in processes]


def _make_environment(folder: Path, provider: Provider, *, port: int, per_second: float) -> dict[str, str]:
    limit = f"people_per_second={max(round(per_second), 1)}"
    database = os.environ.get(_DATABASE)
    return {
        **plain_environment(),
        "NEWSLETTER_DATA_DIR": str(folder / "data"),
        "NEWSLETTER_SITE_URL": f"http://127.0.0.1:{port}",
        "NEWSLETTER_TRUSTED_PROXIES": "127.0.0.1",
        "NEWSLETTER_PROVIDER_URL": f"mailgun://bench@news.example.org?endpoint={provider.url}&{limit}",
        **({"DATABASE_URL": database} if database else {}),
    }


@contextmanager
def _serve(
    folder: Path, environment: dict[str, str], *, port: int, apart: bool
) -> "Iterator[list[subprocess.Popen[bytes]]]":
    cli, listen = [sys.executable, "-m", "newsletter.project.cli"], ["--port", str(port)]
    commands = [["web", *listen], ["scheduler"], ["worker"]] if apart else [["serve", *listen]]
    with (folder / "serve.log").open("wb") as output:
        servers = [
            subprocess.Popen([*cli, *command], env=environment, stdout=output, stderr=output) for command in commands
        ]
    try:
        end = time.monotonic() + _READY_SECONDS
        while not _answers(port):
            if any(server.poll() is not None for server in servers) or time.monotonic() > end:
                raise NotMeasured(f"The server did not start: {(folder / 'serve.log').read_text()[-2000:]}")
            time.sleep(0.2)
        yield servers
    finally:
        for server in servers:
            stop_process(server)


def _answers(port: int) -> bool:
    try:
        return requests.get(f"http://127.0.0.1:{port}/admin/login/", timeout=_READY_SECONDS).ok
    except requests.ConnectionError:
        return False


@contextmanager
def _walk(given: Namespace, folder: Path, *, port: int, seconds: float) -> "Iterator[subprocess.Popen[bytes]]":
    """Start the visitors, a tenth of them each second. They end with the block."""
    visitors = given.staff + given.readers
    options = {
        "--locustfile": str(Path(__file__).parent / "walk.py"),
        "--host": f"http://127.0.0.1:{port}",
        "--users": str(visitors),
        "--spawn-rate": str(max(visitors / 10, 1)),
        "--run-time": f"{round(seconds)}s",
        "--stop-timeout": "30s",
        "--csv": str(folder / "load"),
        "--loglevel": "WARNING",
    }
    environment = {
        **plain_environment(),
        "LOAD_VISITS": str(folder / "visits.json"),
        "LOAD_READERS": str(given.readers),
        "LOAD_ANSWERS": str(folder / "answers.csv"),
        "LOAD_START": str(seconds * _START_AT),
    }
    command = [str(_LOCUST), "-m", "locust", "--headless", "--only-summary"]
    command += [word for option in options.items() for word in option]
    locust = subprocess.Popen(command, env=environment, cwd=_PROJECT, stdout=sys.stderr)
    try:
        yield locust
    finally:
        stop_process(locust)


def _wait_for_send(environment: dict[str, str], provider: Provider, *, issue: int) -> SendFigures:
    """Wait until the send has ended, or for ten minutes, and compare its receipt with the provider's ledger."""
    status = [sys.executable, "-m", "newsletter.project.cli", "status", str(issue), "--json"]
    end = time.monotonic() + _SEND_SECONDS
    while True:
        shown = orjson.loads(run_command(status, environment, seconds=_READY_SECONDS))
        state = shown["send"]["state"] if shown["send"] else "never started"
        if state in ("submitted", "never started") or time.monotonic() > end:
            mailed = {address: mails for address, mails in provider.ledger.items() if address.startswith(_PERSON)}
            return SendFigures(
                state=state,
                recipients=shown["audience"]["recipients"],
                deliveries=shown["deliveries"],
                mailed=len(mailed),
                mailed_again=sum(mails > 1 for mails in mailed.values()),
            )
        time.sleep(2)


def _describe_database(environment: dict[str, str]) -> str:
    return "PostgreSQL" if "DATABASE_URL" in environment else "SQLite"


def run_command(command: list[str], environment: dict[str, str], *, seconds: float) -> bytes:
    try:
        done = subprocess.run(command, env=environment, capture_output=True, timeout=seconds, check=False)
    except subprocess.TimeoutExpired:
        raise NotMeasured(f"{' '.join(command)} did not end in {seconds:g} seconds.") from None
    if done.returncode:
        raise NotMeasured(f"{' '.join(command)} failed: {done.stderr.decode()[-2000:]}")
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
