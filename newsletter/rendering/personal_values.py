"""Compute people's values for the tokens of a mail, escaped for their place, one column of many people at a time."""

from collections.abc import Callable, Mapping, Sequence
from html import escape

from newsletter.rendering.clean_text import UNSAFE_IN_LINE
from newsletter.rendering.errors import MissingValueError
from newsletter.rendering.tokens import Context, Variable

Columns = Mapping[str, Sequence[str]]
Values = Callable[[Columns], list[dict[str, str]]]

PERSONAL_LINKS = ("unsubscribe", "preferences")
_ESCAPED = frozenset("&<>\"'")


def values_for(*, variables: tuple[Variable, ...], fields: Mapping[str, str]) -> dict[str, str]:
    """Return one person's values by token name. A blank field takes the variable's default.

    Raise MissingValueError if a field without a default, such as the unsubscribe link, is blank.
    """
    return plan_values(variables)({field: [value] for field, value in fields.items()})[0]


def plan_values(variables: tuple[Variable, ...], *, plain: frozenset[str] = frozenset()) -> Values:
    """Return a function that makes the tokens of each person, from a list of values for each field.

    ``plain`` names fields whose values are known to hold nothing to clean or escape, such as links that we made. Fields
    that were not given are blank. The function raises MissingValueError if a person has no value for a field of the mail.
    """
    tokens = [variable.token for variable in variables]

    def values(columns: Columns) -> list[dict[str, str]]:
        people = max((len(column) for column in columns.values()), default=1)
        if not tokens:
            return [{} for _ in range(people)]
        values_by_field = {variable.field: columns.get(variable.field) or [""] * people for variable in variables}
        clean = {field: column if field in plain else _clean(column) for field, column in values_by_field.items()}
        written = [_write(clean[variable.field], variable, plain=variable.field in plain) for variable in variables]
        return [dict(zip(tokens, row, strict=True)) for row in zip(*written, strict=True)]

    return values


def _clean(column: Sequence[str]) -> Sequence[str]:
    if not "".join(column).isprintable():
        column = [UNSAFE_IN_LINE.sub(" ", value) for value in column]
    return [value.strip() for value in column]


def _write(column: Sequence[str], variable: Variable, *, plain: bool) -> Sequence[str]:
    """Return the column for one token, with blanks filled and escaped for its context."""
    is_plain = plain or variable.context == "t" or _ESCAPED.isdisjoint("".join(column))
    written = column if is_plain else [escape(value) for value in column]
    if all(written):
        return written
    default = _in_context(variable.default, variable.context)
    if not default:
        raise MissingValueError(
            "There is no “%(field)s” for this person, and the mail cannot go without it. Nothing was sent to them.",
            field=variable.field,
        )
    return [value or default for value in written]


def _in_context(value: str, context: Context) -> str:
    return value if context == "t" else escape(value)
