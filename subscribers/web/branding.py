"""The organisation's branding for people's pages, and its colours as a style sheet."""

import hashlib
import re
from collections.abc import Mapping
from threading import Lock

from cachetools import TTLCache, cached
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from subscribers.people.publishing_hooks import Branding, get_publishing_hooks

_COLOUR = re.compile(r"#[0-9a-f]{6}\Z")
_CACHE_SECONDS = 15
_NAME = re.compile(r"[a-z-]+\Z")


@require_safe
def stylesheet(request: HttpRequest) -> HttpResponse:
    """Serve the branding's style sheet."""
    response = HttpResponse(write_stylesheet(current_branding()), content_type="text/css; charset=utf-8")
    response["Cache-Control"] = "public, max-age=300"
    response["X-Content-Type-Options"] = "nosniff"
    return response


def current_branding() -> Branding:
    """Return the organisation's branding, cached for a few seconds."""
    return _read_branding()[0]


def current_branding_version() -> str:
    """Return a short hash that changes with the branding."""
    return _read_branding()[1]


@cached(TTLCache(maxsize=1, ttl=_CACHE_SECONDS), lock=Lock())
def _read_branding() -> tuple[Branding, str]:
    branding = get_publishing_hooks().branding()
    return branding, branding_version(branding)


def write_stylesheet(branding: Branding) -> str:
    """Return CSS variables for both colour schemes. Only colours and one list of fonts can get in."""
    font = re.sub(r"[^\w ,'\"-]", "", branding.display_font)
    display = f":root{{--display:{font}}}\n" if font else ""
    return f"{display}{_rule(branding.light)}@media (prefers-color-scheme:dark){{{_rule(branding.dark)}}}\n"


def branding_version(branding: Branding) -> str:
    """Return a short hash that changes with the branding."""
    return hashlib.sha256(repr(branding).encode()).hexdigest()[:8]


def _rule(colours: Mapping[str, str]) -> str:
    pairs = (f"--{name}:{value}" for name, value in colours.items() if _NAME.match(name) and _COLOUR.match(value))
    return f":root{{{';'.join(pairs)}}}\n"
