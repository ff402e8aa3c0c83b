"""The provider as it registers: its adapter and its webhooks."""

from newsletter.providers.base.provider_kind import ProviderKind
from newsletter.providers.resend.adapter import Resend
from newsletter.providers.resend.webhooks import RESEND


class ResendKind(ProviderKind):
    interface = 1
    adapter = Resend
    webhooks = RESEND
