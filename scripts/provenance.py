"""Write how the files of a release were made: an in-toto statement with a SLSA provenance (version 1), without a signature."""

import hashlib
import json
import platform
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

STATEMENT = "https://in-toto.io/Statement/v1"
PROVENANCE = "https://slsa.dev/provenance/v1"
_STEPS = "blob/main/docs/how-to/maintain.md#make-a-release"
_BY_SSH = re.compile(r"(?:ssh://)?[\w.-]+@(?P<host>[\w.-]+)(?::\d+/|[:/])(?P<path>.+)")
_SIGN_IN = re.compile(r"^(https?://)[^/@]*@")


class Source(NamedTuple):
    """What was built: the address of the repository as a page, the tag, the commit, and the file that pins the libraries."""

    repository: str
    tag: str
    commit: str
    libraries: Path


def find_page(remote: str) -> str:
    """Return the address at which a browser opens a remote repository, without a name or a key for signing in."""
    by_ssh = _BY_SSH.fullmatch(remote)
    address = f"https://{by_ssh['host']}/{by_ssh['path']}" if by_ssh else _SIGN_IN.sub(r"\1", remote)
    return address.rstrip("/").removesuffix(".git")


def write_provenance(file: Path, *, made: Iterable[Path], source: Source, started: datetime) -> None:
    """Write the statement about the files that were made. ``started`` is when their build began."""
    statement = make_statement(made, source=source, started=started, finished=datetime.now(UTC))
    file.write_text(json.dumps(statement, indent=2) + "\n", encoding="utf-8")


def make_statement(made: Iterable[Path], *, source: Source, started: datetime, finished: datetime) -> dict[str, object]:
    """Return the statement: which bytes were made from which commit, by which steps, with which Python."""
    reference = f"refs/tags/{source.tag}"
    steps = f"{source.repository}/{_STEPS}"
    return {
        "_type": STATEMENT,
        "subject": [{"name": one.name, "digest": {"sha256": hash_file(one)}} for one in made],
        "predicateType": PROVENANCE,
        "predicate": {
            "buildDefinition": {
                "buildType": steps,
                "externalParameters": {"repository": source.repository, "ref": reference},
                "resolvedDependencies": [
                    {"uri": f"git+{source.repository}@{reference}", "digest": {"gitCommit": source.commit}},
                    {"name": source.libraries.name, "digest": {"sha256": hash_file(source.libraries)}},
                ],
            },
            "runDetails": {
                "builder": {"id": steps, "version": _read_versions()},
                "metadata": {"startedOn": _write_time(started), "finishedOn": _write_time(finished)},
            },
        },
    }


def hash_file(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _read_versions() -> dict[str, str]:
    library, version = platform.libc_ver()
    return {"python": platform.python_version(), **({library: version} if library else {})}


def _write_time(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
