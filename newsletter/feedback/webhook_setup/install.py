"""Look at an account's webhook and set it up by the provider's interface. No call is made inside a transaction."""

import logging
import secrets
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta

from django.db.models import Q, QuerySet

from newsletter.common.database.future_times import make_ahead_filter
from newsletter.common.errors import DomainError
from newsletter.feedback.endpoint import list_account_keys
from newsletter.feedback.webhook_setup.keys import store_key
from newsletter.feedback.webhook_setup.state import WebhookSettings, list_webhook_settings
from newsletter.models import ProviderEvent, ProviderWebhook
from newsletter.providers.base.errors import WebhookSetupError
from newsletter.providers.base.webhook_setup import WebhookSetup, WebhookState, WebhookTarget
from newsletter.providers.base.webhooks.events import FeedbackKind
from newsletter.providers.registry import WEBHOOK_SETUPS

log = logging.getLogger(__name__)
CLAIM = timedelta(minutes=3)
# Amazon's questions are valid for three days.
QUESTION_VALID = timedelta(days=3)
ASK_AGAIN_AFTER = timedelta(minutes=10)
_PASSWORD_BYTES = 24


def read_webhook(webhook: WebhookSettings) -> WebhookState:
    """Ask the provider for our webhook. Nothing is changed. Raise WebhookSetupError."""
    with _open_setup(webhook) as setup:
        return setup.read()


def install_webhook(webhook: WebhookSettings, *, now: datetime) -> WebhookState:
    """Create or repair our webhook at the provider and return its state. A second call changes nothing.

    Raise WebhookSetupError if the provider refuses, or if somebody else sets it up at this moment.
    """
    with _claim(webhook, now=now) as row, _open_setup(webhook) as setup:
        state = setup.install()
        if not state.problems:
            row.update(set_up_at=now)
    return state


def has_waiting_subscription(*, now: datetime) -> bool:
    """Return True if a question is not answered yet. It may be asked again."""
    return _find_questions(now).exists()


def confirm_subscriptions(*, now: datetime) -> int:
    """Confirm the subscriptions that our set-up asked for. Return how many.

    A question about another topic, or before anybody set up reports here, stays unanswered.
    """
    was_ahead = make_ahead_filter("retry_at", now=now, wait=ASK_AGAIN_AFTER)
    waiting = _find_questions(now).filter(Q(retry_at__lte=now) | was_ahead)
    if not waiting.exists():
        return 0
    webhooks = [webhook for webhook in list_webhook_settings() if webhook.set_up_at and not webhook.obstacle]
    questions = waiting.filter(provider__in=[webhook.provider for webhook in webhooks])
    confirmed = 0
    for event in questions.order_by("-pk")[:10]:
        # Another process that looks at the same moment leaves the question to this one.
        if not questions.filter(pk=event.pk).update(retry_at=now + ASK_AGAIN_AFTER):
            continue
        of_provider = [webhook for webhook in webhooks if webhook.provider == event.provider]
        if any(_confirm(webhook, link=str(event.body["link"])) for webhook in of_provider):
            ProviderEvent.objects.filter(pk=event.pk).update(body={})
            confirmed += 1
    return confirmed


def _find_questions(now: datetime) -> QuerySet[ProviderEvent]:
    questions = ProviderEvent.objects.filter(kind=FeedbackKind.SUBSCRIPTION.value, received_at__gt=now - QUESTION_VALID)
    return questions.filter(body__has_key="link")


def _confirm(webhook: WebhookSettings, *, link: str) -> bool:
    """Confirm a subscription of this account. Return False if it is another account's, or if the provider refuses."""
    try:
        with _open_setup(webhook) as setup:
            setup.confirm(link)
    except DomainError as error:
        log.warning("The subscription of %s was not confirmed: %s", webhook.label, error)
        return False
    return True


@contextmanager
def _open_setup(webhook: WebhookSettings) -> Iterator[WebhookSetup]:
    kind, provider = WEBHOOK_SETUPS[webhook.provider], webhook.chosen.provider
    if webhook.obstacle or kind is None or provider is None:
        raise WebhookSetupError(webhook.obstacle)
    target = WebhookTarget(
        url=webhook.url,
        keys=list_account_keys(webhook.chosen),
        new_key=secrets.token_urlsafe(_PASSWORD_BYTES),
        keep=lambda key: store_key(webhook.provider, key, account=webhook.account),
        setting=webhook.chosen.setting,
    )
    with closing(kind(provider, target=target)) as setup:
        yield setup


@contextmanager
def _claim(webhook: WebhookSettings, *, now: datetime) -> Iterator[QuerySet[ProviderWebhook]]:
    """Prevent two set-ups at the same time: they would make two webhooks with two keys. Yield the webhook's row."""
    row, _ = ProviderWebhook.objects.get_or_create(provider=webhook.provider, account=webhook.account)
    free = (
        Q(claimed_until__isnull=True)
        | Q(claimed_until__lt=now)
        | make_ahead_filter("claimed_until", now=now, wait=CLAIM)
    )
    rows = ProviderWebhook.objects.filter(pk=row.pk)
    if not rows.filter(free).update(claimed_until=now + CLAIM):
        raise WebhookSetupError(
            "Somebody is setting up the reports at this moment, so nothing was done. Look again in three minutes."
        )
    try:
        yield rows
    finally:
        rows.filter(claimed_until=now + CLAIM).update(claimed_until=None)
