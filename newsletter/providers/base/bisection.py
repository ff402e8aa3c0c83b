"""Whether a refused batch may have been refused for one of its people, or for its size, rather than for the mail."""

import re

from newsletter.providers.base.contract import ProviderResponse

_ABOUT_RECIPIENTS = re.compile(
    r"recipient|personalizations|messageversions|destination|rcpt|"
    r"[\"'`]to[\"'`]|\bto (?:parameter|field|address)|\bto\[|\bto\.\d|"
    r"(?:email|address)(?:es)? (?:\S+ ){0,4}(?:not valid|invalid)|(?:invalid|not a valid|illegal) (?:email )?address",
    re.IGNORECASE,
)
_ABOUT_THE_SENDER = re.compile(
    r"\b(?:from|sender|reply[-_ ]?to)\b[\"'`]? (?:parameter|field|(?:email )?address)", re.IGNORECASE
)
_ABOUT_THE_MAIL = re.compile(
    r"\b(?:from|sender|reply[-_ ]?to|subject|html|htmlcontent|text|textcontent|content|template|headers?|tags?|"
    r"attachment|domain|account|plan|credits?|unverified|verified|verify|identity|configuration set)\b|16KB",
    re.IGNORECASE,
)


def can_bisect(answer: ProviderResponse, *, words: str, people: int) -> bool:
    """Say whether smaller batches of the same people may be taken. ``words`` are the provider's, with field names.

    Words that name neither people nor the mail count as "may be": one bad address must not keep the others from mail.
    """
    if people < 2:
        return False
    if answer.status == 413:
        return True
    if _ABOUT_THE_SENDER.search(words):
        return False
    return bool(_ABOUT_RECIPIENTS.search(words)) or not _ABOUT_THE_MAIL.search(words)
