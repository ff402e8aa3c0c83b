"""One send through two restores and a move: python -m tests.soak.moves [--people N]

A third is sent on SQLite, which is backed up, destroyed and restored. Another third is sent, the installation is moved to
PostgreSQL, a sixth is sent there, and that is backed up, destroyed and restored too. The rest is sent at the end. No table loses
rows in a restore or the move, and the provider's ledger decides. Prints a line for each step, with its time.
"""

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

BATCH = 1000
PASSPHRASE = "five words are long enough"
MOST_SECONDS = 3_000
NOT_KEPT = ("newsletter_runningprocess", "django_session", "wagtailsearch_", "sqlite_")
"""What processes write about themselves, the sign-ins of staff, the index of a search that the desk does not use, and the
tables that SQLite makes for itself. All others are counted."""
_TABLES = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'table'",
    "postgres": "SELECT tablename FROM pg_tables WHERE schemaname = 'public'",
}


def list_counted(names: Iterable[str]) -> list[str]:
    """Return the tables whose rows are counted, in order."""
    return sorted(name for name in names if not name.startswith(NOT_KEPT))


class Journey:
    """The installation that has the send at present, and what each step took."""

    def __init__(self, *, people: int, folder: Path) -> None:
        from tests.support.crash_template import prepare_template
        from tests.support.fake_provider import FakeProvider
        from tests.support.processes import copy_database

        self.people, self.folder, self._number = people, folder, 0
        self.provider = FakeProvider(keep_mails=False).start()
        self.secret = folder / "passphrase"
        self.secret.write_text(PASSPHRASE)
        with self.timed(f"{people:,} people and the frozen audience of one issue"):
            template = prepare_template(folder=folder, people=people, state="begun", batch=BATCH)
        data = self._make_folder()
        self.here: Any = self._install(data, copy_database(template, to=data))
        (data / "media").mkdir()
        for number in range(200):
            (data / "media" / f"{number}.jpg").write_bytes(b"\xff\xd8" + bytes([number]) * 100_000)

    @contextmanager
    def timed(self, what: str) -> Iterator[None]:
        started = time.monotonic()
        yield
        sys.stdout.write(f"{time.monotonic() - started:8.1f} s  {what}\n")
        sys.stdout.flush()

    def send_until(self, share: float) -> None:
        """Send to this share of the people, then pause and stop the worker. The ledger has everybody once."""
        from tests.support.processes import wait_until

        with self.timed(f"sent until {share:.0%}"):
            self.here.query("UPDATE newsletter_send SET state = 'submitting', reason = '' WHERE state = 'paused'")
            worker = self.here.start("worker", "--concurrency", "4")
            wanted = self.people * share
            wait_until(lambda: self._count() >= wanted, seconds=MOST_SECONDS, what=f"{share:.0%} of the people")
            self.here.query(
                "UPDATE newsletter_send SET state = 'paused', reason = ? WHERE state = 'submitting'", '"paused"'
            )
            wait_until(lambda: not self.here.batches()["submitting"], seconds=60, what="the end of the last calls")
            worker.terminate()
        assert max(self.here.count_newsletters().values()) == 1, "somebody got the issue twice"

    def back_up_and_restore(self, *, database: str) -> None:
        """Write an archive, verify it, destroy the installation, and restore it in another folder and database."""
        archive = self.folder / f"backup-{self._number}.zip"
        secret = ("--passphrase-file", str(self.secret))
        with self.timed("backup"):
            self.run("backup", str(archive), *secret)
        sys.stdout.write(f"            the archive has {archive.stat().st_size / 1e6:.1f} MB\n")
        with self.timed("backup --verify"):
            self.run("backup", "--verify", str(archive), *secret)
        before = self._count_rows()
        self.here.end()
        shutil.rmtree(self.here.folder)
        data = self._make_folder()
        self.here = self._install(data, database or f"sqlite:///{data}/newsletter.sqlite3")
        with self.timed("restore"):
            self.run("restore", str(archive), *secret)
        self._check_rows(before)
        self.run("doctor", "--after-restore", "--release")

    def move(self, *, to: str) -> None:
        before = self._count_rows()
        with self.timed("move to PostgreSQL"):
            self.run("move", "--to", to)
        self.here.end()
        self.here = self._install(self.here.folder, to)
        self._check_rows(before)

    def finish(self) -> None:
        with self.timed("sent the rest"):
            self.here.query("UPDATE newsletter_send SET state = 'submitting', reason = '' WHERE state = 'paused'")
            self.here.start("worker", "--concurrency", "4")
            self.here.wait_until_done(seconds=MOST_SECONDS)
        self.here.check_invariants(people=self.people)
        counts = self.here.count_newsletters()
        assert len(counts) == self.people, f"{self.people - len(counts)} people were left out"
        sys.stdout.write(
            f"The provider's ledger: {len(counts):,} people, each once, in {len(self.provider.ledger)} calls.\n"
        )

    def run(self, *arguments: str) -> None:
        from tests.support.processes import wait_until

        process = self.here.start_without_fork(*arguments)
        wait_until(lambda: not process.running, seconds=MOST_SECONDS, every=0.1, what=" ".join(arguments[:2]))
        assert process.popen.poll() == 0, process.said()

    def end(self) -> None:
        self.here.end()
        self.provider.stop()

    def _count(self) -> int:
        return sum(len(entry.recipients) for entry in self.provider.accepted())

    def _count_rows(self) -> dict[str, int]:
        """Return the number of rows of each table that a restore and a move keep."""
        kind = "sqlite" if self.here.database_url.startswith("sqlite") else "postgres"
        names = list_counted(name for (name,) in self.here.query(_TABLES[kind]))
        return {name: self.here.query(f'SELECT COUNT(*) FROM "{name}"')[0][0] for name in names}

    def _check_rows(self, before: dict[str, int]) -> None:
        """Compare table by table. A restore may add rows, such as an entry of the staff log."""
        now = self._count_rows()
        lost = {name: (rows, now.get(name)) for name, rows in before.items() if now.get(name, -1) < rows}
        more = {name: now[name] - rows for name, rows in before.items() if now.get(name, 0) > rows}
        assert not lost, f"rows before and now: {lost}"
        sys.stdout.write(
            f"            {len(before)} tables with {sum(before.values()):,} rows: none lost, more: {more}\n"
        )

    def _make_folder(self) -> Path:
        self._number += 1
        made = self.folder / f"installation-{self._number}"
        made.mkdir()
        return made

    def _install(self, data: Path, url: str) -> Any:
        from tests.support.processes import Installation

        return Installation(
            folder=data, database_url=url, provider=self.provider, engine="embedded", batch=BATCH, logs=self.folder
        )


def main() -> None:
    import tests.support.environment  # noqa: F401
    from tests.support.postgres import temporary_cluster
    from tests.support.processes import connect

    parser = argparse.ArgumentParser()
    parser.add_argument("--people", type=int, default=200_000)
    people: int = parser.parse_args().people
    with tempfile.TemporaryDirectory(prefix="newsletter-moves-") as folder, temporary_cluster() as cluster:
        with connect(cluster.url()) as server:
            server.execute("CREATE DATABASE moved")
            server.execute("CREATE DATABASE restored")
        (shared := Path(folder) / "shared").mkdir()
        journey = Journey(people=people, folder=shared)
        try:
            journey.send_until(1 / 3)
            journey.back_up_and_restore(database="")
            journey.send_until(2 / 3)
            journey.move(to=cluster.url("moved"))
            journey.send_until(5 / 6)
            journey.back_up_and_restore(database=cluster.url("restored"))
            journey.finish()
        finally:
            journey.end()


if __name__ == "__main__":
    main()
