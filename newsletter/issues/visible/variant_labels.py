"""Describe how a variant differs from the others: its label. No database."""

from newsletter.issues.visible.nearby_events import (
    CLOSE_KM,
    EventSelection,
)
from newsletter.issues.visible.visible_content import NO_BLOCK_FOR_THEM, NO_STORY_IN_THEIR_REGION, VisibleContent
from newsletter.models.variant_labels import LabelFacts, label_facts


def describe_visible(visible: VisibleContent) -> str:
    """Return a label of the variant for staff, in the current language: which events and which appeal it shows."""
    return label_facts(list_label_facts(visible))


def list_label_facts(visible: VisibleContent) -> LabelFacts:
    """Return the facts that identify the variant, as its row stores them."""
    if visible.unwanted == NO_BLOCK_FOR_THEM:
        return [{"kind": "closed"}]
    if visible.unwanted == NO_STORY_IN_THEIR_REGION:
        return [{"kind": "restricted"}]
    if visible.unwanted:
        return [{"kind": "unwanted"}]
    if visible.is_empty:
        return [{"kind": "empty"}]
    facts: LabelFacts = [{"kind": "subject", "arm": visible.arm}] if visible.arm else []
    facts += [{"kind": "language", "language": visible.language}] if visible.translated else []
    facts += [{"kind": "only_events"}] if visible.only_events else []
    facts += map(_make_events_fact, visible.events.values())
    facts += [{"kind": "appeal", "title": appeal.headline} for appeal in visible.appeals.values() if appeal]
    if visible.lead_title:
        facts.append({"kind": "first", "title": visible.lead_title})
    if visible.followed:
        facts.append({"kind": "follows", "cases": [case.name for case in visible.followed]})
    if visible.hidden:
        facts.append({"kind": "hidden", "stories": len(visible.hidden)})
    if visible.met is not None:
        facts.append({"kind": "rules", "met": [rules.dumps() for rules in visible.met]})
    return facts


def _make_events_fact(chosen: EventSelection) -> dict[str, object]:
    countries = dict.fromkeys(event.country for event in chosen.events if event.id in chosen.abroad)
    places = dict.fromkeys((event.town, event.region, event.country) for event in chosen.events if not event.online)
    return {
        "kind": "events",
        "choice": chosen.kind,
        "places": [list(place) for place in places],
        "close": len(chosen.close),
        "km": CLOSE_KM,
        "abroad": list(countries),
        "online": sum(1 for event in chosen.events if event.online),
    }
