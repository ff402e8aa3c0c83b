"""Errors that concern a whole import."""

from newsletter.common.errors import DomainError


class BadFile(DomainError):
    """The file cannot be imported."""


class CannotImport(DomainError):
    """The import lacks what the law requires, or cannot be done now."""
