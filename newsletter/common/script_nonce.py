"""The nonce with which the inline scripts of one response may run under its content security policy."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_nonce: ContextVar[str] = ContextVar("nonce", default="")


def current_nonce() -> str:
    """Return the nonce of the current response, or "" outside a request."""
    return _nonce.get()


@contextmanager
def fresh_nonce() -> Iterator[str]:
    """Make a nonce for the templates that are rendered inside the block."""
    nonce = secrets.token_urlsafe(16)
    token = _nonce.set(nonce)
    try:
        yield nonce
    finally:
        _nonce.reset(token)
