"""Answers of DNS to the fetcher, so that no test asks a real name server."""

import socket

import pytest


def fail_lookups(monkeypatch: pytest.MonkeyPatch, code: int = socket.EAI_NONAME) -> None:
    """Let each lookup of a name fail with this code: EAI_NONAME for an unknown name, EAI_AGAIN if DNS does not answer.

    A positive code is one of `errno`: the system itself failed.
    """

    def fail(*_: object, **__: object) -> list[object]:
        raise (socket.gaierror if code < 0 else OSError)(code, "the lookup failed")

    monkeypatch.setattr("newsletter.content.fetching.fetcher.getaddrinfo", fail)
