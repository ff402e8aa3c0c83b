"""Choose what a group of readers sees of an issue: which stories, which events, which appeal. No database.

Groups that see the same have the same key, and so share one variant. A group that sees nothing gets no mail.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date

import orjson
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _
from pydantic import JsonValue

from newsletter.issues.snapshot.plain_text import escape_merge_fields, shorten
from newsletter.issues.snapshot.records.blocks import AppealsBlock, EventCardBlock, EventsBlock
from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.issues.snapshot.records.events import AppealRecord, EventRecord
from newsletter.issues.snapshot.redact import remove_stories
from newsletter.issues.variants.nearby_events import (
    CLOSE_KM,
    EventSelection,
    RecipientLocation,
    choose_events_for,
    choose_only_near_events,
    is_possibly_in,
)
from subscribers.places.regions import country_label, region_label

ONLY_EVENTS = "events"
_MAX_LABEL_LENGTH = 200


@dataclass(frozen=True)
class VisibleContent:
    """The choice for each block that varies, by the block's key. Readers must not see the stories ``hidden``.

    ``only_events``: these readers asked for nothing but events near them. ``sent_on`` is the day on which the issue is
    sent, if that is not the day on which it is due.
    """

    language: str
    events: dict[str, EventSelection]
    appeals: dict[str, AppealRecord | None]
    hidden: tuple[int, ...] = ()
    only_events: bool = False
    sent_on: date | None = None

    @property
    def key(self) -> str:
        """The name of the variant that these readers get."""
        chosen: dict[str, JsonValue] = {
            "language": self.language,
            "events": {
                block: [chosen.kind, [event.id for event in chosen.events]] for block, chosen in self.events.items()
            },
            "appeals": {block: appeal.id if appeal else None for block, appeal in self.appeals.items()},
        }
        close: dict[str, JsonValue] = {
            block: list(chosen.close) for block, chosen in self.events.items() if chosen.close
        }
        if close:
            chosen["close"] = close
        if self.hidden:
            chosen["hidden"] = list(self.hidden)
        if self.only_events:
            chosen["only"] = ONLY_EVENTS
        if self.sent_on:
            chosen["sent_on"] = self.sent_on.isoformat()
        return hashlib.sha256(orjson.dumps(chosen, option=orjson.OPT_SORT_KEYS)).hexdigest()[:12]

    @property
    def is_empty(self) -> bool:
        """Return True if the readers asked for nothing but events near them, and there is none."""
        return self.only_events and not any(chosen.events for chosen in self.events.values())


def choose_visible(
    content: IssueContent, *, location: RecipientLocation, giving: str, radius_km: int = 0, frequency: str = "every"
) -> VisibleContent:
    """Return what a reader sees. ``radius_km`` 0 means the publication's own; ``frequency`` is the reader's choice."""
    publication = content.publication
    only_events = frequency == ONLY_EVENTS and not content.issue.is_correction
    radius = radius_km or publication.radius_km
    events = {
        block.key: _choose_events(content, block, location=location, radius_km=radius, only_near=only_events)
        for block in content.blocks
        if isinstance(block, EventsBlock)
    }
    if only_events:
        return VisibleContent(language=publication.language, events=events, appeals={}, only_events=True)
    hidden = sorted({story.id for story in content.stories if is_possibly_in(location, story.excluded_regions)})
    return VisibleContent(
        language=publication.language,
        events=events,
        appeals=_choose_appeals(content, giving=giving),
        hidden=tuple(hidden),
    )


def choose_visible_in_archive(content: IssueContent) -> VisibleContent:
    """Return what the archive shows to everybody: every event, and the appeal to people who do not give yet."""
    events = {
        block.key: EventSelection("all", tuple(event for event in block.events if not event.cancelled))
        for block in content.blocks
        if isinstance(block, EventsBlock)
    }
    appeals = _choose_appeals(content, giving="none")
    return VisibleContent(language=content.publication.language, events=events, appeals=appeals)


def choose_appeal_for(giving: str, *, appeals: Iterable[AppealRecord]) -> AppealRecord | None:
    """Return the first appeal made for this giving status, else the first for everybody."""
    listed = list(appeals)
    for audience in (giving, "all"):
        for appeal in listed:
            if appeal.audience == audience:
                return appeal
    return None


def filter_visible(content: IssueContent, *, visible: VisibleContent, only_events_subject: str) -> IssueContent:
    """Return the content as these readers get it: without hidden stories, or only the events."""
    if not visible.only_events:
        return remove_stories(content, stories=visible.hidden)
    titles = [escape_merge_fields(event.title) for chosen in visible.events.values() for event in chosen.events]
    return replace(
        content,
        blocks=tuple(block for block in content.blocks if isinstance(block, EventsBlock)),
        subject=shorten(f"{only_events_subject}: {titles[0]}" if titles else only_events_subject, 150),
        preheader=shorten(" · ".join(titles[1:4]), 100),
    )


def list_shown_ids(content: IssueContent, *, visible: VisibleContent) -> tuple[set[int], set[int]]:
    """Return the ids of the stories and of the events that a variant shows."""
    events = {event.id for chosen in visible.events.values() for event in chosen.events}
    if visible.only_events:
        return set(), events
    cards = [block for block in content.blocks if isinstance(block, EventCardBlock)]
    stories = {story.id for story in content.stories} - set(visible.hidden)
    return stories, events | {event.id for card in cards for event in card.events}


def describe_visible(visible: VisibleContent) -> str:
    """Return a label of the variant for staff: which events and which appeal it shows."""
    if visible.is_empty:
        return _("No mail: only events near them were asked for, and there is none")
    parts = [_("only the events")] if visible.only_events else []
    for chosen in visible.events.values():
        parts.append(_describe_events(chosen))
    parts += [
        _("appeal “%(headline)s”") % {"headline": appeal.headline} for appeal in visible.appeals.values() if appeal
    ]
    if visible.hidden:
        hidden = len(visible.hidden)
        parts.append(ngettext("without %(hidden)s story", "without %(hidden)s stories", hidden) % {"hidden": hidden})
    label = "; ".join(parts) or _("the same for everybody")
    label = label[0].upper() + label[1:]
    return label if len(label) <= _MAX_LABEL_LENGTH else label[: _MAX_LABEL_LENGTH - 1] + "…"


def _choose_events(
    content: IssueContent, block: EventsBlock, *, location: RecipientLocation, radius_km: float, only_near: bool
) -> EventSelection:
    publication = content.publication
    if content.issue.is_correction:
        return EventSelection("near", tuple(event for event in block.events if not event.cancelled))
    if only_near:
        return choose_only_near_events(location, events=block.events, limit=publication.max_events, radius_km=radius_km)
    return choose_events_for(
        location,
        events=block.events,
        limit=publication.max_events,
        radius_km=radius_km,
        host=bool(publication.host_url),
    )


def _choose_appeals(content: IssueContent, *, giving: str) -> dict[str, AppealRecord | None]:
    return {
        block.key: choose_appeal_for(giving, appeals=block.appeals)
        for block in content.blocks
        if isinstance(block, AppealsBlock)
    }


def _describe_area(event: EventRecord) -> str:
    language = get_language() or "en"
    if event.region:
        return region_label(event.region, language=language)
    return country_label(event.country, language=language)


def _describe_events(chosen: EventSelection) -> str:
    areas = dict.fromkeys(event.town or _describe_area(event) for event in chosen.events if not event.online)
    online = sum(1 for event in chosen.events if event.online)
    named = ", ".join(area for area in areas if area)
    if chosen.close:
        close = _("%(close)s within %(km)s km") % {"close": len(chosen.close), "km": CLOSE_KM}
        named += f" ({close})"
    kinds = {
        "near": _("events near %(named)s") % {"named": named},
        "region": _("events in the region: %(named)s") % {"named": named},
        "online": _("online events"),
        "host": _("invitation to host an event"),
        "nothing": _("no events"),
        "all": _("all events"),
    }
    if online and chosen.kind in ("near", "region"):
        return _("%(events)s + %(online)s online") % {"events": kinds[chosen.kind], "online": online}
    return kinds[chosen.kind]
