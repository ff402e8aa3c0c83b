"""Copy the body of an issue for a new one, without what must not be sent again."""

from datetime import datetime
from typing import Any

from newsletter.issues.snapshot.placements import find_released_placements
from newsletter.models import EventNotice, Issue, Story, StoryPlacement

Block = dict[str, object]


def copy_body(original: Issue, *, issue: Issue, now: datetime) -> tuple[Any, list[int]]:
    """Return the body for ``issue``, and the ids of its stories.

    Left out are stories that another issue of its publication has, stories that are gone or withdrawn, and events that
    are over when it is due. Blocks with nothing left are left out too.
    """
    used = StoryPlacement.objects.filter(publication=issue.publication_id, kind=issue.kind)
    used = used.exclude(pk__in=find_released_placements(now=now))
    stories = set(Story.objects.showable().exclude(pk__in=used.values("story")).values_list("pk", flat=True))
    due_at = max(issue.due_at or now, now)
    events = set(EventNotice.objects.filter(starts_at__gt=due_at, cancelled=False).values_list("pk", flat=True))
    kept: list[Block] = []
    placed: list[int] = []
    for block in original.body.get_prep_value():
        value = block["value"]
        match block["type"]:
            case "lead_story" if value["story"] not in stories:
                continue
            case "lead_story":
                placed.append(value["story"])
            case "stories":
                items = [item for item in value["stories"] if item["value"]["story"] in stories]
                placed += [item["value"]["story"] for item in items]
                value = {**value, "stories": items}
                if not items:
                    continue
            case "events":
                value = {**value, "events": [item for item in value["events"] if item["value"] in events]}
        kept.append({"type": block["type"], "value": value})
    return original.body.stream_block.to_python(kept), placed
