"""Name the issue and the block in links to hosts that the organisation names, so that gifts can be told apart. No database.

The values say where a link stood, never who reads the mail: everybody with the same version has the same links.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from html import escape, unescape
from typing import Any, TypeVar
from urllib.parse import urlencode, urlsplit, urlunsplit

from newsletter.issues.snapshot.records.blocks import Block
from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.rendering.blocks import Picture

MEDIUM = "email"
FOOTER = "footer"
"""The name of the links outside of all blocks."""
_PREFIX = "utm_"
_HREF = re.compile(r'(\bhref=")([^"]+)(")', re.IGNORECASE)
_PERSONAL = ("{{", "__pv_")
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
                return _HREF.sub(lambda found: self._tag_href(found, content), value)
            case tuple():
                return tuple(self._tag_value(one, content) for one in value)
            case Mapping():
                return {name: self._tag_value(one, content) for name, one in value.items()}
            case _ if is_dataclass(value) and not isinstance(value, type | Picture):
                own = {field.name: getattr(value, field.name) for field in fields(value)}
                changed = {name: self._tag_value(one, content) for name, one in own.items()}
                return replace(value, **changed) if changed != own else value
            case _:
                return value

    def _tag_href(self, found: re.Match[str], content: str) -> str:
        return f"{found[1]}{escape(self._tag_url(unescape(found[2]), content))}{found[3]}"

    def _tag_url(self, url: str, content: str) -> str:
        """Return the address with our values. One with values of its own is left as staff wrote it."""
        parts = urlsplit(url)
        if (parts.hostname or "") not in self.hosts or any(mark in url for mark in _PERSONAL) or _PREFIX in parts.query:
            return url
        own = {"source": self.source, "medium": MEDIUM, "campaign": self.name, "content": content}
        query = urlencode({_PREFIX + name: value for name, value in own.items()})
        return urlunsplit(parts._replace(query=f"{parts.query}&{query}" if parts.query else query))


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
