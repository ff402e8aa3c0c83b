"""From an approved issue to a send that workers take up. The rows are made here; no mail leaves here."""

from datetime import datetime

from django.db import IntegrityError, transaction

from newsletter.errors import NotReady, WrongState
from newsletter.issues.approve import require_approval
from newsletter.models import Issue, Send, move
from newsletter.sending.bell import ring
from newsletter.sending.freeze import freeze_audience
from newsletter.sending.hold import check_installation, require_no_hold, write_journal
from newsletter.sending.provider import current_adapter, provider_label
from subscribers.errors import DomainError


def start_send(*, issue: Issue, now: datetime) -> Send:
    """Freeze the audience of an approved issue and let workers begin. A send that is there already is returned as it is.

    Raises NotApproved, NotReady, WrongState; then no send is left behind and the issue stays as it was.
    """
    check_installation(now=now)
    require_no_hold()
    live = issue.sends.exclude(state=Send.State.CANCELLED).first()
    if live is not None:
        return prepare_send(send=live, now=now)
    if issue.state != Issue.State.APPROVED:
        require_approval(issue)
        raise WrongState(f"{issue} is {issue.get_state_display()}, not approved.")
    if issue.held:
        raise NotReady(f"{issue} is held: {issue.held_reason}. Release it first.")
    approval = require_approval(issue)
    try:
        with transaction.atomic():
            send = Send.objects.create(
                issue=issue, revision=approval.revision, sha256=approval.sha256, provider=provider_label(), made_at=now
            )
    except IntegrityError:
        return issue.sends.exclude(state=Send.State.CANCELLED).get()
    return prepare_send(send=send, now=now)


def prepare_send(*, send: Send, now: datetime) -> Send:
    """Take a send that was begun, by us or by a process that died, to submitting. Later states are left alone."""
    if send.state == Send.State.PREPARING:
        try:
            freeze_audience(send=send, capabilities=current_adapter().capabilities, now=now)
        except DomainError as error:
            move(send, of=[Send.State.PREPARING], to=Send.State.CANCELLED, reason=str(error)[:500], ended_at=now)
            raise
    if send.state in (Send.State.PREPARING, Send.State.READY):
        write_journal(send, now=now)
        with transaction.atomic():
            if move(send, of=[Send.State.READY], to=Send.State.SUBMITTING, started_at=now):
                ring(send)
            move(send.issue, of=[Issue.State.APPROVED], to=Issue.State.SENDING)
    send.refresh_from_db()
    return send
