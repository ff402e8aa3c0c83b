"""Turn SQLite's values into those of PostgreSQL's column types, and both into the same bytes to compare them."""

import hashlib
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from ipaddress import ip_address
from uuid import UUID

import orjson

Value = object
Convert = Callable[[Value], Value]


def find_converter(data_type: str) -> Convert:
    """Return the function that makes a value of this PostgreSQL type (as in information_schema) of SQLite's value."""
    return _CONVERTERS.get(data_type, _keep)


class TableHash:
    """The hash of a table's rows, given in the order of their key, whichever database they come from."""

    def __init__(self, data_types: Sequence[str]) -> None:
        self._json = [place for place, data_type in enumerate(data_types) if data_type == "jsonb"]
        self._digest = hashlib.sha256()
        self.rows = 0

    def add(self, row: Sequence[Value]) -> None:
        """Add a row of converted values. JSON is text; its spaces, key order and ways to write a number do not count."""
        if self._json:
            row = list(row)
            for place in self._json:
                row[place] = _normalise_json(row[place])
        self._digest.update(repr(tuple(row)).encode("utf-8", "surrogatepass"))
        self.rows += 1

    def hexdigest(self) -> str:
        return self._digest.hexdigest()


def _keep(value: Value) -> Value:
    return value


def _to_bool(value: Value) -> Value:
    return None if value is None else bool(value)


def _to_moment(value: Value) -> Value:
    if value is None:
        return None
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _to_date(value: Value) -> Value:
    return value if value is None or isinstance(value, date) else date.fromisoformat(str(value))


def _to_time(value: Value) -> Value:
    return None if value is None else time.fromisoformat(str(value))


def _to_uuid(value: Value) -> Value:
    return value if value is None or isinstance(value, UUID) else UUID(str(value))


def _to_number(value: Value) -> Value:
    return None if value is None else Decimal(str(value)).normalize()


def _to_float(value: Value) -> Value:
    return None if value is None else float(str(value))


def _to_bytes(value: Value) -> Value:
    return bytes(value) if isinstance(value, bytes | memoryview) else value


def _to_text(value: Value) -> Value:
    return None if value is None else str(value)


def _to_address(value: Value) -> Value:
    return None if value is None else str(ip_address(str(value)))


def _normalise_json(value: Value) -> Value:
    if value is None:
        return None
    return orjson.dumps(_whole_numbers(orjson.loads(str(value))), option=orjson.OPT_SORT_KEYS)


def _whole_numbers(value: Value) -> Value:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {name: _whole_numbers(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_whole_numbers(item) for item in value]
    return value


_CONVERTERS: dict[str, Convert] = {
    "boolean": _to_bool,
    "timestamp with time zone": _to_moment,
    "date": _to_date,
    "time without time zone": _to_time,
    "uuid": _to_uuid,
    "numeric": _to_number,
    "double precision": _to_float,
    "bytea": _to_bytes,
    "jsonb": _to_text,
    "text": _to_text,
    "character varying": _to_text,
    "inet": _to_address,
}
