"""Whether two web addresses lead to one page: people, feeds and pages write the same address in different ways. PURE."""

from functools import lru_cache
from itertools import product
from urllib.parse import quote, unquote, urlsplit

CAMPAIGN = "utm_"
"""What a parameter begins with that says where a reader came from, and nothing of the page."""
_OTHER_MARKS = ("fbclid", "gclid", "mc_cid", "mc_eid")


@lru_cache(maxsize=8_192)
def name_page(url: str) -> str:
    """One name for a page, whatever the scheme, the case of its host, its last slash, its fragment or campaign marks."""
    try:
        parts = urlsplit(url.strip())
        host, port = (parts.hostname or "").removeprefix("www."), parts.port
    except ValueError:
        return url
    at = f"{host}:{port}" if port not in (None, 80, 443) else host
    query = "&".join(sorted(filter(_tells_of_the_page, parts.query.split("&"))))
    return f"{at}{unquote(parts.path).rstrip('/')}" + (f"?{query}" if query else "")


def spell_page(url: str) -> list[str]:
    """The ways in which the page is usually written, for a look into a table; marks of a campaign are in none."""
    path, mark, query = name_page(url).partition("?")
    host, slash, rest = path.partition("/")
    ways = product(("https://", "http://"), ("", "www."), {f"{slash}{rest}", quote(f"{slash}{rest}")}, ("", "/"))
    return [f"{scheme}{www}{host}{way}{last}{mark}{query}" for scheme, www, way, last in ways]


def _tells_of_the_page(parameter: str) -> bool:
    return bool(parameter) and not parameter.startswith((CAMPAIGN, *_OTHER_MARKS))
