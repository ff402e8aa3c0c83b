"""Types that several records share, and the way to write a record as JSON."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated

from pydantic import BeforeValidator, Field, JsonValue, PlainSerializer, TypeAdapter

OMIT_NONE = Field(exclude_if=lambda value: value is None)
"""The JSON has no key for this field if it is None."""
_ADAPTERS: dict[type[object], TypeAdapter[object]] = {}
"""The writer of each class of records, made when it is first needed."""


def _parse_with(parse: Callable[[str], date]) -> Callable[[object], object]:
    """Return a reader of ISO 8601 text, in which "" means None. It leaves other values alone."""
    return lambda value: (parse(value) if value else None) if isinstance(value, str) else value


def _write_iso(value: date | None) -> str:
    return value.isoformat() if value else ""


Moment = Annotated[datetime, BeforeValidator(_parse_with(datetime.fromisoformat)), PlainSerializer(_write_iso)]
OptionalMoment = Annotated[
    datetime | None, BeforeValidator(_parse_with(datetime.fromisoformat)), PlainSerializer(_write_iso)
]
OptionalDay = Annotated[date | None, BeforeValidator(_parse_with(date.fromisoformat)), PlainSerializer(_write_iso)]


@dataclass(frozen=True, slots=True)
class PictureRecord:
    """A picture that we host: its size in pixels, its weight in bytes, and the text for people who cannot see it.

    ``story_url`` is the page of the story that it belongs to, if another part of an issue shows it. ``colour`` is the dominant
    one, as ``#rrggbb``.
    """

    url: str
    width: int
    height: int
    alt: str
    weight: int
    story_url: Annotated[str | None, OMIT_NONE] = None
    colour: Annotated[str | None, OMIT_NONE] = None


def to_json(record: object) -> dict[str, JsonValue]:
    """Return a record as the JSON that an issue's content keeps."""
    kind = type(record)
    if kind not in _ADAPTERS:
        _ADAPTERS[kind] = TypeAdapter(kind)
    data: dict[str, JsonValue] = _ADAPTERS[kind].dump_python(record, mode="json", by_alias=True)
    return data
