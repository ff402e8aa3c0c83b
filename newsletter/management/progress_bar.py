"""A progress bar for a send on a terminal."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db.models import Sum
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from newsletter.models import Batch, Send

FINISHED_STATES = (
    Batch.State.ACCEPTED,
    Batch.State.PARTIAL,
    Batch.State.REJECTED,
    Batch.State.UNCERTAIN,
    Batch.State.WRITTEN_OFF,
)


@contextmanager
def show_send_progress(send: Send, *, quiet: bool = False) -> Iterator[Callable[[], None]]:
    """Yield a function that updates the bar from the rows."""
    console = Console(file=sys.stderr)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("people"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, disable=quiet or not console.is_terminal) as bar:
        task = bar.add_task("Sending", total=send.recipients)

        def update() -> None:
            done = send.batches.filter(state__in=FINISHED_STATES).aggregate(people=Sum("size"))["people"] or 0
            bar.update(task, completed=done, total=send.recipients)

        yield update
        update()
