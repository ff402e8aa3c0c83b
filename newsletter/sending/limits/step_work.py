"""Declare on which rows each step of the sweep acts. The sweep does not run while no step has such rows."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import NamedTuple, TypeVar

from django.db.models import Model, Q, QuerySet

from newsletter.models import Send

RowFinder = Callable[[datetime], "QuerySet[Model]"]
AnyStep = TypeVar("AnyStep", bound=Callable[..., object])
_NO_SEND = Q(pk__in=())


class StepWork(NamedTuple):
    """The rows on which a step acts: ``sends`` selects sends; each function of ``rows`` returns other rows for a time."""

    sends: Q
    rows: tuple[RowFinder, ...]


_work: dict[Callable[..., object], StepWork] = {}


def acts_on(*rows: RowFinder, sends: Q = _NO_SEND) -> Callable[[AnyStep], AnyStep]:
    """Declare the rows on which a step of the sweep acts. More rows than it needs are allowed, fewer are not."""

    def declare(step: AnyStep) -> AnyStep:
        _work[step] = StepWork(sends, rows)
        return step

    return declare


def find_work(step: Callable[..., object]) -> StepWork:
    """Return the rows that the step declared. Raise KeyError if it declared none."""
    return _work[step]


def has_work(steps: Iterable[Callable[..., object]], *, now: datetime) -> bool:
    """Return True if one of these steps may find something to do. One query asks for the sends of all of them."""
    sends, finders = _NO_SEND, dict[RowFinder, None]()
    for step in steps:
        work = find_work(step)
        sends |= work.sends
        finders.update(dict.fromkeys(work.rows))
    return Send.objects.filter(sends).exists() or any(find(now).exists() for find in finders)
