"""Why a document could not be fetched. Every message is fit for staff to read."""

from newsletter.common.errors import DomainError


class FetchError(DomainError):
    """A document could not be fetched from its address."""


class Refused(FetchError):
    """The address, the host it leads to, or the answer breaks a safety rule."""


class TooLarge(FetchError):
    """The document is larger than its kind may be."""


class TooSlow(FetchError):
    """The site did not answer, or did not finish, in the time that its kind may take."""


class Unreachable(FetchError):
    """The site has no such host, connection or valid certificate, or its answer broke off."""


class HostNotFound(Unreachable):
    """DNS knows no address of the site's name."""


class BadCertificate(Unreachable):
    """The site's certificate is not valid."""


class BadStatus(FetchError):
    """The site answered with an error. ``retry_after`` is in seconds, or None if the site named no time.

    ``body`` is the site's own description of the error, or b"" if it sent none that can be read.
    ``challenged`` means that a firewall asked us to prove that we are a person.
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
