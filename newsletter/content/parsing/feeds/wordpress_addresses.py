"""Addresses of a WordPress site: its REST interface in every form, its feed, and the parts of a given address.

It builds and reads addresses; it opens none.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from html import unescape
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit, urlunsplit

POSTS = "posts"
_NAMESPACE = "wp/v2/"
_MAX_PER_PAGE = 100
_OWN_PARAMETERS = frozenset(
    {"_embed", "_fields", "per_page", "page", "orderby", "order", "after", "include", "rest_route"}
)
_KIND = re.compile(r"^/?wp/v2/(?P<kind>[\w-]+)")
_LINK_HEADER = re.compile(r"<(?P<url>[^<>]{1,2000})>[^,<]*?rel=[\"']?https://api\.w\.org/", re.IGNORECASE)
_LINK_TAG = re.compile(rb"<link\b[^>]{0,2000}>", re.IGNORECASE)
_REL = re.compile(rb"rel\s*=\s*[\"']?https://api\.w\.org/", re.IGNORECASE)
_HREF = re.compile(rb"href\s*=\s*[\"']?([^\"'\s>]{1,2000})", re.IGNORECASE)
_HEAD_BYTES = 300_000


@dataclass(frozen=True)
class Collection:
    """One type of posts of one site. ``root`` is the address of the REST interface; ``filters`` are from the address."""

    home: str
    root: str
    kind: str = POSTS
    filters: tuple[tuple[str, str], ...] = ()

    def list_url(self, *, page: int = 1, per_page: int = 20, after: datetime | None = None) -> str:
        """Return the address of one page of posts, newest first, with their embedded data."""
        query = dict(self.filters)
        query |= {"_embed": "1", "per_page": str(min(per_page, _MAX_PER_PAGE)), "page": str(page)}
        query |= {"orderby": "date", "order": "desc"}
        if after is not None:
            query["after"] = after.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
        return rest_url(self.root, _NAMESPACE + self.kind, query)

    def posts_by_id_url(self, ids: Iterable[str]) -> str:
        """Return the address that lists those of these posts that are public, without their text."""
        query = {
            "include": ",".join(ids),
            "per_page": str(_MAX_PER_PAGE),
            "_fields": "id,status,link,content.protected",
        }
        return rest_url(self.root, _NAMESPACE + self.kind, query)

    def item_url(self, identity: str) -> str:
        """Return the address of one post."""
        return rest_url(
            self.root, f"{_NAMESPACE}{self.kind}/{identity}", {"_fields": "id,status,link,content.protected"}
        )

    def with_root(self, root: str) -> "Collection":
        """Return the same posts at another form of the REST address."""
        return replace(self, root=root)


def parse_site_address(url: str) -> Collection:
    """Return what an address given by staff names: the posts of a site, or the type of posts of a REST address."""
    parts = urlsplit(url.strip())
    query = parse_qsl(parts.query)
    before, rest, route = parts.path.partition("/wp-json")
    if not rest:
        route = next((value for name, value in query if name == "rest_route"), "")
    match = _KIND.match(route.lstrip("/"))
    path = re.sub(r"/(?:index\.php|feed)/?$", "", before).rstrip("/")
    home = urlunsplit((parts.scheme, parts.netloc, f"{path}/", "", ""))
    plain = not rest and bool(route)
    filters = tuple((name, value) for name, value in query if name not in _OWN_PARAMETERS) if match else ()
    return Collection(
        home=home,
        root=plain_root(home) if plain else pretty_root(home),
        kind=match["kind"] if match else POSTS,
        filters=filters,
    )


def pretty_root(home: str) -> str:
    """Return the REST address of a site with permalinks."""
    return urljoin(home, "wp-json/")


def plain_root(home: str) -> str:
    """Return the REST address of a site without permalinks. Sites with permalinks answer there too."""
    return f"{home}?rest_route=/"


def feed_urls(home: str) -> tuple[str, ...]:
    """Return the possible feed addresses of a WordPress site, with and without permalinks."""
    return (urljoin(home, "feed/"), f"{home}?feed=rss2")


def short_address(home: str, identity: str) -> str:
    """Return the short address that every post has."""
    return f"{home}?p={identity}"


def get_site_url(rest_address: str) -> str:
    """Return the address of the site whose REST interface this is."""
    return parse_site_address(rest_address).home


def rest_url(root: str, route: str, query: Mapping[str, str]) -> str:
    """Return the address of a route below a REST root."""
    parts = urlsplit(root)
    parameters = parse_qsl(parts.query, keep_blank_values=True)
    if any(name == "rest_route" for name, _ in parameters):
        routed = {
            name: value.rstrip("/") + f"/{route}" if name == "rest_route" else value for name, value in parameters
        }
        return urlunsplit((parts.scheme, parts.netloc, parts.path or "/", urlencode({**routed, **query}), ""))
    path = f"{parts.path.rstrip('/')}/{route}"
    return urlunsplit((parts.scheme, parts.netloc, path, urlencode({**dict(parameters), **query}), ""))


def find_rest_root(body: bytes, *, headers: Mapping[str, str], url: str) -> str:
    """Return the REST address that a page names in its Link header or its head, or ""."""
    header = _LINK_HEADER.search(headers.get("link", ""))
    if header:
        return _absolute(header["url"], url)
    for tag in _LINK_TAG.finditer(body[:_HEAD_BYTES]):
        href = _HREF.search(tag[0])
        if href and _REL.search(tag[0]):
            return _absolute(unescape(href[1].decode("utf-8", "replace")), url)
    return ""


def _absolute(link: str, base: str) -> str:
    try:
        absolute = urljoin(base, link)
        scheme = urlsplit(absolute).scheme
    except ValueError:
        return ""
    return absolute if scheme in ("http", "https") else ""
