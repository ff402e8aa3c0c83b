"""Explain to staff why a mail cannot be made: its content is not complete, or the server could not use a file."""

from django.utils.translation import gettext

from newsletter.common.errors import DomainError
from newsletter.common.translation import translate


def explain_failure(error: DomainError | OSError) -> str:
    """Return the text of an error. That of an OSError is about the server only: a missing image is a DomainError."""
    if isinstance(error, DomainError):
        return translate(error)
    return gettext(
        "The server could not read or write a file (%(reason)s). Your text is safe. If this lasts longer than a minute, "
        "tell the person who looks after the server."
    ) % {"reason": error.strerror or type(error).__name__}
