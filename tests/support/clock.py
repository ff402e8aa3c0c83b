"""Another clock for a process that runs: libfaketime where it is installed (Debian: faketime), told by a file.

Only the wall clock moves. What counts seconds, as waits and time-outs do, goes on as it was, which is what happens when
somebody sets a machine's clock.
"""

import glob
from datetime import timedelta
from pathlib import Path


def find_faketime() -> str:
    """The library to load into a process, or "" where it is not on this machine."""
    found = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1") + glob.glob("/usr/lib/faketime/libfaketimeMT.so.1")
    return found[0] if found else ""


class WallClock:
    """The clock of every process that is started with ``env``."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.set(timedelta(0))

    @property
    def env(self) -> dict[str, str]:
        return {
            "LD_PRELOAD": find_faketime(),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "FAKETIME_DONT_RESET": "1",
            "FAKETIME_DISABLE_SHM": "1",
        }

    def set(self, ahead: timedelta) -> None:
        """From a second from now on, the clock is so far ahead of the machine's; behind it where that is negative."""
        new = self._file.with_suffix(".new")
        new.write_text(f"{ahead.total_seconds():+.0f}\n")
        new.replace(self._file)
