"""Act on many sends, so that an error in one of them does not stop the others."""

import logging
from collections.abc import Callable, Iterable
from typing import TypeVar

from django.db import Error

from newsletter.common.errors import DomainError
from newsletter.models import Send

log = logging.getLogger(__name__)
Result = TypeVar("Result")


def act_on_each(sends: Iterable[Send], act: Callable[[Send], Result], *, failure: str) -> list[tuple[Send, Result]]:
    """Return each send with its result. An error is logged after ``failure``, in which %s is the send's id.

    The sends are read before the first act, because an act may change which of them are found.
    """
    results = []
    for send in list(sends):
        try:
            results.append((send, act(send)))
        except (DomainError, Error) as error:
            log.error("%s: %s", failure % send.pk, " ".join(str(error).split()))
    return results
