"""What can go wrong between a batch and its provider, as errors with words for staff."""

from newsletter.common.errors import DomainError


class BadProviderUrl(DomainError):
    """NEWSLETTER_PROVIDER_URL cannot be understood. The message never holds the key."""


class BadMail(DomainError):
    """The mail itself may not go out: a line break in the subject, a personal value written for another place."""


class BadBatch(DomainError):
    """The batch may not go out as it is: too many people, too many bytes, one address twice, a value missing."""


class BadWebhook(DomainError):
    """A webhook is forged, stale or unreadable; nothing may be done because of it."""


class SuppressionListError(DomainError):
    """A provider's list of barred addresses could not be read. Nothing follows from that but another try later."""


class TransportError(DomainError):
    """No usable answer came. Always one of the two below."""


class RequestNotSent(TransportError):
    """Proof that the provider never had the whole request: it is safe to try again."""


class OutcomeUnknown(TransportError):
    """The provider may have read the whole request, and its answer is not known."""
