"""Every provider's webhook reader, by the provider's name."""

from newsletter.providers.base.errors import BadWebhook
from newsletter.providers.base.webhooks.call import WebhookReader
from newsletter.providers.brevo.webhooks import BREVO
from newsletter.providers.mailgun.webhooks import MAILGUN
from newsletter.providers.postmark.webhooks import POSTMARK
from newsletter.providers.resend.webhooks import RESEND
from newsletter.providers.sendgrid.webhooks import SENDGRID
from newsletter.providers.ses.webhooks import SES
from newsletter.providers.sparkpost.webhooks import SPARKPOST

READERS = {reader.name: reader for reader in (MAILGUN, SENDGRID, POSTMARK, SES, RESEND, BREVO, SPARKPOST)}
ATOMIC = frozenset(reader.name for reader in READERS.values() if reader.atomic)


def reader_for(provider: str) -> WebhookReader:
    """Give the reader of a provider's webhooks. Raises BadWebhook where there is no such provider."""
    if provider not in READERS:
        raise BadWebhook(f"No provider of the name {provider[:40]!r} reports here. Known are {', '.join(READERS)}.")
    return READERS[provider]
