"""Read a file in chunks. A thread reads the next chunk while the database writes the last one.

Python reads and SQLite writes, each for about half of the time of an import, and a statement lets other threads run.
"""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from types import TracebackType
from typing import Generic, Self, TypeVar

from django.utils.translation import get_language, override

Row = TypeVar("Row")


class ChunkReader(Generic[Row]):
    """The chunks of `rows`, which must not use the database. It is a context manager that ends its thread."""

    def __init__(self, rows: Iterator[Row], *, size: int) -> None:
        self._rows = rows
        self._size = size
        self._coming: Future[list[Row]] | None = None
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="import-reader")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._pool.shutdown(cancel_futures=True)

    def take(self) -> list[Row]:
        """Return the next chunk, or an empty list after the last one. Raise what reading it raised."""
        if self._coming is None:
            return self._read()
        coming, self._coming = self._coming, None
        return coming.result()

    def read_ahead(self) -> None:
        """Begin to read the next chunk in the thread, in the language of the caller. Do nothing if it has begun."""
        if self._coming is None:
            self._coming = self._pool.submit(self._read_in_language, get_language())

    def _read_in_language(self, language: str | None) -> list[Row]:
        with override(language):
            return self._read()

    def _read(self) -> list[Row]:
        return list(islice(self._rows, self._size))
