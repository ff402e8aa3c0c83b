"""The desk's menu, and what Wagtail would put in it that is not for us."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from wagtail import hooks
from wagtail.admin.menu import MenuItem
from wagtail.admin.search import SearchArea

_NOT_OURS = {
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


def leave_out_of_main(request: HttpRequest, items: list[Any]) -> None:
    _leave_out("construct_main_menu", items)


def leave_out_of_settings(request: HttpRequest, items: list[Any]) -> None:
    _leave_out("construct_settings_menu", items)


def leave_out_of_reports(request: HttpRequest, items: list[Any]) -> None:
    _leave_out("construct_reports_menu", items)


class StorySearch(SearchArea):
    """What the search in the menu looks through: stories. It would be pictures otherwise, without saying so."""

    def is_shown(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("newsletter.view_story") or request.user.has_perm("newsletter.change_story"))


def search_stories() -> SearchArea:
    return StorySearch(_("Stories"), reverse("wagtailsnippets_newsletter_story:list"), name="stories", order=1)


def _leave_out(menu: str, items: list[Any]) -> None:
    items[:] = [item for item in items if item.name not in _NOT_OURS[menu]]


hooks.register("register_admin_menu_item", add_home)
hooks.register("construct_main_menu", leave_out_of_main, order=1000)
hooks.register("construct_settings_menu", leave_out_of_settings, order=1000)
hooks.register("construct_reports_menu", leave_out_of_reports, order=1000)
hooks.register("register_admin_search_area", search_stories)
