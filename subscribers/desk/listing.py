"""Shared by the desk's pages: addresses, menu items by permission, log actions, and lists without bulk actions."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, Protocol

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.urls import URLPattern, reverse, reverse_lazy
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.functional import Promise, cached_property
from django.utils.translation import gettext, gettext_lazy
from wagtail import hooks
from wagtail.admin.menu import MenuItem
from wagtail.admin.panels import Panel
from wagtail.admin.ui.tables import BulkActionsCheckboxColumn, Column
from wagtail.log_actions import LogActionRegistry
from wagtail.snippets.views.snippets import IndexView, SnippetViewSet

from newsletter.common.text import explain_long_search
from newsletter.common.translation import translate

HOME_BREADCRUMB = [{"url": reverse_lazy("wagtailadmin_home"), "label": gettext_lazy("Home")}]
"""The first breadcrumb. Wagtail translates its own when the program starts, so all readers would get one language."""


class PermittedMenuItem(MenuItem):
    """A menu item for staff for whom `is_permitted` returns True. It is asked once for each page: Wagtail asks twice."""

    def __init__(
        self,
        label: Promise,
        url_name: str,
        *,
        name: str,
        icon_name: str,
        order: int,
        is_permitted: Callable[[User | AnonymousUser], bool],
    ) -> None:
        super().__init__(label, reverse(url_name), name=name, icon_name=icon_name, order=order)
        self.is_permitted = is_permitted

    def is_shown(self, request: HttpRequest) -> bool:
        visibility: dict[PermittedMenuItem, bool] = request.__dict__.setdefault("permitted_menu_items", {})
        if self not in visibility:
            visibility[self] = self.is_permitted(request.user)
        return visibility[self]


class MenuPage(Protocol):
    """A page that a menu may lead to. `admits` returns True if the person may open it."""

    page_title: Promise
    header_icon: str

    @classmethod
    def admits(cls, user: User | AnonymousUser) -> bool: ...


def register_page_item(page: type[MenuPage], url_name: str, *, name: str, order: int) -> None:
    """Register the item of a page in the settings menu, for those whom the page admits.

    Wagtail's bases have no types, so mypy takes any page. One without `admits` raises AttributeError here, at the start.
    """
    title, icon, is_permitted = page.page_title, page.header_icon, page.admits
    hooks.register(
        "register_settings_menu_item",
        lambda: PermittedMenuItem(title, url_name, name=name, icon_name=icon, order=order, is_permitted=is_permitted),
    )


def register_pages(*pages: URLPattern) -> None:
    """Register the addresses of pages below that of the desk."""
    hooks.register("register_admin_urls", lambda: list(pages))


def register_log_actions(labels: Mapping[str, tuple[str | Promise, str | Promise]], *, app: str = "newsletter") -> None:
    """Register the actions of the staff log. ``labels`` are what staff do and what was done, by the action's name."""

    def register(actions: LogActionRegistry) -> None:
        for name, (label, message) in labels.items():
            actions.register_action(f"{app}.{name}", label, message)

    hooks.register("register_log_actions", register)


class LimitedSearch:
    """A mixin of lists: for a text that is too long, show no rows but the reason, `unsearched`. The box keeps the text."""

    max_search_words: int | None = None
    search_query: str

    @cached_property
    def unsearched(self) -> str:
        return translate(explain_long_search(self.search_query or "", max_words=self.max_search_words))

    @cached_property
    def no_results_message(self) -> str:
        return self.unsearched or str(super().no_results_message)  # type: ignore[misc]

    def search_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.unsearched:
            return queryset.none()
        rows: QuerySet[Any] = super().search_queryset(queryset)  # type: ignore[misc]
        return rows


class DeskList(LimitedSearch, IndexView):
    """A list without check boxes: the desk deletes nothing in bulk."""

    @cached_property
    def columns(self) -> list[Column]:
        return [column for column in super().columns if not isinstance(column, BulkActionsCheckboxColumn)]


class DeskViewSet(SnippetViewSet):
    """The pages of a model in the desk. The database searches its rows."""

    breadcrumbs_items = HOME_BREADCRUMB
    index_view_class = DeskList
    search_backend_name = None

    def get_edit_handler(self) -> Panel | None:
        """Return the panels. Wagtail makes their anchors once, from headings, so these are in English for everybody."""
        handler = super().get_edit_handler()
        with translation.override("en"):
            for panel in walk_panels(handler):
                getattr(panel, "child_identifiers", ())
        return handler


def walk_panels(panel: Panel) -> Iterator[Panel]:
    """Yield a panel and the panels in it."""
    yield panel
    for child in getattr(panel, "children", ()):
        yield from walk_panels(child)


class DateTimeColumn(Column):
    """A date and time in the desk's time zone, such as “Tue 1 Dec, 09:00”; with the year if it is not this one."""

    def get_value(self, instance: Model) -> str:
        return format_moment(super().get_value(instance), now=timezone.now())


def format_moment(moment: datetime | None, *, now: datetime) -> str:
    if moment is None:
        return ""
    local = timezone.localtime(moment)
    this_year = local.year == timezone.localtime(now).year
    return date_format(local, gettext("D j M, H:i") if this_year else gettext("D j M Y, H:i"))
