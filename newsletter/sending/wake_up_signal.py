"""Notify listeners that a send has due batches, so that workers start at once.

A lost signal only costs time: workers also poll the rows.
"""

from collections.abc import Callable

from newsletter.models import Send

Listener = Callable[[Send], None]
_listeners: list[Listener] = []


def connect_listener(listener: Listener) -> None:
    """Call the listener for every send that begins or resumes, inside that transaction. Its errors roll it back."""
    if listener not in _listeners:
        _listeners.append(listener)


def send_wake_up_signal(send: Send) -> None:
    for listener in _listeners:
        listener(send)
