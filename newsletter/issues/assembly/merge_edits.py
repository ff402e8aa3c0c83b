"""Three-way merge of an issue's body: as assembled before, as edited, and as it would be assembled now.

Pure functions over the body's plain data.
"""

import uuid
from dataclasses import dataclass, field
from typing import Any

Block = dict[str, Any]
Body = list[Block]
_LISTS = {"stories": "stories", "events": "events", "appeal": "appeals"}
_ORDER = ("note", "lead_story", "stories", "events", "appeal", "related")


@dataclass
class Merged:
    """The merged body, the body to compare with next time (same ids), and the block types with kept edits."""

    body: Body = field(default_factory=list)
    assembled: Body = field(default_factory=list)
    kept: list[str] = field(default_factory=list)


def merge_bodies(*, assembled: Body, mine: Body, new: Body, max_stories: int) -> Merged:
    """Merge ``new`` into ``mine``. Blocks that nobody edited are replaced; blocks that somebody removed stay out."""
    before = {block["id"]: block for block in assembled}
    fresh = {block["type"]: block for block in new}
    edits = _ManualEdits(assembled=assembled, mine=mine)
    merged = Merged()
    for block in mine:
        _merge_block(block, before.get(block["id"]), fresh=fresh, merged=merged)
    for kind in _ORDER:
        if kind in fresh and not any(block["type"] == kind for block in [*assembled, *merged.body]):
            _insert(fresh[kind], merged)
    _merge_stories(merged, new=new, edits=edits, limit=max_stories)
    return merged


class _ManualEdits:
    """The stories that people added, removed, reordered or gave their own texts."""

    def __init__(self, *, assembled: Body, mine: Body) -> None:
        was, now = list_stories(assembled), list_stories(mine)
        self.added = {story["story"] for story in now} - {story["story"] for story in was}
        self.removed = {story["story"] for story in was} - {story["story"] for story in now}
        before = [story["story"] for story in was if story["story"] not in self.removed]
        after = [story["story"] for story in now if story["story"] not in self.added]
        self.reordered = before != after
        texts = {story["story"]: _list_overrides(story) for story in was}
        self.reworded = {
            story["story"] for story in now if texts.get(story["story"]) not in (None, _list_overrides(story))
        }

    def has_touched(self, story: int) -> bool:
        return story in self.added or story in self.reworded


def _list_overrides(story: Block) -> list[object]:
    return [story.get(name) or "" for name in ("headline", "teaser", "picture", "link")]


def without_ids(value: object) -> object:
    """Return a block's value without the ids that change each time it is stored."""
    match value:
        case dict():
            return {name: without_ids(part) for name, part in value.items() if name != "id"}
        case list():
            return [without_ids(part) for part in value]
        case _:
            return value


def list_stories(body: Body) -> list[Block]:
    """Return the value of every story in the body, in order."""
    values = []
    for block in body:
        if block["type"] == "lead_story":
            values.append(block["value"])
        elif block["type"] == "stories":
            values += [item["value"] for item in block["value"]["stories"]]
    return [value for value in values if value.get("story")]


def _merge_block(block: Block, was: Block | None, *, fresh: dict[str, Block], merged: Merged) -> None:
    if was is None:
        merged.body.append(block)
        return
    new = fresh.get(block["type"])
    if block["type"] in ("lead_story", "stories"):
        # Stories are merged for the whole body, once every block is in its position.
        merged.body.append(block)
        merged.assembled.append({**(new or was), "id": block["id"]})
    elif without_ids(block["value"]) == without_ids(was["value"]):
        if new is not None:
            merged.body.append({**new, "id": block["id"]})
            merged.assembled.append({**new, "id": block["id"]})
    else:
        merged.kept.append(block["type"])
        merged.body.append(_merge_list(block, was, new) if block["type"] in _LISTS else block)
        merged.assembled.append({**(new or was), "id": block["id"]})


