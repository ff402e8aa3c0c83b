"""Let this process keep less freed memory. Only the GNU C library keeps much of it, and has functions for that."""

import ctypes
import os

MEMORY_ARENAS = 2
_GNU_VERSION = "CS_GNU_LIBC_VERSION"
_M_ARENA_MAX = -8  # in malloc.h of the GNU C library


def limit_memory_arenas() -> None:
    """Let all threads share two memory arenas. Call it before threads start.

    By default, the library keeps freed memory apart for each of many threads. A limit in the environment is left as it is.
    """
    is_limited = "MALLOC_ARENA_MAX" in os.environ or "arena_max" in os.environ.get("GLIBC_TUNABLES", "")
    if is_gnu_c_library() and not is_limited:
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, MEMORY_ARENAS)


def return_free_memory() -> None:
    """Give the system what lies free between memory in use. It takes milliseconds, so do it rarely."""
    if is_gnu_c_library():
        ctypes.CDLL(None).malloc_trim(0)


def is_gnu_c_library() -> bool:
    """Return False for musl too, which knows the name but has no value for it."""
    return _GNU_VERSION in os.confstr_names and bool(os.confstr(_GNU_VERSION))
