"""The receipt of an issue as a table for a terminal."""

from typing import Any

from rich.console import Console
from rich.table import Table

_MEANING = {
    "accepted": "the provider took it",
    "pending": "not handed over yet",
    "rejected": "the provider refused it",
    "skipped": "left between the freeze and the call",
    "uncertain": "called, and we do not know; never sent again unasked",
}


def print_receipt(status: dict[str, Any], *, console: Console) -> None:
    """Audience = accepted + rejected + skipped + excluded + uncertain (+ pending), to the person."""
    audience, send = status["audience"], status["send"]
    console.print(f"{status['issue']}: {status['subject']}", markup=False, highlight=False)
    console.print(
        f"state {status['state']}" + (f", send {send['state']} by {send['provider']}" if send else ""),
        markup=False,
        highlight=False,
    )
    if send is None:
        return
    table = Table("people", "", "", box=None, show_header=False)
    table.columns[0].justify = "right"
    table.add_row(f"{audience['candidates']:,}", "on the list", "")
    for reason, people in audience["excluded"].items():
        table.add_row(f"{people:,}", f"excluded: {reason}", "may not be mailed")
    table.add_row(f"{audience['recipients']:,}", "recipients", "")
    for state, people in status["deliveries"].items():
        if people or state == "accepted":
            table.add_row(f"{people:,}", f"  {state}", _MEANING[state])
    for fact in ("delivered", "bounced", "complained", "unsubscribed"):
        if status[fact]:
            table.add_row(f"{status[fact]:,}", f"  {fact}", "")
    console.print(table)
