"""Numbers that a form of ours sent back: how many people staff were asked about."""

from django.http import HttpRequest

_MAX_DIGITS = 9


def read_confirmed_people(request: HttpRequest) -> int | None:
    """The number in the form's ``people`` field, or None if there is none."""
    text = request.POST.get("people", "")
    return int(text) if text.isdecimal() and len(text) <= _MAX_DIGITS else None
