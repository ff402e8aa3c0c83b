"""Find where a segment or a topic is named in the rule of a block: in unsent issues, saved blocks and templates."""

from collections.abc import Iterator, Mapping
from typing import Literal

from newsletter.common.archiving import MAX_USES_NAMED, Uses
from newsletter.models import Issue, IssueTemplate, SavedBlock

_Row = Issue | SavedBlock | IssueTemplate


def find_limited_blocks(kind: Literal["segment", "topic"], slug: str) -> list[Uses]:
    """Return what has a block that only readers in this segment, or with this topic, may see."""
    rows: list[_Row] = [
        *Issue.objects.filter(state__in=Issue.UNSENT_STATES),
        *SavedBlock.objects.all(),
        *IssueTemplate.objects.all(),
    ]
    uses: dict[type[_Row], list[_Row]] = {}
    for row in rows:
        if any(rules.get(kind) == slug for rules in _list_rules(row)):
            uses.setdefault(type(row), []).append(row)
    return [Uses(model=model, count=len(found), rows=[*found[:MAX_USES_NAMED]]) for model, found in uses.items()]


def _list_rules(row: _Row) -> Iterator[Mapping[str, str]]:
    for block in row.body.get_prep_value():
        value = block["value"]  # of any type if the kind of the block is not installed
        yield (value.get("show_to") if isinstance(value, Mapping) else None) or {}
