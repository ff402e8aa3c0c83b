"""Stamps that tell the dates of a series apart, by the moment each was first planned for."""

import re
from datetime import UTC, date, datetime

_STAMP = re.compile(r"#(?:\d{8}T\d{4,6}Z?|\d{4}-\d{2}-\d{2})(?=#|$)")
_MOMENT = re.compile(r"@\d{4}-\d{2}-\d{2}T[\d:.]+(?:[+-]\d{2}:\d{2})?(?=#|$)")


def format_stamp(moment: date | datetime) -> str:
    """Return ``20261105T190000Z``, the same without Z for a time without a zone, or ``2026-11-05`` for a day."""
    if not isinstance(moment, datetime):
        return moment.isoformat()
    aware = moment.astimezone(UTC) if moment.tzinfo else moment
    return aware.strftime("%Y%m%dT%H%M%SZ" if moment.tzinfo else "%Y%m%dT%H%M%S")


def format_local_stamp(moment: date | datetime) -> str:
    """Return the same stamp by the moment's own clock."""
    return format_stamp(moment.replace(tzinfo=None) if isinstance(moment, datetime) else moment)


def get_series_id(external_id: str) -> str:
    """Return the identity that the dates of one series share: theirs without the moment."""
    return _MOMENT.sub("", _STAMP.sub("", external_id))
