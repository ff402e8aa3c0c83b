"""The provider as it registers: its adapter and its webhooks."""

from newsletter.providers.base.provider_kind import ProviderKind
from newsletter.providers.sparkpost.adapter import SparkPost
from newsletter.providers.sparkpost.webhooks import SPARKPOST


class SparkPostKind(ProviderKind):
    interface = 1
    adapter = SparkPost
    webhooks = SPARKPOST
