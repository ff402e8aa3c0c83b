"""Why somebody is not signed in with the identity provider. Every message is fit for that person to read."""

from newsletter.common.errors import DomainError
from newsletter.common.text import clean_line


class SignInRefused(DomainError):
    """Nobody was signed in. ``code`` names the reason in the staff log, ``detail`` what an administrator needs to know."""

    status = 403

    def __init__(self, template: str, /, *, code: str, detail: str = "", **values: object) -> None:
        super().__init__(template, **values)
        self.code = code
        self.detail = clean_line(detail, max_length=200)


class IssuerUnavailable(SignInRefused):
    """The identity provider did not answer, or its answer was not understood."""

    status = 502


class BrokenSignIn(SignInRefused):
    """The sign-in was cancelled, is too old, or does not belong to this browser."""

    status = 400


class BadIdentityToken(SignInRefused):
    """The identity provider's token is not one for this sign-in, or is not signed by it."""


class NotAdmitted(SignInRefused):
    """The identity is genuine, and may not enter."""


class LogoutRefused(DomainError):
    """No session was ended. ``code`` names the reason in the staff log, ``detail`` what an administrator needs to know."""

    def __init__(self, template: str, /, *, code: str, detail: str = "", **values: object) -> None:
        super().__init__(template, **values)
        self.code = code
        self.detail = clean_line(detail, max_length=200)
