"""Turn a rule into a condition on `Subscriber`."""

from collections.abc import Mapping

from django.core.exceptions import ValidationError
from django.db.models import Q

from newsletter.common.errors import BadRule
from newsletter.common.languages import OFFERED_LANGUAGES, normalise_language_code
from newsletter.common.translation import translate
from subscribers.segments.conditions import COMPILERS
from subscribers.segments.registry import find_kind, read_rule
from subscribers.segments.rules import Condition, Group, list_conditions, use_usual_codes


def compile_rule(rule: object) -> Q:
    """Return the rule as a condition. Raises `BadRule`, also for a list, topic or place that does not exist."""
    return compile_tree(read_rule(rule))


def check_rule(rule: object) -> None:
    """Raise `BadRule`, which names the wrong part, unless the rule can be used now."""
    for condition in list_conditions(read_rule(rule)):
        compile_condition(condition)


def clean_rule(rule: Mapping[str, object]) -> dict[str, object]:
    """Return the rule as it is stored. Raise `BadRule`, which names the wrong part, unless it can be used now.

    A rule that is stored already may have an unknown language. It then selects nobody.
    """
    check_rule(rule)
    for condition in list_conditions(read_rule(rule)):
        if condition.key == "language" and not normalise_language_code(condition.value):
            raise BadRule(
                "%(where)s: “%(text)s” is not a language code. Write one such as %(known)s or pt-BR.",
                where=condition.where,
                text=condition.value[:40],
                known=", ".join(OFFERED_LANGUAGES),
            )
    return use_usual_codes(rule)


def validate_rule(rule: object) -> None:
    """Raise `ValidationError` unless the rule can be used now: a validator for model and form fields."""
    try:
        check_rule(rule)
    except BadRule as error:
        raise ValidationError(translate(error)) from error


def compile_tree(node: Condition | Group) -> Q:
    if isinstance(node, Condition):
        return compile_condition(node)
    parts = [compile_tree(part) for part in node.parts]
    joined = Q()
    for part in parts:
        joined = joined & part if node.kind == "all" else joined | part
    return ~joined if node.kind == "none" else joined


def compile_condition(condition: Condition) -> Q:
    kind = find_kind(condition.key)
    if kind is None:
        return COMPILERS[condition.key](condition)
    try:
        return kind.compile(condition.value)
    except BadRule as error:
        raise BadRule("%(where)s: %(error)s", where=condition.where, error=error) from error
