"""Suggest the address that a person may have meant: near misses of domains with very many mailboxes. No I/O."""

import re

from newsletter.common.edit_distance import count_edits

COMMON_DOMAINS = (
    "gmail.com",
    "yahoo.com",
    "hotmail.com",
    "outlook.com",
    "icloud.com",
    "googlemail.com",
    "protonmail.com",
    "yahoo.co.uk",
    "hotmail.co.uk",
    "btinternet.com",
    "virginmedia.com",
    "comcast.net",
    "verizon.net",
    "t-online.de",
    "laposte.net",
    "wanadoo.fr",
    "rediffmail.com",
)
"""Most common first: of two domains that are equally near, the first is suggested."""

_REAL_LOOKALIKES = frozenset({"email.com", "mail.com", "ymail.com", "rocketmail.com", "fastmail.com", "hotmail.com.br"})
_WITH_COUNTRIES = re.compile(r"(?:yahoo|hotmail|outlook|live)\.(?:(?:com?\.)?[a-z]{2})")
_ENDINGS_FOR_COM = frozenset({"con", "cmo", "comm", "cim", "vom", "xom", "ocm", "co", "cm", "om", "coml", "cpm"})
_MIN_LETTERS_FOR_TWO_EDITS = 12


def suggest_address(address: str) -> str:
    """Return the address with the domain that was probably meant, or "" if the domain looks right. Takes a normalised one."""
    local, _, domain = address.rpartition("@")
    meant = _find_common_domain(domain)
    return f"{local}@{meant}" if local and meant and meant != domain else ""


def _find_common_domain(domain: str) -> str:
    name, _, ending = domain.rpartition(".")
    corrected = f"{name}.com" if ending in _ENDINGS_FOR_COM else domain
    if corrected in COMMON_DOMAINS:
        return corrected
    if domain in _REAL_LOOKALIKES or _WITH_COUNTRIES.fullmatch(domain):
        return ""
    near = {common: count_edits(corrected, common) for common in COMMON_DOMAINS}
    best = min(near, key=lambda common: near[common])
    return best if near[best] <= (2 if len(best) >= _MIN_LETTERS_FOR_TWO_EDITS else 1) else ""
