"""Find what an address that somebody pasted names: the kind of its source, its usual form, and the key in it.

A key in an address is taken out, so that it is kept sealed and no page, log or list shows it.
"""

import base64
import binascii
import re
from dataclasses import dataclass, field
from urllib.parse import SplitResult, parse_qs, quote, unquote, urlsplit, urlunsplit

from newsletter.content.fetching.credentials import replace_parameters

_KEY_PARAMETERS = {
    "ghost": ("key",),
    "eventbrite": ("token",),
    "mobilize": ("key", "token", "api_key"),
    "action_network": ("osdi-api-token", "OSDI-API-Token", "api_key"),
}
_GOOGLE_HOSTS = frozenset({"calendar.google.com", "www.google.com", "google.com"})
_GOOGLE_ICAL = re.compile(
    r"^/calendar/ical/(?P<id>[^/]{1,500})/(?P<access>public|private-[\w-]{1,200})/(?P<file>[\w-]+\.ics)$"
)
_GOOGLE_ID = re.compile(r"[^@\s/]{1,250}@[\w.-]{1,200}")
_YOUTUBE_HOSTS = frozenset({"youtube.com", "www.youtube.com", "m.youtube.com"})
_YOUTUBE_CHANNEL = re.compile(r"^/channel/(?P<id>UC[\w-]{10,40})(?:/|$)")
_ACTION_NETWORK_HOSTS = frozenset({"actionnetwork.org", "www.actionnetwork.org"})
_SECRET, _PUBLIC = "private-", "public"


@dataclass(frozen=True)
class SourceAddress:
    """The source that an address names. ``kind`` is "" if the address alone does not tell; ``key`` is "" if it has none."""

    url: str
    kind: str = ""
    key: str = field(default="", repr=False)


def read_source_address(text: str, *, kind: str = "") -> SourceAddress:
    """Return the parts of the address. ``kind`` is the kind that somebody chose, or ""."""
    url = text.strip()
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").lower()
    except ValueError:
        return SourceAddress(url, kind)
    if host in _GOOGLE_HOSTS and parts.path.startswith("/calendar") and kind in ("", "calendar"):
        return _read_google(url, parts)
    if host in _YOUTUBE_HOSTS and kind in ("", "feed"):
        return _read_youtube(url, parts)
    source_kind = kind or _find_kind(host, parts.path)
    for parameter in _KEY_PARAMETERS.get(source_kind, ()):
        for key in parse_qs(parts.query).get(parameter, ()):
            return SourceAddress(replace_parameters(url, remove=[parameter]), source_kind, key.strip())
    return SourceAddress(url, source_kind)


def find_interface(url: str) -> SourceAddress | None:
    """Return the interface behind a page for visitors, such as that of an organiser at Eventbrite, or None."""
    try:
        host = (urlsplit(url).hostname or "").lower()
    except ValueError:
        return None
    if re.search(r"(?:^|\.)eventbrite\.[a-z]{2,3}(?:\.[a-z]{2})?$", host):
        return SourceAddress("https://www.eventbriteapi.com/v3/", "eventbrite")
    if host in _ACTION_NETWORK_HOSTS:
        return SourceAddress("https://actionnetwork.org/api/v2/events", "action_network")
    return None


def add_calendar_key(url: str, key: str) -> str:
    """Return the secret form of a Google Calendar's address, for which its key was taken out."""
    parts = urlsplit(url)
    match = _GOOGLE_ICAL.match(parts.path)
    if match is None or not key:
        return url
    path = f"/calendar/ical/{match['id']}/{_SECRET}{key}/{match['file']}"
    return urlunsplit((parts.scheme, parts.netloc, path, parts.query, ""))


def _find_kind(host: str, path: str) -> str:
    """Return the kind that only one system's addresses have."""
    if host in ("www.eventbriteapi.com", "eventbriteapi.com"):
        return "eventbrite"
    if host == "api.mobilize.us":
        return "mobilize"
    if host in _ACTION_NETWORK_HOSTS and path.startswith("/api/v2"):
        return "action_network"
    if "/ghost/api/content" in path:
        return "ghost"
    return "drupal" if re.search(r"/jsonapi(?:/|$)", path) else ""


def _read_google(url: str, parts: SplitResult) -> SourceAddress:
    """Read the addresses of a calendar's settings page: public and secret iCal, embedding code, and the link to share."""
    match = _GOOGLE_ICAL.match(parts.path)
    if match is not None:
        key = match["access"].removeprefix(_SECRET) if match["access"] != _PUBLIC else ""
        return SourceAddress(_google_url(unquote(match["id"]), match["file"]), "calendar", key)
    query = parse_qs(parts.query)
    for name in ("src", "cid"):
        for value in query.get(name, ()):
            identity = value if _GOOGLE_ID.fullmatch(value) else _decode(value)
            if _GOOGLE_ID.fullmatch(identity):
                return SourceAddress(_google_url(identity), "calendar")
    return SourceAddress(url, "calendar" if parts.path.endswith(".ics") else "")


def _google_url(identity: str, file: str = "basic.ics") -> str:
    return f"https://calendar.google.com/calendar/ical/{quote(identity, safe='')}/{_PUBLIC}/{file}"


def _decode(text: str) -> str:
    """Return the calendar's identity from the base64 form in the link to share, or ""."""
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode("ascii")
    except (binascii.Error, ValueError):
        return ""


def _read_youtube(url: str, parts: SplitResult) -> SourceAddress:
    """Return the feed of a channel or playlist. The page of a name such as /@opendoor names its feed itself."""
    channel = _YOUTUBE_CHANNEL.match(parts.path)
    feed = "https://www.youtube.com/feeds/videos.xml"
    if channel is not None:
        return SourceAddress(f"{feed}?channel_id={channel['id']}", "feed")
    for playlist in parse_qs(parts.query).get("list", ()) if parts.path.startswith("/playlist") else ():
        return SourceAddress(f"{feed}?playlist_id={quote(playlist, safe='')}", "feed")
    return SourceAddress(url, "feed" if parts.path.startswith("/feeds/") else "")
