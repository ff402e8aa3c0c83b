"""The receipt of an issue as a table for a terminal."""

import csv
from collections.abc import Sequence
from datetime import datetime
from typing import TextIO, TypedDict

from rich.console import Console
from rich.table import Table

from newsletter.common.messages import end_sentence
from newsletter.common.text import escape_csv_cell
from newsletter.issues.variants.exclusion_labels import get_exclusion_label
from newsletter.models import Issue, Send
from newsletter.models.sending.account_moves import AccountMove
from newsletter.providers.accounts import DEFAULT_ACCOUNT
from newsletter.providers.registry import OUTBOX
from newsletter.sending.settling.issue_status import IssueStatus, SendStatus
from newsletter.sending.settling.receipt import list_deliveries

_MEANING = {
    "accepted": "accepted by the provider",
    "pending": "not sent yet",
    "rejected": "rejected by the provider",
    "skipped": "unsubscribed or suppressed after the recipient list was locked, or changed to an address that has the issue",
    "uncertain": "no clear answer from the provider; not sent again automatically",
}
_OF_FILES = {"accepted": "written to files; no mail left this machine"}
_OF_CANCELLED = {"skipped": "not sent: the send was cancelled first, or they had unsubscribed"}
_ENDED_HERE = ("paused", "needs_attention", "cancelled")


class MoveStatus(TypedDict):
    """People whom a send moved to another provider account, why, and who did it ("": the program)."""

    at: datetime
    from_account: str
    to_account: str
    people: int
    code: str
    reason: str
    by: str


def list_moves(issue: Issue) -> list[MoveStatus]:
    """Return the moves between provider accounts of all sends of the issue, oldest first."""
    return [
        MoveStatus(
            at=move.at,
            from_account=move.from_account,
            to_account=move.to_account,
            people=move.people,
            code=move.code,
            reason=str(move.reason),
            by=move.by,
        )
        for move in AccountMove.objects.filter(send__issue=issue).order_by("pk")
    ]


def print_receipt(
    status: IssueStatus, *, console: Console, moves: Sequence[MoveStatus] = (), held_reason: str = ""
) -> None:
    """Print the receipt: audience = accepted + rejected + skipped + excluded + uncertain (+ pending)."""
    audience, send = status["audience"], status["send"]
    console.print(f"{status['issue']}: {status['subject']}", markup=False, highlight=False)
    console.print(
        f"state {status['state']}" + (f", send {_describe_state(send)}" if send else ""),
        markup=False,
        highlight=False,
    )
    if status["held"]:
        console.print(f"on hold: {end_sentence(held_reason or 'no reason given')}", markup=False, highlight=False)
    if send is None:
        return
    if send["reason"]:
        console.print(f"reason: {send['reason']}", markup=False, highlight=False)
    table = Table("people", "", "", box=None, show_header=False)
    table.columns[0].justify = "right"
    table.add_row(f"{audience['candidates']:,}", "on the list", "")
    for reason, people in audience["excluded"].items():
        table.add_row(f"{people:,}", f"excluded: {reason}", str(get_exclusion_label(reason)))
    table.add_row(f"{audience['recipients']:,}", "recipients", "")
    meaning = {
        **_MEANING,
        **(_OF_FILES if send["provider"] == OUTBOX else {}),
        **(_OF_CANCELLED if send["state"] == "cancelled" else {}),
    }
    for state, people in status["deliveries"].items():
        if people or state == "accepted":
            table.add_row(f"{people:,}", f"  {state}", meaning[state])
    for fact, people in (
        ("delivered", status["delivered"]),
        ("bounced", status["bounced"]),
        ("complained", status["complained"]),
        ("unsubscribed", status["unsubscribed"]),
        ("unsent", status["unsent"]),
    ):
        if people:
            table.add_row(f"{people:,}", f"  {fact}", "")
    for account, states in send["accounts"].items() if {*send["accounts"]} - {DEFAULT_ACCOUNT} else ():
        table.add_row(f"{sum(states.values()):,}", f"by the account {account}", "")
        for state, people in states.items():
            if people:
                table.add_row(f"{people:,}", f"  {state}", "")
    console.print(table)
    for move in moves:
        console.print(_describe_move(move), markup=False)


def _describe_state(send: SendStatus) -> str:
    """Return the state with the provider. It is not the provider that pauses or cancels a send."""
    before = ", provider " if send["state"] in _ENDED_HERE else " by "
    return f"{send['state']}{before}{send['provider']}"


def _describe_move(move: MoveStatus) -> str:
    why = f"moved by {move['by']}" if move["by"] else move["reason"] or str(AccountMove.Code(move["code"]).label)
    people = "1 person" if move["people"] == 1 else f"{move['people']:,} people"
    accounts = f"from the account {move['from_account']} to {move['to_account']}"
    return f"{move['at']:%Y-%m-%d %H:%M} UTC: {people} moved {accounts}: {why}"


def write_receipt_csv(send: Send, *, out: TextIO) -> int:
    """Write one line for each person: id, outcome and reason. There are no addresses; the desk finds people by id."""
    writer = csv.writer(out)
    writer.writerow(
        ["delivery", "subscriber", "batch", "state", "reason", "delivered", "bounced", "complained", "left", "account"]
    )
    lines = 0
    for row in list_deliveries(send):
        writer.writerow(escape_csv_cell("" if cell is None else str(cell)) for cell in row)
        lines += 1
    return lines
