"""What a measurement says when it cannot give a figure."""

from newsletter.common.errors import DomainError


class NotMeasured(DomainError):
    """A measurement did not come to an end, or its send did not come out right: no figure is better than a wrong one."""
