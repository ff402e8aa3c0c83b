"""Keeps the tokens of signed links out of logs (K6): whoever reads a log could act as the reader whose link it was."""

import logging
import re

from subscribers.links.signed_links import LINK_PATTERN

_TOKEN = re.compile(rf"(?<![A-Za-z0-9_-]){LINK_PATTERN}(?![A-Za-z0-9_-])")


def mask_tokens(text: str) -> str:
    return _TOKEN.sub("…", text)


class TokenMaskingFormatter(logging.Formatter):
    """A line as ever, its traceback too, with “…” where a token stood."""

    def format(self, record: logging.LogRecord) -> str:
        return mask_tokens(super().format(record))
