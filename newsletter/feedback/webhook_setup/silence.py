"""Find sends about which an account has not reported for an hour: nobody hears of their bounces and complaints."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery

from newsletter.common.messages import Message
from newsletter.feedback.webhook_setup.state import WebhookSettings, list_webhook_settings
from newsletter.models import Attempt, Batch, Delivered, DeliveryException, ProviderEvent, Send
from newsletter.providers.accounts import OUTBOX_SCHEME

REPORTS_EXPECTED_AFTER = timedelta(hours=1)
LOOK_BACK = timedelta(days=7)
_ACCEPTED = [Batch.State.ACCEPTED, Batch.State.PARTIAL]


@dataclass(frozen=True)
class SilentSend:
    """A send with an account that has not reported about it.

    ``since`` is when ``account`` accepted its first mails; ``label`` names it for staff; ``do`` says what to do.
    """

    send: Send
    account: str
    label: str
    since: datetime
    do: str


def find_silent_sends(webhooks: Iterable[WebhookSettings], *, now: datetime) -> list[SilentSend]:
    """Return the sends of the last week about which the account of a webhook has not reported, the newest first.

    A send is named once for each silent account, in the order in which the accounts accepted its first mails.
    """
    return _describe(Send.objects.filter(started_at__gt=now - LOOK_BACK), webhooks=webhooks, now=now)


def find_silent_accounts(send: Send, *, now: datetime) -> list[SilentSend]:
    """Return the accounts that have not reported about the send, although a report must have come by now."""
    return _describe(Send.objects.filter(pk=send.pk), webhooks=list_webhook_settings(), now=now)


def has_sent_before(webhook: WebhookSettings, *, now: datetime) -> bool:
    """Return True if this account accepted mails so long ago that reports must have come."""
    return _list_accepted(webhook).filter(settled_at__lte=now - REPORTS_EXPECTED_AFTER).exists()


def _describe(sends: "QuerySet[Send]", *, webhooks: Iterable[WebhookSettings], now: datetime) -> list[SilentSend]:
    silent = [silence for webhook in webhooks for silence in _find_silent(sends, webhook, now=now)]
    return sorted(silent, key=lambda silence: (-silence.send.pk, silence.since, silence.account))


def _find_silent(sends: "QuerySet[Send]", webhook: WebhookSettings, *, now: datetime) -> list[SilentSend]:
    """Return the sends of which this account accepted mails long enough ago and reported about none of these."""
    accepted = _list_accepted(webhook).filter(send=OuterRef("pk"))
    delivered = Delivered.objects.filter(send=OuterRef("pk"), account=webhook.account, people__gt=0)
    overdue = (
        sends.filter(purged_at__isnull=True)
        .annotate(first_accepted_at=Subquery(accepted.order_by("settled_at").values("settled_at")[:1]))
        .filter(first_accepted_at__lte=now - REPORTS_EXPECTED_AFTER)
        .filter(~Exists(delivered), ~Exists(_find_reported_people(webhook)))
        .select_related("issue__publication")
    )
    # Events that were not applied yet may be about any send. The heartbeat names reports that are stuck.
    waiting = ProviderEvent.objects.filter(
        provider=webhook.provider, result=ProviderEvent.Result.WAITING, applied_at__isnull=True
    )
    return [
        SilentSend(
            send=send,
            account=webhook.account,
            label=webhook.label,
            since=send.first_accepted_at,
            do=_say_what_to_do(webhook, since=send.first_accepted_at),
        )
        for send in overdue
        if not waiting.filter(received_at__gt=send.first_accepted_at).exists()
    ]


def _list_accepted(webhook: WebhookSettings) -> "QuerySet[Batch]":
    """Return the batches that this account accepted.

    What went to files, or to another provider that had the account's setting before, is not among them. A batch that
    another provider certainly did not accept before it moved here is.
    """
    elsewhere = Attempt.objects.filter(batch=OuterRef("pk")).exclude(provider="")
    elsewhere = elsewhere.exclude(outcome__in=Attempt.NOT_ACCEPTED_OUTCOMES)
    elsewhere = elsewhere.exclude(provider__startswith=f"{webhook.provider}:")
    accepted = Batch.objects.filter(account=webhook.account, state__in=_ACCEPTED)
    return accepted.exclude(send__provider=OUTBOX_SCHEME).filter(~Exists(elsewhere))


def _find_reported_people(webhook: WebhookSettings) -> "QuerySet[DeliveryException]":
    """Return the people of a send who had the mail from this account, and whom a report was about."""
    reported = Q(bounced_at__isnull=False) | Q(complained_at__isnull=False)
    return DeliveryException.objects.filter(
        reported, delivery__batch__send=OuterRef("pk"), delivery__batch__account=webhook.account
    )


def _say_what_to_do(webhook: WebhookSettings, *, since: datetime) -> str:
    if not webhook.has_key:
        return Message(
            "Nothing verifies %(provider)s’s reports, so all are refused. Set up the reports on the page of the mail provider.",
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
