"""Resolve the names in a rule to ids. Two rules are equal only if they name the same rows."""

from pydantic import JsonValue

from subscribers.models import MailingList, Topic
from subscribers.segments.references import find_named_row
from subscribers.segments.registry import find_kind, read_rule
from subscribers.segments.rules import Condition, Group


def resolve_rule(rule: object) -> dict[str, JsonValue]:
    """Return the rule as plain data with ids, including nested groups. Raises `BadRule`."""
    return _resolve(read_rule(rule))


def _resolve(node: Condition | Group) -> dict[str, JsonValue]:
    if isinstance(node, Group):
        return {node.kind: [_resolve(part) for part in node.parts]}
    resolved: dict[str, JsonValue] = {node.key: node.value}
    if node.key == "near":
        resolved["km"] = node.km
    if node.key == "attribute":
        resolved["values"] = None if node.values is None else list(node.values)
    if node.key == "list":
        resolved["id"] = find_named_row(node, MailingList).pk
    if node.key == "topic":
        resolved["id"] = find_named_row(node, Topic).pk
    kind = find_kind(node.key)
    if kind is not None and kind.resolve is not None:
        resolved["id"] = kind.resolve(node.value)
    return resolved
