"""Count the readers of each block that is for some of them only."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count

from newsletter.common.errors import BadRule
from newsletter.common.messages import Message, Quantity
from newsletter.issue_checks.variant_groups import VariantGroup
from newsletter.issues.snapshot.records.content import IssueContent
from newsletter.issues.snapshot.show_rules import describe_rules, list_limited_blocks
from newsletter.issues.variants.group_keys import make_rules_filter
from newsletter.issues.variants.recipient_groups import find_possible_recipients
from newsletter.models import Issue
from newsletter.rendering.lint.findings import Finding
from subscribers.segments.count import QueryTimeout, query_time_limit

_COUNT_MS = 400


@dataclass(frozen=True)
class BlockReach:
    """The rules of a block in words, how many of all recipients see it, and where it is in the issue, from 1."""

    key: str
    number: int
    rules: Message
    people: int
    of: int


def count_block_reach(content: IssueContent, *, groups: Sequence[VariantGroup]) -> list[BlockReach]:
    """Return the limited blocks in the order of the issue, with their recipients."""
    everybody = sum(group.people for group in groups)
    return [
        BlockReach(
            key=block.key,
            number=number,
            rules=describe_rules(block.shown_to),
            people=sum(group.people for group in groups if block.key not in group.visible.closed),
            of=everybody,
        )
        for number, block in enumerate(content.blocks, 1)
        if block.shown_to
    ]


def check_block_reach(content: IssueContent, *, groups: Sequence[VariantGroup]) -> Iterator[Finding]:
    """Find the blocks that nobody sees."""
    for reach in count_block_reach(content, groups=groups):
        if reach.of and not reach.people:
            message = Message(
                "Nobody gets this block: no recipient matches its rules (%(rules)s). Change them, or delete the block.",
                rules=reach.rules,
            )
            yield Finding("warning", "block-for-nobody", message, block=reach.key)


def describe_reach(issue: Issue, content: IssueContent, *, now: datetime) -> dict[str, Message]:
    """Return a sentence for each limited block, by key. Without numbers if they take too long to count."""
    blocks = list_limited_blocks(content)
    counted = _count_quickly(issue, content, now=now) if blocks else {}
    return {
        block.key: Message(
            "Shown to %(people)s of %(all)s people: %(rules)s",
            people=Quantity(counted[block.key]),
            all=Quantity(counted[""]),
            rules=describe_rules(block.shown_to),
        )
        if counted
        else Message("Shown only to people who match: %(rules)s", rules=describe_rules(block.shown_to))
        for block in blocks
    }


def _count_quickly(issue: Issue, content: IssueContent, *, now: datetime) -> dict[str, int]:
    """Return the number of people by the key of each block, and of all by ""; {} if that takes too long."""
    blocks = list_limited_blocks(content)
    names = {f"block{number}": block for number, block in enumerate(blocks)}
    try:
        with query_time_limit(_COUNT_MS):
            counted: dict[str, int] = find_possible_recipients(issue, now=now).aggregate(
                everybody=Count("pk"),
                **{name: Count("pk", filter=make_rules_filter(block.shown_to)) for name, block in names.items()},
            )
    except (QueryTimeout, BadRule):
        return {}
    return {"": counted["everybody"], **{block.key: counted[name] for name, block in names.items()}}
