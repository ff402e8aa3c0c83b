"""Every provider's webhook handler, by the provider's name."""

from newsletter.providers.base.errors import BadWebhook
from newsletter.providers.base.webhooks.verification import WebhookHandler
from newsletter.providers.brevo.webhooks import BREVO
from newsletter.providers.mailgun.webhooks import MAILGUN
from newsletter.providers.postmark.webhooks import POSTMARK
from newsletter.providers.resend.webhooks import RESEND
from newsletter.providers.sendgrid.webhooks import SENDGRID
from newsletter.providers.ses.webhooks import SES
from newsletter.providers.sparkpost.webhooks import SPARKPOST

WEBHOOK_HANDLERS = {handler.name: handler for handler in (MAILGUN, SENDGRID, POSTMARK, SES, RESEND, BREVO, SPARKPOST)}
ATOMIC_PROVIDERS = frozenset(handler.name for handler in WEBHOOK_HANDLERS.values() if handler.atomic)


def find_webhook_handler(provider: str) -> WebhookHandler:
    """Give the handler of a provider's webhooks. Raises BadWebhook where there is no such provider."""
    if provider not in WEBHOOK_HANDLERS:
        raise BadWebhook(
            f"No provider of the name {provider[:40]!r} reports here. Known are {', '.join(WEBHOOK_HANDLERS)}."
        )
    return WEBHOOK_HANDLERS[provider]
