"""Hide the tokens of signed links in a text, since anyone with a token can act as that subscriber."""

import re

from subscribers.links.signed_links import LINK_PATTERN

_TOKEN = re.compile(rf"(?<![A-Za-z0-9_-]){LINK_PATTERN}(?![A-Za-z0-9_-])")


def mask_tokens(text: str) -> str:
    return _TOKEN.sub("…", text)
