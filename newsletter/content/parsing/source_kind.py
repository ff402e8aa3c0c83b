"""The interface of a kind of source: what an extension of the group ``newsletter.sources`` brings.

``read`` asks the source and runs where sources are read. ``parse`` runs in the child process, with its limits of time and
memory: it fetches nothing, and knows neither settings nor tables.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, ClassVar, Literal

from newsletter.common.extension_registry import BadExtension, Extension, Registry
from newsletter.content.fetching.errors import BadStatus
from newsletter.content.parsing.documents import Document
from newsletter.content.parsing.entries import Parsed

if TYPE_CHECKING:
    # The child process, which loads the kinds for their parsers, fetches nothing.
    from newsletter.content.fetching.fetcher import Fetched, Fetcher, Limits
    from newsletter.content.fetching.robots import Robots

ANYTHING = "*/*"
GIVES = ("stories", "events")
KEYS = ("none", "in_address", "optional", "needed")
_ORDER = (
    "feed",
    "wordpress",
    "page",
    "calendar",
    "events",
    "ghost",
    "drupal",
    "eventbrite",
    "mobilize",
    "action_network",
)


@dataclass(frozen=True)
class Reading:
    """The answer of a source. ``unchanged`` means that nothing is new since the last reading.

    ``retry_after`` are the seconds that the source asks us to wait, if it gave only a part of its pages.
    """

    parsed: Parsed = field(default_factory=Parsed)
    unchanged: bool = False
    etag: str = ""
    last_modified: str = ""
    retry_after: int | None = None


@dataclass(frozen=True)
class SourceRequest:
    """One reading of a source: its address, our stored state of it, its key, and the means to read it.

    ``parse_as`` parses an answer in the child process, as a document of the named kind. ``fetcher`` is guarded and limited: no
    kind of source makes requests without it.
    """

    kind: str
    url: str
    etag: str
    last_modified: str
    now: datetime
    fetcher: "Fetcher"
    robots: "Robots"
    parse_as: Callable[[str, "Fetched", datetime], Parsed]
    key: str = field(default="", repr=False)

    def parse(self, fetched: "Fetched") -> Parsed:
        """Return the entries of an answer. Raises ResourceLimitExceeded or ParserCrashed."""
        return self.parse_as(self.kind, fetched, self.now)

    def read_document(
        self, *, url: str = "", accept: str = ANYTHING, limits: "Limits | None" = None, obey_robots: bool = False
    ) -> Reading:
        """Fetch the source's address, or ``url``, and parse the answer. Raises FetchError and what `parse` raises.

        Ask for the media types of ``accept`` first. If the server has none of them, ask for anything.
        """
        address = url or self.url
        if obey_robots:
            self.robots.check(address, fetcher=self.fetcher, now=self.now)
        fetched = self._fetch(address, accept, limits)
        if fetched.not_modified:
            return Reading(unchanged=True, etag=self.etag, last_modified=self.last_modified)
        if obey_robots and fetched.url != address:
            self.robots.check(fetched.url, fetcher=self.fetcher, now=self.now)
        return Reading(parsed=self.parse(fetched), etag=fetched.etag, last_modified=fetched.last_modified)

    def _fetch(self, url: str, accept: str, limits: "Limits | None") -> "Fetched":
        fetch = partial(self.fetcher.fetch, url, etag=self.etag, last_modified=self.last_modified)
        if limits is not None:
            fetch = partial(fetch, limits=limits)
        try:
            return fetch(accept=accept)
        except BadStatus as error:
            if error.status != HTTPStatus.NOT_ACCEPTABLE or accept == ANYTHING:
                raise
        return fetch(accept=ANYTHING)


class SourceKind(Extension, ABC):
    """A kind of source. ``label`` is its name in the desk and ``gives`` what its entries are.

    ``key``: it needs no key; has one in its ``webcal:`` or web address; takes one; or cannot be read without.
    ``lists_all``: a story that it does not list any more is no more shown there. ``asks_for`` is what `Accept` names.
    """

    label: ClassVar[str]
    gives: ClassVar[Literal["stories", "events"]]
    key: ClassVar[Literal["none", "in_address", "optional", "needed"]] = "none"
    lists_all: ClassVar[bool] = False
    asks_for: ClassVar[str] = ANYTHING

    def read(self, request: SourceRequest) -> Reading:
        """Read the source once. Override it for a source of several pages.

        Raises FetchError, ResourceLimitExceeded or ParserCrashed.
        """
        return request.read_document(accept=self.asks_for)

    @abstractmethod
    def parse(self, document: Document) -> Parsed:
        """Return the entries of one answer. A ValueError and the like is shown as a damaged source."""


def _check(name: str, kind: SourceKind) -> None:
    if kind.gives not in GIVES:
        raise BadExtension("its “gives” is none of %(known)s", known=", ".join(GIVES))
    if kind.key not in KEYS:
        raise BadExtension("its “key” is none of %(known)s", known=", ".join(KEYS))


SOURCE_KINDS = Registry("newsletter.sources", SourceKind, order=_ORDER, check=_check)  # type: ignore[type-abstract]


def list_event_kinds() -> list[str]:
    """Return the names of the kinds that give events."""
    return [name for name, kind in SOURCE_KINDS.items() if kind.gives == "events"]


def gives_events(kind: str) -> bool:
    """Return True if sources of this kind give events. A kind that is missing gives nothing."""
    return kind in SOURCE_KINDS and SOURCE_KINDS[kind].gives == "events"
