"""Mailbox keys, kinds of email domains, and addresses that a person may have meant by a misspelt one. No I/O."""

import re

from newsletter.common.edit_distance import count_edits
from subscribers.addresses.normalise import canonical

_DOMAINS_THAT_IGNORE_DOTS = frozenset({"gmail.com", "googlemail.com"})
_DOMAIN_ALIASES = {"googlemail.com": "gmail.com"}
_MAJOR_DOMAINS = frozenset(
    [
        "aol.com",
        "btinternet.com",
        "duck.com",
        "fastmail.com",
        "free.fr",
        "gmail.com",
        "gmx.de",
        "gmx.net",
        "googlemail.com",
        "hotmail.co.uk",
        "hotmail.com",
        "hotmail.fr",
        "icloud.com",
        "laposte.net",
        "libero.it",
        "live.co.uk",
        "live.com",
        "mac.com",
        "mail.com",
        "me.com",
        "mozmail.com",
        "msn.com",
        "orange.fr",
        "outlook.com",
        "privaterelay.appleid.com",
        "proton.me",
        "protonmail.com",
        "rediffmail.com",
        "sbcglobal.net",
        "simplelogin.com",
        "sky.com",
        "t-online.de",
        "verizon.net",
        "virginmedia.com",
        "web.de",
        "yahoo.co.in",
        "yahoo.co.uk",
        "yahoo.com",
        "yahoo.fr",
        "ymail.com",
    ]
)
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


def make_mailbox_key(address: str) -> str:
    """Return the key that all spellings of one mailbox share: no `+tag`, and no dots if the provider ignores them.

    Use it for counting only. Two mailboxes with one key are still two people.
    """
    local, _, domain = canonical(address).rpartition("@")
    local = local.split("+", 1)[0] or local
    if domain in _DOMAINS_THAT_IGNORE_DOTS:
        local = local.replace(".", "")
    return f"{local}@{_DOMAIN_ALIASES.get(domain, domain)}"


def find_domain(address: str) -> str:
    """Return the domain in its wire form, in lower case."""
    return canonical(address).rpartition("@")[2]


def is_major(domain: str) -> bool:
    """Return True if many people have mailboxes there, so that many sign-ups from it are normal."""
    return domain in _MAJOR_DOMAINS


def is_disposable(domain: str) -> bool:
    """Return True if the domain, or a parent of it, offers short-lived addresses."""
    from disposable_email_domains import blocklist  # takes megabytes, in a process that may see no sign-up

    parts = domain.split(".")
    return any(".".join(parts[start:]) in blocklist for start in range(len(parts) - 1))


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
