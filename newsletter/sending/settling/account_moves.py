"""Move the remaining batches of a send to another provider account. A batch that an account may have stays.

A move locks the send and skips the batches that a worker is claiming. The constraint ``batch_stays_with_account`` also
forbids to move a batch that an account may have.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import NamedTuple

from django.contrib.auth.models import AnonymousUser, User
from django.db import transaction
from django.db.models import Count, F, Q, QuerySet, Sum

from newsletter.common.database.compiled_query import find_rows
from newsletter.common.errors import DomainError, InvariantViolated, NotAllowed, NotReady, WrongState
from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.models import AccountMove, Batch, Send, Variant
from newsletter.providers.base.contract import Capabilities
from newsletter.sending.accounts import require_account
from newsletter.sending.adapters import account_adapter
from newsletter.sending.deliverability.domains import find_domain_problems
from newsletter.sending.freezing.plan_batches import find_batch_size
from newsletter.sending.limits.each_send import act_on_each
from newsletter.sending.limits.recipient_allowlist import BLOCKED_REASON, is_provider_blocked
from newsletter.sending.limits.send_times import find_limit_today
from newsletter.sending.limits.split_batches import split_batches
from newsletter.sending.limits.step_work import acts_on
from newsletter.sending.settling.account_move_notices import notify_moved, notify_not_moved
from newsletter.sending.settling.account_outage import STOPPED_BY_ACCOUNT, find_move_reason
from newsletter.sending.settling.send_controls import find_newest_attempt
from newsletter.sending.wake_up_signal import send_wake_up_signal

MOVABLE_STATES = (Send.State.READY, Send.State.SUBMITTING, Send.State.PAUSED, Send.State.NEEDS_ATTENTION)
_ROWS_PER_UPDATE = 500

Staff = User | AnonymousUser
_MAY_NEED_MOVE = Q(state=Send.State.PAUSED, code__in=STOPPED_BY_ACCOUNT) | Q(state=Send.State.SUBMITTING)


@dataclass(frozen=True)
class MovableBatches:
    """The batches of a send that wait for one account and can move."""

    account: str
    batches: int
    people: int


def list_movable_batches(send: Send) -> list[MovableBatches]:
    """Return the batches that no account has or may have, by the account that they wait for."""
    rows = send.batches.movable().order_by("account").values_list("account").annotate(Count("pk"), Sum("size"))
    return [MovableBatches(*row) for row in rows] if send.state in MOVABLE_STATES else []


def move_by_hand(
    *, send: Send, to: str, by: Staff, now: datetime, write_entry: Callable[[int], object] | None = None
) -> int:
    """Move the rest of a send to an account that staff chose. Return how many people. A paused send stays paused.

    If many batches have to be split for that account, some people follow with the next sweeps. The move and the staff log's
    entry, by ``write_entry`` with the number of people, are one transaction.

    Raise NotAllowed, WrongState, AccountNotUsable, or NotReady if nobody is left or the mail does not fit there.
    """
    if not by.has_perm("newsletter.send_issue"):
        raise NotAllowed(
            "%(by)s may not move sends to another account. An administrator can give the role “approver”.", by=by
        )
    require_movable(send)
    limit = _find_limit(send, to=to, now=now)
    people = 0
    with transaction.atomic():
        locked = _lock(send)
        require_movable(locked)
        locked.account_moves.filter(unfinished=True).update(unfinished=False)
        for group in list_movable_batches(locked):
            if group.account == to:
                continue
            moved = _move(locked, source=group.account, to=to, limit=limit)
            if moved.people:
                people += moved.people
                _record(locked, moved, source=group.account, to=to, code=AccountMove.Code.BY_HAND, by=str(by), now=now)
        if not people:
            raise NotReady(
                "Nobody is left who could move to the account “%(account)s”: all others have the mail, may have it, or wait "
                "for this account already. Nothing was changed.",
                account=to,
            )
        if write_entry is not None:
            write_entry(people)
    return people


def _find_unfinished(now: datetime) -> QuerySet[AccountMove]:
    return AccountMove.objects.filter(unfinished=True)


@acts_on(_find_unfinished)
def continue_moves(*, now: datetime) -> None:
    """Move the batches that earlier moves left: they were too big, or were being claimed. Part of the sweep."""
    act_on_each(
        find_rows(_find_moves_to_continue, now=now),
        partial(_continue_move, now=now),
        failure="Move %s was not continued",
    )


def _find_moves_to_continue(now: datetime) -> QuerySet[AccountMove]:
    return _find_unfinished(now).select_related("send__issue__publication", "send__revision").order_by("pk")


def _continue_move(move: AccountMove, *, now: datetime) -> None:
    unfinished = AccountMove.objects.filter(pk=move.pk, unfinished=True)
    try:
        limit = _find_limit(move.send, to=move.to_account, now=now)
        with transaction.atomic():
            locked = _lock(move.send)
            if locked.state not in MOVABLE_STATES:
                unfinished.update(unfinished=False)
            elif unfinished.exists():
                moved = _move(locked, source=move.from_account, to=move.to_account, limit=limit)
                unfinished.update(
                    batches=F("batches") + moved.batches,
                    people=F("people") + moved.people,
                    unfinished=moved.is_unfinished,
                )
    except DomainError as error:
        unfinished.update(unfinished=False)
        notify_not_moved(move.send, error=error, now=now)


@acts_on(sends=_MAY_NEED_MOVE)
def move_to_second_accounts(*, now: datetime) -> list[AccountMove]:
    """Move unsent batches to the second account of a publication, if the first does not answer or refuses.

    Part of the sweep. Only sends of publications that name a second account, and only what no account has or may have.
    """
    sends = find_rows(_find_with_second_account, now=now)
    moved = act_on_each(sends, partial(_move_if_needed, now=now), failure="The rest of send %s was not moved")
    return [move for _, move in moved if move is not None]


def _find_with_second_account(_: datetime) -> QuerySet[Send]:
    candidates = Send.objects.filter(_MAY_NEED_MOVE).exclude(issue__publication__second_account="")
    return candidates.select_related("issue__publication", "revision").order_by("pk")


def _move_if_needed(send: Send, *, now: datetime) -> AccountMove | None:
    first = send.issue.publication.account
    if not send.batches.movable().filter(account=first).exists():
        return None
    code = find_move_reason(send, account=first, now=now)
    return _move_automatically(send, code=code, now=now) if code is not None else None


def _move_automatically(send: Send, *, code: AccountMove.Code, now: datetime) -> AccountMove | None:
    """Move the rest to the second account and resume the send. If that account cannot take it, notify staff once.

    Return None while batches are being split for it, or if the send changed since the cause was found.
    """
    source, to = send.issue.publication.account, send.issue.publication.second_account
    try:
        limit = _find_limit(send, to=to, now=now)
        with transaction.atomic():
            locked = _lock(send)
            if _find_state(locked) != _find_state(send):
                return None
            split_batches(locked, account=source, limit=limit)
            if locked.batches.movable().filter(account=source, size__gt=limit).exists():
                return None
            moved = _move(locked, source=source, to=to, limit=limit)
            if not moved.people:
                return None
            move = _record(locked, moved, source=source, to=to, code=code, reason=send.reason, now=now)
            _resume(locked)
            notify_moved(move, now=now)
            return move
    except DomainError as error:
        notify_not_moved(send, error=error, now=now)
        return None


def _lock(send: Send) -> Send:
    """Lock the send and read it again: nobody pauses, resumes, cancels or moves it before this transaction ends."""
    return Send.objects.select_for_update(of=("self",)).select_related("issue__publication").get(pk=send.pk)


def _find_state(send: Send) -> tuple[str, str, int]:
    """Return the values of the send on which the cause of an automatic move depends."""
    return send.state, send.code, send.resumed_after_attempt


def require_movable(send: Send) -> None:
    """Raise WrongState unless the send is in a state in which batches can wait for an account."""
    if send.state not in MOVABLE_STATES:
        raise WrongState(
            "%(send)s is %(state)s, so nothing of it can move. Nothing was changed.",
            send=send,
            state=send.get_state_display(),
        )


def _find_limit(send: Send, *, to: str, now: datetime) -> int:
    """Return how many people a batch may have at another account: by its size of a call, and by its daily limit.

    Raise AccountNotUsable, or NotReady if nobody may be mailed through it or the mail does not fit there.
    """
    chosen = require_account(to)
    if is_provider_blocked(chosen.provider):
        raise NotReady("Nothing was moved to the account “%(account)s”: %(closed)s.", account=to, closed=BLOCKED_REASON)
    for problem in find_domain_problems(send.issue.publication.from_email, account=to):
        if problem.level == "error":
            raise NotReady(
                "Nothing was moved to the account “%(account)s”: %(problem)s", account=to, problem=problem.text
            )
    limit = _find_size_limit(send, capabilities=account_adapter(to).capabilities)
    return min(limit, find_limit_today(send.issue.publication, now=now, account=to) or limit)


class _Moved(NamedTuple):
    """The batches and people that one round moved. ``is_unfinished``: more of the same account can move."""

    batches: int
    people: int
    is_unfinished: bool


def _move(send: Send, *, source: str, to: str, limit: int) -> _Moved:
    """Move the batches of one account to another. Before, split those with more than ``limit`` people.

    Call it in the transaction that locked the send. A batch that a worker is claiming stays for the next round.
    """
    split_batches(send, account=source, limit=limit)
    free = send.batches.movable().filter(account=source)
    fitting = free.filter(size__lte=limit).select_for_update(skip_locked=True, of=("self",))
    sizes = dict(fitting.order_by("pk").values_list("pk", "size"))
    chosen = list(sizes)
    moved = 0
    for start in range(0, len(chosen), _ROWS_PER_UPDATE):
        rows = Batch.objects.movable().filter(pk__in=chosen[start : start + _ROWS_PER_UPDATE], account=source)
        moved += rows.update(account=to, not_before=None)
    if moved != len(sizes):
        raise InvariantViolated(
            "%(send)s: only %(moved)s of %(batches)s batches could move to another account. Nothing was moved. This is a "
            "defect: report it.",
            send=send,
            moved=moved,
            batches=len(sizes),
        )
    if moved:
        # Failures of the first account no longer count: they would soon stop the second.
        Send.objects.filter(pk=send.pk).update(resumed_after_attempt=find_newest_attempt(send))
        send_wake_up_signal(send)
    return _Moved(moved, sum(sizes.values()), free.exists())


def _record(
    send: Send,
    moved: _Moved,
    *,
    source: str,
    to: str,
    code: AccountMove.Code,
    now: datetime,
    by: str = "",
    reason: str = "",
) -> AccountMove:
    return AccountMove.objects.create(
        send=send,
        from_account=source,
        to_account=to,
        code=code,
        by=by,
        reason=reason,
        batches=moved.batches,
        people=moved.people,
        unfinished=moved.is_unfinished,
        at=now,
    )


def _find_size_limit(send: Send, *, capabilities: Capabilities) -> int:
    """Return how many people of the rest fit into one call of another account. Raise NotReady if not even one does."""
    content = IssueContent.from_json(send.revision.content)
    waiting = send.batches.movable().order_by().values("variant").distinct()
    return find_batch_size(list(Variant.objects.filter(pk__in=waiting)), content=content, capabilities=capabilities)


def _resume(send: Send) -> None:
    """Resume a locked send if its account stopped it."""
    stopped = Send.objects.filter(pk=send.pk, state=Send.State.PAUSED, code__in=STOPPED_BY_ACCOUNT)
    stopped.update(state=Send.State.SUBMITTING, reason="", code=Send.Code.NONE, ended_at=None)
