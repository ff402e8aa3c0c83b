"""The provider as it registers: its adapter and its webhooks."""

from newsletter.providers.base.provider_kind import ProviderKind
from newsletter.providers.brevo.adapter import Brevo
from newsletter.providers.brevo.webhooks import BREVO


class BrevoKind(ProviderKind):
    interface = 1
    adapter = Brevo
    webhooks = BREVO
