"""Notify staff of what canaries found, of sends that went on without them, and of canary mailboxes that cannot be read."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import QuerySet

from newsletter.common.messages import Message
from newsletter.issues.approval.write_notices import issue_page_url, list_staff_with_permission, write_notice
from newsletter.models import CanaryMail, CanaryMailbox, Publication, Send
from newsletter.models.sending.automatic_pauses import AutomaticPause

NOTICE_WINDOW = timedelta(days=2)
FAILING_FOR = timedelta(minutes=10)
"""How long a mailbox may fail before staff are notified."""
READ_WITHIN = timedelta(hours=1)
"""Staff are notified only of mailboxes that were read in this time. An older failure may be over."""
MAILBOX_KEY_PREFIX = "canary-mailbox-"
CAN_CHANGE_MAILBOXES = "newsletter.change_canarymailbox"
_Result = CanaryMail.Result
_SUBJECTS = {
    _Result.SPAM: Message("%(issue)s is in spam at a canary", issue=""),
    _Result.BROKEN: Message("%(issue)s is broken at a canary", issue=""),
    _Result.MISSING: Message("%(issue)s did not arrive at a canary", issue=""),
}
_WENT_ON = (Send.CanaryDecision.TIMED_OUT, Send.CanaryDecision.NOT_SENT)


def notify_canary_results(*, now: datetime) -> None:
    """Queue the notices that are due, each once. A send that its canaries paused has the notice of stopped sends."""
    _notify_alarms(now=now)
    _notify_sends_without_canaries(now=now)
    _notify_failing_mailboxes(now=now)


def mailboxes_page_url() -> str:
    """Return the URL of the canary mailboxes in the desk."""
    return f"{settings.NEWSLETTER_SITE_URL}/admin/canaries/"


def find_failing_mailboxes(*, now: datetime) -> QuerySet[CanaryMailbox]:
    """Return the canary mailboxes in use that failed when they were last read, if that was not long ago."""
    return CanaryMailbox.objects.filter(enabled=True, failing_since__isnull=False, looked_at__gt=now - READ_WITHIN)


def _notify_alarms(*, now: datetime) -> None:
    mails = CanaryMail.objects.filter(result__in=list(_SUBJECTS), measured_at__gt=now - NOTICE_WINDOW)
    if not mails.exists():
        return
    paused = AutomaticPause.objects.filter(rule=AutomaticPause.Rule.CANARY).values("send")
    notified = CanaryMail.objects.filter(turn=CanaryMail.Turn.FIRST, result__in=CanaryMail.ALARMS, send__in=paused)
    for mail in mails.exclude(pk__in=notified).select_related("mailbox", "send__issue__publication"):
        issue, result = mail.send.issue, _Result(mail.result)
        errors = [row["says"] for row in mail.findings if row["level"] == "error"]
        paragraphs = [
            Message("The mailbox: %(mailbox)s.", mailbox=mail.mailbox),
            *errors,
            Message("Nothing was stopped because of it. The page of the issue says what was found."),
        ]
        subject = Message(_SUBJECTS[result].template, issue=issue)
        write_notice(issue.publication, f"canary-{mail.pk}-{result}", subject, paragraphs, issue_page_url(issue), now)


def _notify_sends_without_canaries(*, now: datetime) -> None:
    sends = Send.objects.filter(canary_decision__in=_WENT_ON, started_at__gt=now - NOTICE_WINDOW)
    if not sends.exists():
        return
    for send in sends.select_related("issue__publication"):
        issue = send.issue
        paragraphs = [
            Message(
                "No canary showed in time whether the issue arrives well. So everybody gets it, as chosen in its publication. "
                "The page of the issue says what was found."
            )
        ]
        subject = Message("%(issue)s is being sent without its canaries", issue=issue)
        write_notice(issue.publication, f"canary-silent-{send.pk}", subject, paragraphs, issue_page_url(issue), now)


def _notify_failing_mailboxes(*, now: datetime) -> None:
    """Queue one notice a day for each mailbox. The first publication is the sender."""
    failing = find_failing_mailboxes(now=now).filter(failing_since__lte=now - FAILING_FOR)
    publication = Publication.objects.order_by("pk").first() if failing else None
    if publication is None:
        return
    people = list_staff_with_permission(CAN_CHANGE_MAILBOXES)
    for mailbox in failing:
        write_notice(
            publication,
            f"{MAILBOX_KEY_PREFIX}{mailbox.pk}-{now:%Y-%m-%d}",
            Message("The canary %(mailbox)s cannot be read", mailbox=mailbox),
            [mailbox.error],
            mailboxes_page_url(),
            now,
            people=people,
        )
