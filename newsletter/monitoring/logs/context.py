"""The request or the job that this thread works on, for its log lines."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_request: ContextVar[str] = ContextVar("request", default="")
_job: ContextVar[str] = ContextVar("job", default="")


@contextmanager
def working_on(*, request: str = "", job: str = "") -> Iterator[None]:
    """Name the request or the job in each line that is logged inside the block, in this thread."""
    before_request, before_job = _request.set(request), _job.set(job)
    try:
        yield
    finally:
        _request.reset(before_request)
        _job.reset(before_job)


def current_request() -> str:
    """Return the id of the request that this thread answers, or ""."""
    return _request.get()


def current_job() -> str:
    """Return the name of the job that this thread runs, or ""."""
    return _job.get()
