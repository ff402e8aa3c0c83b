"""Checks what stands between this installation and its visitors: the reverse proxy of a public address."""

from collections.abc import Sequence
from urllib.parse import urlsplit

from newsletter.organisation.health.machine import is_loopback
from newsletter.sending.finding import Finding, error, ok


def check_proxies(url: str, *, proxies: Sequence[str]) -> Finding:
    """Return an error for a public address without a trusted proxy: every visitor would seem to be the proxy."""
    host = urlsplit(url).hostname or ""
    if not host or is_loopback(host):
        return ok("reverse proxy", "None is needed on this machine.")
    if not proxies:
        return error(
            "reverse proxy",
            "NEWSLETTER_TRUSTED_PROXIES is empty, so all visitors share the address of the web server before this one. "
            "Limits on sign-ups, sign-ins and wrong API keys then count them as one person.",
            "Set NEWSLETTER_TRUSTED_PROXIES to the address of that web server, such as 127.0.0.1,::1.",
        )
    return ok("reverse proxy", f"Addresses of visitors are believed from {', '.join(proxies)}.")
