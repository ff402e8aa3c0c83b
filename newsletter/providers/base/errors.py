"""The errors of providers: settings, mails, batches, webhooks, lists and the network."""

from enum import StrEnum

from newsletter.common.errors import DomainError
from newsletter.common.messages import Message


class BadProviderUrl(DomainError):
    """NEWSLETTER_PROVIDER_URL cannot be understood. The message never contains the key."""


class BadMail(DomainError):
    """The mail itself cannot be sent: a line break in the subject, a personal value for another part of it."""


class BadBatch(DomainError):
    """The batch cannot be sent as it is: too many people or bytes, one address twice, a missing value."""


class BadWebhook(DomainError):
    """A webhook is forged, too old or unreadable. Do nothing because of it."""


class AccountRefused(DomainError):
    """The provider could not be reached, or did not accept the account. Nothing was sent."""


class SuppressionListError(DomainError):
    """A provider's suppression list could not be read. Read it again later."""


class WebhookSetupError(DomainError):
    """The provider could not be asked for its webhooks, or refused to change them. Setting up again is safe."""


class CountsFailure(StrEnum):
    """Why a provider's counts of an issue could not be read, or why it was not asked: our own receipt does not add up."""

    NO_ANSWER = "no_answer"
    KEY_REFUSED = "key_refused"
    THROTTLED = "throttled"
    PROVIDER_ERROR = "provider_error"
    UNREADABLE = "unreadable"
    UNKNOWN_ISSUE = "unknown_issue"
    BAD_RECEIPT = "bad_receipt"


class IssueCountsError(DomainError):
    """A provider's counts of an issue could not be read. ``retry_after`` is in seconds, None if the provider did not say."""

    def __init__(self, message: Message, failure: CountsFailure, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.failure = failure
        self.retry_after = retry_after


class TransportError(DomainError):
    """No usable answer was received: one of the two errors below."""


class RequestNotSent(TransportError):
    """The provider certainly never had the whole request: it is safe to try again."""


class OutcomeUnknown(TransportError):
    """The provider may have read the whole request, and its answer is unknown."""
