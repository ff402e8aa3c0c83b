"""Figures that take long to count are shown from the last count, with its time."""

from collections.abc import Callable
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest
import time_machine
from django.conf import settings
from django.utils import timezone

from subscribers.audience import count_cache
from subscribers.audience.count_cache import MAX_AGE, recall_or_count


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
