"""Describe what uses a row, with links for those who may follow them; and refuse to delete a row that is used."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import AnonymousUser, User
from django.contrib.humanize.templatetags.humanize import intcomma
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.admin.admin_url_finder import AdminURLFinder

from newsletter.common.archiving import Uses, find_uses
from subscribers.desk.editing.row_pages import DeleteRow


@dataclass(frozen=True)
class UsesOfModel:
    """“3 publications”, and a link to each that can be named: (text, URL or ""). `more` rows are not listed."""

    title: str
    rows: list[tuple[str, str]]
    more: int


def describe_uses(uses: Iterable[Uses], *, user: User | AnonymousUser) -> list[UsesOfModel]:
    """Return the uses for a page. People and their mail are counted and not named."""
    finder = AdminURLFinder(user)
    described = []
    for use in uses:
        title = _label_count(use)
        personal = getattr(use.model, "wagtail_reference_index_ignore", False)
        rows = [] if personal else [(str(row), finder.get_edit_url(row) or "") for row in use.rows]
        more = 0 if personal else use.count - len(rows)
        described.append(UsesOfModel(title=title, rows=rows, more=more))
    return described


def _label_count(use: Uses) -> str:
    """Return “3 publications”. A model without names for staff says by its `counted_as` what its rows are."""
    label = getattr(use.model, "counted_as", None)
    if label is not None:
        return str(label % {"count": use.count, "number": intcomma(use.count)})
    options = use.model._meta
    return f"{intcomma(use.count)} {options.verbose_name if use.count == 1 else options.verbose_name_plural}"


class RefuseUsedMixin:
    """For delete views: delete a row that nothing uses. Otherwise show what uses it and change nothing.

    ``reason`` says what would be lost. ``lists_uses`` is False if the reason says enough.
    """

    object: Any

    reason: str | Promise = ""
    advice: str | Promise = gettext_lazy("Change that first. Then you can delete it.")
    lists_uses = True

    def find_uses(self) -> list[Uses]:
        return find_uses(self.object)

    def dispatch(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        allowed = self.user_has_permission("delete")  # type: ignore[attr-defined]
        uses = self.find_uses() if allowed else []
        if uses:
            return self.refuse(request, uses)
        response: HttpResponseBase = super().dispatch(request, *args, **kwargs)  # type: ignore[misc]
        return response

    def refuse(self, request: HttpRequest, uses: list[Uses]) -> HttpResponse:
        context: dict[str, object] = self.get_context_data()  # type: ignore[attr-defined]
        title = _("“%(row)s” cannot be deleted") % {"row": self.object}
        context |= {
            "uses": describe_uses(uses, user=request.user) if self.lists_uses else [],
            "heading": title,
            "reason": self.reason,
            "advice": self.advice,
            "back": self.get_success_url(),  # type: ignore[attr-defined]
        }
        return render(request, "desk/row_in_use.html", context, status=200)


class RefuseUsedDelete(RefuseUsedMixin, DeleteRow):
    pass
