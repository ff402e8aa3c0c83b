"""The interfaces of other systems that are read page by page, one kind of source each."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from newsletter.content.fetching.credentials import Credential
from newsletter.content.parsing.apis.action_network import action_network_url, parse_action_network
from newsletter.content.parsing.apis.drupal import drupal_url, parse_drupal_nodes
from newsletter.content.parsing.apis.eventbrite import eventbrite_url, parse_eventbrite
from newsletter.content.parsing.apis.ghost import PERIOD, ghost_url, parse_ghost_posts
from newsletter.content.parsing.apis.mobilize import mobilize_url, parse_mobilize
from newsletter.content.parsing.entries import Parsed


class ParsePage(Protocol):
    """Return the entries of one page, with the ``extra`` keys of ``answers``."""

    def __call__(self, body: bytes, *, url: str, now: datetime) -> Parsed: ...


@dataclass(frozen=True)
class ApiKind:
    """The functions that request and read one kind of source.

    ``list_url`` returns the address of the first page from the source's address. ``make_credential`` tells how the
    key is sent, or is None for an interface without keys. ``max_pages`` are read at most, and none after the one with a
    story older than ``period``.
    """

    name: str
    list_url: Callable[[str, datetime], str]
    parse: ParsePage
    make_credential: Callable[[str], Credential] | None = None
    needs_key: bool = False
    period: timedelta | None = None
    max_pages: int = 5
    accept: str = "application/json, */*;q=0.1"


def _make_bearer(key: str) -> Credential:
    return Credential(headers={"Authorization": f"Bearer {key}"})


API_KINDS = {
    "eventbrite": ApiKind(
        name="Eventbrite",
        list_url=eventbrite_url,
        parse=parse_eventbrite,
        make_credential=_make_bearer,
        needs_key=True,
        max_pages=20,
    ),
    "mobilize": ApiKind(
        name="Mobilize", list_url=mobilize_url, parse=parse_mobilize, make_credential=_make_bearer, max_pages=20
    ),
    "action_network": ApiKind(
        name="Action Network",
        list_url=action_network_url,
        parse=parse_action_network,
        make_credential=lambda key: Credential(headers={"OSDI-API-Token": key}),
        needs_key=True,
        max_pages=40,
        accept="application/hal+json, application/json, */*;q=0.1",
    ),
    "ghost": ApiKind(
        name="Ghost",
        list_url=ghost_url,
        parse=parse_ghost_posts,
        make_credential=lambda key: Credential(query={"key": key}),
        needs_key=True,
    ),
    "drupal": ApiKind(
        name="Drupal",
        list_url=drupal_url,
        parse=parse_drupal_nodes,
        period=PERIOD,
        accept="application/vnd.api+json, */*;q=0.1",
    ),
}
