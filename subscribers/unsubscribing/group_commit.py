"""Group commit: requests that arrive during a commit share the next one, because writing to the disk is the slow part.

Nobody is answered before the commit that holds their own work.
"""

from collections.abc import Callable
from threading import Lock
from typing import Generic, TypeVar

from django.db import Error

from newsletter.common.database.deadlines import is_database_unavailable
from newsletter.common.messages import Message

Item = TypeVar("Item")
Result = TypeVar("Result")
_MAX_BATCH_SIZE = 100


class GroupCommitFailed(Exception):
    """The request that did the work for several failed with an unexpected error."""


class _PendingItem(Generic[Item, Result]):
    """One waiting request. `wake_up` is locked until its work is done, or until it must do the work itself."""

    __slots__ = ("done", "error", "item", "result", "wake_up")

    def __init__(self, item: Item) -> None:
        self.item = item
        self.wake_up = Lock()
        self.wake_up.acquire()
        self.done = False
        self.error: Exception | None = GroupCommitFailed(
            Message("The request that did the work for several failed. Nothing was saved.")
        )
        self.result: list[Result] = []


class GroupCommit(Generic[Item, Result]):
    """Run `work` on the items of all waiting requests.

    `work` returns one result for each item, in order, and commits before it returns. If the database refuses several
    items together, it gets each of them alone, so that one bad item does not fail the others. If the database does not answer,
    every waiting request gets that error, so that no request waits for it a second time.
    """

    def __init__(self, work: Callable[[list[Item]], list[Result]]) -> None:
        self._work = work
        self._waiting: list[_PendingItem[Item, Result]] = []
        self._busy = False
        self._queue = Lock()

    def submit(self, item: Item) -> Result:
        """Return the result for this item after its commit."""
        pending: _PendingItem[Item, Result] = _PendingItem(item)
        with self._queue:
            self._waiting.append(pending)
            is_leader = not self._busy
            self._busy = True
        if not is_leader:
            pending.wake_up.acquire()
        if not pending.done:
            self._process_batch()
        if pending.error is not None:
            raise pending.error
        return pending.result[0]

    def _process_batch(self) -> None:
        """Process the waiting items, this one first, then wake the first request that arrived since."""
        with self._queue:
            batch, self._waiting = self._waiting[:_MAX_BATCH_SIZE], self._waiting[_MAX_BATCH_SIZE:]
        try:
            self._process(batch)
        finally:
            for pending in batch:
                pending.done = True
            self._wake_next()
            for pending in batch:
                pending.wake_up.release()

    def _process(self, batch: list[_PendingItem[Item, Result]]) -> None:
        """Process a batch. If the database does not answer, also fail the requests that arrived during the wait."""
        error = self._run_work(batch)
        if error and len(batch) > 1 and not is_database_unavailable(error):
            errors = (self._run_work([pending]) for pending in batch)
            error = next((error for error in errors if error and is_database_unavailable(error)), None)
        if error and is_database_unavailable(error):
            batch += self._take_waiting()
            for pending in batch:
                pending.error = None if pending.result else error

    def _run_work(self, batch: list[_PendingItem[Item, Result]]) -> Error | None:
        try:
            results = self._work([pending.item for pending in batch])
        except Error as error:
            for pending in batch:
                pending.error = error
            return error
        for index, pending in enumerate(batch):
            pending.error, pending.result = None, results[index : index + 1]
        return None

    def _take_waiting(self) -> list[_PendingItem[Item, Result]]:
        with self._queue:
            waiting, self._waiting = self._waiting, []
        return waiting

    def _wake_next(self) -> None:
        with self._queue:
            self._busy = bool(self._waiting)
            next_leader = self._waiting[:1]
        for pending in next_leader:
            pending.wake_up.release()
