"""Make a send of an approved issue, for workers to dispatch. It writes the rows and sends no mail."""

import logging
from collections.abc import Callable
from datetime import datetime

from django.contrib.auth.models import AnonymousUser, User
from django.db import DatabaseError, IntegrityError, transaction

from newsletter.common.errors import DomainError, NotAllowed, NotApproved, NotReady, WrongState
from newsletter.common.messages import Message, describe_people, end_sentence
from newsletter.issues.approval.approval_rules import count_recipients
from newsletter.issues.approval.approve import reopen_approval, require_approval, require_approved_content
from newsletter.issues.approval.approved_audience import max_people_just_seen
from newsletter.issues.approval.hold import hold_issue
from newsletter.issues.approval.publication_switches import require_issue_enabled
from newsletter.issues.approval.reopen_uncovered import notify_if_reopened
from newsletter.issues.protected_terms.check import require_unprotected
from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.issues.variants.reader_zones import find_local_time
from newsletter.models import Issue, Send, transition
from newsletter.providers.base.contract import Capabilities
from newsletter.sending.adapters import account_adapter, provider_label
from newsletter.sending.deliverability.domains import find_domain_error
from newsletter.sending.freezing.freeze import freeze_audience
from newsletter.sending.freezing.recheck_content import recheck_events, recheck_stories
from newsletter.sending.limits.gmail_spam_rate import pause_if_reported
from newsletter.sending.limits.installation_hold import check_installation, require_not_held, write_send_journal
from newsletter.sending.limits.recipient_allowlist import require_sending_allowed
from newsletter.sending.limits.send_times import find_send_wait
from newsletter.sending.wake_up_signal import send_wake_up_signal

log = logging.getLogger(__name__)


def start_send(*, issue: Issue, now: datetime, at_once: bool = False) -> Send:
    """Freeze the audience of an approved issue and let workers begin. Return the send; an existing send is not changed.

    ``at_once``: nobody waits for the hour in their own zone, whatever the publication says.
    Raise NotApproved, NotReady or WrongState. Then no send remains and the issue is unchanged.
    """
    return prepare_send(send=_create_send(issue=issue, at_once=at_once, now=now), now=now)


def request_send(
    *,
    issue: Issue,
    by: User | AnonymousUser,
    now: datetime,
    confirmed_recipients: int | None = None,
    write_entry: Callable[[], object] | None = None,
) -> Send:
    """Start the send of an approved issue for a member of staff. A job freezes the audience within seconds and sends.

    Everybody gets it at once. A new send and the staff log's entry, by ``write_entry``, are one transaction.
    ``confirmed_recipients`` is the number of people that they confirmed. If it is many more, nothing is sent.
    Raise NotAllowed, NotApproved, AudienceChanged, SwitchedOff, NotReady or WrongState.
    """
    if not by.has_perm("newsletter.send_issue"):
        raise NotAllowed("%(by)s may not start sends. An administrator can give the role “approver”.", by=by)
    if confirmed_recipients is not None:
        people = count_recipients(issue, now=now, at_once=True)
        if people > max_people_just_seen(confirmed_recipients):
            raise NotReady(
                "You confirmed %(confirmed)s, but the issue would now go to %(people)s. Nothing was sent. Check the "
                "audience, then send it.",
                confirmed=describe_people(confirmed_recipients),
                people=describe_people(people),
            )

    def finish_request(send: Send) -> None:
        Send.objects.filter(pk=send.pk).update(not_before=now, confirmed_recipients=confirmed_recipients)
        if write_entry is not None:
            write_entry()

    send = _create_send(issue=issue, at_once=True, now=now, finish=finish_request)
    if send.made_at < now:  # one that a stalled process left
        stalled = Send.objects.filter(pk=send.pk, state=Send.State.PREPARING)
        stalled.update(not_before=now, confirmed_recipients=confirmed_recipients)
    return send


def prepare_requested_sends(*, now: datetime) -> list[Issue]:
    """Freeze the audiences of the requested sends. Return the issues that are held because that failed.

    An issue whose approvals no longer count waits for approval again and is not held, unless its audience changed.
    """
    held: list[Issue] = []
    requested = Send.objects.filter(state=Send.State.PREPARING, not_before__lte=now)
    if not requested.exists():
        return held
    for send in requested.select_related("issue__publication__mailing_list", "issue__publication__segment"):
        if not Send.objects.filter(pk=send.pk, not_before=send.not_before).update(not_before=None):
            continue
        if send.issue.held:
            reason = Message("%(issue)s was held before its audience was frozen", issue=send.issue)
            _cancel_preparing(send, reason=reason, now=now)
            continue
        try:
            prepare_send(send=send, now=now)
        except DomainError as error:
            if isinstance(error, NotApproved) and notify_if_reopened(
                send.issue, reason=error.message, now=now, requested=True
            ):
                continue
            log.error("%s could not be prepared: %s", send.issue, error)
            hold_issue(issue=send.issue, reason=error.message)
            held.append(send.issue)
    return held


