"""The upgrade of a release's database while a send is paused, with a web process of the old version beside the new one."""

import io
import os
import subprocess
import sys
import tarfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests

from tests.support.fake_provider import FakeProvider
from tests.support.migrated_database import SERVER, make_once, server_url
from tests.support.ports import free_port
from tests.support.processes import (
    Process,
    connect,
    drop_database,
    maintenance_url,
    open_process,
    wait_for_start,
    wait_until,
)
from tests.support.provider_webhooks import SIGNING_KEY, mailgun_event, sign_mailgun
from tests.support.release_database import (
    BATCH,
    ROOT,
    count_rows,
    list_releases,
    make_environment,
    read_release,
    restore_postgres,
    restore_sqlite,
    run_step,
    write_release,
)
from tests.support.time_limits import START_SECONDS

THIS_CHECKOUT = "unreleased"
"""The name of the fixture that the tests write from this checkout."""
_GROWS = {"django_migrations", "django_content_type", "auth_permission"}


class Upgraded:
    """An installation on a fixture's database, whose processes run the old or the new code."""

    def __init__(self, folder: Path, *, fixture: Path, provider: FakeProvider) -> None:
        self.folder, self.release, self.provider = folder, read_release(fixture), provider
        self._processes: list[Process] = []
        self.url = f"sqlite:///{folder / 'newsletter.sqlite3'}"
        if SERVER:
            self.url = server_url(f"upgrade_{os.getpid()}_{time.monotonic_ns()}")
            with connect(maintenance_url(self.url)) as server:
                server.execute(f'CREATE DATABASE "{self.url.rpartition("/")[2]}"')
            restore_postgres(fixture, url=self.url)
        else:
            restore_sqlite(fixture, to=folder / "newsletter.sqlite3")
        self.env = make_environment(folder, url=self.url)
        self.env["NEWSLETTER_PROVIDER_URL"] = f"{provider.provider_url}&max_batch={BATCH}&webhook_key={SIGNING_KEY}"

    def start(self, *arguments: str, code: Path = ROOT) -> Process:
        log = self.folder / f"process-{len(self._processes)}.log"
        command = [sys.executable, "-P", "-m", "newsletter.project.cli", *arguments]
        process = Process(open_process(command, env={**self.env, "PYTHONPATH": str(code)}, log=log), log=log)
        self._processes.append(process)
        return process

    def serve(self, *, code: Path = ROOT) -> str:
        """Start a web process of this code and return its address once it answers."""
        port = free_port()
        process = self.start("web", "--port", str(port), code=code)
        address = f"http://127.0.0.1:{port}"
        wait_for_start(process, lambda: _answers(address), what="the web process")
        return address

    def run(self, *arguments: str) -> None:
        process = self.start(*arguments)
        assert process.popen.wait(START_SECONDS) == 0, process.said()

    def query(self, sql: str) -> list[tuple[object, ...]]:
        with connect(self.url) as connection:
            return [tuple(row) for row in connection.execute(sql).fetchall()]

    def complete_send(self) -> None:
        """Resume the send as staff do, and let a worker of the new code complete it."""
        run_step(self.env, "resume")
        self.start("worker", "--concurrency", "2")
        state = f"SELECT state, reason FROM newsletter_send WHERE id = {self.release.send}"
        wait_until(lambda: self.query(state)[0][0] != "submitting", what="the end of the send")
        assert self.query(state) == [("submitted", "")]

    def list_mailed(self) -> list[str]:
        """Return everybody to whom the provider sent the newsletter, once for each mail."""
        entries = [entry for entry in self.provider.accepted() if self.release.links.keys() >= set(entry.recipients)]
        return [address for entry in entries for address in entry.recipients]

    def list_left(self) -> set[str]:
        """Return the people of the paused send's audience who have left its list."""
        on_the_list = self.query(
            "SELECT s.email FROM subscribers_subscriber s"
            " JOIN subscribers_subscription u ON u.subscriber_id = s.id AND u.ended_at IS NULL"
            " JOIN newsletter_publication p ON p.mailing_list_id = u.mailing_list_id"
            " JOIN newsletter_issue i ON i.publication_id = p.id"
            f" JOIN newsletter_send n ON n.issue_id = i.id WHERE n.id = {self.release.send}"
        )
        return self.release.links.keys() - {str(email) for (email,) in on_the_list}

    def find_delivery(self, email: str) -> tuple[int, str]:
        """Return the id of this person's mail of the paused send, and the key of its batch."""
        [(delivery, batch)] = self.query(
            "SELECT d.id, b.key FROM newsletter_delivery d JOIN newsletter_batch b ON b.id = d.batch_id"
            f" JOIN subscribers_subscriber s ON s.id = d.subscriber_id AND s.email = '{email}'"
            f" WHERE b.send_id = {self.release.send}"
        )
        return int(str(delivery)), str(batch)

    def end(self) -> None:
        for process in self._processes:
            process.kill()
        drop_database(self.url)


