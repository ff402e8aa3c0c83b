"""Each person's values for the tokens of a mail, escaped for where they stand. Fast: it runs once per reader."""

from collections.abc import Callable, Mapping
from html import escape

from newsletter.rendering.errors import MissingValue
from newsletter.rendering.text import UNSAFE_IN_LINE
from newsletter.rendering.tokens import Context, Variable

Values = Callable[[Mapping[str, str]], dict[str, str]]


def values_for(*, variables: tuple[Variable, ...], fields: Mapping[str, str]) -> dict[str, str]:
    """Token name (without its fence) to value, for one person. Blank fields take the variable's default.

    Raises MissingValue where a field without a default, such as the unsubscribe link, is blank.
    """
    return plan_values(variables)(fields)


def plan_values(variables: tuple[Variable, ...], *, plain: frozenset[str] = frozenset()) -> Values:
    """The same for many people: what does not change from one to the next is worked out once.

    ``plain`` names fields whose values are known to hold nothing to clean or escape, such as links that we made.
    """
    by_field: dict[str, list[Variable]] = {}
    for variable in variables:
        by_field.setdefault(variable.field, []).append(variable)
    links = [(field, tuple(each.token for each in same)) for field, same in by_field.items() if field in plain]
    words = [
        (field, tuple((each.token, each.context == "t", _in_context(each.default, each.context)) for each in same))
        for field, same in by_field.items()
        if field not in plain
    ]

    def values(fields: Mapping[str, str]) -> dict[str, str]:
        found: dict[str, str] = {}
        for field, names in links:
            value = fields.get(field) or _missing(field)
            for token in names:
                found[token] = value
        for field, tokens in words:
            value = fields.get(field, "")
            if not value.isprintable():
                value = UNSAFE_IN_LINE.sub(" ", value)
            value = value.strip()
            for token, is_text, default in tokens:
                if value:
                    found[token] = value if is_text else escape(value)
                else:
                    found[token] = default or _missing(field)
        return found

    return values


def _missing(field: str) -> str:
    raise MissingValue(
        f"There is no “{field}” for this person, and the mail cannot go without it. Nothing was sent to them."
    )


def _in_context(value: str, context: Context) -> str:
    return value if context == "t" else escape(value)
