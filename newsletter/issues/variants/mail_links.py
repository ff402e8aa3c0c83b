"""Change the links of a mail: name the issue and block for websites that count gifts, and lead over our site to count clicks.

A counted link contains its destination and is signed, so it leads nowhere else. Personal links, our own pages and the plain
text are not counted. No link names its reader: everybody with the same version has the same links.
"""

import hashlib
import hmac
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from html import escape, unescape
from typing import Any, TypeVar
from urllib.parse import parse_qs, quote, urlencode, urlsplit, urlunsplit

from django.conf import settings

from newsletter.common.errors import BadLink
from newsletter.issues.snapshot.records.blocks import Block
from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.rendering.blocks import Picture
from newsletter.rendering.mail import RenderedMail, hash_mail
from subscribers.links.signed_links import link_keys

OFF = "off"
MEDIUM = "email"
FOOTER = "footer"
"""The name of the links outside of all blocks."""
_PREFIX = "utm_"
_HREF = re.compile(r'(\bhref=")([^"]+)(")', re.IGNORECASE)
_PERSONAL = ("{{", "__pv_")
_EXTERNAL_HREF = re.compile(r'(<a\b[^>]*?\bhref=")(https?://[^"]+)(")', re.IGNORECASE)
_TRACKED_HREF = re.compile(r'(<a\b[^>]*?\bhref=")([^"]*/r/[0-9A-Za-z_-]+/[0-9a-f]{32}\?to=[^"]+)(")', re.IGNORECASE)
_TRACKED_LINK_TAG = re.compile(
    r'<a\b[^>]*?\bhref="([^"]*/r/[0-9A-Za-z_-]+/[0-9a-f]{32}\?to=[^"]+)"[^>]*>', re.IGNORECASE
)
_MAC_LENGTH = 32
_Part = TypeVar("_Part")


@dataclass(frozen=True)
class Campaign:
    """The values in the links of an issue: ``source`` is the publication's slug, ``name`` the issue."""

    source: str
    name: str
    hosts: frozenset[str]

    def tag(self, part: _Part, *, content: str) -> _Part:
        """Return a part of a mail whose links to the hosts say that they are in ``content``, the name of a block."""
        tagged: _Part = self._tag_value(part, content) if self.hosts else part
        return tagged

    def _tag_value(self, value: Any, content: str) -> Any:
        match value:
            case str() if value.startswith(("https://", "http://")):
                return self._tag_url(value, content)
            case str() if 'href="' in value:
                return _HREF.sub(lambda match: self._tag_href(match, content), value)
            case tuple():
                return tuple(self._tag_value(item, content) for item in value)
            case Mapping():
                return {name: self._tag_value(item, content) for name, item in value.items()}
            case _ if is_dataclass(value) and not isinstance(value, type | Picture):
                values = {field.name: getattr(value, field.name) for field in fields(value)}
                changed = {name: self._tag_value(item, content) for name, item in values.items()}
                return replace(value, **changed) if changed != values else value
            case _:
                return value

    def _tag_href(self, match: re.Match[str], content: str) -> str:
        return f"{match[1]}{escape(self._tag_url(unescape(match[2]), content))}{match[3]}"

    def _tag_url(self, url: str, content: str) -> str:
        """Return the address with our values. An address that has such values already is not changed."""
        parts = urlsplit(url)
        if (parts.hostname or "") not in self.hosts or any(mark in url for mark in _PERSONAL) or _PREFIX in parts.query:
            return url
        parameters = {"source": self.source, "medium": MEDIUM, "campaign": self.name, "content": content}
        query = urlencode({_PREFIX + name: value for name, value in parameters.items()})
        return urlunsplit(parts._replace(query=f"{parts.query}&{query}" if parts.query else query))


def track_links(mail: RenderedMail, *, issue: str, clicks: str, arm: int = 0) -> RenderedMail:
    """Return the mail with counted links. ``issue`` is the public id, ``clicks`` the publication's choice when approved.

    ``arm`` is the subject of a test, which hundreds of readers share; 0 without one.
    """
    if clicks == OFF:
        return mail
    html = _EXTERNAL_HREF.sub(lambda match: _track_link(match, issue=issue, arm=arm), mail.html)
    sha256 = hash_mail(subject=mail.subject, html=html, text=mail.text, variables=mail.variables)
    return replace(mail, html=html, sha256=sha256)


def untrack_links(html: str) -> str:
    """Return the HTML with every link leading straight to its destination, for pages on the web."""
    return _TRACKED_HREF.sub(lambda match: f"{match[1]}{escape(_read_destination(unescape(match[2])))}{match[3]}", html)


def list_destinations(html: str) -> list[str]:
    """Return the destinations of the counted links of a mail, in their order, with repetitions."""
    return [_read_destination(unescape(match[2])) for match in _TRACKED_HREF.finditer(html)]


def mark_links(html: str, *, mark: Callable[[str], str]) -> str:
    """Return the HTML with ``mark(destination)`` at the beginning of each counted link."""
    return _TRACKED_LINK_TAG.sub(lambda match: f"{match[0]}{mark(_read_destination(unescape(match[1])))}", html)


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


def _track_link(match: re.Match[str], *, issue: str, arm: int) -> str:
    url = unescape(match[2])
    if "__pv_" in url or url.startswith(f"{settings.NEWSLETTER_SITE_URL}/"):
        return match[0]
    return f"{match[1]}{escape(make_click_url(issue=issue, url=url, arm=arm))}{match[3]}"


def _read_destination(url: str) -> str:
    return parse_qs(urlsplit(url).query).get("to", [url])[0]


def _sign(issue: str, url: str, arm: int, *, key: str) -> str:
    secret = hmac.digest(key.encode(), b"newsletter.click", hashlib.sha256)
    message = f"{issue}|{url}" + (f"|{arm}" if arm else "")
    return hmac.digest(secret, message.encode(), hashlib.sha256).hex()[:_MAC_LENGTH]


def make_campaign(content: IssueContent) -> Campaign:
    """Return the campaign of an issue, with the hosts of its brand."""
    return Campaign(
        source=content.publication.slug,
        name=name_campaign(content.issue.reference),
        hosts=frozenset(content.brand.gift_hosts),
    )


def name_campaign(reference: str) -> str:
    """Return the name in links of an issue with this reference: “weekly-12” for “weekly/12”."""
    return reference.replace("/", "-")


def name_blocks(blocks: Iterable[Block]) -> dict[str, str]:
    """Return the name in links of each block, by its key: its type and its position in the issue, such as “appeal-3”."""
    return {block.key: f"{block.type}-{position}" for position, block in enumerate(blocks, 1)}


def remove_campaign(url: str) -> str:
    """Return the address without the values that `Campaign` wrote behind its query, to compare it with what staff wrote."""
    parts = urlsplit(url)
    start = parts.query.find(f"{_PREFIX}source=")
    is_ours = f"&{_PREFIX}medium={MEDIUM}&{_PREFIX}campaign=" in parts.query[start:]
    return urlunsplit(parts._replace(query=parts.query[:start].rstrip("&"))) if is_ours else url
