"""A person's notices in the desk, which they also got by mail. Opening one leads to where it can be settled.

The menu item has the number of unread ones.
"""

from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User
from django.db import OperationalError
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail import hooks
from wagtail.admin.menu import MenuItem

from newsletter.common.database.error_codes import is_locked
from newsletter.common.database.sqlite_pragmas import sqlite_lock_wait
from newsletter.common.staff_pages import StaffTemplatePage
from newsletter.common.translation import translate
from newsletter.issues.approval.write_notices import issue_page_url
from newsletter.issues.protected_terms.check import replace_protected_text
from newsletter.models import Issue, StaffNotice
from subscribers.desk.listing import register_pages

MAX_SHOWN = 100
LOCK_WAIT_SECONDS = 0.5


def find_unread(user: User | AnonymousUser) -> QuerySet[StaffNotice]:
    return StaffNotice.objects.filter(person=user.pk, read_at__isnull=True)


def mark_read(person: User | AnonymousUser, *, issue: Issue) -> None:
    """Mark the person's notices about this issue as read. If others write to the database for long, leave it to the next page."""
    decisions = f"{settings.NEWSLETTER_SITE_URL}/admin/decide/{issue.public_id}."
    about = Q(link__startswith=issue_page_url(issue)) | Q(link__startswith=decisions)
    opened = list(find_unread(person).filter(about).values_list("pk", flat=True))
    if not opened:
        return
    try:
        with sqlite_lock_wait(seconds=LOCK_WAIT_SECONDS):
            StaffNotice.objects.filter(pk__in=opened).update(read_at=timezone.now())
    except OperationalError as error:
        if not is_locked(error):
            raise


class NoticesPage(StaffTemplatePage):
    """List one's own notices, the newest first. POST opens one (``open``), or marks all that were shown as read."""

    template_name = "desk/notices.html"
    page_title = gettext_lazy("Notices")
    header_icon = "nl-bell"

    def post(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        opened = request.POST.get("open", "")
        if opened.isdecimal():
            notice = get_object_or_404(StaffNotice, pk=int(opened), person=request.user.pk)
            find_unread(request.user).filter(pk=notice.pk).update(read_at=timezone.now())
            return redirect(notice.link)
        newest = request.POST.get("newest", "")
        if newest.isdecimal():
            find_unread(request.user).filter(pk__lte=int(newest)).update(read_at=timezone.now())
        return redirect("newsletter_notices")

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        notices = list(StaffNotice.objects.filter(person=self.request.user.pk).order_by("-pk")[:MAX_SHOWN])
        return {
            **super().get_context_data(**kwargs),
            "notices": [
                {
                    "notice": notice,
                    "subject": translate(replace_protected_text(notice.subject)),
                    "paragraphs": [translate(replace_protected_text(text)) for text in notice.paragraphs],
                }
                for notice in notices
            ],
            "unread": find_unread(self.request.user).count(),
            "newest": notices[0].pk if notices else 0,
        }


class NoticesMenuItem(MenuItem):
    """The menu item with a bell. Its label has the number of the person's unread notices."""

    def render_component(self, request: HttpRequest) -> object:
        item = super().render_component(request)
        unread = find_unread(request.user).count()
        if unread:
            item.label = _("Notices (%(unread)s unread)") % {"unread": unread}
        return item


def add_notices() -> NoticesMenuItem:
    url = reverse("newsletter_notices")
    return NoticesMenuItem(gettext_lazy("Notices"), url, name="notices", icon_name="nl-bell", order=50)


def register_notice_icon(icons: list[str]) -> list[str]:
    return [*icons, "desk/icons/bell.svg", "desk/icons/undo.svg", "desk/icons/redo.svg"]


hooks.register("register_admin_menu_item", add_notices)
register_pages(path("notices/", NoticesPage.as_view(), name="newsletter_notices"))
hooks.register("register_icons", register_notice_icon)
