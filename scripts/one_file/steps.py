"""Steps of a long build: print each one with its seconds, and keep its result for the next run."""

import hashlib
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


class Steps:
    """The steps whose results are in ``folder``. A build that was interrupted continues with the first unfinished step."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    @contextmanager
    def run(self, name: str) -> Iterator[None]:
        """Print the name of a step that runs each time, then its seconds."""
        _print(f"{name} ...")
        started = time.monotonic()
        yield
        _print(f"{name}: {time.monotonic() - started:.0f} seconds.")

    def keep(self, name: str, *, key: str, make: Callable[[Path], None]) -> Path:
        """Return the file or folder of this step. ``make`` it only if it is unfinished, or if it was made for another ``key``."""
        made, done = self.folder / name, self.folder / f"{name}.done"
        if done.is_file() and done.read_text(encoding="utf-8") == key and made.exists():
            _print(f"{name}: kept from an earlier run.")
            return made
        done.unlink(missing_ok=True)
        remove(made)
        with self.run(name):
            make(made)
        done.write_text(key, encoding="utf-8")
        return made


def remove(path: Path) -> None:
    """Remove a file or a folder, if there is one."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def make_key(*parts: str | Path) -> str:
    """Return one hash of texts and of what is in files."""
    digest = hashlib.sha256()
    for part in parts:
        data = part.read_bytes() if isinstance(part, Path) else part.encode()
        digest.update(hashlib.sha256(data).digest())
    return digest.hexdigest()


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
