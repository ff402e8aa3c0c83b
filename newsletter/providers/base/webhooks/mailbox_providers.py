"""The mailbox providers with several domains. Their limits and verdicts hold for all of these domains together."""

from collections.abc import Sequence

GROUPS: dict[str, Sequence[str]] = {
    "Gmail": ("gmail.com", "googlemail.com"),
    "Outlook.com": (
        *(
            "outlook.com",
            "hotmail.com",
            "live.com",
            "msn.com",
            "hotmail.co.uk",
            "live.co.uk",
            "outlook.es",
            "hotmail.es",
        ),
        *("outlook.fr", "hotmail.fr", "live.fr", "outlook.de", "hotmail.de", "live.de", "hotmail.it", "outlook.com.br"),
    ),
    "Yahoo": (
        *("yahoo.com", "ymail.com", "rocketmail.com", "aol.com", "yahoo.co.uk", "yahoo.es", "yahoo.fr", "yahoo.de"),
        *("yahoo.it", "yahoo.co.in", "yahoo.in", "yahoo.com.br", "yahoo.com.mx", "yahoo.com.ar", "yahoo.ca"),
    ),
    "iCloud": ("icloud.com", "me.com", "mac.com"),
}
_BY_DOMAIN = {domain: name for name, domains in GROUPS.items() for domain in domains}


def name_mailbox_provider(domain: str) -> str:
    """Return the name of the mailbox provider of a domain, or the domain itself if it is not one of a group."""
    return _BY_DOMAIN.get(domain.lower(), domain.lower())


def list_mailbox_domains(name: str) -> Sequence[str]:
    """Return the domains of a mailbox provider, by the name that `name_mailbox_provider` gives."""
    return GROUPS.get(name, (name,))
