"""Explain to staff why a mail cannot be made: its content is not complete, or a file cannot be read or written."""

from django.utils.translation import gettext

from newsletter.common.errors import DomainError
from newsletter.common.translation import translate

_LASTING = (FileNotFoundError, PermissionError, IsADirectoryError, NotADirectoryError)


def is_temporary(error: OSError) -> bool:
    """Return True if the next attempt may succeed: no file is missing, but the disk or the server failed."""
    return error.errno is not None and not isinstance(error, _LASTING)


def explain_failure(error: DomainError | OSError) -> str:
    return explain_file_error(error) if isinstance(error, OSError) else translate(error)


def explain_file_error(error: OSError) -> str:
    reason = error.strerror or str(error)
    if is_temporary(error):
        return gettext(
            "The server could not read or write a file (%(reason)s). Your text is safe. If this lasts longer than a minute, "
            "tell the person who looks after the server."
        ) % {"reason": reason}
    return gettext("The file of an image cannot be read (%(value)s). Choose another image.") % {"value": reason}
