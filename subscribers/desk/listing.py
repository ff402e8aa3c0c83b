"""What all lists of the desk share: moments in words, and no ticking of many rows, because nothing here is deleted in bulk."""

from datetime import datetime
from typing import Any

from django.urls import reverse_lazy
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy
from wagtail.admin.ui.tables import BulkActionsCheckboxColumn, Column
from wagtail.snippets.views.snippets import IndexView

HOME_BREADCRUMB = [{"url": reverse_lazy("wagtailadmin_home"), "label": gettext_lazy("Home")}]
"""The first step of a way to a page. Wagtail's own is said once, when the program starts, in one language for all."""


class DeskList(IndexView):
    @cached_property
    def columns(self) -> list[Column]:
        return [column for column in super().columns if not isinstance(column, BulkActionsCheckboxColumn)]


class DateTimeColumn(Column):
    """A date and time on the desk's clock, such as “Tue 1 Dec, 09:00”; the year only where it is another."""

    def get_value(self, instance: Any) -> str:
        return format_moment(super().get_value(instance), now=timezone.now())


def format_moment(moment: datetime | None, *, now: datetime) -> str:
    if moment is None:
        return ""
    local = timezone.localtime(moment)
    return date_format(local, "D j M, H:i" if local.year == timezone.localtime(now).year else "D j M Y, H:i")
