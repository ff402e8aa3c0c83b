"""Group commit: requests share a commit, and each gets its own result or error."""

import time
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from django.db import IntegrityError, OperationalError

from subscribers.unsubscribing.group_commit import GroupCommit

CROWD = 12


def ask_all(desk: GroupCommit[int, int]) -> list[object]:
    def ask(number: int) -> object:
        try:
            return desk.submit(number)
        except (OperationalError, IntegrityError) as error:
            return error

    with ThreadPoolExecutor(max_workers=CROWD) as crowd:
        return list(crowd.map(ask, range(CROWD)))


@pytest.mark.parametrize("error", [OperationalError("it is away"), IntegrityError("one of them is gone")])
@pytest.mark.requirement("U7")
def test_a_crowd_waits_only_once_for_a_database_that_is_away(
    error: Exception,
) -> None:
    asked: list[list[int]] = []

    def fail_first(numbers: list[int]) -> list[int]:
        asked.append(numbers)
        if len(asked) > 1:
            return numbers
        time.sleep(0.5)
        raise error

    desk = GroupCommit(fail_first)
    answers = ask_all(desk)
    if isinstance(error, OperationalError):
        assert answers == [error] * CROWD
        assert len(asked) == 1
    else:
        assert answers.count(error) == len(asked[0])
        assert sum(map(len, asked)) == CROWD
    assert desk.submit(7) == 7


def refusal(state: str) -> OperationalError:
    """Return the error that Django raises for this state of PostgreSQL."""
    error = OperationalError("it said no")
    error.__cause__ = psycopg.errors.lookup(state)("it said no")
    return error


@pytest.mark.parametrize("error", [refusal("57014"), refusal("40P01"), IntegrityError("the person is gone")])
@pytest.mark.requirement("U7")
def test_only_the_request_that_fails_is_refused(error: Exception) -> None:
    asked: list[list[int]] = []

    def refuse_five(numbers: list[int]) -> list[int]:
        asked.append(numbers)
        time.sleep(0.2 if len(asked) == 1 else 0)
        if 5 in numbers:
            raise error
        return numbers

    answers = ask_all(GroupCommit(refuse_five))
    assert answers == [error if number == 5 else number for number in range(CROWD)]


@pytest.mark.requirement("U7")
def test_no_item_is_tried_after_the_database_goes_away() -> None:
    away, asked = OperationalError("it is away"), list[list[int]]()

    def refuse(numbers: list[int]) -> list[int]:
        asked.append(numbers)
        if len(asked) == 1:
            time.sleep(0.5)
            return numbers
        if len(asked) == 2:
            raise IntegrityError("one of them is gone")
        if len(asked) == 4:
            raise away
        return numbers

    answers = ask_all(GroupCommit(refuse))
    served = {number for numbers in (asked[0], asked[2]) for number in numbers}
    assert len(asked) == 4
    assert answers == [number if number in served else away for number in range(CROWD)]


def test_nobody_is_kept_waiting_behind_a_failure() -> None:
    asked: list[int] = []

    def fail(numbers: list[int]) -> list[int]:
        asked.extend(numbers)
        time.sleep(0.01)
        raise OperationalError("it is away")

    assert all(isinstance(answer, OperationalError) for answer in ask_all(GroupCommit(fail)))
    assert len(asked) == len(set(asked))