@pytest.fixture(scope="session", params=[THIS_CHECKOUT, *(folder.name for folder in list_releases())])
def release_folder(request: pytest.FixtureRequest, shared_folder: Path) -> Path:
    """A fixture of a released version, or one that this checkout has written."""
    for folder in list_releases():
        if folder.name == request.param:
            return folder
    folder = shared_folder / "releases" / THIS_CHECKOUT

    def make() -> None:
        work = shared_folder / "release-work"
        work.mkdir(exist_ok=True)
        write_release(folder, version=THIS_CHECKOUT, work=work, with_postgres=bool(SERVER))

    make_once(shared_folder, "release-of-this-checkout", make)
    return folder


@pytest.fixture
def upgraded(release_folder: Path, fake_provider: FakeProvider, tmp_path: Path) -> Iterator[Upgraded]:
    made = Upgraded(tmp_path, fixture=release_folder, provider=fake_provider)
    yield made
    made.end()


@pytest.fixture(scope="session")
def old_code(release_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the code that wrote the fixture."""
    version = release_folder.name
    if version == THIS_CHECKOUT:
        return ROOT
    packages = ("newsletter", "subscribers", "templates", "pyproject.toml")
    archive = subprocess.run(["git", "archive", f"v{version}", *packages], cwd=ROOT, capture_output=True)
    if archive.returncode:
        pytest.skip(f"The tag v{version} is not in this clone. Run: git fetch --tags")
    folder = tmp_path_factory.mktemp("old-code")
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as files:
        files.extraction_filter = getattr(tarfile, "data_filter", None)  # an argument would need Python 3.11.4
        files.extractall(folder)
    return folder


def test_an_upgrade_keeps_every_row(upgraded: Upgraded) -> None:
    before = upgraded.release.rows["postgresql" if SERVER else "sqlite"]
    assert count_rows(upgraded.url) == before
    upgraded.run("migrate", "--verbosity", "0")
    after = count_rows(upgraded.url)
    assert {name: after[name] for name in before if name not in _GROWS} == {
        name: rows for name, rows in before.items() if name not in _GROWS
    }
    assert all(after[name] >= before[name] for name in _GROWS)


def test_a_paused_send_is_completed_after_an_upgrade(upgraded: Upgraded) -> None:
    """The provider's ledgers of both versions say that nobody was mailed twice, and nobody left out."""
    people, mailed = upgraded.release.links.keys(), upgraded.release.mailed
    assert 0 < len(mailed) < len(people)
    upgraded.run("migrate", "--verbosity", "0")
    upgraded.complete_send()
    assert Counter([*mailed, *upgraded.list_mailed()]) == Counter(people)


def test_two_versions_beside_each_other_lose_nothing(upgraded: Upgraded, old_code: Path) -> None:
    """An old web process serves before, while and after the tables are migrated, and beside a new one."""
    links, mailed = upgraded.release.links, upgraded.release.mailed
    leaving = sorted(links.keys() - set(mailed))[: (len(links) - len(mailed)) // 2]
    old = upgraded.serve(code=old_code)
    reader = Requests(upgraded)
    reader.unsubscribe(leaving[0], at=old)
    migrating = threading.Thread(target=upgraded.run, args=("migrate", "--verbosity", "0"))
    migrating.start()
    reader.unsubscribe(leaving[1], at=old)
    migrating.join()
    new = upgraded.serve()
    for number, email in enumerate(leaving[2:]):
        reader.unsubscribe(email, at=(old, new)[number % 2])
    for number, email in enumerate(mailed):
        reader.report(email, at=(old, new)[number % 2])
    assert reader.refused == [], "a request was answered with an error"
    upgraded.complete_send()
    wait_until(lambda: upgraded.list_left() == {*leaving, *mailed}, what="everybody's unsubscribe")
    assert Counter([*mailed, *upgraded.list_mailed()]) == Counter(links.keys() - set(leaving))


class Requests:
    """Posts of a mailbox provider and the email provider. ``refused`` has each answer that is not 200."""

    def __init__(self, upgraded: Upgraded) -> None:
        self._upgraded = upgraded
        self.refused: list[tuple[str, int]] = []

    def unsubscribe(self, email: str, *, at: str) -> None:
        self._post(at + self._upgraded.release.links[email], b"List-Unsubscribe=One-Click", "x-www-form-urlencoded")

    def report(self, email: str, *, at: str) -> None:
        """Report that somebody left by the provider's link in the paused send's mail."""
        delivery, batch = self._upgraded.find_delivery(email)
        now = datetime.now(UTC)
        event = mailgun_event("unsubscribed", address=email, delivery=delivery, batch=batch, at=now)
        body = sign_mailgun(event, now=now, token=f"token-{delivery}")
        self._post(at + self._upgraded.release.webhook, body, "json")

    def _post(self, url: str, body: bytes, kind: str) -> None:
        answer = requests.post(url, data=body, headers={"Content-Type": f"application/{kind}"}, timeout=60)
        if answer.status_code != requests.codes.ok:
            self.refused.append((url, answer.status_code))


def _answers(address: str) -> bool:
    try:
        return requests.get(f"{address}/admin/login/", timeout=20).ok
    except requests.ConnectionError:
        return False
