"""Messages for people: an English template with named values, which any reader's language can show.

A `Message` is its English text wherever a text is expected: in logs, comparisons and files. `newsletter.common.translation`
shows it in another language. `dumps` and `loads` keep it in a text column.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Self

_DATE, _MOMENT = "%-d %B %Y", "%-d %B %Y, %H:%M"
_PREFIX = '{"message":'
MessageValue = str | int | float | date | None


class Quantity(int):
    """A number that is shown with the language's separators: 1,920."""


class PeopleCount(Quantity):
    """A number of people. It changes when people join or unsubscribe, although the problem stays the same."""


class Message(str):
    """An English sentence that knows its template, such as “%(count)s people unsubscribed.”, and its values.

    A template with values is a format string: double its percent signs. A template without values is shown as it is.
    """

    template: str
    values: dict[str, MessageValue]

    def __new__(cls, template: str, /, **values: object) -> Self:
        own_values = {name: _value(value) for name, value in values.items()}
        made = super().__new__(cls, fill(template, own_values))
        made.template = template
        made.values = own_values
        return made

    def __getnewargs_ex__(self) -> tuple[tuple[str], dict[str, MessageValue]]:
        return (self.template,), self.values

    @classmethod
    def joined(cls, parts: Iterable[str], *, between: str = "; ") -> "Message":
        """Return one message of several, each of which is translated by itself."""
        listed = list(parts)
        template = between.replace("%", "%%").join(f"%(part{number})s" for number in range(len(listed)))
        return Message(template, **{f"part{number}": part for number, part in enumerate(listed)})

    def __add__(self, other: str, /) -> "Message":
        return Message.joined([self, other], between="")

    def dumps(self) -> str:
        """Return the text in which a column stores this message. `loads` reads it."""
        return json.dumps(_encode(self), ensure_ascii=False, separators=(",", ":"))


def describe_people(number: int) -> Message:
    """Return “1 person” or “1,920 people”, to be a value of another message."""
    return Message("1 person") if number == 1 else Message("%(people)s people", people=Quantity(number))


def describe_days(number: int) -> Message:
    """Return “1 day” or “30 days”, to be a value of another message."""
    return Message("1 day") if number == 1 else Message("%(days)s days", days=Quantity(number))


def describe_hours(number: int) -> Message:
    """Return “1 hour” or “24 hours”, to be a value of another message."""
    return Message("1 hour") if number == 1 else Message("%(hours)s hours", hours=Quantity(number))


def end_sentence(text: str) -> str:
    """Return the text with a full stop, unless it ends a sentence already. Staff write reasons either way."""
    if text.rstrip('"”').endswith((".", "!", "?", "…")):
        return text
    return Message.joined([text, "."], between="")


def fill(template: str, values: Mapping[str, object]) -> str:
    """Put the values into a template as English writes them."""
    return template % {name: _in_english(value) for name, value in values.items()} if values else str(template)


def loads(text: str) -> str:
    """Return the `Message` that `dumps` wrote, or any other text unchanged."""
    if not text.startswith(_PREFIX):
        return text
    try:
        decoded = _decode(json.loads(text))
    except (ValueError, KeyError, TypeError):
        return text
    return decoded if isinstance(decoded, Message) else text


def dumps(text: str) -> str:
    """Return the text for a column: template and values of a message, any other text unchanged."""
    return text.dumps() if isinstance(text, Message) else text


def _value(value: object) -> MessageValue:
    message = getattr(value, "message", None) if isinstance(value, Exception) else None
    if isinstance(message, Message):
        return message
    return value if isinstance(value, str | int | float | date) or value is None else str(value)


def _in_english(value: object) -> object:
    match value:
        case Quantity():
            return f"{value:,}"
        case datetime():
            return value.strftime(_MOMENT)
        case date():
            return value.strftime(_DATE)
        case _:
            return value


def _encode(value: object) -> object:
    match value:
        case Message():
            return {"message": value.template, "values": {name: _encode(item) for name, item in value.values.items()}}
        case Quantity():
            return {"count": int(value)}
        case datetime():
            return {"moment": value.isoformat()}
        case date():
            return {"date": value.isoformat()}
        case _:
            return value


def _decode(value: object) -> object:
    match value:
        case {"message": str(template), "values": dict(values)}:
            return Message(template, **{name: _decode(item) for name, item in values.items()})
        case {"count": int(number)}:
            return Quantity(number)
        case {"moment": str(text)}:
            return datetime.fromisoformat(text)
        case {"date": str(text)}:
            return date.fromisoformat(text)
        case _:
            return value


def encode(value: object) -> object:
    """Return JSON data of nested lists and dicts that may contain messages."""
    if isinstance(value, Message):
        return _encode(value)
    if isinstance(value, Mapping):
        return {name: encode(item) for name, item in value.items()}
    return [encode(item) for item in value] if isinstance(value, list | tuple) else value


def decode(value: object) -> object:
    """Return the data that `encode` was given."""
    if isinstance(value, dict):
        decoded = _decode(value)
        return decoded if isinstance(decoded, Message) else {name: decode(item) for name, item in value.items()}
    return [decode(item) for item in value] if isinstance(value, list) else value
