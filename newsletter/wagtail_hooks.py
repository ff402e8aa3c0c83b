"""The entry point that Wagtail imports: models with lists and editors, and the desk's hooks.

Each large package of the desk registers its own pages in its `admin_hooks`, and `desk/staff/admin_hooks` those of the small ones.
"""

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from wagtail import hooks
from wagtail.admin.api.views import PagesAdminAPIViewSet
from wagtail.admin.ui.components import Component
from wagtail.api.v2.router import WagtailAPIRouter
from wagtail.snippets.models import register_snippet

import newsletter.desk.content.admin_hooks
import newsletter.desk.issues.admin_hooks
import newsletter.desk.notices.pages
import newsletter.desk.sends.admin_hooks
import newsletter.desk.setup.admin_hooks
import newsletter.desk.shell.menus
import newsletter.desk.staff.admin_hooks
import newsletter.desk.welcome.admin_hooks  # noqa: F401  each import registers hooks
from newsletter.desk.approvals.approval_effect import ApprovalEffect
from newsletter.desk.content.appeals import AppealViewSet
from newsletter.desk.content.cases.viewset import CaseViewSet
from newsletter.desk.content.events import EventViewSet
from newsletter.desk.content.sources import SourceViewSet
from newsletter.desk.content.stories import StoryViewSet
from newsletter.desk.editor.block_form import register_body_blocks
from newsletter.desk.editor.viewset import IssueViewSet, name_save_button
from newsletter.desk.home.panel import HomePanel
from newsletter.desk.publications.viewset import PublicationGroup
from subscribers.desk.editing import archiving
from subscribers.desk.editing.edit_effects import register_edit_effect
from subscribers.desk.listing import register_log_actions

register_edit_effect(ApprovalEffect())
register_body_blocks()

_STYLES = ("frame", "blocks", "tables", "forms", "issue", "account", "editor")
"""In the order in which they are loaded: a later one may change an earlier one's rule."""
_FORM_SCRIPTS = (
    "announce",
    "missing_labels",
    "keep_focus",
    "first_error",
    "focus_message",
    "save_rich_text",
    "ask_before_leaving",
)

for viewset in (
    IssueViewSet,
    StoryViewSet,
    CaseViewSet,
    EventViewSet,
    AppealViewSet,
    SourceViewSet,
    PublicationGroup,
):
    register_snippet(viewset)


def register_documents_endpoint(router: WagtailAPIRouter) -> None:
    """Register an address that each page of Wagtail's admin reverses. `BLOCKED_PATHS` closes it."""
    router.register_endpoint("documents", PagesAdminAPIViewSet)


def add_styles() -> str:
    files = ((static(f"newsletter/desk/{name}.css"),) for name in _STYLES)
    return format_html_join("", '<link rel="stylesheet" href="{}">', files)


def add_form_scripts() -> str:
    files = ((static(f"newsletter/{name}.js"),) for name in _FORM_SCRIPTS)
    return format_html_join("", '<script src="{}"></script>', files)


def add_sending_once() -> str:
    """Return the scripts that send a form once and keep what was typed into it."""
    texts = {
        "offline": _(
            "No connection, so nothing was done. What you typed is kept on this page. Press the button again when the"
            " connection is back."
        ),
        "signed-out": _(
            "You are signed out, so nothing was done. What you typed is kept on this page. Sign in, come back and press the"
            " button again."
        ),
        "busy": _("One moment …"),
        "sign-in": _("Sign in in a new tab"),
        "sign-in-url": reverse("wagtailadmin_login"),
        "home-url": reverse("wagtailadmin_home"),
    }
    return format_html(
        '<script src="{}"></script><script src="{}"{}></script>',
        static("newsletter/save_obstacles.js"),
        static("newsletter/send_once.js"),
        format_html_join("", ' data-{}="{}"', texts.items()),
    )


def replace_home_panels(request: HttpRequest, panels: list[Component]) -> None:
    panels[:] = [HomePanel()]


def hide_home_summary(request: HttpRequest, items: list[Component]) -> None:
    items.clear()


hooks.register("construct_admin_api", register_documents_endpoint)
hooks.register("insert_global_admin_css", add_styles)
hooks.register("insert_global_admin_js", add_form_scripts)
hooks.register("insert_global_admin_js", add_sending_once)
register_log_actions(archiving.LOG_ACTIONS)
hooks.register("construct_snippet_action_menu", name_save_button)
hooks.register("construct_homepage_panels", replace_home_panels, order=1000)
hooks.register("construct_homepage_summary_items", hide_home_summary, order=1000)
