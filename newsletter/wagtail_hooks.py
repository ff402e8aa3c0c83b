"""Puts publishing's screens into Wagtail's administration. Only registrations stand here."""

from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import URLPattern, path, re_path
from django.utils.html import format_html
from django.utils.translation import gettext_lazy
from wagtail import hooks
from wagtail.admin.api.views import PagesAdminAPIViewSet
from wagtail.snippets.models import register_snippet

from newsletter.desk.content import consent_pages as care_pages
from newsletter.desk.content.appeals import AppealViewSet
from newsletter.desk.content.events import EventViewSet
from newsletter.desk.content.sources import SourceViewSet
from newsletter.desk.content.stories import StoryViewSet
from newsletter.desk.editor import pages as editor_pages
from newsletter.desk.editor.viewset import IssueViewSet
from newsletter.desk.home.panel import HomePanel
from newsletter.desk.issues.actions import STEPS, decide
from newsletter.desk.issues.overview import IssueMail, IssueOverview
from newsletter.desk.publications.publications import PublicationGroup
from newsletter.desk.sends.actions import BATCH_STEPS, WORDS, settle, steer
from newsletter.desk.sends.actions import STEPS as SEND_STEPS
from newsletter.desk.sends.send_pages import AskFirst, SendProgress
from newsletter.desk.shell import menus
from newsletter.desk.staff import staff_pages

__all__ = ["care_pages", "editor_pages", "menus", "staff_pages"]

for viewset in (IssueViewSet, StoryViewSet, EventViewSet, AppealViewSet, SourceViewSet, PublicationGroup):
    register_snippet(viewset)


def add_urls() -> list[URLPattern]:
    return [
        path("issues/<int:pk>/overview/", IssueOverview.as_view(), name="newsletter_issue_overview"),
        path("issues/<int:pk>/mail/<str:mode>/", IssueMail.as_view(), name="newsletter_issue_mail"),
        re_path(rf"^issues/(?P<pk>\d+)/(?P<step>{'|'.join(STEPS)})/$", decide, name="newsletter_issue_step"),
        path("issues/<int:pk>/send/progress/", SendProgress.as_view(), name="newsletter_send_progress"),
        re_path(
            r"^issues/(?P<pk>\d+)/send/(?P<step>start|cancel)/sure/$", AskFirst.as_view(), name="newsletter_send_ask"
        ),
        re_path(rf"^issues/(?P<pk>\d+)/send/(?P<step>{'|'.join(SEND_STEPS)})/$", steer, name="newsletter_send_step"),
        re_path(
            r"^issues/(?P<pk>\d+)/batches/(?P<batch>\d+)/(?P<step>again)/sure/$",
            AskFirst.as_view(),
            name="newsletter_batch_ask",
        ),
        re_path(
            rf"^issues/(?P<pk>\d+)/batches/(?P<batch>\d+)/(?P<step>{'|'.join(BATCH_STEPS)})/$",
            settle,
            name="newsletter_batch_step",
        ),
    ]


def name_documents(router: Any) -> None:
    """Every page of the administration asks for this address, also where there are no documents. It is closed to all."""
    router.register_endpoint("documents", PagesAdminAPIViewSet)


def add_style() -> str:
    return format_html('<link rel="stylesheet" href="{}">', static("newsletter/desk.css"))


def fill_home(request: HttpRequest, panels: list[Any]) -> None:
    panels[:] = [HomePanel()]


def leave_out_summary(request: HttpRequest, items: list[Any]) -> None:
    items.clear()


def name_log_actions(actions: Any) -> None:
    actions.register_action("newsletter.assembled", gettext_lazy("Assemble"), gettext_lazy("Assembled by itself"))
    actions.register_action("newsletter.approve", gettext_lazy("Approve"), gettext_lazy("Approved"))
    actions.register_action(
        "newsletter.withdraw", gettext_lazy("Take approval back"), gettext_lazy("Approval taken back")
    )
    actions.register_action("newsletter.hold", gettext_lazy("Hold"), gettext_lazy("Held"))
    actions.register_action("newsletter.release", gettext_lazy("Release"), gettext_lazy("Released"))
    for step, (label, message) in WORDS.items():
        actions.register_action(f"newsletter.{step}", label, message)


hooks.register("register_admin_urls", add_urls)
hooks.register("construct_admin_api", name_documents)
hooks.register("insert_global_admin_css", add_style)
hooks.register("construct_homepage_panels", fill_home, order=1000)
hooks.register("construct_homepage_summary_items", leave_out_summary, order=1000)
hooks.register("register_log_actions", name_log_actions)
