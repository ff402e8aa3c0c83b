"""Each person's values for the tokens of a mail, escaped for where they stand. Fast: it runs once per reader."""

from collections.abc import Mapping
from functools import lru_cache
from html import escape

from newsletter.rendering.errors import MissingValue
from newsletter.rendering.text import UNSAFE_IN_LINE
from newsletter.rendering.tokens import Context, Variable


def values_for(*, variables: tuple[Variable, ...], fields: Mapping[str, str]) -> dict[str, str]:
    """Token name (without its fence) to value, for one person. Blank fields take the variable's default.

    Raises MissingValue where a field without a default, such as the unsubscribe link, is blank.
    """
    values = {}
    for token, field, default, is_text in _plan(tuple(variables)):
        value = fields.get(field, "")
        if value and UNSAFE_IN_LINE.search(value):
            value = UNSAFE_IN_LINE.sub(" ", value)
        value = value.strip()
        if value:
            values[token] = value if is_text else escape(value)
        elif default:
            values[token] = default
        else:
            raise MissingValue(
                f"There is no “{field}” for this person, and the mail cannot go without it. Nothing was sent to them."
            )
    return values


@lru_cache(maxsize=256)
def _plan(variables: tuple[Variable, ...]) -> tuple[tuple[str, str, str, bool], ...]:
    return tuple(
        (variable.token, variable.field, _in_context(variable.default, variable.context), variable.context == "t")
        for variable in variables
    )


def _in_context(value: str, context: Context) -> str:
    return value if context == "t" else escape(value)
