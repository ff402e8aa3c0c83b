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

from newsletter.desk.content import admin_hooks as care_pages
from newsletter.desk.content.appeals import AppealViewSet
from newsletter.desk.content.events import EventViewSet
from newsletter.desk.content.sources import SourceViewSet
from newsletter.desk.content.stories import StoryViewSet
from newsletter.desk.editor import admin_hooks as editor_pages
from newsletter.desk.editor.viewset import IssueViewSet
from newsletter.desk.home.panel import HomePanel
from newsletter.desk.issues.actions import STEPS, run_issue_step
from newsletter.desk.issues.overview import IssueMail, IssueOverview
from newsletter.desk.publications.viewset import PublicationGroup
from newsletter.desk.sends.actions import BATCH_STEPS, STEP_LABELS, run_send_step, settle
from newsletter.desk.sends.actions import STEPS as SEND_STEPS
from newsletter.desk.sends.confirmations import ConfirmStep, SendProgress
from newsletter.desk.shell import menus
from newsletter.desk.staff import admin_hooks as staff_pages

__all__ = ["care_pages", "editor_pages", "menus", "staff_pages"]

for viewset in (IssueViewSet, StoryViewSet, EventViewSet, AppealViewSet, SourceViewSet, PublicationGroup):
    register_snippet(viewset)


def register_admin_urls() -> list[URLPattern]:
    return [
        path("issues/<int:pk>/overview/", IssueOverview.as_view(), name="newsletter_issue_overview"),
        path("issues/<int:pk>/mail/<str:mode>/", IssueMail.as_view(), name="newsletter_issue_mail"),
        re_path(rf"^issues/(?P<pk>\d+)/(?P<step>{'|'.join(STEPS)})/$", run_issue_step, name="newsletter_issue_step"),
        path("issues/<int:pk>/send/progress/", SendProgress.as_view(), name="newsletter_send_progress"),
        re_path(
            r"^issues/(?P<pk>\d+)/send/(?P<step>start|cancel)/sure/$", ConfirmStep.as_view(), name="newsletter_send_ask"
        ),
        re_path(
            rf"^issues/(?P<pk>\d+)/send/(?P<step>{'|'.join(SEND_STEPS)})/$", run_send_step, name="newsletter_send_step"
        ),
        re_path(
            r"^issues/(?P<pk>\d+)/batches/(?P<batch>\d+)/(?P<step>again)/sure/$",
            ConfirmStep.as_view(),
            name="newsletter_batch_ask",
        ),
        re_path(
            rf"^issues/(?P<pk>\d+)/batches/(?P<batch>\d+)/(?P<step>{'|'.join(BATCH_STEPS)})/$",
            settle,
            name="newsletter_batch_step",
        ),
    ]


def register_documents_endpoint(router: Any) -> None:
    """Every page of the administration asks for this address, also where there are no documents. It is closed to all."""
    router.register_endpoint("documents", PagesAdminAPIViewSet)


def add_style() -> str:
    return format_html('<link rel="stylesheet" href="{}">', static("newsletter/desk.css"))


def replace_home_panels(request: HttpRequest, panels: list[Any]) -> None:
    panels[:] = [HomePanel()]


def hide_home_summary(request: HttpRequest, items: list[Any]) -> None:
    items.clear()


def register_log_actions(actions: Any) -> None:
    actions.register_action("newsletter.assembled", gettext_lazy("Assemble"), gettext_lazy("Assembled by itself"))
    actions.register_action("newsletter.approve", gettext_lazy("Approve"), gettext_lazy("Approved"))
    actions.register_action(
        "newsletter.withdraw", gettext_lazy("Take approval back"), gettext_lazy("Approval taken back")
    )
    actions.register_action("newsletter.hold", gettext_lazy("Hold"), gettext_lazy("Held"))
    actions.register_action("newsletter.release", gettext_lazy("Release"), gettext_lazy("Released"))
    for step, (label, message) in STEP_LABELS.items():
        actions.register_action(f"newsletter.{step}", label, message)


hooks.register("register_admin_urls", register_admin_urls)
hooks.register("construct_admin_api", register_documents_endpoint)
hooks.register("insert_global_admin_css", add_style)
hooks.register("construct_homepage_panels", replace_home_panels, order=1000)
hooks.register("construct_homepage_summary_items", hide_home_summary, order=1000)
hooks.register("register_log_actions", register_log_actions)
