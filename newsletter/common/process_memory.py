"""Return freed memory of this process to the system. Only the GNU C library keeps it and has a function for that."""

import ctypes
import os

_GNU_VERSION = "CS_GNU_LIBC_VERSION"


def return_free_memory() -> None:
    """Call it after work that needed much memory. The library would keep what lies between memory in use."""
    if is_gnu_c_library():
        ctypes.CDLL(None).malloc_trim(0)


def is_gnu_c_library() -> bool:
    """Return False for musl too, which knows the name but has no value for it."""
    return _GNU_VERSION in os.confstr_names and bool(os.confstr(_GNU_VERSION))
