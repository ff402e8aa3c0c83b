"""The desk's main menu and search, without the items of Wagtail that the desk does not use."""

from functools import partial

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from wagtail import hooks
from wagtail.admin.menu import MenuItem
from wagtail.admin.search import SearchArea

_HIDDEN_ITEMS = {
    "construct_main_menu": {"explorer", "documents", "help", "snippets"},
    "construct_settings_menu": {
        "groups",
        "sites",
        "redirects",
        "collections",
        "workflows",
        "workflow-tasks",
        "locales",
    },
    "construct_reports_menu": {
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


def hide_items(request: HttpRequest, items: list[MenuItem], *, menu: str) -> None:
    items[:] = [item for item in items if item.name not in _HIDDEN_ITEMS[menu]]


hooks.register("register_admin_menu_item", add_home)
hooks.register("register_admin_search_area", search_everything)
for menu in _HIDDEN_ITEMS:
    hooks.register(menu, partial(hide_items, menu=menu), order=1000)
