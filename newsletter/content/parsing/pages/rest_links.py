"""Find the REST addresses of The Events Calendar and of WordPress that a web page names."""

from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit, urlunsplit

from lxml.html import HtmlElement

EVENTS_LINK, WORDPRESS_LINK = "tribe_events", "wp_rest"
TRIBE_ROUTE = "tribe/events/v1"
_MAX_URL_LENGTH = 2_000


def find_rest_links(tree: HtmlElement | None, *, url: str) -> dict[str, str]:
    """Return the addresses ``tribe_events`` and ``wp_rest`` on the page's own host, if it names them."""
    links: dict[str, str] = {}
    for link in tree.iter("link") if tree is not None else ():
        try:
            address = urljoin(url, str(link.get("href") or "").strip())
            is_same_host = urlsplit(address).hostname == urlsplit(url).hostname
        except ValueError:
            continue
        if not is_same_host or len(address) > _MAX_URL_LENGTH or not address.startswith(("http://", "https://")):
            continue
        if is_tribe_address(address):
            links.setdefault(EVENTS_LINK, address)
        elif str(link.get("rel") or "").strip().rstrip("/") == "https://api.w.org":
            links.setdefault(WORDPRESS_LINK, address)
    return links


def is_tribe_address(url: str) -> bool:
    """Return True for an address of The Events Calendar's REST interface, with or without permalinks."""
    try:
        parts = urlsplit(url)
        route = dict(parse_qsl(parts.query)).get("rest_route", "") or parts.path.partition("/wp-json/")[2]
    except ValueError:
        return False
    return f"{route.strip('/')}/".startswith(f"{TRIBE_ROUTE}/")


def make_route_url(rest: str, route: str) -> str:
    """Return the address of a route of the WordPress REST interface at ``rest``."""
    parts = urlsplit(rest)
    query = dict(parse_qsl(parts.query))
    if "rest_route" in query:
        query["rest_route"] = f"/{route}"
        return urlunsplit((parts.scheme, parts.netloc, parts.path, urlencode(query), ""))
    path = f"{parts.path.partition('/wp-json')[0]}/wp-json/{route}"
    return urlunsplit((parts.scheme, parts.netloc, path, parts.query, ""))
