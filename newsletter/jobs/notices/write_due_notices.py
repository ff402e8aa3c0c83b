"""Write the notices of every part of the program. `mail_notices` mails them."""

from datetime import datetime

from newsletter.inbound.canaries.notices import find_failing_mailboxes as find_failing_canaries
from newsletter.inbound.canaries.notices import notify_canary_results
from newsletter.inbound.notices import find_failing_mailboxes, notify_inbound_problems
from newsletter.issues.approval.remind_approvers import remind_approvers
from newsletter.issues.assembly.missed_slots import notify_missed_slots
from newsletter.jobs.notices.about_events import notify_changed_events
from newsletter.jobs.notices.about_issues import notify_redesigned_issues, notify_second_approvals
from newsletter.jobs.notices.about_people import (
    notify_held_signups_full,
    notify_stopped_webhooks,
    notify_waiting_exports,
)
from newsletter.jobs.notices.about_sends import notify_send_warnings, notify_spam_rates, notify_stopped_sends
from newsletter.jobs.staff_link_mails import notify_account_changes
from newsletter.models import Send


def write_notices(*, now: datetime) -> None:
    """Write the notices that staff get within a minute."""
    notify_stopped_sends(now=now)
    notify_second_approvals(now=now)
    notify_waiting_exports(now=now)
    notify_changed_events(now=now)
    notify_held_signups_full(now=now)
    notify_account_changes(now=now)
    notify_stopped_webhooks(now=now)
    notify_inbound_problems(now=now)
    notify_canary_results(now=now)


def warn_staff(*, now: datetime) -> None:
    """Write the notices that may take some minutes."""
    notify_send_warnings(now=now)
    notify_spam_rates(now=now)
    remind_approvers(now=now)
    notify_missed_slots(now=now)
    notify_redesigned_issues(now=now)


def may_have_notice(*, now: datetime) -> bool:
    """Return True if a notice may become due without a change of rows: a send needs staff, or a mailbox fails."""
    return (
        Send.objects.filter(state=Send.State.NEEDS_ATTENTION).exists()
        or find_failing_mailboxes().exists()
        or find_failing_canaries(now=now).exists()
    )
