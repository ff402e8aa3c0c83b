"""Entries of the five interfaces, as their documentation writes them, with the fields that a test names."""

from copy import deepcopy
from typing import Any

from tests.support.sample_documents import read_json_shape

EVENT_KINDS = ("eventbrite", "mobilize", "action_network")
STORY_KINDS = ("ghost", "drupal")


def make_entry(kind: str, number: int, title: str = "", **fields: Any) -> dict[str, Any]:
    """Return one entry: the first of the recorded document, with its own number, address and title."""
    entry = deepcopy(_first(kind))
    title = title or f"Entry {number}"
    match kind:
        case "ghost":
            entry |= {"id": f"g{number}", "title": title, "url": f"https://ghost.example.org/{number}/"}
        case "drupal":
            entry["id"] = f"d{number}"
            entry["attributes"] |= {
                "title": title,
                "path": {"alias": f"/stories/{number}"},
                "drupal_internal__nid": number,
            }
        case "eventbrite":
            entry |= {"id": str(number), "name": {"text": title}, "url": f"https://www.eventbrite.co.uk/e/{number}"}
        case "mobilize":
            slot = {"id": number * 10, "start_date": 1776276000, "end_date": 1776283200}
            entry |= {"id": number, "title": title, "timeslots": [slot]}
        case _:
            entry |= {"identifiers": [f"action_network:{number}"], "title": title}
    return entry | fields


def cancel(kind: str, entry: dict[str, Any]) -> dict[str, Any]:
    """Return the entry as its interface shows a cancelled event."""
    return entry | {"status": {"eventbrite": "canceled", "action_network": "cancelled"}[kind]}


def hide(kind: str, entry: dict[str, Any]) -> dict[str, Any]:
    """Return the entry as its interface shows one that is not for everybody."""
    match kind:
        case "ghost":
            return entry | {"visibility": "members"}
        case "drupal":
            return entry | {"attributes": entry["attributes"] | {"status": False}}
        case "eventbrite":
            return entry | {"listed": False}
        case "mobilize":
            return entry | {"visibility": "PRIVATE"}
        case _:
            return entry | {"visibility": "private"}


def move(kind: str, entry: dict[str, Any]) -> dict[str, Any]:
    """Return the event on another day: 22 April 2026."""
    match kind:
        case "eventbrite":
            return entry | {
                "start": {"timezone": "Europe/London", "local": "2026-04-22T19:00:00", "utc": "2026-04-22T18:00:00Z"},
                "end": {"timezone": "Europe/London", "local": "2026-04-22T21:00:00", "utc": "2026-04-22T20:00:00Z"},
            }
        case "mobilize":
            slot = entry["timeslots"][0]
            return entry | {"timeslots": [slot | {"start_date": 1776880800, "end_date": 1776888000}]}
        case _:
            return entry | {"start_date": "2026-04-22T12:00:00Z", "end_date": "2026-04-22T14:00:00Z"}


def _first(kind: str) -> dict[str, Any]:
    document = read_json_shape(kind)
    found: dict[str, Any] = {
        "ghost": lambda: document["posts"],
        "drupal": lambda: document["data"],
        "eventbrite": lambda: document["events"],
        "mobilize": lambda: document["data"],
        "action_network": lambda: document["_embedded"]["osdi:events"],
    }[kind]()[0]
    return found
