"""Check that a port is free before anything is set up."""

import errno
import socket
from argparse import ArgumentTypeError

from newsletter.common.errors import DomainError

MAX_PORT = 65_535
_HOSTS = "Use --host 127.0.0.1 for this machine only, or --host 0.0.0.0 for all of its addresses."


class CannotListen(DomainError):
    """The address cannot be served. The message says why and what to do."""


def port_number(text: str) -> int:
    """Parse a port option. Raises ArgumentTypeError."""
    if not (text.isascii() and text.isdigit() and len(text) < 6 and 1 <= int(text) <= MAX_PORT):
        raise ArgumentTypeError(f"there is no port {text}. Choose one from 1024 to {MAX_PORT}, such as 8001.")
    return int(text)


def check_port_free(*, host: str, port: int) -> None:
    """Raise CannotListen if another process listens, or this user may not use the host or port."""
    try:
        addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (socket.gaierror, UnicodeError) as error:
        raise CannotListen(f"{host} is not a host name or address of this machine. {_HOSTS}") from error
    family, kind, protocol, _, address = addresses[0]
    with socket.socket(family, kind, protocol) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError as error:
            raise CannotListen(_explain(error, host=host, port=port)) from error


def _explain(error: OSError, *, host: str, port: int) -> str:
    other_port = f"--port {port + 1 if port < MAX_PORT else port - 1}"
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} is taken, perhaps by a `newsletter` that still runs. Stop it, or choose another port: {other_port}"
    if error.errno == errno.EACCES:
        return f"Only the system's administrator may serve on port {port}. Choose one from 1024 up, such as --port 8001"
    if error.errno == errno.EADDRNOTAVAIL:
        return f"{host} is not an address of this machine. {_HOSTS}"
    return f"Nothing can be served on {host}, port {port}: {error.strerror}. Choose another port: {other_port}"
