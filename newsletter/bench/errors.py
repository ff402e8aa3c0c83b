"""The error of a measurement."""

from newsletter.common.errors import DomainError


class NotMeasured(DomainError):
    """A measurement did not end, or its result was wrong, so there is no figure."""
