"""Sends whose mails were written to files, so nobody got them. They count as never sent once mail goes to a provider."""

from django.conf import settings
from django.db.models import QuerySet

from newsletter.models import Send
from newsletter.providers.accounts import OUTBOX_SCHEME


def list_sends_to_files() -> QuerySet[Send]:
    """Return the sends that count as never sent. While mails are still written to files, none does: the trial goes on."""
    if settings.NEWSLETTER_PROVIDER_URL.partition("://")[0] == OUTBOX_SCHEME:
        return Send.objects.none()
    return Send.objects.filter(provider=OUTBOX_SCHEME)
