"""Declare on which rows each step of the sweep acts. The sweep does not run while no step has such rows."""

from collections.abc import Callable, Mapping
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


def list_steps() -> Mapping[Callable[..., object], StepWork]:
    """Return each step with the rows that it declared."""
    return _work


def has_work(*, now: datetime) -> bool:
    """Return True if a step of the sweep may find something to do. One query asks for the sends of all of them.

    A send that staff paused, and one that ended, give them none.
    """
    sends, finders = _NO_SEND, dict[RowFinder, None]()
    for work in list_steps().values():
        sends |= work.sends
        finders.update(dict.fromkeys(work.rows))
    return Send.objects.filter(sends).exists() or any(find(now).exists() for find in finders)
