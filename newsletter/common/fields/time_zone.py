"""Time zones as columns: names of the IANA database with a region, such as Europe/London, or UTC."""

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils.translation import gettext_lazy

_UNKNOWN = gettext_lazy("“%(zone)s” is not a time zone. Write a name such as Europe/London, or UTC.")


def validate_time_zone(name: str) -> None:
    """Raise ValidationError if this is no name of a time zone. Abbreviations such as EST or GB are refused."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValidationError(_UNKNOWN, params={"zone": name}) from error
    if not (name == "UTC" or "/" in name):
        raise ValidationError(_UNKNOWN, params={"zone": name})


def make_zone_condition(field: str) -> Q:
    """Return what a constraint can say of a column: it is empty, UTC, or has the form of a region and a town."""
    has_form = Q(**{f"{field}__contains": "/"}) & ~Q(**{f"{field}__startswith": "/"})
    return Q(**{f"{field}__in": ["", "UTC"]}) | has_form
