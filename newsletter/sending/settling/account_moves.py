"""Move the rest of a send to another provider account: what no account has or may have, and nothing else.

A move and a claim exclude each other by their statements, and the constraint ``batch_stays_with_account`` holds beside them.
"""

from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import AnonymousUser, User
from django.db import transaction
from django.db.models import Count, Max, Sum

from newsletter.common.errors import DomainError, InvariantViolated, NotAllowed, NotReady, WrongState
from newsletter.common.messages import Message, Quantity
from newsletter.issues.approval.write_notices import issue_page_url, write_notice
from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.models import AccountMove, Attempt, Batch, Send, Variant
from newsletter.providers.base.contract import Capabilities
from newsletter.sending.accounts import require_account
from newsletter.sending.deliverability.domains import find_domain_problems
from newsletter.sending.freezing.freeze import find_batch_size
from newsletter.sending.limits.recipient_allowlist import BLOCKED_REASON, is_provider_blocked
from newsletter.sending.limits.split_batches import split_batch
from newsletter.sending.provider import account_adapter
from newsletter.sending.settling.account_absence import STOPPED_BY_ACCOUNT, find_cause
from newsletter.sending.wake_up_signal import send_wake_up_signal

MOVABLE_STATES = (Send.State.READY, Send.State.SUBMITTING, Send.State.PAUSED, Send.State.NEEDS_ATTENTION)
Staff = User | AnonymousUser


@dataclass(frozen=True)
class Rest:
    """The part of a send that waits for one account and can move."""

    account: str
    batches: int
    people: int


def list_rest(send: Send) -> list[Rest]:
    """Return what no account has or may have, by the account that it waits for."""
    rows = send.batches.movable().order_by("account").values_list("account").annotate(Count("pk"), Sum("size"))
    return [Rest(*row) for row in rows] if send.state in MOVABLE_STATES else []


def move_by_hand(*, send: Send, to: str, by: Staff, now: datetime) -> int:
    """Move the rest of a send to an account that staff chose. Return how many people. A paused send stays paused.

    Raise NotAllowed, WrongState, AccountNotUsable, or NotReady if nobody is left or the mail does not fit there.
    """
    if not by.has_perm("newsletter.send_issue"):
        raise NotAllowed(
            "%(by)s may not move sends to another account. An administrator can give the role “approver”.", by=by
        )
    if send.state not in MOVABLE_STATES:
        raise WrongState(
            "%(send)s is %(state)s, so nothing of it can move. Nothing was changed.",
            send=send,
            state=send.get_state_display(),
        )
    people = 0
    for rest in list_rest(send):
        if rest.account != to:
            limit = _make_room(send, source=rest.account, to=to)
            moved = _move(
                send, source=rest.account, to=to, limit=limit, code=AccountMove.Code.BY_HAND, by=str(by), now=now
            )
            people += moved.people if moved else 0
    if not people:
        raise NotReady(
            "Nobody is left who could move to the account “%(account)s”: all others have the mail, may have it, or wait for "
            "this account already. Nothing was changed.",
            account=to,
        )
    return people


def move_to_second_accounts(*, now: datetime) -> list[AccountMove]:
    """Move what the first account of a publication did not get to its second, if the first is away or refuses.

    Part of the sweep. Only sends of publications that name a second account, and only what no account has or may have.
    """
    moves = []
    stopped = Send.objects.filter(state=Send.State.PAUSED, code__in=STOPPED_BY_ACCOUNT)
    candidates = stopped | Send.objects.filter(state=Send.State.SUBMITTING)
    candidates = candidates.exclude(issue__publication__second_account="")
    for send in candidates.select_related("issue__publication", "revision").order_by("pk"):
        first = send.issue.publication.account
        if not send.batches.movable().filter(account=first).exists():
            continue
        code = find_cause(send, account=first, now=now)
        if code is not None and (moved := _move_automatically(send, code=code, now=now)):
            moves.append(moved)
    return moves


def _move_automatically(send: Send, *, code: AccountMove.Code, now: datetime) -> AccountMove | None:
    """Move the rest to the second account and resume the send. If that account cannot take it, notify staff once."""
    to = send.issue.publication.second_account
    source = send.issue.publication.account
    try:
        limit = _make_room(send, source=source, to=to)
        with transaction.atomic():
            moved = _move(send, source=source, to=to, limit=limit, code=code, reason=send.reason, now=now)
            if moved is not None:
                _resume(send)
                _notify_moved(moved, now=now)
            return moved
    except DomainError as error:
        _notify_not_moved(send, error=error, now=now)
        return None


