"""After a restore, mark the batches that may have been sent since the backup as uncertain, and hold all sending."""

from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery

from newsletter.issues.assembly.restored_slots import (
    HELD_AT_ASSEMBLY,
    HELD_FOR,
    find_uncertain_slots,
    mark_passed_slots_uncertain,
)
from newsletter.issues.variants.reader_zones import make_due_filter
from newsletter.issues.welcome.due_people import find_steps_whose_day_has_come
from newsletter.issues.welcome.joined_people import enter_new_people, find_welcome_mails
from newsletter.models import Attempt, Batch, Installation, Issue, Publication, Send, Story, TemplateMail, WelcomeStep
from newsletter.providers.accounts import DEFAULT_ACCOUNT
from newsletter.sending.accounts import has_further_accounts
from newsletter.sending.limits.installation_hold import (
    COPY,
    find_restore_marked_at,
    hold_installation,
    release_installation,
)
from newsletter.sending.withdraw_story import (
    LOST_IN_RESTORE,
    withdraw_again,
)
from subscribers.erasing.journal_replay import ReplayResult, replay_journal
from subscribers.people.inactivity import close_open_questions

_UNENDED_STATES = (Send.State.READY, Send.State.SUBMITTING, Send.State.PAUSED, Send.State.NEEDS_ATTENTION)


@dataclass(frozen=True)
class RestoreFindings:
    """All that staff still have to check: uncertain batches with their people, held issues, and times of schedules.

    ``slots`` are times at which an issue may have been made and sent since the backup. ``publications_off`` were off in the
    backup: if one was switched on since, nobody knows what it sent. ``single_mails`` of other systems and ``welcome_mails``
    may have been sent since the backup, and are not sent again.
    Nothing is left to check for ``suppressions_replayed``, which were replayed from the journal, and for ``stories``, which
    were withdrawn again.
    """

    batches: int
    people: int
    issues: list[str]
    suppressions_replayed: int = 0
    slots: list[str] = field(default_factory=list)
    publications_off: list[str] = field(default_factory=list)
    stories: list[str] = field(default_factory=list)
    single_mails: int = 0
    welcome_mails: int = 0


@transaction.atomic
def mark_open_batches_uncertain(*, now: datetime) -> RestoreFindings:
    """Hold the installation, mark what may have been sent since the backup, and return what staff still have to check.

    A repeat during the same hold marks no batch and holds no issue again: staff may have settled or released it since.
    It replays the journal of its machine, and looks for times that have passed meanwhile.
    """
    marked_at = find_restore_marked_at()
    hold_installation(reason=HELD_FOR, now=now)
    replayed = replay_journal(now=now)
    if marked_at is None:
        _mark_unsettled_batches(now=now)
        _mark_single_mails_uncertain()
        close_open_questions(now=now)
        _hold_planned_issues(now=now)
        _hold_welcome_mails(now=now)
    mark_passed_slots_uncertain(now=now, marked_at=marked_at)
    withdraw_again(now=now)
    if marked_at is None:
        Installation.objects.update(restored_at=now)
    return _list_unchecked(marked_at or now, suppressions_replayed=replayed.suppressed)


def _list_unchecked(marked_at: datetime, *, suppressions_replayed: int) -> RestoreFindings:
    sizes = list(Batch.objects.filter(state=Batch.State.UNCERTAIN, reason=HELD_FOR).values_list("size", flat=True))
    reasons = [HELD_FOR, HELD_AT_ASSEMBLY]
    withdrawn = Story.objects.filter(withdrawn_reason=LOST_IN_RESTORE, withdrawn_at__gte=marked_at)
    held = Issue.objects.filter(held=True, held_reason__in=reasons, state__in=Issue.UNSENT_STATES)
    return RestoreFindings(
        batches=len(sizes),
        people=sum(sizes),
        issues=[issue.reference for issue in held.select_related("publication").order_by("pk")],
        suppressions_replayed=suppressions_replayed,
        slots=[f"{slot.publication.slug} {slot.due_local}" for slot in find_uncertain_slots().order_by("due_at", "pk")],
        publications_off=list(
            Publication.objects.filter(enabled=False).order_by("slug").values_list("slug", flat=True)
        ),
        stories=list(withdrawn.order_by("pk").values_list("title", flat=True)),
        single_mails=_find_uncertain_single_mails().count(),
        welcome_mails=WelcomeStep.objects.filter(state=WelcomeStep.State.UNCERTAIN, settled_at__gte=marked_at).count(),
    )


def _find_uncertain_single_mails() -> QuerySet[TemplateMail]:
    """Return the mails of other systems that this restore marked: those of after the hold of an earlier restore."""
    uncertain = TemplateMail.objects.filter(state=TemplateMail.State.UNCERTAIN, reason=HELD_FOR)
    released_at = Installation.objects.values_list("released_at", flat=True).first()
    return uncertain.filter(asked_at__gt=released_at) if released_at else uncertain


