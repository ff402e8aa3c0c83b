"""Start a module of ours in a process of its own. It gets none of this process's secrets: no settings and no connections."""

import os
import subprocess
import sys
from collections.abc import Collection

_INHERITED_VARIABLES = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TZDIR", "PYTHONTZPATH", "LD_LIBRARY_PATH", "TMPDIR")
# By default, the GNU C library keeps 64 MiB of address space for each further thread and does not return large blocks.
# A memory limit counts both, so a second large image would not fit after the first.
_ALLOCATOR = {"MALLOC_ARENA_MAX": "1", "MALLOC_MMAP_THRESHOLD_": "262144"}


def start_child(module: str, *arguments: str, descriptors: Collection[int] = ()) -> "subprocess.Popen[bytes]":
    """Run a module, with pipes to its standard input and output. It has only the open files `descriptors` of this process.

    Everybody on the machine can read arguments: send secrets by standard input.
    """
    kept = {name: os.environ[name] for name in _INHERITED_VARIABLES if name in os.environ}
    return subprocess.Popen(  # noqa: S603
        [sys.executable, "-P", "-m", module, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        pass_fds=tuple(descriptors),
        env={**kept, **_ALLOCATOR, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
    )
