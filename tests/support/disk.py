"""A disk that is full: a small file system of its own, if the machine allows one, and a way to fill it."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def small_disk(folder: Path, *, megabytes: int) -> Iterator[Path]:
    """Mount a small file system on ``folder``, or skip the test if that is impossible."""
    why_not = mount(folder, megabytes=megabytes)
    if why_not:
        pytest.skip(why_not)
    try:
        yield folder
    finally:
        unmount(folder)


def mount(folder: Path, *, megabytes: int) -> str:
    """Mount a small file system on ``folder``. Return "", or the reason that this is impossible."""
    if os.geteuid() != 0:
        return "a small file system can only be mounted by root"
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=0755", "tmpfs", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    return f"a small file system cannot be mounted here: {mounted.stderr.strip()}" if mounted.returncode else ""


def unmount(folder: Path) -> None:
    subprocess.run(["umount", "-l", str(folder)], check=True)


def fill_up(filler: Path) -> None:
    """Write until nothing more fits."""
    with filler.open("ab", buffering=0) as file:
        for size in (1 << 20, 1 << 12):
            try:
                while True:
                    file.write(b"\0" * size)
            except OSError:
                continue
