"""Registers the pages of an issue and their log actions with Wagtail."""

from django.urls import URLPattern, path, re_path
from django.utils.translation import gettext_lazy as _
from wagtail import hooks
from wagtail.log_actions import LogActionRegistry

from newsletter.desk.issues.actions import ISSUE_STEPS, run_issue_step
from newsletter.desk.issues.audience.audience_page import IssueAudience
from newsletter.desk.issues.audience.compare_variants import ComparedMail, IssueCompare
from newsletter.desk.issues.checking.acknowledgement import acknowledge_warnings
from newsletter.desk.issues.content.reassemble_page import ReassemblePage
from newsletter.desk.issues.content.revisions import IssueRevisions, restore
from newsletter.desk.issues.content.story_use import StoryUse
from newsletter.desk.issues.overview import IssueMail, IssueOverview
from newsletter.desk.issues.planning.closing_pages import CloseIssue, DeleteIssue
from newsletter.desk.issues.planning.new_issue import NewIssue
from newsletter.desk.issues.planning.time_page import ChangeTime
from newsletter.desk.issues.proofs import send_proof
from newsletter.desk.preview.person import search_people

LOG_ACTIONS = {
    "assembled": (_("Assemble"), _("Assembled automatically")),
    "approve": (_("Approve"), _("Approved")),
    "withdraw": (_("Withdraw approval"), _("Approval withdrawn")),
    "hold": (_("Hold"), _("Held")),
    "release": (_("Release"), _("Released")),
    "acknowledge": (_("Mark warnings as reviewed"), _("Warnings marked as reviewed")),
    "reassemble": (_("Refresh content"), _("Content refreshed")),
    "create": (_("Create an issue"), _("Created by hand")),
    "change_time": (_("Change the time of an issue"), _("Time changed")),
    "close": (_("Skip or cancel an issue"), _("Skipped or cancelled")),
    "delete": (_("Delete a draft"), _("Draft deleted")),
    "restore": (_("Go back to an earlier version"), _("Earlier version restored")),
    "refuse_story": (_("Mark a story “Do not use”"), _("Marked “Do not use”")),
    "allow_story": (_("Use a story again"), _("Story can be used again")),
    "proof": (_("Send a proof"), _("Proof sent")),
    "previewed_as": (_("Preview as a person"), _("Mail previewed as a person")),
    "preview_as": (_("Search for a person"), _("Searched for a person to preview as")),
}


def register_issue_urls() -> list[URLPattern]:
    steps = "|".join(ISSUE_STEPS)
    return [
        path("issues/<int:pk>/overview/", IssueOverview.as_view(), name="newsletter_issue_overview"),
        path("issues/<int:pk>/mail/<str:mode>/", IssueMail.as_view(), name="newsletter_issue_mail"),
        re_path(rf"^issues/(?P<pk>\d+)/(?P<step>{steps})/$", run_issue_step, name="newsletter_issue_step"),
        path("issues/<int:pk>/audience/", IssueAudience.as_view(), name="newsletter_issue_audience"),
        path("issues/<int:pk>/compare/", IssueCompare.as_view(), name="newsletter_issue_compare"),
        path(
            "issues/<int:pk>/compare/<str:name>/<str:other>/", ComparedMail.as_view(), name="newsletter_issue_compared"
        ),
        path("issues/new/", NewIssue.as_view(), name="newsletter_issue_new"),
        path("issues/<int:pk>/assemble/", ReassemblePage.as_view(), name="newsletter_issue_reassemble"),
        path("issues/<int:pk>/time/", ChangeTime.as_view(), name="newsletter_issue_time"),
        path("issues/<int:pk>/close/", CloseIssue.as_view(), name="newsletter_issue_close"),
        path("issues/<int:pk>/delete/", DeleteIssue.as_view(), name="newsletter_issue_delete"),
        path("issues/<int:pk>/revisions/", IssueRevisions.as_view(), name="newsletter_issue_revisions"),
        path("issues/<int:pk>/revisions/<int:revision_id>/restore/", restore, name="newsletter_issue_restore"),
        path("stories/<int:pk>/use/", StoryUse.as_view(), name="newsletter_story_use"),
        path("issues/<int:pk>/proof/", send_proof, name="newsletter_issue_proof"),
        path("issues/<int:pk>/people/", search_people, name="newsletter_issue_people"),
        path("issues/<int:pk>/seen/", acknowledge_warnings, name="newsletter_issue_acknowledge"),
    ]


def register_issue_log_actions(actions: LogActionRegistry) -> None:
    for name, (label, message) in LOG_ACTIONS.items():
        actions.register_action(f"newsletter.{name}", label, message)


hooks.register("register_admin_urls", register_issue_urls)
hooks.register("register_log_actions", register_issue_log_actions)
