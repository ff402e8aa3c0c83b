"""Lets many requests share one transaction: who comes while another commits is served by the next commit, all at once.

A commit is what costs on a disk. Nobody is answered before the commit that holds their own work.
"""

from collections.abc import Callable
from threading import Lock
from typing import Generic, TypeVar

from django.db import Error

from newsletter.common.database_deadlines import is_database_unavailable
from newsletter.common.messages import Message

Item = TypeVar("Item")
Result = TypeVar("Result")


class GroupCommitFailed(Exception):
    """Another request failed in a way that nobody foresaw while it worked for this one as well."""


class _PendingItem(Generic[Item, Result]):
    """One who waits. `called` is held until the work is done, or until it is this one's turn to do it."""

    __slots__ = ("called", "done", "error", "item", "result")

    def __init__(self, item: Item) -> None:
        self.item = item
        self.called = Lock()
        self.called.acquire()
        self.done = False
        self.error: Exception | None = GroupCommitFailed(
            Message("The request that worked for several failed. Nothing of it was kept.")
        )
        self.result: list[Result] = []


class GroupCommit(Generic[Item, Result]):
    """`work` gets the items of all who wait and returns a result for each, in their order; it commits before it returns.

    Where the database refuses several together, each is tried alone: one of them is in its way, and the others are not to
    blame. Where it did not answer, that is raised for all of them and for those who came meanwhile, so that nobody waits
    for it a second time. Each is woken once: by whoever worked for them, or to work for those who came meanwhile.
    """

    def __init__(self, work: Callable[[list[Item]], list[Result]], *, max_batch_size: int = 100) -> None:
        self._work = work
        self._max_batch_size = max_batch_size
        self._waiting: list[_PendingItem[Item, Result]] = []
        self._busy = False
        self._queue = Lock()

    def submit(self, item: Item) -> Result:
        """The result for this item, once it is committed."""
        ticket: _PendingItem[Item, Result] = _PendingItem(item)
        with self._queue:
            self._waiting.append(ticket)
            first = not self._busy
            self._busy = True
        if not first:
            ticket.called.acquire()
        if not ticket.done:
            self._process_batch()
        if ticket.error is not None:
            raise ticket.error
        return ticket.result[0]

    def _process_batch(self) -> None:
        """Works for those who wait, this one first among them; then the turn goes to the first of those who came since."""
        with self._queue:
            batch, self._waiting = self._waiting[: self._max_batch_size], self._waiting[self._max_batch_size :]
        try:
            self._process(batch)
        finally:
            for ticket in batch:
                ticket.done = True
            self._wake_next()
            for ticket in batch:
                ticket.called.release()

    def _process(self, batch: list[_PendingItem[Item, Result]]) -> None:
        """Takes those who came meanwhile into the batch where the database is away."""
        error = self._run_work(batch)
        if error and len(batch) > 1 and not is_database_unavailable(error):
            alone = (self._run_work([ticket]) for ticket in batch)
            error = next((one for one in alone if one and is_database_unavailable(one)), None)
        if error and is_database_unavailable(error):
            batch += self._take_waiting()
            for ticket in batch:
                ticket.error = None if ticket.result else error

    def _run_work(self, tickets: list[_PendingItem[Item, Result]]) -> Error | None:
        try:
            results = self._work([ticket.item for ticket in tickets])
        except Error as error:
            for ticket in tickets:
                ticket.error = error
            return error
        for place, ticket in enumerate(tickets):
            ticket.error, ticket.result = None, results[place : place + 1]
        return None

    def _take_waiting(self) -> list[_PendingItem[Item, Result]]:
        with self._queue:
            everybody, self._waiting = self._waiting, []
        return everybody

    def _wake_next(self) -> None:
        with self._queue:
            self._busy = bool(self._waiting)
            following = self._waiting[:1]
        for ticket in following:
            ticket.called.release()
