"""Remove from a text what no log may hold: email addresses, and tokens with which somebody could act as another.

Names of people have no form that could be found, so no log call may write one.
"""

import re

from subscribers.links.token_masking import mask_tokens

REDACTED_ADDRESS = "[address]"
_HIDDEN = "…"
_SECRET_PATH = re.compile(r"""(/(?:accounts/(?:first|password)|(?:hooks|inbound)/[\w-]+|proof)/)[^\s/?#"'<>]+""")
_AUTHORIZATION = re.compile(r"\b(bearer|basic)\s+[\w.~+/=-]{8,}", re.IGNORECASE)
_AT = re.compile("@|%40|＠", re.IGNORECASE)
_QUOTED_LOCAL_PART = re.compile(r'"[^"\n]{1,64}"(?=@)')
# A slash ends a word, so that the rest of a URL stays. Its user and password look like an address, and go.
_WORD = re.compile(r'[^\s<>()\[\]",;/\\]+(?:(?<=@)\[[\da-fA-F:.]+\])?')
_DOMAIN = re.compile(r"[\w-]+(?:\.[\w-]+)*|\[.*\]|")


def redact(text: str) -> str:
    """Return the text without addresses and tokens, in time that grows with its length."""
    text = mask_tokens(text)
    text = _SECRET_PATH.sub(rf"\1{_HIDDEN}", text)
    text = _AUTHORIZATION.sub(rf"\1 {_HIDDEN}", text)
    return _WORD.sub(_redact_word, _QUOTED_LOCAL_PART.sub("_", text)) if _AT.search(text) else text


def _redact_word(word: re.Match[str]) -> str:
    """Replace everything up to the end of the last domain. An @ with nothing before it begins a decorator or a name."""
    ends = [found.end() for found in _AT.finditer(word[0]) if found.start()]
    if not ends:
        return word[0]
    domain = _DOMAIN.match(word[0], ends[-1])
    return REDACTED_ADDRESS + word[0][domain.end() if domain else ends[-1] :]
