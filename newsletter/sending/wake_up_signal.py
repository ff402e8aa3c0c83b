"""Tell listeners that batches of a send may be taken, so that workers start at once.

It is only faster: workers also look at the rows themselves.
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
