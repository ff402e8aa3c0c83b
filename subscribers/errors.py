"""The root of the one exception tree.

Every refusal that a person may read is a ``DomainError``: its message says what happened and what to do.
"""


class DomainError(Exception):
    """Something the caller asked for cannot be done; ``str(error)`` is fit for a person to read."""


class BadAddress(DomainError):
    """The text is not an email address that this system accepts."""


class BadLink(DomainError):
    """A signed link is forged, altered, of another purpose, or too old."""


class BadRule(DomainError):
    """A segment rule cannot be understood; the message names the part at fault."""


class UnknownPlace(DomainError):
    """A place, region or country is not in the gazetteer."""
