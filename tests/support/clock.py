"""Another clock for a process that runs: libfaketime, if it is installed (Debian: faketime), reads it from a file.

Only the wall clock moves. Waits and time-outs count seconds and do not change, just as if somebody set a machine's clock.
"""

import glob
from datetime import timedelta
from pathlib import Path


def find_faketime() -> str:
    """Return the library to load into a process, or "" if it is not on this machine."""
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
        """Set the clock so far ahead of the machine's, or behind it if negative. Processes see it within a second."""
        new = self._file.with_suffix(".new")
        new.write_text(f"{ahead.total_seconds():+.0f}\n")
        new.replace(self._file)