def _make_room(send: Send, *, source: str, to: str) -> int:
    """Split the batches of one account that are too big for another. Return how many people fit into its calls.

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
    free = send.batches.movable().filter(account=source)
    limit = _find_size_limit(send, capabilities=account_adapter(to).capabilities)
    for batch in free.filter(size__gt=limit).order_by("pk"):
        split_batch(batch, limit=limit)
    return limit


@transaction.atomic
def _move(
    send: Send,
    *,
    source: str,
    to: str,
    limit: int,
    code: AccountMove.Code,
    now: datetime,
    by: str = "",
    reason: str = "",
) -> AccountMove | None:
    """Give the batches of one account that can move, of at most ``limit`` people, another. Return None if there is none."""
    # Locked in one order. A claim that runs comes first, and then its batch is no longer free.
    free = send.batches.movable().filter(account=source, size__lte=limit)
    sizes = dict(free.select_for_update(of=("self",)).order_by("pk").values_list("pk", "size"))
    moved = Batch.objects.movable().filter(pk__in=sizes, account=source).update(account=to, not_before=None)
    if moved != len(sizes):
        raise InvariantViolated(
            "%(send)s: only %(moved)s of %(batches)s batches could move to another account. Nothing was moved. This is a "
            "defect: report it.",
            send=send,
            moved=moved,
            batches=len(sizes),
        )
    if not moved:
        return None
    # What the first account failed at no longer counts, or the second would soon be stopped for it.
    newest = Attempt.objects.filter(batch__send=send).aggregate(newest=Max("pk"))["newest"] or 0
    Send.objects.filter(pk=send.pk).update(resumed_after_attempt=newest)
    send_wake_up_signal(send)
    return AccountMove.objects.create(
        send=send,
        from_account=source,
        to_account=to,
        code=code,
        by=by,
        reason=reason,
        batches=moved,
        people=sum(sizes.values()),
        at=now,
    )


def _find_size_limit(send: Send, *, capabilities: Capabilities) -> int:
    """Return how many people of the rest fit into one call of another account. Raise NotReady if not even one does."""
    content = IssueContent.from_json(send.revision.content)
    waiting = send.batches.movable().order_by().values("variant").distinct()
    return find_batch_size(list(Variant.objects.filter(pk__in=waiting)), content=content, capabilities=capabilities)


def _resume(send: Send) -> None:
    """Resume a send that its account stopped, unless somebody changed its state or its reason meanwhile."""
    stopped = Send.objects.filter(pk=send.pk, state=Send.State.PAUSED, code__in=STOPPED_BY_ACCOUNT)
    stopped.update(state=Send.State.SUBMITTING, reason="", code=Send.Code.NONE, ended_at=None)


def _notify_moved(move: AccountMove, *, now: datetime) -> None:
    issue = move.send.issue
    values = {"people": Quantity(move.people), "source": move.from_account, "to": move.to_account}
    what = (
        Message(
            "The account “%(source)s” did not answer, so %(people)s people who were never handed over to it get the issue "
            "through the account “%(to)s”.",
            **values,
        )
        if move.code == AccountMove.Code.AWAY
        else Message(
            "The account “%(source)s” refuses to send for us, so %(people)s people who were never handed over to it get the "
            "issue through the account “%(to)s”.",
            **values,
        )
    )
    why = [Message("Why: %(reason)s.", reason=move.reason)] if move.reason else []
    rest = Message(
        "Nobody is mailed twice: whoever the first account may have stays with it. Look at what is wrong with that account."
    )
    subject = Message("The rest of %(issue)s moved to another account", issue=issue)
    write_notice(issue.publication, f"account-move-{move.pk}", subject, [what, *why, rest], issue_page_url(issue), now)


def _notify_not_moved(send: Send, *, error: DomainError, now: datetime) -> None:
    issue = send.issue
    subject = Message("The rest of %(issue)s could not move to the second account", issue=issue)
    paragraphs = [
        error.message,
        Message("Nobody is mailed twice while you look. The send's page says what to do."),
    ]
    key = f"account-move-failed-{send.pk}-{send.resumed_after_attempt}-{issue.publication.second_account}"
    write_notice(issue.publication, key, subject, paragraphs, issue_page_url(issue), now)
