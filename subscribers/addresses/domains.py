"""Mailbox keys and kinds of email domains. No I/O."""

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
