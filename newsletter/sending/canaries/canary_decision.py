"""Decide if a send continues: it waits for its first canaries and stops if one is in spam or broken. Staff may overrule."""

from datetime import datetime, timedelta
from functools import partial

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Q, QuerySet

from newsletter.common.database.compiled_query import find_rows
from newsletter.common.errors import NotAllowed, WrongState
from newsletter.common.messages import Message, Quantity, end_sentence
from newsletter.models import CanaryMail, CanaryMailbox, Issue, Publication, Send, transition
from newsletter.models.sending.automatic_pauses import AutomaticPause
from newsletter.sending.adapters import writes_to_files
from newsletter.sending.canaries.send_canaries import find_canary_account, find_sends_before
from newsletter.sending.limits.each_send import act_on_each, run_each
from newsletter.sending.limits.recipient_allowlist import is_sending_blocked
from newsletter.sending.limits.running_sends import find_open_sends
from newsletter.sending.limits.step_work import acts_on
from newsletter.sending.wake_up_signal import send_wake_up_signal

MAX_WATCH_WAIT = timedelta(minutes=1)
"""The longest delay for sending the first canaries if the publication does not wait for their results."""
_RESULT_TEXTS = {
    CanaryMail.Result.SPAM: Message("is in spam"),
    CanaryMail.Result.BROKEN: Message("is broken"),
}
_State, _Decision = CanaryMail.State, Send.CanaryDecision
_UNDECIDED = (_Decision.NONE, _Decision.WATCHED)


@acts_on(sends=Q(state=Send.State.SUBMITTING))
def decide_about_canaries(*, now: datetime) -> None:
    """Continue or pause each send that waits for its canaries, as its publication says."""
    failure = "Nothing was decided about the canaries of send %s"
    undecided, alarmed = find_rows(find_sends_before, now=now), find_rows(_find_alarmed, now=now)
    run_each(
        (
            partial(act_on_each, undecided, partial(_decide, now=now), failure=failure),
            partial(act_on_each, alarmed, partial(_pause_for_alarm, now=now), failure=failure),
        )
    )


def _find_alarmed(now: datetime) -> QuerySet[Send]:
    stopping = find_open_sends(now=now).filter(period="", issue__publication__canary=Publication.Canary.STOP)
    alarmed = stopping.filter(
        canary_mails__turn=CanaryMail.Turn.FIRST,
        canary_mails__result__in=CanaryMail.ALARMS,
        canary_mails__mailbox__enabled=True,
    )
    return alarmed.exclude(canary_decision=_Decision.BY_STAFF).distinct()


def stop_waiting(*, send: Send, by: User | AnonymousUser) -> None:
    """Continue a send without its canaries, even if one of them is in spam later. Raise NotAllowed or WrongState."""
    if not by.has_perm("newsletter.send_issue"):
        raise NotAllowed("%(by)s may not control sends. An administrator can give the role “approver”.", by=by)
    waiting = Send.objects.filter(pk=send.pk, state=Send.State.SUBMITTING, canary_decision__in=_UNDECIDED)
    if not waiting.update(canary_decision=_Decision.BY_STAFF):
        raise WrongState("%(send)s does not wait for its canaries any more. Reload the page.", send=send)
    send_wake_up_signal(send)


def is_waiting(send: Send) -> bool:
    """Return True if the send waits for its first canaries."""
    if send.state != Send.State.SUBMITTING or send.period:
        return False
    canary = send.issue.publication.canary
    if canary == Publication.Canary.STOP:
        return send.canary_decision in _UNDECIDED
    return canary == Publication.Canary.WATCH and send.canary_decision == _Decision.NONE


def find_wait_end(send: Send) -> datetime | None:
    """Return when the wait for the first canaries ends, or None before their rows exist."""
    first = send.canary_mails.filter(turn=CanaryMail.Turn.FIRST, mailbox__enabled=True).order_by("made_at").first()
    return first.made_at + _find_limit(send.issue.publication) if first else None


def _find_limit(publication: Publication) -> timedelta:
    if publication.canary == Publication.Canary.STOP:
        return timedelta(minutes=publication.canary_minutes)
    return MAX_WATCH_WAIT


def _decide(send: Send, *, now: datetime) -> None:
    publication = send.issue.publication
    if publication.canary == Publication.Canary.WATCH and send.canary_decision == _Decision.WATCHED:
        return
    account = find_canary_account(send)
    if writes_to_files(account) or is_sending_blocked(account):
        _continue(send, _Decision.TO_FILES)
        return
    firsts = list(send.canary_mails.filter(turn=CanaryMail.Turn.FIRST, mailbox__enabled=True))
    is_over = bool(firsts) and now >= min(mail.made_at for mail in firsts) + _find_limit(publication)
    if not firsts:
        if not CanaryMailbox.objects.filter(enabled=True).exists():
            _continue(send, _Decision.NO_MAILBOX)
    elif publication.canary == Publication.Canary.WATCH:
        if is_over or not any(mail.state in (_State.WAITING, _State.SENDING) for mail in firsts):
            _continue(send, _Decision.WATCHED)
    elif any(mail.result in CanaryMail.ALARMS for mail in firsts):
        return
    elif not any(_is_open(mail) for mail in firsts):
        used = [mail for mail in firsts if mail.state != _State.SKIPPED]
        if used and all(mail.result == CanaryMail.Result.GOOD for mail in used):
            _continue(send, _Decision.PASSED)
        else:
            _apply_no_result_rule(send, _Decision.NOT_SENT, _explain_not_sent(firsts), now=now)
    elif is_over:
        missing = sum(_is_open(mail) for mail in firsts)
        reason = _explain_missing(missing, mailboxes=len(firsts), minutes=publication.canary_minutes)
        _apply_no_result_rule(send, _Decision.TIMED_OUT, reason, now=now)


