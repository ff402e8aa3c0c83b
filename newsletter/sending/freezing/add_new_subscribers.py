"""Add the people who are due for a welcome mail to its send of this month. Workers send the mail.

Each welcome mail has one send a month, so that a receipt stays small. Its batches, attempts and deliveries are as in any send.
"""

from collections import Counter
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction

from newsletter.common.errors import InvariantViolated, NotApproved, NotReady
from newsletter.issues.approval.approve import freeze_checked_revision, reopen_approval, require_approval
from newsletter.issues.approval.publication_switches import require_issue_enabled
from newsletter.issues.assembly.stories_at_source import check_stories_at_source
from newsletter.issues.protected_terms.check import require_unprotected
from newsletter.issues.snapshot.consent_rules import require_unrestricted_stories
from newsletter.issues.snapshot.content_links import require_unrestricted_links
from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.issues.variants.audience_rules import find_welcome_ids, name_audience
from newsletter.issues.variants.count_recipients import count_people
from newsletter.models import Approval, Batch, Delivery, Issue, IssueRevision, Send, WelcomeStep
from newsletter.sending.adapters import account_adapter, provider_label
from newsletter.sending.freezing.audience_snapshot import (
    count_snapshot,
    create_snapshot,
    write_deliveries,
    write_first_parts,
    write_groups,
)
from newsletter.sending.freezing.freeze import MAX_FREEZE_ATTEMPTS, begin_freeze, count_shares
from newsletter.sending.freezing.plan_batches import find_batch_size, plan_batches
from newsletter.sending.freezing.start import require_installation_sends, require_own_domain
from newsletter.sending.limits.installation_hold import write_send_journal
from newsletter.sending.limits.send_times import find_limit_today
from newsletter.sending.wake_up_signal import send_wake_up_signal

STORIES_FRESH_FOR = timedelta(hours=1)
_GROWING = (Send.State.SUBMITTING, Send.State.SUBMITTED, Send.State.NEEDS_ATTENTION)


def add_new_subscribers(*, issue: Issue, now: datetime) -> Send | None:
    """Give everybody who is to get this welcome mail now a delivery. Return the send, or None if there is nobody.

    The later mails wait for the end of each person's quiet hours. Raises NotApproved, SwitchedOff or NotReady; then nothing was
    sent.
    """
    if not count_people(issue, now=now).eligible or _is_paused(issue, now=now):
        return None
    require_installation_sends(account=issue.publication.account, now=now)
    require_issue_enabled(issue)
    require_own_domain(issue)
    check_stories_at_source(issue=issue, now=now, fresh=STORIES_FRESH_FOR)
    for _ in range(MAX_FREEZE_ATTEMPTS):
        try:
            approval = require_approval(issue, now=now)
        except NotApproved as error:
            reopen_approval(issue=issue, error=error, now=now)
            raise
        revision = freeze_checked_revision(issue=issue, now=now, rehearsed=False)
        content = IssueContent.from_json(revision.content)
        require_unrestricted_stories(content, at=now)
        require_unrestricted_links(content, at=now)
        send = _get_or_create_send(issue, approval=approval, revision=revision, now=now)
        write_send_journal(send, now=now)
        if _add(send, approval=approval, revision=revision, content=content, now=now):
            send.refresh_from_db()
            return send
    raise NotReady(
        "The people who are to get %(issue)s keep changing. Nothing was sent. It is tried again in a minute.",
        issue=issue,
    )


def _is_paused(issue: Issue, *, now: datetime) -> bool:
    """Return True if staff, or too many failures, paused the send of this month."""
    send = issue.sends.filter(period=_find_period(issue, now)).exclude(state=Send.State.CANCELLED).first()
    return send is not None and send.state not in _GROWING


def _find_period(issue: Issue, now: datetime) -> str:
    return f"{now.astimezone(ZoneInfo(issue.publication.zone)):%Y-%m}"


@transaction.atomic
def _add(send: Send, *, approval: Approval, revision: IssueRevision, content: IssueContent, now: datetime) -> bool:
    """Write the batches and deliveries. Return False and write nothing if somebody is now in a group without a variant."""
    begin_freeze()
    issue, send = send.issue, Send.objects.select_for_update(of=("self",)).select_related("issue").get(pk=send.pk)
    if send.state not in _GROWING or send.issue.state != Issue.State.APPROVED or send.issue.held:
        return True
    variants = list(revision.variants.all())
    newest_term = require_unprotected(issue=issue, content=content, mails=variants)
    capabilities = account_adapter(issue.publication.account).capabilities
    max_batch = find_batch_size(variants, content=content, capabilities=capabilities)
    max_batch = min(max_batch, find_limit_today(issue.publication, now=now) or max_batch)
    with create_snapshot(send, content=content, now=now) as constants:
        counts = count_snapshot(send, constants=constants)
        counted, shares = count_shares(send, counts=counts, revision_id=revision.pk)
        people = sum(share.people for share in shares)
        if people < counted.eligible:
            transaction.set_rollback(True)
            return False
        plan = plan_batches(shares, send=send, max_batch=max_batch)
        batches = Batch.objects.bulk_create(plan.batches, batch_size=1000)
        write_first_parts(plan.first_parts)
        write_groups(revision_id=revision.pk, constants=constants)
        written = write_deliveries(send, constants=constants, max_batch=max_batch)
    settled = _mark_steps(issue, batches=batches, now=now)
    if written != people or settled != people or counted.candidates != people + sum(counted.excluded.values()):
        raise InvariantViolated(
            "The new subscribers of %(issue)s do not add up: %(counted)s, %(written)s deliveries, %(settled)s steps. Nothing "
            "was sent. This is a defect: report it.",
            issue=issue,
            counted=counted,
            written=written,
            settled=settled,
        )
    Send.objects.filter(pk=send.pk).update(
        state=Send.State.SUBMITTING,
        reason="",
        code=Send.Code.NONE,
        revision=revision,
        sha256=approval.sha256,
        candidates=send.candidates + counted.candidates,
        recipients=send.recipients + written,
        excluded=dict(Counter(send.excluded) + Counter(counted.excluded)),
        audience=name_audience(issue),
        newest_term_searched=newest_term,
        not_before=None,
        ended_at=None,
    )
    send_wake_up_signal(send)
    return True


def _get_or_create_send(issue: Issue, *, approval: Approval, revision: IssueRevision, now: datetime) -> Send:
    """Return this month's send. It is written before anybody is added, so that the send journal can name it first."""
    send, _created = issue.sends.exclude(state=Send.State.CANCELLED).get_or_create(
        issue=issue,
        period=_find_period(issue, now),
        defaults={
            "revision": revision,
            "sha256": approval.sha256,
            "provider": provider_label(issue.publication.account),
            "state": Send.State.SUBMITTED,
            "made_at": now,
            "started_at": now,
        },
    )
    return send


def _mark_steps(issue: Issue, *, batches: list[Batch], now: datetime) -> int:
    """Mark the steps of people who have a delivery now. Return how many. For others who are due, the mail is empty."""
    with_delivery = Delivery.objects.filter(batch__in=[batch.pk for batch in batches]).values("subscriber_id")
    waiting = issue.welcome_steps.filter(state=WelcomeStep.State.WAITING, subscriber_id__in=with_delivery)
    marked = waiting.update(state=WelcomeStep.State.SENDING)
    empty = find_welcome_ids(issue, now=now)
    issue.welcome_steps.filter(state=WelcomeStep.State.WAITING, subscriber_id__in=empty).update(
        state=WelcomeStep.State.NOT_SENT, code=WelcomeStep.Code.EMPTY, settled_at=now
    )
    return marked
