"""The provider as it registers: its adapter, its webhooks and their setup."""

from newsletter.providers.base.provider_kind import ProviderKind
from newsletter.providers.postmark.adapter import Postmark
from newsletter.providers.postmark.webhook_setup import PostmarkWebhooks
from newsletter.providers.postmark.webhooks import POSTMARK


class PostmarkKind(ProviderKind):
    interface = 1
    adapter = Postmark
    webhooks = POSTMARK
    webhook_setup = PostmarkWebhooks
