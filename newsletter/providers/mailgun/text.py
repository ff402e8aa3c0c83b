"""Mailgun's way of writing variables: our tokens become ``%recipient.name%``, and nothing else may look like one."""

import re
from collections.abc import Iterable

from newsletter.providers.base.errors import BadMail
from newsletter.providers.base.headers import ascii_header
from newsletter.providers.base.tokens import TOKEN

_VARIABLE = re.compile(r"%recipient\.([^%\s]*)%", re.IGNORECASE)
# What Mailgun fills in by itself: %recipient…%, %unsubscribe_url%, %tag_unsubscribe_email% and the like.
_FOREIGN = re.compile(r"%(?=\s*(?:recipient|(?:[a-z]+_)*unsubscribe))", re.IGNORECASE)
_WORD_JOINER = "\u2060"


def html(text: str) -> str:
    """Write an HTML part for Mailgun. A foreign variable shows as it was written, through a character entity."""
    return _to_variables(_FOREIGN.sub("&#37;", text))


def plain(text: str) -> str:
    """Write a subject or text part for Mailgun. A foreign variable is broken by an invisible word joiner."""
    return _to_variables(_FOREIGN.sub(f"%{_WORD_JOINER}", text))


def header(text: str) -> str:
    """Write a header's value for Mailgun: ASCII, with foreign variables broken by a space."""
    return _to_variables(ascii_header(_FOREIGN.sub("% ", text)))


def value(name: str, text: str) -> str:
    """Write a personal value: a reader who calls herself ``%recipient.x%`` is called so, and no more."""
    if "%" not in text:
        return text
    return _FOREIGN.sub("&#37;" if name[0] in "hu" else f"%{_WORD_JOINER}", text)


def check_variables(parts: Iterable[str], *, declared: set[str]) -> None:
    """Raise BadMail unless the variables in the parts are exactly the declared ones."""
    found = {name for part in parts for name in _VARIABLE.findall(part)}
    if found != declared:
        odd = ", ".join(sorted(found ^ declared))
        raise BadMail(
            "The mail's personal fields do not add up (%(odd)s). Nothing was sent; render the issue again.", odd=odd
        )


def _to_variables(text: str) -> str:
    return TOKEN.sub(lambda match: f"%recipient.{match.group(1)}%", text)
