"""What rendering refuses, in words for staff. It owns no rule of its own."""

from newsletter.common.errors import DomainError


class RenderingError(DomainError):
    """A document cannot become a mail; the message says why and what to do."""


class MergeError(RenderingError):
    """A personal field in staff text is unknown, has no default, or is not written as it must be.

    ``text`` is the piece at fault; ``field`` is the name that was asked for ("" where none was found); ``block`` is
    the key of the block that it stands in ("subject" and "preheader" for those two).
    """

    def __init__(self, message: str, *, text: str = "", field: str = "", block: str = "") -> None:
        super().__init__(message)
        self.text = text
        self.field = field
        self.block = block


class TemplateError(RenderingError):
    """A template, or what stands in a block, cannot be turned into mail HTML.

    ``block`` is the block's key, ``kind`` its type, ``line`` the line in the template or its output (0: unknown).
    """

    def __init__(self, message: str, *, block: str = "", kind: str = "", line: int = 0) -> None:
        super().__init__(message)
        self.block = block
        self.kind = kind
        self.line = line


class TokenLostError(RenderingError):
    """A step of the pipeline dropped, doubled or made up a personal field: nothing may be sent."""


class MissingValueError(RenderingError):
    """A person lacks a value that has no default, such as the link to unsubscribe."""
