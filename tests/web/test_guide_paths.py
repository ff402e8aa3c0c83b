"""Each way through the menu that a guide names exists: “Settings → Staff” is an entry, “Stories → Add story” a button."""

import re
from collections.abc import Iterator
from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from wagtail.admin.menu import admin_menu

from newsletter.inbound.settings import parse_sources
from subscribers.models import Subscription
from tests.support.desk import sign_in_superuser
from tests.support.desk_pages import make_desk_rows  # noqa: F401  a fixture

pytestmark = pytest.mark.django_db
DOCS = Path(__file__).parents[2] / "docs"
OF_OTHER_PROGRAMS = {
    "Access permissions",
    "Dashboards",
    "Settings → Integrations",
    "Settings → your calendar",
    "Start organizing",
}
_PATH = re.compile(r"(?<!\*)\*{1,2}((?:[A-Z][\w ]+ → )+[\w ]+)\*{1,2}(?!\*)")


def list_named_paths() -> dict[str, list[str]]:
    """Return the names of each path, by the path, in the tutorial, the guides and the reference."""
    files = [*(DOCS / "tutorial").glob("*.md"), *(DOCS / "how-to").glob("*.md"), *(DOCS / "reference").glob("*.md")]
    found = {path for file in files for path in _PATH.findall(" ".join(file.read_text(encoding="utf-8").split()))}
    return {path: path.split(" → ") for path in sorted(found) if not path.startswith(tuple(OF_OTHER_PROGRAMS))}


def list_menu(items: list[Any]) -> Iterator[tuple[str, str, list[Any]]]:
    """Yield label, address and entries of each item."""
    for item in items:
        yield str(item.label), getattr(item, "url", ""), list(getattr(item, "menu_items", []))


def read(client: Client, address: str) -> str:
    return unescape(" ".join(client.get(address, follow=True).content.decode().split()))


def test_each_way_that_a_guide_names_exists(desk: dict[str, str], settings: Any) -> None:
    settings.NEWSLETTER_INBOUND = parse_sources(["inbound://mailgun"])
    Subscription.objects.update(basis="casl_implied", expires_at=timezone.now() + timedelta(days=10))
    client = sign_in_superuser()
    menu = {
        label: (url, entries)
        for label, url, entries in list_menu(admin_menu.render_component(client.get("/admin/").wsgi_request))
    }
    pages_of: dict[str, str] = {}
    paths, missing = list_named_paths(), []
    assert len(paths) > 20
    for path, (first, *rest) in paths.items():
        url, entries = menu.get(first, ("", []))
        inside = {label: address for label, address, _ in list_menu(entries)}
        addresses = [address for address in (url, *inside.values()) if address]
        pages_of |= {address: read(client, address) for address in addresses if address not in pages_of}
        pages = " ".join(pages_of[address] for address in addresses)
        if first not in menu or (rest[0] not in inside and rest[0] not in pages):
            missing.append(path)
    assert missing == []
