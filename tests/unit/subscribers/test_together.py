"""Those who wait for one commit, where it comes to nothing."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import IntegrityError, OperationalError

from subscribers.together import Together

CROWD = 12


def ask_all(desk: Together[int, int]) -> list[object]:
    def ask(number: int) -> object:
        try:
            return desk.do(number)
        except (OperationalError, IntegrityError) as error:
            return error

    with ThreadPoolExecutor(max_workers=CROWD) as crowd:
        return list(crowd.map(ask, range(CROWD)))


@pytest.mark.parametrize("error", [OperationalError("it is away"), IntegrityError("one of them is gone")])
def test_u7_a_crowd_waits_once_for_a_database_that_is_away_and_is_served_again_after_any_other_fault(
    error: Exception,
) -> None:
    asked: list[list[int]] = []

    def fail_first(numbers: list[int]) -> list[int]:
        asked.append(numbers)
        if len(asked) > 1:
            return numbers
        time.sleep(0.5)
        raise error

    desk = Together(fail_first)
    answers = ask_all(desk)
    if isinstance(error, OperationalError):
        assert answers == [error] * CROWD
        assert len(asked) == 1
    else:
        assert answers.count(error) == len(asked[0])
        assert sum(map(len, asked)) == CROWD
    assert desk.do(7) == 7


def test_nobody_is_kept_waiting_behind_a_failure() -> None:
    def fail(numbers: list[int]) -> list[int]:
        time.sleep(0.01)
        raise OperationalError("it is away")

    began = time.monotonic()
    assert all(isinstance(answer, OperationalError) for answer in ask_all(Together(fail)))
    assert time.monotonic() - began < 2
