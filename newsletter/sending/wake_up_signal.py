"""Rings when batches of a send may be taken, inside the transaction that says so. Whoever sends listens.

Nothing depends on being heard: workers look at rows as well.
"""

from collections.abc import Callable

from newsletter.models import Send

Listener = Callable[[Send], None]
_listeners: list[Listener] = []


def connect_listener(listener: Listener) -> None:
    """Call it for every send that begins or goes on. It runs in that transaction: what it raises undoes it."""
    if listener not in _listeners:
        _listeners.append(listener)


def disconnect_listener(listener: Listener) -> None:
    if listener in _listeners:
        _listeners.remove(listener)


def send_wake_up_signal(send: Send) -> None:
    for listener in _listeners:
        listener(send)
