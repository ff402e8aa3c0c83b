"""From an approved issue to a send that workers take up. The rows are made here; no mail leaves here."""

import logging
from datetime import datetime
from typing import Any

from django.db import DatabaseError, IntegrityError, transaction
from django.utils.translation import gettext as _

from newsletter.common.errors import DomainError, NotAllowed, NotApproved, NotReady, WrongState
from newsletter.common.messages import Message
from newsletter.issues.approval.approval_rules import count_recipients
from newsletter.issues.approval.approve import hold_issue, reopen_approval, require_approval
from newsletter.issues.approval.approved_audience import max_people_after_growth
from newsletter.issues.approval.publication_switches import require_issue_enabled
from newsletter.issues.protected_terms.check import require_unprotected
from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.models import Issue, Send, move
from newsletter.sending.deliverability.domains import find_domain_problems
from newsletter.sending.dispatching.provider import current_adapter, provider_label
from newsletter.sending.dispatching.wake_up_signal import send_wake_up_signal
from newsletter.sending.freezing.check_events import recheck_events
from newsletter.sending.freezing.check_stories import recheck_stories
from newsletter.sending.freezing.freeze import freeze_audience
from newsletter.sending.limits.installation_hold import check_installation, require_not_held, write_send_journal
from newsletter.sending.limits.quiet_hours import find_quiet_hours_end
from newsletter.sending.limits.recipient_allowlist import require_sending_allowed

log = logging.getLogger(__name__)


def start_send(*, issue: Issue, now: datetime) -> Send:
    """Freeze the audience of an approved issue and let workers begin. A send that is there already is returned as it is.

    Raises NotApproved, NotReady, WrongState; then no send is left behind and the issue stays as it was.
    """
    return prepare_send(send=_create_send(issue=issue, now=now), now=now)


def request_send(*, issue: Issue, by: Any, now: datetime, asked: int | None = None) -> Send:
    """A person starts the send of an approved issue now. The engine fixes the audience in a moment and sends.

    ``asked`` is the number of people that the person confirmed. Many more than that are not mailed.
    Raises NotAllowed, NotApproved, AudienceChanged, SwitchedOff, NotReady, WrongState.
    """
    if not by.has_perm("newsletter.send_issue"):
        raise NotAllowed(_("%(by)s may not start sends. An administrator can give the role “approver”.") % {"by": by})
    people = count_recipients(issue, now=now) if asked is not None else 0
    if asked is not None and people > max_people_after_growth(asked):
        raise NotReady(
            _(
                "You were asked about %(asked)s people, and now the issue would go to %(people)s. Look again, then send it."
            )
            % {"asked": f"{asked:,}", "people": f"{people:,}"}
        )
    send = _create_send(issue=issue, now=now)
    Send.objects.filter(pk=send.pk, state=Send.State.PREPARING).update(not_before=now, asked=asked)
    return send


def prepare_requested_sends(*, now: datetime) -> list[Issue]:
    """Fix the audiences of the sends that were begun. Returns the issues that are held now because it could not be done."""
    held = []
    begun = Send.objects.filter(state=Send.State.PREPARING, not_before__lte=now)
    for send in begun.select_related("issue__publication__mailing_list", "issue__publication__segment"):
        if not Send.objects.filter(pk=send.pk, not_before=send.not_before).update(not_before=None):
            continue
        if send.issue.held:
            reason = Message("%(issue)s was held before its audience was fixed", issue=send.issue)
            move(send, of=[Send.State.PREPARING], to=Send.State.CANCELLED, reason=reason, ended_at=now)
            continue
        try:
            prepare_send(send=send, now=now)
        except DomainError as error:
            log.error("%s could not be prepared: %s", send.issue, error)
            hold_issue(issue=send.issue, reason=str(error))
            held.append(send.issue)
    return held


def _create_send(*, issue: Issue, now: datetime) -> Send:
    check_installation(now=now)
    require_not_held()
    require_sending_allowed()
    live = issue.sends.exclude(state=Send.State.CANCELLED).first()
    if live is not None:
        return live
    require_issue_enabled(issue)
    if issue.state != Issue.State.APPROVED:
        require_approval(issue, now=now)
        raise WrongState(
            _("%(issue)s is %(state)s, not approved.") % {"issue": issue, "state": issue.get_state_display()}
        )
    if issue.held:
        raise NotReady(
            _("%(issue)s is held: %(held_reason)s. Release it first.")
            % {"issue": issue, "held_reason": issue.held_reason}
        )
    _require_own_domain(issue)
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
                issue=issue, revision=approval.revision, sha256=approval.sha256, provider=provider_label(), made_at=now
            )
    except IntegrityError:
        return issue.sends.exclude(state=Send.State.CANCELLED).get()
    return send


def _require_own_domain(issue: Issue) -> None:
    """B1: mailbox providers bar senders whose domain does not say who may send for it."""
    for fault in find_domain_problems(issue.publication.from_email):
        if fault.level == "error":
            raise NotReady(
                _("%(issue)s cannot go out yet: %(fault)s") % {"issue": issue, "fault": f"{fault.says} {fault.do}"}
            )


def prepare_send(*, send: Send, now: datetime) -> Send:
    """Take a send that was begun, by us or by a process that died, to submitting. Later states are left alone."""
    if send.state == Send.State.PREPARING:
        recheck_events(send=send, now=now)
        try:
            recheck_stories(send=send, now=now)
            freeze_audience(send=send, capabilities=current_adapter().capabilities, now=now)
        except (DomainError, DatabaseError) as error:
            _settle_failure(send, error=error, now=now)
    if send.state in (Send.State.PREPARING, Send.State.READY):
        write_send_journal(send, now=now)
        with transaction.atomic():
            wakes_at = find_quiet_hours_end(send.issue.publication, now=now)
            if move(send, of=[Send.State.READY], to=Send.State.SUBMITTING, started_at=now, not_before=wakes_at):
                send_wake_up_signal(send)
            move(send.issue, of=[Issue.State.APPROVED], to=Issue.State.SENDING)
    send.refresh_from_db()
    return send


def _settle_failure(send: Send, *, error: Exception, now: datetime) -> None:
    """Goes on where another process has prepared the send meanwhile; raises the error in every other case."""
    if not Send.objects.filter(pk=send.pk, state=Send.State.PREPARING).exists():
        send.refresh_from_db()
        if send.state != Send.State.CANCELLED:
            return
    if isinstance(error, DomainError):
        move(send, of=[Send.State.PREPARING], to=Send.State.CANCELLED, reason=str(error)[:500], ended_at=now)
    if isinstance(error, NotApproved):
        reopen_approval(issue=send.issue, error=error, now=now)
    raise error
