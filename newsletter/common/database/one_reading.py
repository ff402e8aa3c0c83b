"""Read the answer to a question once for a page that asks it several times."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

T = TypeVar("T")
_answers: ContextVar[dict[tuple[object, ...], tuple[Any, object]] | None] = ContextVar("answers", default=None)


@contextmanager
def one_reading() -> Iterator[None]:
    """Make `read_once` cache its results within this block. Use it to show a page: write and decide nothing in it."""
    token = _answers.set({})
    try:
        yield
    finally:
        _answers.reset(token)


def read_once(question: str, read: Callable[[], T], *about: object) -> T:
    """Return the result of ``read``. Within `one_reading`, reuse it for the same question about the same objects.

    Objects are the same if they are one in memory: another copy of a row may have been changed by a form. Name a row that no
    form changes in the question. Errors are not kept.
    """
    answers = _answers.get()
    if answers is None:
        return read()
    key = (question, *map(id, about))
    if key not in answers:
        answers[key] = read(), about  # as long as the objects are kept, no other gets their id
    answer: T = answers[key][0]
    return answer
