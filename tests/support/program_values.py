"""Texts for staff that state a value of the program, such as a limit: which texts state it, and which of them nobody compares."""

import re
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import Generic, TypeVar

from scripts.messages import read

_Value = TypeVar("_Value")


@cache
def list_texts() -> tuple[str, ...]:
    """Return all texts of the product in English."""
    ids = (message.id[0] if isinstance(message.id, tuple) else str(message.id) for message in read("es") if message.id)
    return tuple(text.replace("%%", "%") for text in ids)


class ProgramValues(Generic[_Value]):
    """Constants of the program, each with the parts of texts that state it: “{}” stands for the value.

    ``pattern`` finds each text that states such a value. ``elsewhere`` are parts of texts whose value no constant states.
    """

    def __init__(
        self,
        values: Sequence[tuple[_Value, tuple[str, ...]]],
        *,
        describe: Callable[[_Value], str],
        pattern: re.Pattern[str],
        elsewhere: Iterable[str],
    ) -> None:
        self.expected = [text.format(describe(value)) for value, texts in values for text in texts]
        self._pattern, self._elsewhere = pattern, tuple(elsewhere)

    def list_unlisted_texts(self) -> list[str]:
        """Return the texts that state a value, but are not in the table."""
        known = (*self.expected, *self._elsewhere)
        return [text for text in list_texts() if self._pattern.search(text) and not any(part in text for part in known)]


def is_in_a_text(part: str) -> bool:
    return any(part in text for text in list_texts())
