"""The editor's and the preview's own pages, put into Wagtail's administration. Only registrations stand here."""

from typing import Any

from django.templatetags.static import static
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from wagtail import hooks

from newsletter.desk.issues.audience_page import IssueAudience
from newsletter.desk.issues.compare import ComparedMail, IssueCompare
from newsletter.desk.issues.proofs import send_proof
from newsletter.desk.issues.reassembly import reassemble
from newsletter.desk.issues.warning_acknowledgement import acknowledge_warnings
from newsletter.desk.preview.person import search_people


def register_admin_urls() -> list[URLPattern]:
    return [
        path("issues/<int:pk>/audience/", IssueAudience.as_view(), name="newsletter_issue_audience"),
        path("issues/<int:pk>/compare/", IssueCompare.as_view(), name="newsletter_issue_compare"),
        path(
            "issues/<int:pk>/compare/<str:name>/<str:other>/", ComparedMail.as_view(), name="newsletter_issue_compared"
        ),
        path("issues/<int:pk>/assemble/", reassemble, name="newsletter_issue_reassemble"),
        path("issues/<int:pk>/proof/", send_proof, name="newsletter_issue_proof"),
        path("issues/<int:pk>/people/", search_people, name="newsletter_issue_people"),
        path("issues/<int:pk>/seen/", acknowledge_warnings, name="newsletter_issue_acknowledge"),
    ]


def add_style() -> str:
    return format_html('<link rel="stylesheet" href="{}">', static("newsletter/editor.css"))


def register_log_actions(actions: Any) -> None:
    actions.register_action("newsletter.acknowledge", _("Say to have seen warnings"), _("Said to have seen warnings"))
    actions.register_action("newsletter.reassemble", _("Assemble again"), _("Assembled again"))
    actions.register_action("newsletter.proof", _("Send a proof"), _("Sent a proof"))
    actions.register_action("newsletter.previewed_as", _("Preview as a person"), _("Previewed a mail as a person"))
    actions.register_action("newsletter.preview_as", _("Look somebody up"), _("Looked for a reader to preview as"))


hooks.register("register_admin_urls", register_admin_urls)
hooks.register("insert_global_admin_css", add_style)
hooks.register("register_log_actions", register_log_actions)
