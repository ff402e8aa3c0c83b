"""Data that a page needs several times is read once, and kept only for that page."""

from itertools import count

import pytest

from newsletter.common.database.one_reading import one_reading, read_once


def test_within_one_reading_the_same_question_is_read_once() -> None:
    numbers, row = count(), object()
    with one_reading():
        assert [read_once("number", lambda: next(numbers), row) for _ in range(2)] == [0, 0]
        assert read_once("other", lambda: next(numbers), row) == 1
        assert read_once("number", lambda: next(numbers), object()) == 2
    with one_reading():
        assert read_once("number", lambda: next(numbers), row) == 3


def test_without_a_reading_everything_is_read_again() -> None:
    numbers, row = count(), object()
    assert [read_once("number", lambda: next(numbers), row) for _ in range(2)] == [0, 1]


def test_an_error_is_not_kept_and_ends_the_reading() -> None:
    numbers, row = count(), object()
    with pytest.raises(ZeroDivisionError), one_reading():
        read_once("share", lambda: 1 // next(numbers), row)
    assert [read_once("share", lambda: 1 // next(numbers), row) for _ in range(2)] == [1, 0]


def test_objects_that_are_equal_are_not_the_same() -> None:
    numbers = count()
    with one_reading():
        assert [read_once("number", lambda: next(numbers), [1]) for _ in range(2)] == [0, 1]
