"""Compare web addresses: people, feeds and pages write the address of one page in different ways."""

import hashlib
import re
from functools import lru_cache
from urllib.parse import unquote, urlsplit

_TRACKING_PARAMETERS = (
    "utm_", "fbclid", "gclid", "dclid", "gbraid", "wbraid", "msclkid", "yclid", "twclid", "igshid", "mc_cid", "mc_eid",
    "mkt_tok", "_hsenc", "_hsmi", "mtm_", "pk_campaign", "pk_kwd", "pk_source", "pk_medium",
)  # fmt: skip
"""What a parameter begins with that says where a reader came from, and nothing of the page."""
_RUN = re.compile(r"[A-Za-z0-9]+")
_ENCODED = re.compile(r"%[0-9A-Fa-f]{2}")


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
    """Return the SHA-256 of the page's name."""
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
