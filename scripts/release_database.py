"""Write the database of a release as a fixture of the upgrade tests: python -m scripts.release_database 1.2.0

It writes tests/data/releases/1.2.0: the sample organisation with a row in every table and a send that is paused half-way, for
SQLite and for PostgreSQL, whose binaries it needs. `python -m scripts.release` runs it. It never writes a version again.
"""

import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from scripts.changelog import list_versions
from tests.support.postgres import find_binary
from tests.support.release_database import RELEASES, Release, write_release

_VERSION = re.compile(r"\d+\.\d+\.\d+(?:(?:a|b|rc)\d+)?")


def main(given: list[str]) -> int:
    if len(given) != 1 or not _VERSION.fullmatch(given[0]):
        sys.stderr.write("Name the version: python -m scripts.release_database 1.2.0\n")
        return 2
    try:
        folder = write_fixture(given[0])
    except (ValueError, subprocess.CalledProcessError) as error:
        sys.stderr.write(f"Not written: {error}\n")
        return 1
    size = sum(file.stat().st_size for file in folder.iterdir())
    sys.stdout.write(f"Written to {folder}, {size:,} bytes. Commit it with the release.\n")
    return 0


def write_fixture(version: str) -> Path:
    """Write the fixture of this checkout under this version and return its folder. Raise ValueError if it cannot be written."""
    folder = RELEASES / version
    if folder.exists():
        raise ValueError(f"{folder} is there already. What a released version wrote does not change any more.")
    missing = [name for name in ("initdb", "pg_dump") if find_binary(name) is None]
    if missing:
        raise ValueError(f"PostgreSQL's {' and '.join(missing)} are not on this machine. Install PostgreSQL.")
    with TemporaryDirectory(prefix="newsletter-release-") as work:
        write_release(folder, version=version, work=Path(work))
    return folder


def find_faults(*, changelog: str, releases: Sequence[Release], migrations: Mapping[str, str]) -> list[str]:
    """Return what is wrong with the fixtures: a release without one, a released migration that has changed since.

    ``migrations`` has the hash of each migration of this checkout.
    """
    written = {release.version for release in releases}
    faults = [
        f"{version} is released and has no fixture. Check out its tag and run: python -m scripts.release_database {version}"
        for version in list_versions(changelog)
        if version not in written
    ]
    for release in releases:
        faults += [
            f"{name} was released in {release.version} and has changed or is gone. Put it back and write a new migration."
            for name, known in release.migrations.items()
            if migrations.get(name) != known
        ]
    return faults


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
