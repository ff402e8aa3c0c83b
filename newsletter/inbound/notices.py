"""Notify staff, once a day for each kind, of inbound mail that needs them: a mailbox that fails, and mails that were kept."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Count, QuerySet

from newsletter.common.messages import Message, Quantity
from newsletter.inbound.forward_replies import replies_page_url
from newsletter.inbound.replies import CAN_READ_REPLIES
from newsletter.issues.approval.write_notices import list_staff_with_permission, write_notice
from newsletter.models import InboundMail, MailboxReading, Publication

KEY_PREFIX = "inbound-"
FAILING_FOR = timedelta(minutes=15)
"""How long a mailbox may fail before staff are notified."""
_KEPT = {
    InboundMail.State.UNREADABLE: (
        Message("A mail that came in cannot be read."),
        Message("%(count)s mails that came in cannot be read.", count=Quantity(0)),
    ),
    InboundMail.State.HELD: (
        Message("A reply is held, because so many came."),
        Message("%(count)s replies are held, because so many came.", count=Quantity(0)),
    ),
    InboundMail.State.NOT_SENT_ON: (
        Message("A reply could not be forwarded by mail."),
        Message("%(count)s replies could not be forwarded by mail.", count=Quantity(0)),
    ),
}
"""The texts about one mail, and about several."""


def notify_inbound_problems(*, now: datetime) -> None:
    """Queue the notices of today for the staff who look after people. The first publication is the sender."""
    problems = find_problems(now=now)
    publication = Publication.objects.order_by("pk").first() if problems else None
    if publication is None:
        return
    people = list_staff_with_permission(CAN_READ_REPLIES)
    for name, text in problems.items():
        write_notice(
            publication,
            f"{KEY_PREFIX}{name}-{now:%Y-%m-%d}",
            Message("Mail that comes in needs you"),
            [text],
            replies_page_url(),
            now,
            people=people,
        )


def find_failing_mailboxes() -> QuerySet[MailboxReading]:
    """Return the readings of the settings' mailboxes that fail, for however short a time."""
    labels = [mailbox.label[:300] for mailbox in settings.NEWSLETTER_INBOUND.mailboxes]
    return MailboxReading.objects.filter(label__in=labels, failing_since__isnull=False)


def find_problems(*, now: datetime) -> dict[str, str]:
    """Return what needs staff, by the name of its kind. The mailboxes are those of the settings."""
    failing = find_failing_mailboxes().filter(failing_since__lte=now - FAILING_FOR)
    problems: dict[str, str] = {f"mailbox-{reading.pk}": reading.error for reading in failing}
    kept = dict(InboundMail.objects.filter(state__in=_KEPT).values_list("state").annotate(mails=Count("pk")))
    for state, (of_one, of_several) in _KEPT.items():
        if count := kept.get(state.value, 0):
            problems[state.value] = of_one if count == 1 else Message(of_several.template, count=Quantity(count))
    return problems
