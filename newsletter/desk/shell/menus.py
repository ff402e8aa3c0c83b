"""The desk's menu, and what Wagtail would put in it that is not for us."""

from typing import Any

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


class HomeItem(MenuItem):
    """Home is there for everybody who may enter."""


def add_home() -> MenuItem:
    return HomeItem(_("Home"), reverse("wagtailadmin_home"), name="home", icon_name="home", order=10)


def hide_main_items(request: HttpRequest, items: list[Any]) -> None:
    _hide_items("construct_main_menu", items)


def hide_settings_items(request: HttpRequest, items: list[Any]) -> None:
    _hide_items("construct_settings_menu", items)


def hide_report_items(request: HttpRequest, items: list[Any]) -> None:
    _hide_items("construct_reports_menu", items)


class StorySearch(SearchArea):
    """What the search in the menu looks through: stories. It would be pictures otherwise, without saying so."""

    def is_shown(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("newsletter.view_story") or request.user.has_perm("newsletter.change_story"))


def search_stories() -> SearchArea:
    return StorySearch(_("Stories"), reverse("wagtailsnippets_newsletter_story:list"), name="stories", order=1)


def _hide_items(menu: str, items: list[Any]) -> None:
    items[:] = [item for item in items if item.name not in _HIDDEN_ITEMS[menu]]


hooks.register("register_admin_menu_item", add_home)
hooks.register("construct_main_menu", hide_main_items, order=1000)
hooks.register("construct_settings_menu", hide_settings_items, order=1000)
hooks.register("construct_reports_menu", hide_report_items, order=1000)
hooks.register("register_admin_search_area", search_stories)
