"""Declare beside each step of the sweep what it acts on. The guard of the sweep asks for it."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import NamedTuple, TypeVar

from django.db.models import Model, Q, QuerySet

from newsletter.models import Send

RowFinder = Callable[[datetime], "QuerySet[Model]"]
AnyStep = TypeVar("AnyStep", bound=Callable[..., object])
_NO_SEND = Q(pk__in=())


class StepWork(NamedTuple):
    """``sends`` selects the sends of a step; each of ``rows`` returns other rows that it acts on at a moment."""

    sends: Q
    rows: tuple[RowFinder, ...]


_work: dict[Callable[..., object], StepWork] = {}


def acts_on(*rows: RowFinder, sends: Q = _NO_SEND) -> Callable[[AnyStep], AnyStep]:
    """Declare what a step of the sweep acts on. It may be more than that, and never less."""

    def declare(step: AnyStep) -> AnyStep:
        _work[step] = StepWork(sends, rows)
        return step

    return declare


def find_work(step: Callable[..., object]) -> StepWork:
    """Return what the step acts on. Raise KeyError if it does not declare that."""
    return _work[step]


def has_work(steps: Iterable[Callable[..., object]], *, now: datetime) -> bool:
    """Return True if one of these steps may find something to do. One query asks for the sends of all of them."""
    sends, finders = _NO_SEND, dict[RowFinder, None]()
    for step in steps:
        work = find_work(step)
        sends |= work.sends
        finders.update(dict.fromkeys(work.rows))
    return Send.objects.filter(sends).exists() or any(find(now).exists() for find in finders)
