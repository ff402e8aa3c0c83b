"""Every provider's webhook reader, by the provider's name."""

from newsletter.providers.brevo_webhooks import BREVO
from newsletter.providers.errors import BadWebhook
from newsletter.providers.mailgun_webhooks import MAILGUN
from newsletter.providers.postmark_webhooks import POSTMARK
from newsletter.providers.resend_webhooks import RESEND
from newsletter.providers.sendgrid_webhooks import SENDGRID
from newsletter.providers.ses_webhooks import SES
from newsletter.providers.sparkpost_webhooks import SPARKPOST
from newsletter.providers.webhook_call import WebhookReader

READERS = {reader.name: reader for reader in (MAILGUN, SENDGRID, POSTMARK, SES, RESEND, BREVO, SPARKPOST)}
ATOMIC = frozenset(reader.name for reader in READERS.values() if reader.atomic)


def reader_for(provider: str) -> WebhookReader:
    """Give the reader of a provider's webhooks. Raises BadWebhook where there is no such provider."""
    if provider not in READERS:
        raise BadWebhook(f"No provider of the name {provider[:40]!r} reports here. Known are {', '.join(READERS)}.")
    return READERS[provider]