def _create_send(*, issue: Issue, at_once: bool, now: datetime, finish: Callable[[Send], object] | None = None) -> Send:
    """Create the send and run ``finish`` on it in one transaction, or return the one that the issue has."""
    require_installation_sends(account=issue.publication.account, now=now)
    _require_not_welcome(issue)
    live = issue.sends.exclude(state=Send.State.CANCELLED).first()
    if live is not None:
        return live
    _require_released(issue, now=now)
    require_own_domain(issue)
    try:
        approval = require_approval(issue, now=now)
    except NotApproved as error:
        reopen_approval(issue=issue, error=error, now=now)
        raise
    content = IssueContent.from_json(approval.revision.content)
    require_unprotected(issue=issue, content=content, mails=approval.revision.variants.all())
    try:
        with transaction.atomic():
            send = Send.objects.create(
                issue=issue,
                revision=approval.revision,
                sha256=approval.sha256,
                provider=provider_label(issue.publication.account),
                made_at=now,
                local_time="" if at_once else find_local_time(issue),
            )
            if finish is not None:
                finish(send)
    except IntegrityError:
        live = issue.sends.exclude(state=Send.State.CANCELLED).first()
        if live is None:
            raise
        return live
    return send


def require_startable(issue: Issue, *, now: datetime) -> None:
    """Raise NotApproved, NotReady, SwitchedOff or WrongState if staff cannot start the send of the issue as it is now."""
    _require_not_welcome(issue)
    if issue.sends.exclude(state=Send.State.CANCELLED).exists():
        raise WrongState("The send of %(issue)s has begun already. Nobody gets it twice.", issue=issue)
    _require_released(issue, now=now)
    require_approved_content(issue)


def _require_not_welcome(issue: Issue) -> None:
    if issue.is_welcome:
        raise WrongState("%(issue)s goes to each new subscriber by itself. Nobody else gets it.", issue=issue)


def _require_released(issue: Issue, *, now: datetime) -> None:
    require_issue_enabled(issue)
    if issue.state != Issue.State.APPROVED:
        require_approval(issue, now=now)
        raise WrongState(
            "%(issue)s is %(state)s, not approved. Nothing was sent. Have it approved first.",
            issue=issue,
            state=issue.get_state_display(),
        )
    if issue.held:
        raise NotReady(
            "%(issue)s is held: %(held_reason)s Release it first.",
            issue=issue,
            held_reason=end_sentence(issue.held_reason),
        )


def require_installation_sends(*, account: str, now: datetime) -> None:
    """Raise NotReady if nothing may be sent from here through this account now."""
    check_installation(now=now)
    require_not_held()
    require_sending_allowed(account=account)


def require_own_domain(issue: Issue) -> None:
    """Raise NotReady if the sender's domain is not authenticated: mailbox providers block such senders."""
    problem = find_domain_error(issue.publication.from_email, account=issue.publication.account)
    if problem is not None:
        raise NotReady("%(issue)s cannot be sent yet: %(problem)s", issue=issue, problem=problem.text)


def prepare_send(*, send: Send, now: datetime) -> Send:
    """Bring a preparing or ready send to submitting, also after the process that began it died. Ignore later states."""
    if send.state == Send.State.PREPARING:
        recheck_events(send=send, now=now)
        try:
            recheck_stories(send=send, now=now)
            freeze_audience(send=send, capabilities=_find_capabilities(send), now=now)
        except (DomainError, DatabaseError) as error:
            _settle_failure(send, error=error, now=now)
    if send.state in (Send.State.PREPARING, Send.State.READY):
        write_send_journal(send, now=now)
        with transaction.atomic():
            wakes_at = find_send_wait(send, now=now)
            if transition(
                send, from_states=[Send.State.READY], to=Send.State.SUBMITTING, started_at=now, not_before=wakes_at
            ):
                # In the same transaction, so that no worker takes a batch before.
                pause_if_reported(send, now=now)
                send_wake_up_signal(send)
            transition(send.issue, from_states=[Issue.State.APPROVED], to=Issue.State.SENDING)
    send.refresh_from_db()
    return send


def _find_capabilities(send: Send) -> Capabilities:
    """Return the capabilities of the publication's account. Read it again: staff may have chosen another account."""
    send.issue.publication.refresh_from_db(fields=["account"])
    return account_adapter(send.issue.publication.account).capabilities


def _settle_failure(send: Send, *, error: Exception, now: datetime) -> None:
    """Cancel the send and raise the error, unless another process has prepared the send since."""
    if not Send.objects.filter(pk=send.pk, state=Send.State.PREPARING).exists():
        send.refresh_from_db()
        if send.state != Send.State.CANCELLED:
            return
    if isinstance(error, DomainError):
        _cancel_preparing(send, reason=error.message, now=now)
    if isinstance(error, NotApproved):
        reopen_approval(issue=send.issue, error=error, now=now)
    raise error


def _cancel_preparing(send: Send, *, reason: str, now: datetime) -> None:
    transition(
        send,
        from_states=[Send.State.PREPARING],
        to=Send.State.CANCELLED,
        reason=reason,
        code=Send.Code.NONE,
        ended_at=now,
    )
