"""Check the answers that need neither the settings nor the network."""

import re
from difflib import get_close_matches
from pathlib import Path
from urllib.parse import SplitResult, urlsplit
from zoneinfo import available_timezones

from newsletter.common.errors import BadAddress
from newsletter.common.networks import is_loopback
from newsletter.management.ports import CannotListen, check_port_free
from newsletter.management.setup.prompt import NONE, BadAnswer, is_none
from newsletter.providers.base.errors import BadProviderUrl
from newsletter.providers.registry import OUTBOX, read_provider_url
from subscribers.addresses.normalise import normalise

PROPOSED_HOST = "127.0.0.1"
DEFAULT_PORT, MAX_ATTEMPTS = 8000, 20
MAX_NAME_LENGTH, MAX_ADDRESS_LENGTH = 100, 300
"""The sender's name of a publication, which is the organisation's, and the postal address of a brand."""
FILES = f"{OUTBOX}://"
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def check_site_url(text: str) -> str:
    """Return the address of this installation without a final slash. Raises BadAnswer."""
    parts = _split(text)
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
        raise BadAnswer(
            "“%(text)s” is not a whole web address. Every link in the mails begins with it. Write it with its scheme, such"
            " as https://letter.example.org or http://127.0.0.1:8000.",
            text=text[:80],
        )
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise BadAnswer(
            "“%(text)s” has something after the host. The newsletter needs a host name of its own. Write the part before"
            " it: %(base)s.",
            text=text[:80],
            base=f"{parts.scheme}://{parts.netloc}",
        )
    return f"{parts.scheme}://{parts.netloc}"


def check_new_site_url(text: str) -> str:
    """Return the address as `check_site_url` does. Raises BadAnswer also for a port of this machine that is in use."""
    url = check_site_url(text)
    parts = urlsplit(url)
    if parts.hostname and is_loopback(parts.hostname):
        try:
            check_port_free(host=parts.hostname, port=parts.port or 80)
        except CannotListen as error:
            raise BadAnswer(
                "Port %(port)s of this machine cannot be used: another program has it, or this user may not. `newsletter"
                " serve` could not start there. Write another one, such as %(other)s.",
                port=parts.port or 80,
                other=find_free_site_url(after=max(parts.port or 0, DEFAULT_PORT)),
            ) from error
    return url


def find_free_site_url(*, after: int = DEFAULT_PORT - 1) -> str:
    """Return an address of this machine with a free port, the usual one if it is free."""
    for port in range(after + 1, after + 1 + MAX_ATTEMPTS):
        try:
            check_port_free(host=PROPOSED_HOST, port=port)
        except CannotListen:
            continue
        return f"http://{PROPOSED_HOST}:{port}"
    return f"http://{PROPOSED_HOST}:{DEFAULT_PORT}"


def check_provider_url(text: str) -> str:
    """Return NEWSLETTER_PROVIDER_URL. Raises BadAnswer, which never holds the key."""
    if is_none(text):
        return FILES
    try:
        read_provider_url(text)
    except BadProviderUrl as error:
        raise BadAnswer(
            "%(error)s No mail could be sent with it. Correct it, or write “none” to decide later.", error=error
        ) from error
    return text


def check_email(text: str) -> str:
    """Return the address. Raises BadAnswer."""
    try:
        return normalise(text)
    except BadAddress as error:
        raise BadAnswer(
            "“%(text)s” cannot be used, so no mail could arrive there or come from there. %(error)s",
            text=text[:80],
            error=error,
        ) from error


def check_line(text: str, *, max_length: int) -> str:
    """Return one line of text of at most ``max_length`` characters. Raises BadAnswer."""
    if not text or _CONTROL.search(text):
        raise BadAnswer(
            "There is no text, or it has a character that cannot be shown. Each mail shows it. Write one line."
        )
    if len(text) > max_length:
        raise BadAnswer(
            "“%(text)s…” has %(length)s characters. There is only room for %(limit)s in each mail. Write it shorter.",
            text=text[:40],
            length=len(text),
            limit=max_length,
        )
    return text


def check_zone(text: str) -> str:
    """Return the time zone. Raises BadAnswer."""
    zones = available_timezones()
    if text in zones:
        return text
    near = get_close_matches(text.replace(" ", "_"), zones, n=1, cutoff=0.5)
    raise BadAnswer(
        "“%(text)s” is not a time zone. The newsletter is sent by its clock. Write one such as %(near)s.",
        text=text[:60],
        near=near[0] if near else "Europe/London",
    )


def check_website(text: str) -> str:
    """Return a web address, with https:// if no scheme was typed, or “none”. Raises BadAnswer."""
    if is_none(text):
        return NONE
    address = text if "://" in text else f"https://{text}"
    parts = _split(address)
    is_address = parts is not None and parts.scheme in ("http", "https") and bool(parts.hostname) and not parts.username
    if not is_address or re.search(r"[\s<>\"]", text):
        raise BadAnswer(
            "“%(text)s” is not a web address. Nothing can be read there. Write one such as www.example.org, or “none”.",
            text=text[:80],
        )
    return text


def find_machine_zone() -> str:
    """Return the time zone of this machine, or UTC if it cannot be found."""
    zone = str(Path("/etc/localtime").resolve()).partition("zoneinfo/")[2]
    return zone if zone in available_timezones() and "/" in zone and not zone.startswith("Etc/") else "UTC"


def _split(text: str) -> SplitResult | None:
    """Return the parts of an address, None if it has none or an impossible port."""
    try:
        parts = urlsplit(text)
        return parts if parts.port != 0 else None
    except ValueError:
        return None
