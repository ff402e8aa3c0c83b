"""The providers as they register: a mail server with STARTTLS, and one with TLS from the first byte. Neither reports."""

from newsletter.providers.base.provider_kind import ProviderKind
from newsletter.providers.smtp.adapter import Smtp, Smtps


class SmtpKind(ProviderKind):
    interface = 1
    adapter = Smtp
    webhooks = None


class SmtpsKind(ProviderKind):
    interface = 1
    adapter = Smtps
    webhooks = None
