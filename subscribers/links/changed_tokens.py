"""Find the token of a signed link in a text to which something was added. Only its signature decides."""

import re

from subscribers.links.signed_links import TOKEN_LENGTHS, Purpose, is_signed

_RUN = re.compile(rf"[A-Za-z0-9_-]{{{min(TOKEN_LENGTHS)},}}")
_MAX_ADDED_BEFORE = 2
"""Characters of a token's own alphabet that stand before it, such as the `3D` that quoted-printable makes of `=`."""


def find_token(text: str, *, purpose: Purpose) -> tuple[str, str]:
    """Return the token that we signed for this purpose, and the text after it; two empty strings if there is none."""
    run = _RUN.search(text)
    if run is None:
        return "", ""
    for start in range(run.start(), run.start() + _MAX_ADDED_BEFORE + 1):
        for length in TOKEN_LENGTHS:
            token = text[start : start + length]
            if is_signed(token, purpose=purpose):
                return token, text[start + length :]
    return "", ""
