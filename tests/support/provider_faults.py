"""The faults of the fake provider, each seen at a real provider."""

from dataclasses import dataclass, field
from typing import Literal

Kind = Literal[
    "answer",  # give `status` with `body`; accepted only where `accept` says so
    "reset_before_reading",  # reset the connection with the body unread; nothing accepted
    "close_before_reading",  # close it politely with the body unread
    "reset_after_accepting",  # take the mail, then reset without an answer
    "close_after_accepting",  # take the mail, then close without an answer
    "stall_after_accepting",  # take the mail, then say nothing for `seconds`
    "stall_before_accepting",  # read everything, take nothing, say nothing for `seconds`
    "truncate",  # take the mail, promise a whole answer and break off in the middle
    "drip",  # take the mail, then answer one byte every 0.1 s for `seconds`
    "slow",  # wait `seconds`, then do everything right
]


@dataclass(frozen=True)
class Fault:
    """One scripted fault. With ``answer``, ``accept`` says if the provider accepts the mail all the same."""

    kind: Kind = "answer"
    status: int = 500
    body: bytes = b'{"message": "Internal Server Error"}'
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 1.0
    accept: bool = False


def answer(status: int, body: bytes = b"", *, accept: bool = False, **headers: str) -> Fault:
    """Return a fault that answers ``status``; header names are written with underscores (``retry_after="3"``)."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Fault("answer", status=status, body=body, headers=named, accept=accept)


def too_many(retry_after: str = "") -> Fault:
    """Return a fault that answers 429, with Retry-After if given."""
    body = b'{"message": "Domain news.example.org is not allowed to send: requests limit exceeded, try again later"}'
    return Fault(status=429, body=body, headers={"Retry-After": retry_after} if retry_after else {})
