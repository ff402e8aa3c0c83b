"""PURE. What can be wrong with a whole import."""

from newsletter.common.errors import DomainError


class BadFile(DomainError):
    """The whole file cannot be imported."""


class CannotImport(DomainError):
    """The import was asked for without what the law needs, or at a moment when it cannot be done."""
