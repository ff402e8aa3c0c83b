"""What a group of readers sees of an issue: which stories, which events, which appeal. Pure arithmetic over the content.

Two groups who would see the same get the same key, and so one variant. A group that would see nothing gets no mail.
"""

import hashlib
from dataclasses import dataclass
from typing import Any

import orjson
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from newsletter.issues.snapshot.plain_text import escape_merge_fields, shorten
from newsletter.issues.snapshot.redact import iter_stories, remove_stories
from newsletter.issues.variants.nearby_events import (
    CLOSE_KM,
    EventSelection,
    RecipientLocation,
    choose_events_for,
    choose_near_events,
    is_possibly_in,
)
from subscribers.places.regions import country_label, region_label

Content = dict[str, Any]
CORRECTION, ONLY_EVENTS = "correction", "events"


@dataclass(frozen=True)
class VisibleContent:
    """For each block that varies, its choice. ``hidden`` are the stories that must not reach these readers.

    ``only_events``: they asked for nothing but events near them, and ``nothing`` says that there is none.
    """

    language: str
    events: dict[str, EventSelection]
    appeals: dict[str, Content | None]
    hidden: tuple[int, ...] = ()
    only_events: bool = False

    @property
    def key(self) -> str:
        """The variant's name."""
        chosen: dict[str, Any] = {
            "language": self.language,
            "events": {
                block: [chosen.kind, [event["id"] for event in chosen.events]] for block, chosen in self.events.items()
            },
            "appeals": {block: appeal["id"] if appeal else None for block, appeal in self.appeals.items()},
        }
        if close := {block: list(chosen.close) for block, chosen in self.events.items() if chosen.close}:
            chosen["close"] = close
        if self.hidden:
            chosen["hidden"] = list(self.hidden)
        if self.only_events:
            chosen["only"] = ONLY_EVENTS
        return hashlib.sha256(orjson.dumps(chosen, option=orjson.OPT_SORT_KEYS)).hexdigest()[:12]

    @property
    def nothing(self) -> bool:
        return self.only_events and not any(chosen.events for chosen in self.events.values())


def see(
    content: Content, *, where: RecipientLocation, giving: str, radius_km: int = 0, frequency: str = "every"
) -> VisibleContent:
    """What a reader at a place sees. ``radius_km`` 0: as far as the publication says; ``frequency`` as they chose it."""
    publication = content["publication"]
    only_events = frequency == ONLY_EVENTS and content["issue"]["kind"] != CORRECTION
    radius = radius_km or publication["radius_km"]
    events = {
        block["key"]: _choose_events(content, block, where=where, radius_km=radius, only_near=only_events)
        for block in content["blocks"]
        if block["type"] == "events"
    }
    if only_events:
        return VisibleContent(language=publication["language"], events=events, appeals={}, only_events=True)
    appeals = {
        block["key"]: choose_appeal_for(giving, appeals=block["appeals"])
        for block in content["blocks"]
        if block["type"] == "appeal"
    }
    hidden = sorted({story["id"] for story in iter_stories(content) if is_possibly_in(where, story["not_in"])})
    return VisibleContent(language=publication["language"], events=events, appeals=appeals, hidden=tuple(hidden))


def choose_visible_in_archive(content: Content) -> VisibleContent:
    """What the archive shows, whoever looks: every event, and the appeal to those who do not give yet."""
    events = {
        block["key"]: EventSelection("all", tuple(event for event in block["events"] if not event["cancelled"]))
        for block in content["blocks"]
        if block["type"] == "events"
    }
    appeals = {
        block["key"]: choose_appeal_for("none", appeals=block["appeals"])
        for block in content["blocks"]
        if block["type"] == "appeal"
    }
    return VisibleContent(language=content["publication"]["language"], events=events, appeals=appeals)


def choose_appeal_for(giving: str, *, appeals: list[Content]) -> Content | None:
    """The first appeal made for this giving status, else the first for everybody."""
    for audience in (giving, "all"):
        for appeal in appeals:
            if appeal["for"] == audience:
                return appeal
    return None


def filter_visible(content: Content, *, visible: VisibleContent, only_events_subject: str) -> Content:
    """The content as these readers get it: without the stories hidden from them, or the events alone."""
    if not visible.only_events:
        return remove_stories(content, stories=visible.hidden)
    titles = [escape_merge_fields(event["title"]) for chosen in visible.events.values() for event in chosen.events]
    return {
        **content,
        "blocks": [block for block in content["blocks"] if block["type"] == "events"],
        "subject": shorten(f"{only_events_subject}: {titles[0]}" if titles else only_events_subject, 150),
        "preheader": shorten(" · ".join(titles[1:4]), 100),
    }


def list_shown_ids(content: Content, *, visible: VisibleContent) -> tuple[set[int], set[int]]:
    """The ids of the stories and of the events that a variant shows."""
    stories = set() if visible.only_events else {story["id"] for story in iter_stories(content)} - set(visible.hidden)
    in_full = () if visible.only_events else [block for block in content["blocks"] if block["type"] == "event_card"]
    events = {event["id"] for chosen in visible.events.values() for event in chosen.events}
    return stories, events | {event["id"] for block in in_full for event in block["events"]}


def describe_visible(visible: VisibleContent) -> str:
    """The variant in words, for staff: which events and which appeal. A publication has one language: it is not said."""
    if visible.nothing:
        return _("No mail: only events near them were asked for, and there is none")
    parts = [_("only the events")] if visible.only_events else []
    for chosen in visible.events.values():
        parts.append(_describe_events(chosen))
    parts += [
        _("appeal “%(headline)s”") % {"headline": appeal["headline"]} for appeal in visible.appeals.values() if appeal
    ]
    if visible.hidden:
        hidden = len(visible.hidden)
        parts.append(ngettext("without %(hidden)s story", "without %(hidden)s stories", hidden) % {"hidden": hidden})
    label = "; ".join(parts) or _("the same for everybody")
    label = label[0].upper() + label[1:]
    return label if len(label) <= 200 else label[:199] + "…"


def _choose_events(
    content: Content, block: Content, *, where: RecipientLocation, radius_km: float, only_near: bool
) -> EventSelection:
    publication = content["publication"]
    if content["issue"]["kind"] == CORRECTION:
        return EventSelection("near", tuple(event for event in block["events"] if not event["cancelled"]))
    if only_near:
        return choose_near_events(where, events=block["events"], limit=publication["events"], radius_km=radius_km)
    return choose_events_for(
        where,
        events=block["events"],
        limit=publication["events"],
        radius_km=radius_km,
        host=bool(publication["host_url"]),
    )


def _describe_area(event: Content) -> str:
    language = get_language() or "en"
    if event["region"]:
        return region_label(event["region"], language=language)
    return country_label(event["country"], language=language)


def _describe_events(chosen: EventSelection) -> str:
    places = list(
        dict.fromkeys(event["town"] or _describe_area(event) for event in chosen.events if not event["online"])
    )
    online = sum(1 for event in chosen.events if event["online"])
    named = ", ".join(place for place in places if place)
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
