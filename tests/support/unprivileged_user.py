"""Asks what another user of this machine can do: a child of this process that becomes `nobody`."""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import rmtree

import pytest

NOBODY = 65534


@contextmanager
def make_world_writable_folder() -> Iterator[Path]:
    """A folder that every user may enter, unlike those of pytest."""
    folder = Path(tempfile.mkdtemp(prefix="open-to-all-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        rmtree(folder)


def run_as_nobody(ask: Callable[[], object]) -> str:
    """Return the text of `ask` or of its error. The test is skipped if this user cannot become another."""
    if os.geteuid() != 0:
        pytest.skip("only root can act as another user")
    reading, writing = os.pipe()
    pid = os.fork()
    if not pid:
        answer = "nothing was answered"
        try:
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
            answer = str(ask())
        except Exception as error:  # noqa: BLE001 the parent asks for whatever it was
            answer = f"{type(error).__name__}: {error}"
        finally:
            os.write(writing, answer.encode()[:60_000])
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as answers:
        answer = answers.read().decode()
    os.waitpid(pid, 0)
    return answer
