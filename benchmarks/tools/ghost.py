"""Ghost, from a folder where it is installed, with a site of its own on loopback and SQLite."""

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.tools.base import NotMeasured, Tool, kill_group, plain_environment
from benchmarks.tools.ghost_api import GhostApi, wait_for
from benchmarks.tools.ghost_members import copy_member, make_address

VARIABLE = "BENCH_GHOST"
_BATCH_SIZE = 500
"""Half of Ghost's own: it stores a batch by one statement with a SELECT for each person, and SQLite takes 500 of them."""
_START_SECONDS = 180.0
_DATABASE = "content/data/bench.db"
_STOP_SECONDS = 30
_STUCK_SECONDS = 15.0


class Ghost(Tool):
    name = "ghost"
    description = (
        "an owner publishes a post to all members through the Admin API of a server that already runs: personal emails,"
        " 500 people a call, 2 calls at once, one row for each person. On SQLite, while Ghost supports only MySQL 8 in production"
    )
    about_kills = (
        "The killed email stays “submitting”, so the second run, which starts the server again and asks it to retry, sends"
        " nothing. “Uncertain” are the people of the batches that its Admin API then calls “submitting”."
    )

    def __init__(self, folder: Path, *, provider_url: str) -> None:
        super().__init__(folder, provider_url=provider_url)
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.url = f"http://127.0.0.1:{free.getsockname()[1]}"
        self._server: subprocess.Popen[bytes] | None = None

    @classmethod
    def find_missing(cls) -> str:
        given = os.environ.get(VARIABLE, "")
        if not given:
            return f"no installed Ghost was named. Install Ghost 5, and set {VARIABLE} to its folder, which has `index.js`."
        if find_program(Path(given)) is None:
            return (
                f"{VARIABLE} names {given}, and Ghost is not installed there. Name the folder with Ghost's `index.js`."
            )
        if not _find_node():
            return "Node.js is not installed, and Ghost needs it. Install the version that Ghost asks for."
        return ""

    def version(self) -> str:
        ghost = json.loads((self._program() / "package.json").read_text())["version"]
        return f"Ghost {ghost}, Node.js {self.run([_find_node(), '--version']).strip()}, SQLite"

    def prepare(self, people: int) -> None:
        """Copy a filled site of so many members, laid out as Ghost-CLI does. Fill it first if it is missing."""
        filled = self.folder.parent / f"{self.name}-filled-{people}"
        if not filled.exists():
            self._fill(people)
            shutil.copytree(self.folder, filled, symlinks=True)
        else:
            shutil.copytree(filled, self.folder, symlinks=True, dirs_exist_ok=True)

    def send_command(self) -> list[str]:
        return [sys.executable, "-m", "benchmarks.tools.ghost_send", self.url, f"{_STUCK_SECONDS:g}"]

    def environment(self) -> dict[str, str]:
        return {
            **plain_environment(),
            "PYTHONPATH": str(Path(__file__).parents[2]),
            "NODE_ENV": "production",
            "url": self.url,
            "server__port": self.url.rpartition(":")[2],
        }

    @contextmanager
    def serving(self) -> Iterator[None]:
        self._server = self._open([_find_node(), "current/index.js"], log="ghost.log")
        try:
            server = self._server
            api = GhostApi(self.url)
            wait_for(lambda: api.is_up() or server.poll() is not None, bool, seconds=_START_SECONDS)
            if not api.is_up():
                printed = (self.folder / "ghost.log").read_text()[-2000:]
                raise NotMeasured(f"{self.name} did not start, or took more than {_START_SECONDS:g} seconds: {printed}")
            yield
        finally:
            self._stop()

    def kill(self, process: "subprocess.Popen[bytes]") -> None:
        if self._server is not None:
            kill_group(self._server)
        super().kill(process)

    def count_uncertain(self) -> int | None:
        api = GhostApi(self.url)
        api.sign_in()
        return api.count_recipients(api.read_email()).get("submitting", 0)

    def _fill(self, people: int) -> None:
        shutil.copytree(self._program() / "content", self.folder / "content")
        (self.folder / "current").symlink_to(self._program())
        (self.folder / "config.production.json").write_text(json.dumps(self.make_settings(), indent=2))
        with self.serving():
            api = GhostApi(self.url)
            api.create_owner()
            api.sign_in()
            api.create_member(make_address(1))
            api.create_draft()
        copy_member(self.folder / _DATABASE, people)

    def make_settings(self) -> dict[str, object]:
        """Return settings that keep Ghost on loopback: no mail server, no update check, no gravatars."""
        return {
            "database": {
                "client": "sqlite3",
                "connection": {"filename": _DATABASE},
                "useNullAsDefault": True,
            },
            "mail": {"transport": "stub", "from": "news@news.example.org"},
            "bulkEmail": {
                "batchSize": _BATCH_SIZE,
                "mailgun": {"apiKey": "bench", "domain": "news.example.org", "baseUrl": f"{self.provider_url}/v3"},
            },
            "emailAnalytics": {"enabled": False},
            "backgroundJobs": {"emailAnalytics": False},
            "privacy": {"useUpdateCheck": False, "useGravatar": False, "useRpcPing": False},
            "security": {"staffDeviceVerification": False},
            "paths": {"contentPath": "content/"},
            "logging": {"level": "info", "transports": ["stdout"]},
        }

    def _stop(self) -> None:
        if self._server is None or self._server.poll() is not None:
            return
        self._server.terminate()
        try:
            self._server.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            kill_group(self._server)

    def _program(self) -> Path:
        found = find_program(Path(os.environ.get(VARIABLE, "")))
        if found is None:
            raise NotMeasured(f"{self.name}: {self.find_missing()}")
        return found


def find_program(folder: Path) -> Path | None:
    """Return the folder of Ghost's program: this one, or `current` in one that Ghost's own installer made."""
    for found in (folder, folder / "current"):
        package = found / "package.json"
        if (
            (found / "index.js").is_file()
            and package.is_file()
            and json.loads(package.read_text()).get("name") == "ghost"
        ):
            return found.resolve()
    return None


def _find_node() -> str:
    return shutil.which("node") or ""
