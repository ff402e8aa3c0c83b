"""The codes with which mailbox providers refuse or delay mail because of its sender: never a mark on a recipient.

This is the one table of them. Every code of the form x.7.y counts as the sender's anyway; the table says what to change.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from newsletter.common.messages import Message

# Not within an IP address.
_CODE = re.compile(r"(?<![\d.])([45])\.7\.(\d{1,3})(?!\.?\d)")
_YAHOO = re.compile(r"\[(TSS?\d\d)\]")


class SenderCause(StrEnum):
    """The reason why a mailbox provider refuses or delays a sender. ``OTHER`` is a policy that its code does not name."""

    AUTHENTICATION = "authentication"
    SERVERS = "servers"
    RATE = "rate"
    REPUTATION = "reputation"
    OTHER = "other"


WHAT_TO_CHANGE = {
    SenderCause.AUTHENTICATION: Message(
        "The domain does not prove that the mail is yours (SPF, DKIM, DMARC). Run `newsletter doctor` and repair its records."
    ),
    SenderCause.SERVERS: Message(
        "The sending servers have no valid name in DNS or no encryption (TLS). Ask your mail provider to repair this."
    ),
    SenderCause.RATE: Message(
        "You send more mail, or faster, than they accept from a sender whom they hardly know. Wait some hours, then resume with "
        "a smaller daily limit and a lower people_per_second in the setting with the URL of the provider account."
    ),
    SenderCause.REPUTATION: Message(
        "The sending address or domain has a bad reputation. Check who is on the list and how they joined, and ask your mail "
        "provider about the address."
    ),
    SenderCause.OTHER: Message("Read in your mail provider’s log what the mail servers said."),
}


@dataclass(frozen=True)
class SenderRefusal:
    """One line of the table: the last part of the codes 4.7.y and 5.7.y, from ``first`` to ``last``, and its source.

    ``kinds`` are the first digits to which the line applies.
    """

    first: int
    last: int
    cause: SenderCause
    source: str
    kinds: str = "45"


_RFC_7372 = "RFC 7372 §3.1–3.3 (IANA registry of enhanced status codes)"
_GMAIL = "support.google.com/a/answer/3726730 (Gmail SMTP errors and codes)"
_GMAIL_FAQ = "support.google.com/a/answer/14229414 (Email sender guidelines FAQ)"
_EXCHANGE = "learn.microsoft.com/exchange/troubleshoot/email-delivery/ndr/non-delivery-reports-in-exchange-online"
_OUTLOOK = "replies of Outlook.com with S775 and S3114, as quoted at suped.com/knowledge/email-deliverability"
_BANNED = "replies of Exchange Online, which name go.microsoft.com/fwlink/?LinkId=526653 and 526655"
_OUTLOOK_515 = "support.microsoft.com, “Fix NDR error 550 5.7.515 in Outlook.com”"
_THROTTLING = "learn.microsoft.com, “Fix NDR error code 4.7.500-699 (ASxxx) in Exchange Online”"
_TENANT = "learn.microsoft.com, “Fix NDR error 550 5.7.700 through 5.7.750”"
_YAHOO_SOURCE = "replies of Yahoo, which name postmaster.yahooinc.com/error-codes; help.yahoo.com, SLN26151 and SLN3436"

# The first row that matches decides, so 650 to 651 come before 500 to 699.
TABLE = (
    SenderRefusal(20, 22, SenderCause.AUTHENTICATION, _RFC_7372),
    SenderRefusal(23, 24, SenderCause.AUTHENTICATION, _RFC_7372),
    SenderRefusal(25, 25, SenderCause.SERVERS, _RFC_7372),
    SenderRefusal(26, 26, SenderCause.AUTHENTICATION, f"{_RFC_7372}; {_GMAIL}"),
    SenderRefusal(27, 27, SenderCause.AUTHENTICATION, _GMAIL),
    SenderRefusal(28, 28, SenderCause.RATE, _GMAIL),
    SenderRefusal(29, 29, SenderCause.SERVERS, _GMAIL),
    SenderRefusal(30, 30, SenderCause.AUTHENTICATION, _GMAIL),
    SenderRefusal(31, 31, SenderCause.AUTHENTICATION, _GMAIL_FAQ, kinds="4"),
    SenderRefusal(32, 32, SenderCause.AUTHENTICATION, _GMAIL),
    SenderRefusal(40, 40, SenderCause.AUTHENTICATION, _GMAIL),
    SenderRefusal(509, 509, SenderCause.AUTHENTICATION, _EXCHANGE, kinds="5"),
    SenderRefusal(511, 511, SenderCause.REPUTATION, _BANNED, kinds="5"),
    SenderRefusal(515, 515, SenderCause.AUTHENTICATION, _OUTLOOK_515),
    SenderRefusal(606, 649, SenderCause.REPUTATION, _BANNED, kinds="5"),
    SenderRefusal(650, 651, SenderCause.REPUTATION, _OUTLOOK, kinds="4"),
    SenderRefusal(500, 699, SenderCause.RATE, _THROTTLING, kinds="4"),
    SenderRefusal(708, 708, SenderCause.REPUTATION, _TENANT, kinds="5"),
)
YAHOO_TABLE = {
    "TS": (SenderCause.RATE, _YAHOO_SOURCE),
    "TSS": (SenderCause.RATE, _YAHOO_SOURCE),
}
"""Yahoo says 4.7.0 or 4.7.1 and names the case in brackets: [TSS04]. The keys are the letters before the digits."""


def find_sender_status(reply: str) -> str:
    """Return the code in a server's reply that is about the sender, such as ``4.7.28`` or ``4.7.0 TSS04``, or ""."""
    codes = [match.group(0) for match in _CODE.finditer(reply)]
    if not codes:
        return ""
    if marked := _YAHOO.search(reply):
        return f"{codes[0]} {marked.group(1)}"[:12]
    return next((code for code in codes if find_cause(code) is not SenderCause.OTHER), codes[0])


def find_cause(status: str) -> SenderCause:
    """Return the cause at the sender that the code of a refusal names."""
    mark = status.partition(" ")[2].rstrip("0123456789")
    if mark in YAHOO_TABLE:
        return YAHOO_TABLE[mark][0]
    match = _CODE.search(status)
    if match is None:
        return SenderCause.OTHER
    kind, detail = match.group(1), int(match.group(2))
    lines = (line for line in TABLE if kind in line.kinds and line.first <= detail <= line.last)
    return next((line.cause for line in lines), SenderCause.OTHER)
