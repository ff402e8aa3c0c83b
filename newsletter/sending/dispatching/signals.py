"""Rings when batches of a send may be taken, inside the transaction that says so. Whoever sends listens.

Nothing depends on being heard: workers look at rows as well.
"""

from collections.abc import Callable

from newsletter.models import Send

Listener = Callable[[Send], None]
_listeners: list[Listener] = []


def listen(listener: Listener) -> None:
    """Call it for every send that begins or goes on. It runs in that transaction: what it raises undoes it."""
    if listener not in _listeners:
        _listeners.append(listener)


def stop_listening(listener: Listener) -> None:
    if listener in _listeners:
        _listeners.remove(listener)


def ring(send: Send) -> None:
    for listener in _listeners:
        listener(send)