def _merge_list(block: Block, was: Block, new: Block | None) -> Block:
    """Merge an edited list: drop its items that are gone, and append new ones."""
    name = _LISTS[block["type"]]
    mine, before = block["value"][name], was["value"][name]
    after = new["value"][name] if new else []
    values_before, still = {item["value"] for item in before}, {item["value"] for item in after}
    present = {item["value"] for item in mine}
    own_items = [item for item in mine if item["value"] in still or item["value"] not in values_before]
    added = [item for item in after if item["value"] not in values_before and item["value"] not in present]
    return {**block, "value": {**block["value"], name: [*own_items, *added]}}


def _insert(block: Block, merged: Merged) -> None:
    """Insert a block of a new kind at the position where assembly puts it."""
    later = _ORDER[_ORDER.index(block["type"]) + 1 :]
    position = next((index for index, placed in enumerate(merged.body) if placed["type"] in later), len(merged.body))
    merged.body.insert(position, block)
    merged.assembled.append(block)


def _merge_stories(merged: Merged, *, new: Body, edits: _ManualEdits, limit: int) -> None:
    """Put the stories into their blocks. Stories that people touched stay; the others come from the new choice."""
    chosen = [value for value in list_stories(new) if value["story"] not in edits.removed]
    story_ids = {value["story"] for value in chosen}
    held = {value["story"] for value in list_stories(merged.body) if edits.has_touched(value["story"])}
    free = [value for value in chosen if value["story"] not in held]
    lead = next((block for block in merged.body if block["type"] == "lead_story"), None)
    if lead is not None and not edits.has_touched(lead["value"].get("story")):
        lead["value"] = _fill_lead(lead["value"], free, story_ids=story_ids)
    if lead is not None and not lead["value"]:
        merged.body.remove(lead)
    _fill_lists(merged, free=free, edits=edits, limit=limit)
    if edits.added or edits.removed or edits.reworded or edits.reordered:
        merged.kept.append("stories")


def _fill_lead(value: Block, free: list[Block], *, story_ids: set[int]) -> Block:
    """Return the lead story's new value, {} if it has no story. Its rules of who sees it stay."""
    if free:
        return {**free.pop(0), **({"show_to": value["show_to"]} if "show_to" in value else {})}
    return value if value.get("story") in story_ids else {}


def _fill_lists(merged: Merged, *, free: list[Block], edits: _ManualEdits, limit: int) -> None:
    lists = [block for block in merged.body if block["type"] == "stories"]
    for block in lists:
        edited_items = [item for item in block["value"]["stories"] if edits.has_touched(item["value"].get("story"))]
        room = limit - len(list_stories(merged.body)) + len(block["value"]["stories"]) - len(edited_items)
        take = free[: max(room, 0)] if block is lists[-1] else []
        added = [_find_or_make_item(value, block) for value in take]
        block["value"] = {
            **block["value"],
            "stories": _order_items(edited_items, added, block, reordered=edits.reordered),
        }
        del free[: len(take)]
    merged.body[:] = [block for block in merged.body if block["type"] != "stories" or block["value"]["stories"]]


def _find_or_make_item(value: Block, block: Block) -> Block:
    """Return the item that the block has for this story, or a new one."""
    item_before = next(
        (item for item in block["value"]["stories"] if item["value"].get("story") == value["story"]), None
    )
    return item_before or {"id": str(uuid.uuid4()), "type": "item", "value": value}


def _order_items(edited_items: list[Block], added: list[Block], block: Block, *, reordered: bool) -> list[Block]:
    """Leave kept items at their positions and fill the rest. If people gave an order, keep that order."""
    position = {id(item): index for index, item in enumerate(block["value"]["stories"])}
    if reordered:
        placed = sorted(
            [*edited_items, *(item for item in added if id(item) in position)], key=lambda item: position[id(item)]
        )
        return [*placed, *(item for item in added if id(item) not in position)]
    result = list(added)
    for item in sorted(edited_items, key=lambda kept_item: position[id(kept_item)]):
        result.insert(position[id(item)], item)
    return result
