"""A thread reads the next chunk of a file while the caller works on the last one."""

import threading
from collections.abc import Iterator

import pytest
from django.utils import translation

from subscribers.importing.writing.import_run import ChunkReader


def test_all_rows_come_once_in_their_order() -> None:
    chunks = []
    with ChunkReader(iter(range(7)), size=3) as reader:
        while chunk := reader.take():
            chunks.append(chunk)
            reader.read_ahead()
            reader.read_ahead()
    assert chunks == [[0, 1, 2], [3, 4, 5], [6]]


def test_the_next_chunk_is_read_before_it_is_taken() -> None:
    second_was_read = threading.Event()

    def rows() -> Iterator[str]:
        yield "first"
        second_was_read.set()
        yield translation.get_language()

    with translation.override("es"), ChunkReader(rows(), size=1) as reader:
        assert reader.take() == ["first"]
        assert not second_was_read.is_set()
        reader.read_ahead()
        assert second_was_read.wait(30)
        assert reader.take() == ["es"]


def test_an_error_reaches_whoever_takes_the_chunk() -> None:
    def rows() -> Iterator[int]:
        yield 1
        raise ValueError("The file ends too soon.")

    with ChunkReader(rows(), size=1) as reader:
        assert reader.take() == [1]
        reader.read_ahead()
        with pytest.raises(ValueError, match="too soon"):
            reader.take()
