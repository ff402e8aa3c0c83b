"""Figures that take long to count are shown from the last count, with its time."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import count
from pathlib import Path
from threading import Event, Semaphore

import pytest
import time_machine
from django.conf import settings
from django.utils import timezone

from subscribers.audience import count_cache
from subscribers.audience.count_cache import MAX_AGE, Coming, Figure, recall_or_count


@pytest.fixture
def number() -> Callable[[], int]:
    numbers = count(1)
    return lambda: next(numbers)


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(count_cache, "QUICK_SECONDS", -1)


def test_a_quick_count_is_made_again_each_time(number: Callable[[], int]) -> None:
    figures = [recall_or_count("people", number, now=timezone.now()) for _ in range(2)]
    assert [(figure.value, figure.counted_at) for figure in figures] == [(1, None), (2, None)]


@pytest.mark.usefixtures("slow")
def test_a_slow_count_is_kept_with_its_time(number: Callable[[], int]) -> None:
    now = timezone.now()
    assert recall_or_count("people", number, now=now).counted_at is None
    kept = recall_or_count("people", number, now=now + timedelta(minutes=1))
    assert (kept.value, kept.counted_at) == (1, now)
    assert recall_or_count("other people", number, now=now).value == 2


@pytest.mark.usefixtures("slow")
def test_a_slow_count_is_made_again_on_demand_and_after_a_while(number: Callable[[], int]) -> None:
    now = timezone.now()
    recall_or_count("people", number, now=now)
    assert recall_or_count("people", number, now=now, again=True).value == 2
    assert recall_or_count("people", number, now=now).value == 2
    with time_machine.travel(now + MAX_AGE + timedelta(seconds=1)):
        assert recall_or_count("people", number, now=timezone.now()).value == 3


@pytest.mark.usefixtures("slow")
def test_a_count_that_began_later_is_not_replaced(number: Callable[[], int]) -> None:
    """Somebody pressed “Count again” after a change, and an older count ends after theirs."""
    now = timezone.now()
    later = now + timedelta(seconds=5)

    def count_while_another_does() -> int:
        recall_or_count("people", number, now=later, again=True)
        return 99

    assert recall_or_count("people", count_while_another_does, now=now).value == 99
    kept = recall_or_count("people", number, now=later)
    assert (kept.value, kept.counted_at) == (1, later)


@pytest.mark.usefixtures("slow")
def test_a_count_that_ends_while_another_page_looks_is_not_made_again(
    number: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    now, recall = timezone.now(), count_cache._recall

    def recall_before_the_other_ends(name: str) -> Figure[int] | None:
        monkeypatch.setattr(count_cache, "_recall", recall)
        found = recall(name)
        recall_or_count(name, number, now=now)
        return found

    monkeypatch.setattr(count_cache, "_recall", recall_before_the_other_ends)
    figure = recall_or_count("people", number, now=now)
    assert (figure.value, figure.counted_at) == (1, now)
    assert not count_cache._coming


def test_a_count_that_became_quick_is_no_longer_kept(
    number: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = timezone.now()
    monkeypatch.setattr(count_cache, "QUICK_SECONDS", -1)
    recall_or_count("people", number, now=now)
    monkeypatch.setattr(count_cache, "QUICK_SECONDS", 60)
    recall_or_count("people", number, now=now, again=True)
    assert recall_or_count("people", number, now=now).value == 3


@pytest.mark.usefixtures("slow")
def test_kept_figures_are_limited_in_number_and_in_no_file(number: Callable[[], int]) -> None:
    now, folder = timezone.now(), Path(settings.NEWSLETTER_DATA_DIR)
    before = set(folder.rglob("*"))
    for name in range(count_cache.MAX_KEPT + 1):
        recall_or_count(f"people {name}", number, now=now)
    assert len(count_cache._kept) == count_cache.MAX_KEPT
    assert recall_or_count("people 1", number, now=now).value == 2
    assert recall_or_count("people 0", number, now=now).counted_at is None
    assert set(folder.rglob("*")) == before


@pytest.mark.usefixtures("slow")
def test_a_page_cannot_change_a_kept_figure() -> None:
    now = timezone.now()
    for _ in range(2):
        recall_or_count("groups", lambda: [7, 2], now=now).value.pop()
    assert recall_or_count("groups", lambda: [0], now=now).value == [7, 2]


@pytest.mark.usefixtures("slow")
def test_old_figures_leave_the_memory(number: Callable[[], int]) -> None:
    now = timezone.now()
    recall_or_count("people", number, now=now)
    with time_machine.travel(now + MAX_AGE + timedelta(seconds=1)):
        recall_or_count("other people", number, now=timezone.now())
        assert list(count_cache._kept) == ["other people"]


@pytest.mark.parametrize("quick_seconds", [-1, 60])
def test_threads_that_need_the_same_figure_count_it_once(
    number: Callable[[], int], monkeypatch: pytest.MonkeyPatch, quick_seconds: int
) -> None:
    monkeypatch.setattr(count_cache, "QUICK_SECONDS", quick_seconds)
    now, counts, may_end, wait, waiting = timezone.now(), Event(), Event(), count_cache._wait, Semaphore(0)

    def tell_and_wait(coming: Coming) -> Figure[int] | None:
        waiting.release()
        return wait(coming)

    monkeypatch.setattr(count_cache, "_wait", tell_and_wait)

    def count_until_told() -> int:
        counts.set()
        may_end.wait(60)
        return number()

    with ThreadPoolExecutor(max_workers=4) as pool:
        first = pool.submit(recall_or_count, "people", count_until_told, now=now)
        counts.wait(60)
        others = [pool.submit(recall_or_count, "people", number, now=timezone.now()) for _ in range(3)]
        assert all(waiting.acquire(timeout=20) for _ in others)
        may_end.set()
        assert (first.result(60).value, first.result().counted_at) == (1, None)
        assert [(other.result(60).value, other.result().counted_at) for other in others] == [(1, now)] * 3
    assert not count_cache._coming


def test_a_thread_counts_itself_if_another_takes_too_long(
    number: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(count_cache, "MAX_WAIT_SECONDS", 0.01)
    now, counts, may_end = timezone.now(), Event(), Event()

    def count_until_told() -> int:
        counts.set()
        may_end.wait(60)
        return number()

    with ThreadPoolExecutor(max_workers=1) as pool:
        hanging = pool.submit(recall_or_count, "people", count_until_told, now=now)
        counts.wait(60)
        assert recall_or_count("people", number, now=now).value == 1
        may_end.set()
        assert hanging.result(60).value == 2
    assert not count_cache._coming


def test_a_thread_counts_itself_if_the_count_of_another_fails(
    number: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    now, counts, may_fail, wait, waits = timezone.now(), Event(), Event(), count_cache._wait, Event()

    def tell_and_wait(coming: Coming) -> Figure[int] | None:
        waits.set()
        return wait(coming)

    monkeypatch.setattr(count_cache, "_wait", tell_and_wait)

    def fail_when_told() -> int:
        counts.set()
        may_fail.wait(60)
        raise ValueError

    with ThreadPoolExecutor(max_workers=2) as pool:
        failing = pool.submit(recall_or_count, "people", fail_when_told, now=now)
        counts.wait(60)
        waiting = pool.submit(recall_or_count, "people", number, now=now)
        waits.wait(60)
        may_fail.set()
        with pytest.raises(ValueError):
            failing.result(60)
        assert waiting.result(60).value == 1
    assert recall_or_count("people", number, now=now).value == 2
    assert not count_cache._coming
