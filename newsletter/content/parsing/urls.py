"""Make the address of a page absolute and safe, and compare addresses that people, feeds and pages write differently."""

import hashlib
import re
from functools import lru_cache
from urllib.parse import unquote, urljoin, urlsplit

MAX_URL_LENGTH = 2000
_HOST = re.compile(r"[\w.\-]+|[0-9a-fA-F:.]+(?:%\w+)?")
_TRACKING_PARAMETERS = (
    "utm_", "fbclid", "gclid", "dclid", "gbraid", "wbraid", "msclkid", "yclid", "twclid", "igshid", "mc_cid", "mc_eid",
    "mkt_tok", "_hsenc", "_hsmi", "mtm_", "pk_campaign", "pk_kwd", "pk_source", "pk_medium",
)  # fmt: skip
"""Prefixes of tracking parameters; they do not identify a page."""
_RUN = re.compile(r"[A-Za-z0-9]+")
_ENCODED = re.compile(r"%[0-9A-Fa-f]{2}")


def safe_link(link: str, *, base_url: str) -> str:
    """Return the absolute http(s) form of a link, or "" if there is none or it is unsafe."""
    text = "".join(char for char in link.strip() if ord(char) > 32)
    if not text:
        return ""
    try:
        absolute = urljoin(base_url, text)
        parts = urlsplit(absolute)
        host = parts.hostname
    except ValueError:
        return ""
    has_host = bool(host) and _HOST.fullmatch(host or "") is not None
    is_valid = parts.scheme in ("http", "https") and has_host and parts.username is None
    return absolute if is_valid and len(absolute) <= MAX_URL_LENGTH else ""


@lru_cache(maxsize=8_192)
def normalise_url(url: str) -> str:
    """Return one name for a page, without scheme, letter case of the host, last slash, fragment and campaign parameters."""
    try:
        parts = urlsplit(url.strip())
        host, port = (parts.hostname or "").removeprefix("www."), parts.port
    except ValueError:
        return url
    at = f"{host}:{port}" if port not in (None, 80, 443) else host
    query = "&".join(sorted(filter(_is_page_parameter, parts.query.split("&"))))
    return f"{at}{unquote(parts.path).rstrip('/')}" + (f"?{query}" if query else "")


def hash_url(url: str) -> str:
    """Return the SHA-256 of the normalised address."""
    return hashlib.sha256(normalise_url(url).encode("utf-8", "replace")).hexdigest()


def is_story_page(url: str) -> bool:
    """Return False for a site's front page, which many entries may link to."""
    return bool(re.search(r"[/?]", normalise_url(url)))


def make_url_search_key(url: str) -> str:
    """Return the longest run of letters and digits that every spelling of the address contains, for a database search.

    Percent-encoded characters end a run. Return the host if there is nothing else.
    """
    host, *rest = re.split("[/?]", normalise_url(url), maxsplit=1)
    return max(_RUN.findall(_ENCODED.sub(" ", "".join(rest))), key=len, default=host)


def _is_page_parameter(parameter: str) -> bool:
    return bool(parameter) and not parameter.startswith(_TRACKING_PARAMETERS)


def find_host(text: str) -> str:
    """Return the host that a person wrote alone or as part of an address, in small letters; "" if there is none."""
    try:
        host = urlsplit(text if "//" in text else f"//{text}").hostname or ""
    except ValueError:
        return ""
    return host if "." in host and _HOST.fullmatch(host) else ""
