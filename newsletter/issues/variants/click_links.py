"""Make a mail's links lead over our own site, so that clicks are counted. This happens once for each variant.

A link contains its destination and is signed, so it leads nowhere else. Personal links, our own pages and the plain text do
not change. No link names its reader.
"""

import hashlib
import hmac
import re
from collections.abc import Callable
from dataclasses import replace
from html import escape, unescape
from urllib.parse import parse_qs, quote, urlsplit

from django.conf import settings

from newsletter.common.errors import BadLink
from newsletter.rendering.mail import RenderedMail, hash_mail
from subscribers.links.signed_links import link_keys

OFF = "off"
_EXTERNAL_HREF = re.compile(r'(<a\b[^>]*?\bhref=")(https?://[^"]+)(")', re.IGNORECASE)
_TRACKED_HREF = re.compile(r'(<a\b[^>]*?\bhref=")([^"]*/r/[0-9A-Za-z_-]+/[0-9a-f]{32}\?to=[^"]+)(")', re.IGNORECASE)
_TRACKED_LINK_TAG = re.compile(
    r'<a\b[^>]*?\bhref="([^"]*/r/[0-9A-Za-z_-]+/[0-9a-f]{32}\?to=[^"]+)"[^>]*>', re.IGNORECASE
)
_MAC_LENGTH = 32


def track_links(mail: RenderedMail, *, issue: str, clicks: str, arm: int = 0) -> RenderedMail:
    """Return the mail with counted links. ``issue`` is the public id, ``clicks`` the publication's choice when approved.

    ``arm`` is the subject of a test, which hundreds of readers share; 0 without one.
    """
    if clicks == OFF:
        return mail
    html = _EXTERNAL_HREF.sub(lambda found: _track_link(found, issue=issue, arm=arm), mail.html)
    sha256 = hash_mail(subject=mail.subject, html=html, text=mail.text, variables=mail.variables)
    return replace(mail, html=html, sha256=sha256)


def untrack_links(html: str) -> str:
    """Return the HTML with every link leading straight to its destination, for pages on the web."""
    return _TRACKED_HREF.sub(lambda found: f"{found[1]}{escape(_read_destination(unescape(found[2])))}{found[3]}", html)


def list_destinations(html: str) -> list[str]:
    """Return the destinations of the counted links of a mail, in their order, with repetitions."""
    return [_read_destination(unescape(found[2])) for found in _TRACKED_HREF.finditer(html)]


def mark_links(html: str, *, mark: Callable[[str], str]) -> str:
    """Return the HTML with ``mark(destination)`` at the beginning of each counted link."""
    return _TRACKED_LINK_TAG.sub(lambda found: f"{found[0]}{mark(_read_destination(unescape(found[1])))}", html)


def make_click_url(*, issue: str, url: str, arm: int = 0) -> str:
    mac = _sign(issue, url, arm, key=link_keys()[0])
    subject = f"&subject={arm}" if arm else ""
    return f"{settings.NEWSLETTER_SITE_URL}/r/{issue}/{mac}?to={quote(url, safe=':/')}{subject}"


def verify_click(*, issue: str, mac: str, url: str, arm: int = 0) -> None:
    """Raise BadLink if we did not make this link to this destination for readers of this subject."""
    valid = False
    for key in link_keys():
        valid |= hmac.compare_digest(_sign(issue, url, arm, key=key).encode(), mac.encode())
    if not valid:
        raise BadLink("This link is not one of ours, or was changed on its way. Use the link as it is in the mail.")


def make_link_key(url: str) -> str:
    """Return the key under which a link's clicks are counted: 16 hexadecimal digits of its sha256."""
    return hashlib.sha256(url.encode()).hexdigest()[:16]


def _track_link(found: re.Match[str], *, issue: str, arm: int) -> str:
    url = unescape(found[2])
    if "__pv_" in url or url.startswith(f"{settings.NEWSLETTER_SITE_URL}/"):
        return found[0]
    return f"{found[1]}{escape(make_click_url(issue=issue, url=url, arm=arm))}{found[3]}"


def _read_destination(url: str) -> str:
    return parse_qs(urlsplit(url).query).get("to", [url])[0]


def _sign(issue: str, url: str, arm: int, *, key: str) -> str:
    secret = hmac.digest(key.encode(), b"newsletter.click", hashlib.sha256)
    message = f"{issue}|{url}" + (f"|{arm}" if arm else "")
    return hmac.digest(secret, message.encode(), hashlib.sha256).hex()[:_MAC_LENGTH]
