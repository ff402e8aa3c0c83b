"""Remember, as long as this process runs, which form of its REST address each WordPress site answers."""

import threading

from newsletter.content.parsing.feeds.wordpress_addresses import Collection, parse_site_address

_MAX_SITES = 1_000
_roots: dict[str, str] = {}
_lock = threading.Lock()


def get_known_collection(url: str) -> Collection:
    """Return what the address names, with the REST address that the site answered last."""
    collection = parse_site_address(url)
    with _lock:
        root = _roots.get(collection.home)
    return collection.at(root) if root else collection


def remember_root(collection: Collection) -> None:
    """Keep the REST address that the site answered."""
    with _lock:
        if len(_roots) >= _MAX_SITES:
            _roots.clear()
        _roots[collection.home] = collection.root


def forget_roots() -> None:
    """Ask every site again the next time."""
    with _lock:
        _roots.clear()
