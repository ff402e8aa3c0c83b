"""The errors of inbound mail."""

from newsletter.common.errors import DomainError


class BadInboundSetting(DomainError):
    """NEWSLETTER_INBOUND or NEWSLETTER_INBOUND_ADDRESS cannot be used. The message never has a password or key."""


class NoWholeMail(DomainError):
    """A provider posted something without the whole mail in it. The message says what to change at the provider."""


class MailboxUnavailable(DomainError):
    """The mailbox cannot be read now. The next run tries again."""


class ServerFailed(MailboxUnavailable):
    """The mail server does not answer, or breaks off. ``why`` says how, without the password."""

    why: str = ""


class SignInRefused(MailboxUnavailable):
    """The mail server refuses the user or the password. The next run tries again: staff may have corrected it."""
