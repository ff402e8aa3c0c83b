"""Ports for servers that a test starts and that cannot choose their own.

The system gives the ports of a range to connections and to sockets that ask for any port. A port of that range may be taken
before the server listens, even by the test's own connection to it. So these ports are below the range, if it leaves 100.
"""

import random
import socket
from pathlib import Path

_GIVEN_AWAY = Path("/proc/sys/net/ipv4/ip_local_port_range")
_LOWEST, _LOWEST_FOR_ANYBODY = 10_000, 1_024
_TRIES = 100
_USUAL_START = 32_768
_random = random.SystemRandom()  # pytest-randomly seeds the shared generator alike in each test process


def find_first_given_away() -> int:
    """Return the first port that the system may give to anybody."""
    try:
        return int(_GIVEN_AWAY.read_text(encoding="ascii").split()[0])
    except FileNotFoundError:
        return _USUAL_START


def free_port() -> int:
    """Return a port of loopback that nobody listens to and that the system gives to nobody else."""
    end = find_first_given_away()
    ports = range(_LOWEST if end - _LOWEST >= _TRIES else _LOWEST_FOR_ANYBODY, end)
    if len(ports) < _TRIES:
        return _ask_for_any()
    for port in _random.sample(ports, _TRIES):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError(f"{_TRIES} ports between {ports.start} and {end} are taken.")


def _ask_for_any() -> int:
    """Return a port that the system chooses. It may give it to somebody else before the server listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
