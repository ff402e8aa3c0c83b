"""Pause or delay running sends that must not go on now. Part of the sweep; safe to repeat.

Claims check switched-off publications, withdrawn stories and protected terms too, so no batch is sent before the next sweep.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import partial

from django.db.models import Exists, OuterRef, Q, QuerySet

from newsletter.common.database.compiled_query import find_rows
from newsletter.common.messages import Message, describe_hours
from newsletter.issues.approval.publication_switches import make_switched_off_filter
from newsletter.issues.protected_terms.check import scan_for_protected_terms
from newsletter.issues.protected_terms.matcher import get_term_matcher
from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.models import Batch, Issue, Send, Variant, transition
from newsletter.models.sending.automatic_pauses import AutomaticPause
from newsletter.providers.accounts import DEFAULT_ACCOUNT
from newsletter.sending.accounts import explain_unusable, list_usable_accounts
from newsletter.sending.limits.each_send import act_on_each, run_each
from newsletter.sending.limits.gmail_spam_rate import pause_reported
from newsletter.sending.limits.send_times import count_late_hours, find_send_wait, is_stale, is_within_limits
from newsletter.sending.limits.split_batches import split_oversized_batches
from newsletter.sending.limits.step_work import acts_on
from newsletter.sending.mails_with_story import pause_withdrawn

_RUNNING = (Send.State.READY, Send.State.SUBMITTING)


@acts_on(sends=Q(state__in=_RUNNING))
def enforce_send_window(*, now: datetime) -> None:
    """Pause the sends that must not go on, and delay those that a limit stops for now.

    A send must not go on if its publication is switched off, its mails show a withdrawn story or a protected term, too many
    people report it as spam, it is stale, or its account is gone.

    An error in one send or one rule does not stop the others. The first error is raised at the end.
    """
    run_each(
        (
            partial(pause_switched_off, now=now),
            pause_withdrawn,
            pause_protected,
            partial(pause_reported, now=now),
            partial(pause_without_account, now=now),
            partial(_apply_all_limits, now=now),
        )
    )


def _apply_all_limits(*, now: datetime) -> None:
    running = Send.objects.filter(state=Send.State.SUBMITTING).select_related("issue__slot", "issue__publication")
    act_on_each(running, partial(_apply_limits, now=now), failure="The limits of send %s were not applied")


def _apply_limits(send: Send, *, now: datetime) -> None:
    if is_stale(send, now=now):
        _pause_stale(send, now=now)
        return
    split_oversized_batches(send, now=now)
    _end_needless_waits(send, now=now)
    wakes_at = find_send_wait(send, now=now)
    if send.not_before != wakes_at:
        Send.objects.filter(pk=send.pk, state=Send.State.SUBMITTING).update(not_before=wakes_at)


def _end_needless_waits(send: Send, *, now: datetime) -> None:
    """Release batches whose limit staff removed or changed. All batches of one hour wait for the same limit."""
    waiting = send.batches.filter(state=Batch.State.PENDING, code=Batch.Code.LIMIT, not_before__gt=now)
    for due_at in waiting.order_by("due_at").values_list("due_at", flat=True).distinct():
        batches_of_hour = waiting.filter(due_at=due_at) if due_at else waiting.filter(due_at__isnull=True)
        smallest = (
            batches_of_hour.order_by("size").select_related("send__issue__publication", "send__issue__slot").first()
        )
        if smallest is not None and is_within_limits(smallest, now=now):
            batches_of_hour.update(not_before=None)


def pause_switched_off(*, now: datetime) -> list[Issue]:
    """Pause the sends of publications that were switched off. Return their issues."""
    return _pause_each(find_rows(_find_switched_off, now=now), partial(_pause_switched_off, now=now))


def _find_switched_off(_: datetime) -> QuerySet[Send]:
    running = Send.objects.filter(make_switched_off_filter("issue__"), state__in=_RUNNING)
    return running.select_related("issue__publication")


def pause_protected(*, paused: list[Issue] | None = None) -> list[Issue]:
    """Pause each send whose remaining mails contain a protected term. Return the issues of the sends it paused.

    A resumed send is paused again for as long as the term is on the list. ``paused`` gets the issues also if an error in
    one send is raised at the end.
    """
    paused = [] if paused is None else paused
    if get_term_matcher().idle:
        return paused
    waiting = Batch.objects.filter(state=Batch.State.PENDING)
    sends = Send.objects.filter(pk__in=waiting.values("send"), state__in=_RUNNING)
    return _pause_each(sends.select_related("issue__publication", "revision"), _pause_if_protected, paused=paused)


def pause_without_account(*, now: datetime) -> list[Issue]:
    """Pause each send that waits for a provider account that is not configured any more. Return their issues.

    A resumed send is paused again until the setting is back, or staff move the rest to another account. A batch
    that cannot move is left to staff.
    """
    usable = {account.name for account in list_usable_accounts()}
    waiting = Batch.objects.filter(state=Batch.State.PENDING).exclude(account__in=[DEFAULT_ACCOUNT, *usable])
    stuck: dict[str, list[int]] = defaultdict(list)
    for name, pk in waiting.filter(send__state__in=_RUNNING).exclude(handed_to="").values_list("account", "pk"):
        stuck[name].append(pk)
    for name, pks in stuck.items():
        # By their ids: an UPDATE that joins the send would not see a claim that another worker makes at this moment.
        mark_unmovable_uncertain(Batch.objects.filter(pk__in=pks), detail=explain_unusable(name), now=now)
    sends = Send.objects.filter(pk__in=waiting.values("send"), state__in=_RUNNING)
    return _pause_each(sends.select_related("issue__publication"), partial(_pause_without_account, waiting=waiting))


def _pause_each(
    sends: Iterable[Send], pause: Callable[[Send], bool], *, paused: list[Issue] | None = None
) -> list[Issue]:
    """Return the issues of the sends that ``pause`` paused, and add them to ``paused``."""
    paused = [] if paused is None else paused
    results: list[tuple[Send, bool]] = []
    try:
        act_on_each(sends, pause, failure="Send %s was not checked for a reason to pause", results=results)
    finally:
        paused.extend(send.issue for send, is_paused in results if is_paused)
    return paused


def _pause_switched_off(send: Send, *, now: datetime) -> bool:
    reason = Message(
        "the publication was switched off, so nobody is mailed. Switch it on and resume the send, or cancel it"
    )
    if not transition(send, from_states=_RUNNING, to=Send.State.PAUSED, reason=reason, code=Send.Code.NONE):
        return False
    AutomaticPause.objects.update_or_create(
        send=send, rule=AutomaticPause.Rule.SWITCHED_OFF, defaults={"cases": 0, "at": now}
    )
    return True


def _pause_without_account(send: Send, *, waiting: QuerySet[Batch]) -> bool:
    name = waiting.filter(send=send).values_list("account", flat=True).first() or ""
    reason = Message(
        "%(problem)s. Set it right and resume the send, or move the rest to another account",
        problem=explain_unusable(name),
    )
    return transition(send, from_states=_RUNNING, to=Send.State.PAUSED, reason=reason, code=Send.Code.NONE)


def _pause_if_protected(send: Send) -> bool:
    if send.revision is None:
        return False
    scan = scan_for_protected_terms(IssueContent.from_json(send.revision.content))
    mails = Variant.objects.filter(pk__in=send.batches.filter(state__in=Batch.UNFINISHED_STATES).values("variant"))
    findings = scan.findings or [finding for mail in mails.iterator() for finding in scan.find_in(mail)]
    if not findings:
        newest = scan.matcher.newest
        Send.objects.filter(pk=send.pk, newest_term_searched__lt=newest).update(newest_term_searched=newest)
        return False
    reason = Message(
        "%(message)s Mails that were already sent cannot be recalled. To end the send, cancel it",
        message=findings[0].message,
    )
    return transition(send, from_states=_RUNNING, to=Send.State.PAUSED, reason=reason, code=Send.Code.NONE)


def _pause_stale(send: Send, *, now: datetime) -> None:
    reason = Message(
        "it is %(hours)s late and some events may be over. Resume it if it still makes sense, or cancel it.",
        hours=describe_hours(count_late_hours(send, now=now)),
    )
    submitting = [Send.State.SUBMITTING]
    if transition(send, from_states=submitting, to=Send.State.PAUSED, reason=reason, code=Send.Code.NONE):
        AutomaticPause.objects.get_or_create(
            send=send, rule=AutomaticPause.Rule.STALE, defaults={"cases": 0, "at": now}
        )


def find_unmovable(batches: QuerySet[Batch]) -> QuerySet[Batch]:
    """Return the batches that their account has or may have, while others of their send wait for another account."""
    on_other_account = Batch.objects.filter(send=OuterRef("send")).exclude(account=OuterRef("account")).order_by()
    return batches.filter(Exists(on_other_account)).exclude(handed_to="")


def mark_unmovable_uncertain(batches: QuerySet[Batch], *, detail: str, now: datetime) -> int:
    """Mark pending batches uncertain if they are bound to an account while others of their send have another account.

    ``detail`` is the answer of their account, or why it cannot be called. Return how many. No other account may send such a
    batch. If its account accepts no repeat, a pause would stop the other batches too, again after each resumption.
    """
    bound = find_unmovable(batches).filter(state=Batch.State.PENDING)
    reason = Message(
        "an earlier call may have been accepted, and its account takes no repeat of it: %(detail)s", detail=detail
    )
    return bound.update(
        state=Batch.State.UNCERTAIN, reason=reason, code=Batch.Code.NONE, not_before=None, settled_at=now
    )
