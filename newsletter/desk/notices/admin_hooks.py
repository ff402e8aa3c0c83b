"""Register the page of notices, and its menu item with the number of unread ones, with Wagtail."""

from django.http import HttpRequest
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail import hooks
from wagtail.admin.menu import MenuItem

from newsletter.desk.notices.pages import NoticesPage, find_unread


class NoticesMenuItem(MenuItem):
    """The menu item with a bell. Its label has the number of the person's unread notices."""

    def render_component(self, request: HttpRequest) -> object:
        item = super().render_component(request)
        if unread := find_unread(request.user).count():
            item.label = _("Notices (%(unread)s unread)") % {"unread": unread}
        return item


def add_notices() -> NoticesMenuItem:
    url = reverse("newsletter_notices")
    return NoticesMenuItem(gettext_lazy("Notices"), url, name="notices", icon_name="nl-bell", order=50)


def register_notice_urls() -> list[URLPattern]:
    return [path("notices/", NoticesPage.as_view(), name="newsletter_notices")]


def register_notice_icon(icons: list[str]) -> list[str]:
    return [*icons, "desk/icons/bell.svg", "desk/icons/undo.svg", "desk/icons/redo.svg"]


hooks.register("register_admin_menu_item", add_notices)
hooks.register("register_admin_urls", register_notice_urls)
hooks.register("register_icons", register_notice_icon)
