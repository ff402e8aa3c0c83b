"""Find sends about which the provider has not reported for an hour: their bounces and complaints are not heard of."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Exists, Min, OuterRef, Q, QuerySet

from newsletter.common.messages import Message
from newsletter.feedback.webhook_setup.state import WebhookSettings, list_webhook_settings
from newsletter.models import Batch, Delivered, DeliveryException, ProviderEvent, Send

REPORTS_EXPECTED_AFTER = timedelta(hours=1)
LOOK_BACK = timedelta(days=7)
_ACCEPTED = [Batch.State.ACCEPTED, Batch.State.PARTIAL]


@dataclass(frozen=True)
class SilentSend:
    """A send without a report. ``since`` is when ``account`` accepted its first mails; ``do`` says what to do."""

    send: Send
    account: str
    since: datetime
    do: str


def find_silent_sends(*, now: datetime) -> list[SilentSend]:
    """Return the sends of the last week without a report, the newest first."""
    return _describe(Send.objects.filter(started_at__gt=now - LOOK_BACK), now=now)


def find_silence(send: Send, *, now: datetime) -> SilentSend | None:
    """Return the send if the provider has not reported about it; None if it has, or if it is too early to expect it."""
    return next(iter(_describe(Send.objects.filter(pk=send.pk), now=now)), None)


def has_sent_before(webhook: WebhookSettings, *, now: datetime) -> bool:
    """Return True if a send by this account began so long ago that reports must have come."""
    return Send.objects.filter(provider=webhook.chosen.label, started_at__lte=now - REPORTS_EXPECTED_AFTER).exists()


def _describe(sends: "QuerySet[Send]", *, now: datetime) -> list[SilentSend]:
    """Return the silent sends, each with what to do about the account that accepted its first mails."""
    webhooks = list_webhook_settings()
    found: dict[int, SilentSend] = {}
    for webhook in webhooks:
        for one in _find_silent(sends, webhook, labels=[each.chosen.label for each in webhooks], now=now):
            known = found.get(one.send.pk)
            if known is None or one.since < known.since:
                found[one.send.pk] = one
    return sorted(found.values(), key=lambda one: one.send.pk, reverse=True)


def _find_silent(
    sends: "QuerySet[Send]", webhook: WebhookSettings, *, labels: Sequence[str], now: datetime
) -> list[SilentSend]:
    """Return the sends without a report of which this account accepted mails long enough ago.

    ``labels`` name the accounts of today: a send by another one, such as the outbox, is none of theirs.
    """
    accepted = Q(batches__state__in=_ACCEPTED, batches__account=webhook.account)
    overdue = (
        sends.filter(provider__in=labels, purged_at__isnull=True)
        .annotate(first_accepted_at=Min("batches__settled_at", filter=accepted))
        .filter(first_accepted_at__lte=now - REPORTS_EXPECTED_AFTER)
        .filter(~Exists(Delivered.objects.filter(send=OuterRef("pk"))), ~Exists(_find_reported_people()))
        .select_related("issue__publication")
    )
    waiting = ProviderEvent.objects.filter(result=ProviderEvent.Result.WAITING, applied_at__isnull=True)
    # What came and was not applied yet may be about any send. The heartbeat names reports that are stuck.
    return [
        SilentSend(
            send, webhook.account, send.first_accepted_at, _say_what_to_do(webhook, since=send.first_accepted_at)
        )
        for send in overdue
        if not waiting.filter(received_at__gt=send.first_accepted_at).exists()
    ]


def _find_reported_people() -> "QuerySet[DeliveryException]":
    """Return the people of a send whom a report was about."""
    reported = Q(bounced_at__isnull=False) | Q(complained_at__isnull=False)
    return DeliveryException.objects.filter(reported, delivery__batch__send=OuterRef("pk"))


def _say_what_to_do(webhook: WebhookSettings, *, since: datetime) -> str:
    if not webhook.has_key:
        return Message(
            "Nothing verifies %(provider)s's reports, so all are refused. Set up the reports on the page of the mail provider.",
            provider=webhook.label,
        )
    if webhook.last_report_at is None:
        return Message(
            "No report of %(provider)s ever came. Set up the reports on the page of the mail provider.",
            provider=webhook.label,
        )
    if webhook.last_report_at < since:
        return Message(
            "The last report of %(provider)s came before this send. Set up the reports again on the page of the mail "
            "provider, and see that the provider reaches this site.",
            provider=webhook.label,
        )
    return Message(
        "%(provider)s reports about other mail. Either the mailboxes delay this one, or events are missing: see the page of "
        "the mail provider.",
        provider=webhook.label,
    )
