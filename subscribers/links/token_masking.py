"""Log formatting that hides the tokens of signed links, since anyone with a token can act as that subscriber."""

import logging
import re

from subscribers.links.signed_links import LINK_PATTERN

_TOKEN = re.compile(rf"(?<![A-Za-z0-9_-]){LINK_PATTERN}(?![A-Za-z0-9_-])")


def mask_tokens(text: str) -> str:
    return _TOKEN.sub("…", text)


class TokenMaskingFormatter(logging.Formatter):
    """Formats a record and its traceback with “…” in place of each token."""

    def format(self, record: logging.LogRecord) -> str:
        return mask_tokens(super().format(record))
