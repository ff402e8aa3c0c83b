"""The number of arenas of the C library's allocator, counted in processes that start as the program does."""

import os
import subprocess
import sys
import tempfile

import pytest

THREADS = 6
COMMAND = "from newsletter.project.cli import main; main(['--version'])"
WEB_SERVER = "from newsletter.project.process_setup import prepare_process; prepare_process()"
NOTHING = "pass"
_COUNT = f"""
import ctypes, threading
library = ctypes.CDLL(None)
library.malloc.restype = ctypes.c_void_p
barrier = threading.Barrier({THREADS})
def allocate():
    barrier.wait()
    library.malloc(ctypes.c_size_t(100_000))
    barrier.wait()
threads = [threading.Thread(target=allocate) for _ in range({THREADS})]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
library.malloc_info(0, ctypes.c_void_p.in_dll(library, "stdout"))
library.fflush(None)
"""

pytestmark = pytest.mark.skipif(
    "CS_GNU_LIBC_VERSION" not in os.confstr_names, reason="only the GNU C library has arenas"
)


def count_arenas(first_step: str, **variables: str) -> int:
    """Return how many arenas a process has after its first step and memory for several threads at once."""
    kept = {name: value for name, value in os.environ.items() if name not in ("MALLOC_ARENA_MAX", "GLIBC_TUNABLES")}
    with tempfile.TemporaryDirectory() as folder:
        run = subprocess.run(
            [sys.executable, "-c", first_step + _COUNT],
            env={**kept, **variables},
            cwd=folder,
            capture_output=True,
            check=True,
        )
    return run.stdout.count(b"<heap nr=")


def test_threads_of_a_command_share_two_arenas() -> None:
    assert count_arenas(COMMAND) == 2


def test_threads_of_another_web_server_share_two_arenas() -> None:
    assert count_arenas(WEB_SERVER) == 2


@pytest.mark.parametrize(
    "variables", [{"MALLOC_ARENA_MAX": "4"}, {"GLIBC_TUNABLES": "glibc.malloc.arena_max=4"}], ids=["old", "new"]
)
def test_the_environment_sets_another_number_of_arenas(variables: dict[str, str]) -> None:
    assert count_arenas(COMMAND, **variables) == 4


def test_other_programs_have_an_arena_for_more_of_their_threads() -> None:
    assert count_arenas(NOTHING) > 2
