"""The settings of Google's Postmaster Tools, as `NEWSLETTER_POSTMASTER_…` gives them."""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

GOOGLE = "https://gmailpostmastertools.googleapis.com"
_PORTS = {"https": 443, "http": 80}


@dataclass(frozen=True)
class PostmasterAccess:
    """The file with Google's key; without one, Google is not asked. ``person``: in whose name a service account asks."""

    key_file: Path | None = None
    person: str = ""
    endpoint: str = GOOGLE

    @property
    def own_hosts(self) -> list[str]:
        """The host of another endpoint, such as a test server, which may be on a private network: the settings name it."""
        return [] if self.endpoint == GOOGLE else [name_host(self.endpoint)]


def name_host(url: str) -> str:
    """Return the host of a URL with its port, as the list of allowed hosts writes it."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    bracketed = f"[{host}]" if ":" in host else host
    return f"{bracketed}:{parts.port or _PORTS.get(parts.scheme, 443)}"