def _is_open(mail: CanaryMail) -> bool:
    """Return True while the result of a mail may still change."""
    is_on_its_way = mail.state in CanaryMail.HANDED_OVER and mail.result == CanaryMail.Result.UNKNOWN
    return mail.state in (_State.WAITING, _State.SENDING) or is_on_its_way


def _explain_missing(missing: int, *, mailboxes: int, minutes: int) -> Message:
    if mailboxes == 1:
        return Message(
            "the canary was not found in %(minutes)s minutes, so we do not know whether the issue arrives well. Look at "
            "“Canaries” on its page, then resume the send or cancel it",
            minutes=Quantity(minutes),
        )
    return Message(
        "%(missing)s of %(mailboxes)s canaries were not found in %(minutes)s minutes, so we do not know whether the "
        "issue arrives well. Look at “Canaries” on its page, then resume the send or cancel it",
        missing=missing,
        mailboxes=mailboxes,
        minutes=Quantity(minutes),
    )


def _explain_not_sent(firsts: list[CanaryMail]) -> Message:
    reason = next((mail.reason for mail in firsts if mail.reason), "")
    if any(mail.result == CanaryMail.Result.GOOD for mail in firsts):
        return Message(
            "not every canary got the issue: %(reason)s We do not know whether it arrives well everywhere. Look at "
            "“Canaries” on its page, then resume the send or cancel it",
            reason=end_sentence(reason or Message("it is unknown why")),
        )
    return Message(
        "no canary got the issue: %(reason)s We do not know whether it arrives well. Look at “Canaries” on its "
        "page, then resume the send or cancel it",
        reason=end_sentence(reason or Message("it is unknown why")),
    )


def _apply_no_result_rule(send: Send, decision: Send.CanaryDecision, reason: str, *, now: datetime) -> None:
    """Pause or continue the send, as the publication says for canaries without a result."""
    if send.issue.publication.canary_silence == Publication.CanarySilence.PAUSE:
        _pause(send, reason=reason, cases=0, now=now)
    else:
        _continue(send, decision)


def _continue(send: Send, decision: Send.CanaryDecision) -> None:
    waiting = Send.objects.filter(pk=send.pk, state=Send.State.SUBMITTING, canary_decision__in=_UNDECIDED)
    if waiting.update(canary_decision=decision):
        send.canary_decision = decision
        send_wake_up_signal(send)


def _pause_for_alarm(send: Send, *, now: datetime) -> None:
    alarms = send.canary_mails.filter(
        turn=CanaryMail.Turn.FIRST, result__in=CanaryMail.ALARMS, mailbox__enabled=True
    ).select_related("mailbox")
    first = alarms[0]
    reason = Message(
        "the issue %(what)s at the canary %(mailbox)s. The rest is not sent. “Canaries” on its page says what is wrong. Then "
        "resume the send or cancel it",
        what=_RESULT_TEXTS[CanaryMail.Result(first.result)],
        mailbox=first.mailbox,
    )
    _pause(send, reason=reason, cases=len(alarms), now=now)


def _pause(send: Send, *, reason: str, cases: int, now: datetime) -> None:
    if transition(
        send, from_states=[Send.State.SUBMITTING], to=Send.State.PAUSED, reason=reason, code=Send.Code.CANARY
    ):
        AutomaticPause.objects.update_or_create(
            send=send, rule=AutomaticPause.Rule.CANARY, defaults={"cases": cases, "at": now}
        )


def describe_canaries(issue: Issue) -> dict[str, object]:
    """Return the publication's choice, the decision about the newest send, and each canary's mail of it."""
    send = issue.sends.exclude(recipients=0, state=Send.State.CANCELLED).select_related("issue__publication").first()
    return {
        "use": issue.publication.canary,
        "decision": send.canary_decision if send else "",
        "waiting": is_waiting(send) if send else False,
        "mails": [_describe_mail(mail) for mail in send.canary_mails.select_related("mailbox")] if send else [],
    }


def _describe_mail(mail: CanaryMail) -> dict[str, object]:
    return {
        "mailbox": mail.mailbox.address,
        "turn": mail.turn,
        "state": mail.state,
        "reason": mail.reason,
        "result": mail.result,
        "placement": mail.placement,
        "folder": mail.folder,
        "seconds": mail.seconds,
        "copies": mail.copies,
        "sent_at": mail.sent_at.isoformat() if mail.sent_at else None,
        "arrived_at": mail.arrived_at.isoformat() if mail.arrived_at else None,
        "measured_at": mail.measured_at.isoformat() if mail.measured_at else None,
        "findings": [{"level": row["level"], "check": row["check"], "says": row["says"]} for row in mail.findings],
    }
