"""The turns of the event loop that serves pages in this process. A loop that makes no turn hangs: no page opens.

A turn in which the loop can accept no connection is not noted, so such a loop counts as one that hangs.
"""


class EventLoopTurns:
    """Counts the turns. 0 means that no event loop runs here, or not yet."""

    def __init__(self) -> None:
        self.count = 0

    def note(self) -> None:
        self.count += 1

    def end(self) -> None:
        """Note that the loop has ended, which is no hang."""
        self.count = 0


class TurnWatch:
    """Finds a loop that hangs by the number of looks in a row that found no new turn.

    It counts looks, not seconds: a process that was stopped, or a computer that was suspended, looks only once when it goes on.
    """

    def __init__(self, turns: EventLoopTurns) -> None:
        self._turns = turns
        self._seen = 0
        self._missed = 0

    def look(self) -> int:
        """Return how many looks in a row found no new turn, 0 if no loop runs."""
        count = self._turns.count
        self._missed = self._missed + 1 if count and count == self._seen else 0
        self._seen = count
        return self._missed


turns = EventLoopTurns()
