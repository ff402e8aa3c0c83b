"""Search in the desk's lists: a row matches if each word is in one of its fields.

Wagtail's own index cannot filter or order by columns that it does not hold, and reads quotation marks as syntax.
"""

from collections.abc import Iterable
from typing import Any, TypeVar

from django import forms
from django.db.models import Model, Q, QuerySet
from django.utils.translation import gettext_lazy
from wagtail.admin.forms.choosers import BaseFilterForm

from newsletter.common.text import explain_long_search
from newsletter.common.translation import translate

Row = TypeVar("Row", bound=Model)


def filter_by_words(rows: QuerySet[Row], typed: str, *, fields: Iterable[str]) -> QuerySet[Row]:
    """Return the rows in which each word is in one of the fields: none if the text is too long to search for."""
    if explain_long_search(typed):
        return rows.none()
    for word in typed.split():
        matches = [Q(**{f"{field}__icontains": word}) for field in fields]
        rows = rows.filter(Q(*matches, _connector=Q.OR))
    return rows


class ChooserSearch(BaseFilterForm):
    """The search box of a chooser. Subclasses name the fields. `unsearched` is why it does not search for a text."""

    unsearched = ""
    fields_to_search: tuple[str, ...] = ()
    q = forms.CharField(
        label=gettext_lazy("Search term"),
        widget=forms.TextInput(attrs={"placeholder": gettext_lazy("Search")}),
        required=False,
    )

    def filter(self, objects: QuerySet[Any]) -> QuerySet[Any]:
        typed = str(self.cleaned_data.get("q") or "")
        if typed:
            self.is_searching, self.search_query = True, typed
            self.unsearched = translate(explain_long_search(typed))
        return filter_by_words(objects, typed, fields=self.fields_to_search)
