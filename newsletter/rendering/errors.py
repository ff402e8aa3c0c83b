"""The errors of rendering, with messages for staff."""

from newsletter.common.errors import DomainError


class RenderingError(DomainError):
    """A document cannot become a mail. The message says why and what to do."""


class MergeError(RenderingError):
    """A personal field in staff text is unknown, has no default, or is written wrongly.

    ``text`` is the wrong piece; ``field`` is the name in it, or ""; ``block`` is the key of its block, or "subject" or
    "preheader".
    """

    def __init__(self, message: str, *, text: str = "", field: str = "", block: str = "") -> None:
        super().__init__(message)
        self.text = text
        self.field = field
        self.block = block


class TemplateError(RenderingError):
    """A template, or the content of a block, cannot become mail HTML.

    ``block`` is the block's key, ``kind`` its type, ``line`` the line in the template or its output (0: unknown).
    """

    def __init__(self, message: str, *, block: str = "", kind: str = "", line: int = 0) -> None:
        super().__init__(message)
        self.block = block
        self.kind = kind
        self.line = line


class TokenLostError(RenderingError):
    """A step of the pipeline lost, doubled or invented a personal field. Nothing may be sent."""


class MissingValueError(RenderingError):
    """A person lacks a value that has no default, such as the link to unsubscribe."""
