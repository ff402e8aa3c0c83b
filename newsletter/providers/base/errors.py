"""The errors of providers: settings, mails, batches, webhooks, lists and the network."""

from enum import StrEnum

from newsletter.common.errors import DomainError
from newsletter.common.messages import Message

DEFAULT_URL_SETTING = "NEWSLETTER_PROVIDER_URL"
_SETTING = "%(setting)s"


class BadProviderUrl(DomainError):
    """The URL of a provider account cannot be understood. The message never contains the key.

    ``%(setting)s`` in the template is the setting with the URL. It is that of the default account, unless ``for_setting`` names
    another.
    """

    def __init__(self, template: str = "", /, **values: object) -> None:
        own = {"setting": DEFAULT_URL_SETTING} if _SETTING in template else {}
        super().__init__(template, **own, **values)

    def for_setting(self, setting: str) -> Message:
        """Return the message as a clause about this setting, without its final full stop."""
        template = self.message.template.removesuffix(".")
        if _SETTING in template:
            return Message(template, **{**self.message.values, "setting": setting})
        # An extension may name no setting.
        return Message(
            "%(setting)s cannot be read: %(problem)s",
            setting=setting,
            problem=Message(template, **self.message.values),
        )


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
