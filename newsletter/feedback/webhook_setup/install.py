"""Look at the provider's webhook and set it up by the provider's interface. No call is made inside a transaction."""

import logging
import secrets
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q

from newsletter.common.errors import DomainError
from newsletter.feedback.endpoint import webhook_key
from newsletter.feedback.webhook_setup.keys import store_key
from newsletter.feedback.webhook_setup.state import find_webhook_settings, require_webhook_settings
from newsletter.models import ProviderEvent, ProviderWebhook
from newsletter.providers.base.errors import WebhookSetupError
from newsletter.providers.base.webhook_setup import WebhookSetup, WebhookState, WebhookTarget
from newsletter.providers.base.webhooks.events import FeedbackKind
from newsletter.providers.base.webhooks.verification import split_keys
from newsletter.providers.registry import WEBHOOK_SETUPS, read_provider_url

log = logging.getLogger(__name__)
CLAIM = timedelta(minutes=3)
# Amazon's questions are valid for three days.
QUESTION_VALID = timedelta(days=3)
ASK_AGAIN_AFTER = timedelta(minutes=10)
_PASSWORD_BYTES = 24


def read_webhook() -> WebhookState:
    """Ask the provider for our webhook. Nothing is changed. Raise WebhookSetupError."""
    with _open_setup() as setup:
        return setup.read()


def install_webhook(*, now: datetime) -> WebhookState:
    """Create or repair our webhook at the provider and return its state. A second call changes nothing.

    Raise WebhookSetupError if the provider refuses, or if somebody else sets it up at this moment.
    """
    provider = require_webhook_settings().provider
    with _claim(provider, now=now), _open_setup() as setup:
        state = setup.install()
        if not state.problems:
            ProviderWebhook.objects.filter(provider=provider).update(set_up_at=now)
    return state


def confirm_subscriptions(*, now: datetime) -> int:
    """Confirm the subscriptions that our set-up asked for. Return how many.

    A question about another topic, or before anybody set up reports here, stays unanswered.
    """
    found = find_webhook_settings()
    if found is None or found.obstacle:
        return 0
    waiting = ProviderEvent.objects.filter(
        provider=found.provider,
        kind=FeedbackKind.SUBSCRIPTION.value,
        received_at__gt=now - QUESTION_VALID,
        retry_at__lte=now,
        body__has_key="link",
    )
    if not waiting.exists() or found.set_up_at is None:
        return 0
    confirmed = 0
    for event in waiting.order_by("-pk")[:10]:
        # Another process that looks at the same moment leaves the question to this one.
        if not waiting.filter(pk=event.pk).update(retry_at=now + ASK_AGAIN_AFTER):
            continue
        try:
            with _open_setup() as setup:
                setup.confirm(str(event.body["link"]))
        except DomainError as error:
            log.warning("The subscription of %s was not confirmed: %s", found.label, error)
            continue
        ProviderEvent.objects.filter(pk=event.pk).update(body={})
        confirmed += 1
    return confirmed


@contextmanager
def _open_setup() -> Iterator[WebhookSetup]:
    found = require_webhook_settings()
    kind = WEBHOOK_SETUPS[found.provider]
    if found.obstacle or kind is None:
        raise WebhookSetupError(found.obstacle)
    target = WebhookTarget(
        url=found.url,
        keys=split_keys(webhook_key(found.provider)),
        new_key=secrets.token_urlsafe(_PASSWORD_BYTES),
        keep=lambda key: store_key(found.provider, key),
    )
    with closing(kind(read_provider_url(settings.NEWSLETTER_PROVIDER_URL), target=target)) as setup:
        yield setup


@contextmanager
def _claim(provider: str, *, now: datetime) -> Iterator[None]:
    """Keep others from setting up at the same time: two webhooks with two keys would come of it."""
    ProviderWebhook.objects.get_or_create(provider=provider)
    free = Q(claimed_until__isnull=True) | Q(claimed_until__lt=now)
    rows = ProviderWebhook.objects.filter(provider=provider)
    if not rows.filter(free).update(claimed_until=now + CLAIM):
        raise WebhookSetupError(
            "Somebody is setting up the reports at this moment, so nothing was done. Look again in three minutes."
        )
    try:
        yield
    finally:
        rows.filter(claimed_until=now + CLAIM).update(claimed_until=None)