def _mark_unsettled_batches(*, now: datetime) -> None:
    """Make unsettled batches uncertain.

    A batch that may have moved to another account since the backup is left to staff: neither account is called again.
    People whom a cancelled send did not reach are uncertain too: they may have got a corrected issue since the backup.
    Batches whose hour is still to come cannot have been sent, unless their send was cancelled.
    """
    open_batches = Batch.objects.filter(
        state__in=Batch.OPEN_STATES,
        send__state__in=[*_UNENDED_STATES, Send.State.CANCELLED],
        send__totals__isnull=True,
    ).exclude(due_at__gt=now, send__state__in=_UNENDED_STATES)
    planned = _plan_attempts(open_batches, now=now)
    Attempt.objects.filter(batch__in=open_batches, ended_at__isnull=True).update(
        ended_at=now, outcome="uncertain", detail=HELD_FOR
    )
    open_batches.update(
        state=Batch.State.UNCERTAIN,
        handed_to=F("account"),
        reason=HELD_FOR,
        code=Batch.Code.NONE,
        lease_until=None,
        settled_at=now,
    )
    _write_attempts(planned)


def _hold_planned_issues(*, now: datetime) -> None:
    """Hold issues that have a time, which can have been moved up, and those whose send had not frozen its audience."""
    requested = _cancel_unfrozen_sends(now=now)
    planned_issues = Issue.objects.filter(
        Q(due_at__isnull=False) | Q(pk__in=requested), state__in=Issue.UNSENT_STATES
    ).exclude(~make_due_filter(now), held=True)
    planned_issues.update(held=True, held_reason=HELD_FOR)


def _mark_single_mails_uncertain() -> None:
    """Mark the mails of other systems that the backup had unsent. Those asked for during the hold are sent after it."""
    State = TemplateMail.State
    waiting = TemplateMail.objects.filter(state__in=[State.WAITING, State.SENDING])
    restored = waiting.filter(asked_at__lt=Installation.objects.values("changed_at")[:1])
    restored.update(state=State.UNCERTAIN, email="", values={}, reason=HELD_FOR)


def _cancel_unfrozen_sends(*, now: datetime) -> list[int]:
    """Cancel the sends whose audience was not frozen yet. Return their issues: they may have gone out since the backup."""
    unfrozen = Send.objects.filter(state=Send.State.PREPARING)
    issues = list(unfrozen.values_list("issue", flat=True))
    unfrozen.update(state=Send.State.CANCELLED, reason=HELD_FOR, code=Send.Code.NONE, ended_at=now)
    return issues


def _plan_attempts(batches: QuerySet[Batch], *, now: datetime) -> list[Attempt]:
    """Return an uncertain attempt for each batch that may have been sent since the backup, with its account if known.

    Without a provider only staff settle it: nobody knows which account got it or when its first call began. A repeat
    could mail everybody twice. Batches of a cancelled send were not called.
    """
    attempts = Attempt.objects.filter(batch=OuterRef("pk"))
    earlier = attempts.filter(number__lt=OuterRef("attempt_number"))
    maybe_accepted = earlier.exclude(outcome__in=Attempt.NOT_ACCEPTED_OUTCOMES)
    newest = attempts.order_by("-number").values("provider")[:1]
    several = _has_several_accounts()
    planned = []
    uncancelled = batches.exclude(send__state=Send.State.CANCELLED)
    for batch in uncancelled.annotate(maybe_accepted=Exists(maybe_accepted), newest_provider=Subquery(newest)):
        pending = batch.state == Batch.State.PENDING
        # A call that ran at the backup may have failed since. A batch that no account accepted can move.
        may_have_moved = several and not (batch.handed_to if pending else batch.maybe_accepted)
        if pending or may_have_moved:
            planned.append(
                Attempt(
                    batch=batch,
                    number=batch.attempt_number + 1,
                    provider="" if may_have_moved else batch.newest_provider or "",
                    people=batch.size,
                    started_at=now,
                    ended_at=now,
                    outcome="uncertain",
                    detail=HELD_FOR,
                )
            )
    return planned


def _write_attempts(attempts: list[Attempt]) -> None:
    """Write the attempts. They are no failures of an account, so they do not count towards a pause of their sends."""
    written = Attempt.objects.bulk_create(attempts, batch_size=500)
    if not written:
        return
    batches = Batch.objects.filter(attempts__in=[attempt.pk for attempt in written])
    batches.update(attempt_number=F("attempt_number") + 1)
    newest = max(attempt.pk for attempt in written)
    Send.objects.filter(pk__in={attempt.batch.send_id for attempt in written}).update(resumed_after_attempt=newest)


def _has_several_accounts() -> bool:
    """Return True if the settings or the backup name a second provider account, so that a batch may have moved."""
    return (
        has_further_accounts()
        or Publication.objects.exclude(account=DEFAULT_ACCOUNT, second_account="").exists()
        or Batch.objects.exclude(account=DEFAULT_ACCOUNT).exists()
    )


def _hold_welcome_mails(*, now: datetime) -> None:
    """Hold the welcome mails. People who were due by now may have got them since the backup."""
    mails = list(find_welcome_mails())
    for issue in mails:
        enter_new_people(issue=issue, now=now)
        find_steps_whose_day_has_come(issue, now=now).update(state=WelcomeStep.State.UNCERTAIN, settled_at=now)
    Issue.objects.filter(pk__in=[issue.pk for issue in mails]).update(held=True, held_reason=HELD_FOR)


def release_after_restore(*, now: datetime) -> ReplayResult:
    """Allow sending again. People who unsubscribed since the backup are suppressed first, and stories are withdrawn."""
    replayed = replay_journal(now=now)
    if Installation.objects.filter(held=True).exclude(reason=COPY).exists():
        withdraw_again(now=now)
    release_installation(now=now)
    return replayed
