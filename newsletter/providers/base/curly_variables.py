"""The ``{{name}}`` way of writing variables (Amazon SES, Brevo, SparkPost): ours in, nothing else like one."""

import re
from collections.abc import Callable

from newsletter.providers.base.tokens import TOKEN

_WORD_JOINER = "\u2060"
# A brace that would open a variable, a tag or a comment, also together with the one that a token is about to become.
_OPENS = re.compile(r"\{(?=[{%#]|__pv_)")
_CLOSES = re.compile(r"(__pv_[hut]_[A-Za-z0-9]+(?:_[A-Za-z0-9]+)*__)\}")
_STYLE = re.compile(r"(<style\b.*?</style\s*>)", re.IGNORECASE | re.DOTALL)

Write = Callable[[str], str]


def html(text: str, *, write: Write) -> str:
    """Write an HTML part; ``write`` gives the variable of a name. A foreign brace shows as it was written."""
    pieces = [
        _OPENS.sub("{ ", piece) if n % 2 else _CLOSES.sub(r"\1&#125;", _OPENS.sub("&#123;", piece))
        for n, piece in enumerate(_STYLE.split(text))
    ]
    return _fill("".join(pieces), write)


def plain(text: str, *, write: Write) -> str:
    """Write a subject or text part. A foreign brace is broken by an invisible word joiner."""
    return _fill(_CLOSES.sub(rf"\1{_WORD_JOINER}}}", _OPENS.sub(f"{{{_WORD_JOINER}", text)), write)


def header(text: str, *, write: Write) -> str:
    """Write a header's value. A foreign brace is broken by a space."""
    return _fill(_CLOSES.sub(r"\1 }", _OPENS.sub("{ ", text)), write)


def value(name: str, text: str) -> str:
    """Write a personal value: a reader who calls herself ``{{x}}`` is called so, and no more."""
    return _OPENS.sub("&#123;" if name[0] in "hu" else f"{{{_WORD_JOINER}", text)


def _fill(text: str, write: Write) -> str:
    return TOKEN.sub(lambda match: write(match.group(1)), text)
