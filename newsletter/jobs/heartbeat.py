"""Send a heartbeat to an outside monitor while nothing is wrong, so that its absence raises the alarm.

This also works if the machine, the scheduler or the mail to staff is down.
"""

import logging
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q

from newsletter.content.fetching.errors import FetchError, TooLarge
from newsletter.content.fetching.fetcher import Fetcher, Limits
from newsletter.issues.assembly.overdue import find_overdue
from newsletter.models import (
    InboundMail,
    Installation,
    MailboxReading,
    ProviderEvent,
    Send,
    Slot,
    StaffNotice,
)
from newsletter.sending.adapters import current_adapter
from newsletter.sending.settling.awaited_reports import needs_person
from newsletter.sending.settling.stalled_sends import find_abandoned_batches, find_unstarted_sends
from subscribers.models.queued_mails import MAX_DELAY

log = logging.getLogger(__name__)
RESPONSE_LIMITS = Limits(max_bytes=65_536, total=10.0)
UNASSEMBLED_AFTER = timedelta(hours=1)
NOTICE_UNSENT_AFTER = timedelta(minutes=30)
ANSWERED_WITHIN = timedelta(minutes=2)
"""An attempt to mail a notice, which may be under way, has ended by then."""
REPORT_UNAPPLIED_AFTER = timedelta(minutes=30)
MAILBOX_UNREAD_AFTER = timedelta(hours=1)


def send_heartbeat(*, url: str, fetcher: Fetcher, now: datetime) -> bool:
    """Fetch ``url`` unless something is wrong. Return True if the monitor was reached."""
    trouble = find_trouble(now=now)
    if trouble:
        log.warning("No heartbeat was sent to the monitor: %s", trouble)
        return False
    try:
        fetcher.fetch(url, limits=RESPONSE_LIMITS)
    except TooLarge:
        return True
    except FetchError as error:
        log.warning("The monitor could not be reached: %s If this goes on, check NEWSLETTER_PULSE_URL.", error)
        return False
    return True


def find_trouble(*, now: datetime) -> str:
    """Return the first problem as a sentence, "" without one."""
    problems = {
        "everything is held": Installation.objects.filter(held=True),
        "a send stopped and waits for a person": Send.objects.filter(pk__in=_find_stopped(now)),
        "a send was requested and does not start": find_unstarted_sends(now=now),
        "a batch is not being sent: check that a worker is running": find_abandoned_batches(now=now),
        "a slot was not assembled: check that the scheduler is running": Slot.objects.filter(
            state=Slot.State.DUE, due_at__lt=now - UNASSEMBLED_AFTER
        ),
        "an approved issue is overdue: check that the scheduler is running": find_overdue(now=now),
        "a mail to staff could not be sent, or its delivery had no clear answer": StaffNotice.objects.filter(
            _is_unsent(now), made_at__lt=now - NOTICE_UNSENT_AFTER
        ),
        "a report of the provider was not applied": ProviderEvent.objects.filter(
            result=ProviderEvent.Result.WAITING,
            applied_at=None,
            received_at__lt=now - REPORT_UNAPPLIED_AFTER,
            retry_at__lt=now,
        ),
        "a mail that came in was not handled": InboundMail.objects.filter(
            state=InboundMail.State.WAITING, received_at__lt=now - REPORT_UNAPPLIED_AFTER
        ),
        "a mailbox cannot be read": MailboxReading.objects.filter(
            label__in=[mailbox.label[:300] for mailbox in settings.NEWSLETTER_INBOUND.mailboxes],
            failing_since__lt=now - MAILBOX_UNREAD_AFTER,
        ),
    }
    return next((problem for problem, rows in problems.items() if rows.exists()), "")


def _is_unsent(now: datetime) -> Q:
    """Return the condition of notices that are not sent, or wait for a repeat after an attempt without a clear answer.

    A notice that the person read in the desk is not repeated.
    """
    unanswered = Q(read_at=None, repeat_at__gt=now - MAX_DELAY, sent_at__lt=now - ANSWERED_WITHIN)
    return Q(sent_at=None) | unanswered


def _find_stopped(now: datetime) -> list[int]:
    """Return the sends that wait for a person. While the provider is being asked, nobody needs to act."""
    waiting = Send.objects.filter(state=Send.State.NEEDS_ATTENTION)
    for_staff = [send.pk for send in waiting if needs_person(send, adapter=current_adapter(), now=now)]
    return [*for_staff, *Send.objects.filter(state=Send.State.PAUSED).values_list("pk", flat=True)]
