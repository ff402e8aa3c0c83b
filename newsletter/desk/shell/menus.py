"""The desk's main menu and search, without the items of Wagtail that the desk does not use."""

from functools import partial

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from wagtail import hooks
from wagtail.admin.menu import Menu, MenuItem, admin_menu, reports_menu, settings_menu
from wagtail.admin.search import SearchArea, admin_search_areas

_HIDDEN_ITEMS = {
    admin_menu: {"explorer", "documents", "help", "snippets"},
    settings_menu: {
        "groups",
        "sites",
        "redirects",
        "collections",
        "workflows",
        "workflow-tasks",
        "locales",
    },
    reports_menu: {
        "locked-pages",
        "workflows",
        "workflow-tasks",
        "aging-pages",
        "page-types-usage",
        "site-history",
    },
}


def add_home() -> MenuItem:
    return MenuItem(_("Home"), reverse("wagtailadmin_home"), name="home", icon_name="home", order=10)


def search_everything() -> SearchArea:
    """The menu's search box looks for everything. Wagtail's default would search images without saying so."""
    return SearchArea(_("Everything"), reverse("newsletter_search"), name="everything", order=1)


def hide_items(request: HttpRequest, items: list[MenuItem], *, menu: Menu) -> None:
    """Hide them, and let no later page ask who may see them: that takes queries about Wagtail's pages, which we do not have."""
    items[:] = _leave_out_hidden(items, menu)
    menu.registered_menu_items = _leave_out_hidden(menu.registered_menu_items, menu)
    areas = admin_search_areas.registered_search_areas
    admin_search_areas.registered_search_areas = [area for area in areas if area.name != "pages"]


def _leave_out_hidden(items: list[MenuItem], menu: Menu) -> list[MenuItem]:
    return [item for item in items if item.name not in _HIDDEN_ITEMS[menu]]


hooks.register("register_admin_menu_item", add_home)
hooks.register("register_admin_search_area", search_everything)
for menu in _HIDDEN_ITEMS:
    hooks.register(menu.construct_hook_name, partial(hide_items, menu=menu), order=1000)
