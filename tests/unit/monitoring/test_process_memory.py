"""Freed memory goes back to the system."""

import subprocess
import sys

import pytest

from newsletter.monitoring.process_memory import is_gnu_c_library

_BLOCKS = 200_000  # of a kilobyte, too large for Python's own allocator
_PROGRAM = f"""
from pathlib import Path
from newsletter.monitoring.process_memory import return_free_memory

def read_memory_mb():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6

blocks = [bytes(1000) for _ in range({_BLOCKS})]
kept = blocks[::100]
del blocks
before = read_memory_mb()
return_free_memory()
print(before - read_memory_mb())
"""


@pytest.mark.skipif(not is_gnu_c_library(), reason="Only the GNU C library keeps freed memory")
def test_memory_between_blocks_in_use_goes_back_to_the_system() -> None:
    done = subprocess.run([sys.executable, "-c", _PROGRAM], capture_output=True, text=True, check=True, timeout=60)
    assert float(done.stdout) > 100
