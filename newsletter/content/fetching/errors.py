"""Why a document did not come. Every message is fit for staff to read."""

from newsletter.common.errors import DomainError


class FetchError(DomainError):
    """A document could not be had from its address."""


class Refused(FetchError):
    """We will not ask: the address, where it leads, or how it was answered breaks a safety rule."""


class TooLarge(FetchError):
    """The document is larger than its kind may be."""


class TooSlow(FetchError):
    """The site did not answer, or not to the end, in the time that its kind may take."""


class Unreachable(FetchError):
    """No connection, no such host, a bad certificate, or an answer that broke off."""


class BadStatus(FetchError):
    """The site answered, but with an error. ``retry_after`` is in seconds, None when the site named no time.

    ``body`` is the start of what the site said beside the status, b"" if it said nothing that can be read.
    ``challenged`` means that a firewall before the site asked us to prove that we are a person.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int,
        retry_after: int | None = None,
        body: bytes = b"",
        challenged: bool = False,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after = retry_after
        self.body = body
        self.challenged = challenged
