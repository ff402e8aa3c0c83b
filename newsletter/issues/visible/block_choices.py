"""Choose the events and the appeal of each block of an issue, for readers and for the archive. No database."""

from dataclasses import replace

from babel.core import get_global

from newsletter.issues.appeal_rules import choose_for_giving
from newsletter.issues.snapshot.records.blocks import AppealsBlock, EventsBlock
from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.issues.snapshot.records.events import AppealRecord
from newsletter.issues.visible.nearby_events import (
    EventSelection,
    RecipientLocation,
    choose_events_for,
    choose_events_of_all_places,
    choose_only_near_events,
    list_abroad,
)
from newsletter.issues.visible.visible_content import VisibleContent

MAX_EVENTS_OF_ALL_PLACES = 12
_NO_COUNTRY = "ZZ"


def choose_visible_in_archive(content: IssueContent) -> VisibleContent:
    """Return the content for the archive: the blocks for everybody, every event, the appeal to people who do not give yet."""
    closed = {block.key for block in content.blocks if block.shown_to}
    country = find_own_country(content)
    events = {
        block.key: _with_abroad(
            EventSelection("all", tuple(event for event in block.events if not event.cancelled)), country=country
        )
        if shows_events(content)
        else EventSelection("nothing", ())
        for block in content.blocks
        if isinstance(block, EventsBlock) and block.key not in closed
    }
    appeals = {key: appeal for key, appeal in choose_appeals(content, "none").items() if key not in closed}
    return VisibleContent(
        language=content.publication.language, events=events, appeals=appeals, closed=tuple(sorted(closed))
    )


def shows_events(content: IssueContent) -> bool:
    """Return True if lists of events show any. A publication whose maximum is 0 shows them only in corrections."""
    return content.issue.is_correction or content.publication.max_events > 0


def find_own_country(content: IssueContent) -> str:
    """Return the code of the country of the publication's time zone, "" for UTC."""
    zone = content.publication.zone
    country = str(get_global("zone_territories").get(get_global("zone_aliases").get(zone, zone), ""))
    return "" if country == _NO_COUNTRY else country


def choose_block_events(
    content: IssueContent, block: EventsBlock, *, location: RecipientLocation | None, radius_km: float, only_near: bool
) -> EventSelection:
    """Return the events of a block for readers at a location, or for those of all places if it is None.

    If the country of the readers is not known, it is taken to be the publication's own.
    """
    chosen = _choose_events(content, block, location=location, radius_km=radius_km, only_near=only_near)
    return _with_abroad(chosen, country=(location.country if location else "") or find_own_country(content))


def _with_abroad(chosen: EventSelection, *, country: str) -> EventSelection:
    return replace(chosen, abroad=list_abroad(chosen.events, country=country))


def _choose_events(
    content: IssueContent, block: EventsBlock, *, location: RecipientLocation | None, radius_km: float, only_near: bool
) -> EventSelection:
    publication = content.publication
    if content.issue.is_correction:
        return EventSelection("near", tuple(event for event in block.events if not event.cancelled))
    if not shows_events(content):
        return EventSelection("nothing", ())
    if location is None:
        return choose_events_of_all_places(
            block.events, limit=1 if block.by_rule else MAX_EVENTS_OF_ALL_PLACES, only_in_person=only_near
        )
    if only_near:
        limit = 1 if block.by_rule else publication.max_events
        return choose_only_near_events(location, events=block.events, limit=limit, radius_km=radius_km)
    return choose_events_for(
        location,
        events=block.events,
        limit=1 if block.by_rule else publication.max_events,
        radius_km=radius_km,
        host=bool(publication.host_url),
    )


def choose_appeals(content: IssueContent, giving: str) -> dict[str, AppealRecord | None]:
    """Return the appeal of each block for readers with a giving status."""
    return {
        block.key: choose_for_giving(giving, appeals=block.appeals)
        for block in content.blocks
        if isinstance(block, AppealsBlock)
    }
