"""Show when figures on a page were counted, with a button to count them again."""

from datetime import datetime
from typing import TypedDict

from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.http import urlencode
from django.utils.translation import gettext as _

PARAMETER, VALUE = "count", "again"


class CountedContext(TypedDict):
    """The context of desk/parts/counted.html: when figures were counted, "" if that was for this page."""

    counted: str
    count_again_url: str


def counted_context(request: HttpRequest, counted_at: datetime | None) -> CountedContext:
    return {
        "counted": label_counted(counted_at) if counted_at else "",
        "count_again_url": make_count_again_url(request),
    }


def wants_count(request: HttpRequest) -> bool:
    return request.GET.get(PARAMETER) == VALUE


def make_count_again_url(request: HttpRequest) -> str:
    """Return the address of the same page, with its search and filters, that counts again."""
    return "?" + urlencode({**request.GET.dict(), PARAMETER: VALUE})


def label_counted(counted_at: datetime) -> str:
    return _("Counted at %(time)s.") % {"time": date_format(timezone.localtime(counted_at), "H:i")}


def label_count_again(counted_at: datetime) -> str:
    return _("Count again (counted at %(time)s)") % {"time": date_format(timezone.localtime(counted_at), "H:i")}
