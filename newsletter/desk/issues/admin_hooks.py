"""Registers the pages of an issue and their log actions with Wagtail."""

from django.urls import path, re_path
from django.utils.translation import gettext_lazy as _

from newsletter.desk.approvals.approval_effect import withdraw_and_edit
from newsletter.desk.editor.check_panel import ChecksPart
from newsletter.desk.editor.preview import WatchPage
from newsletter.desk.home.checked_slots import check_slot
from newsletter.desk.issues.actions import ISSUE_STEPS, run_issue_step
from newsletter.desk.issues.audience.audience_page import IssueAudience
from newsletter.desk.issues.audience.compare_variants import ComparedMail, IssueCompare
from newsletter.desk.issues.checking.acknowledgement import acknowledge_warnings
from newsletter.desk.issues.comments.pages import COMMENT_STEPS, AddComment, AnswerComment, run_comment_step
from newsletter.desk.issues.content.reassemble_page import ReassemblePage
from newsletter.desk.issues.content.revisions import IssueRevisions, restore
from newsletter.desk.issues.content.story_use import StoryUse
from newsletter.desk.issues.languages.translate_page import TranslateIssue
from newsletter.desk.issues.overview import IssueMail, IssueOverview
from newsletter.desk.issues.planning.closing_pages import CloseIssue, DeleteIssue
from newsletter.desk.issues.planning.mistake_page import CorrectMistake
from newsletter.desk.issues.planning.new_issue import NewIssue
from newsletter.desk.issues.planning.subject_test_page import SetSubjectTest
from newsletter.desk.issues.planning.time_page import ChangeTime
from newsletter.desk.issues.proofs import send_proof
from newsletter.desk.issues.reuse.issue_forms import InsertBlock, SaveBlock, SaveTemplate
from newsletter.desk.issues.reuse.saved_pages import SAVED, DeleteSaved, RenameSaved, SavedMail, SavedPage
from newsletter.desk.preview.person import search_people
from newsletter.desk.preview.sent_mail_page import ExplainPage, SentMailPage, SentMailPart
from newsletter.desk.sends.people.unreached import CompleteSend
from subscribers.desk.listing import register_log_actions, register_pages

LOG_ACTIONS = {
    "assembled": (_("Assemble"), _("Assembled automatically")),
    "approve": (_("Approve"), _("Approved")),
    "withdraw": (_("Withdraw approval"), _("Approval withdrawn")),
    "hold": (_("Hold"), _("Held")),
    "release": (_("Release"), _("Released")),
    "acknowledge": (_("Mark warnings as reviewed"), _("Warnings marked as reviewed")),
    "check_links": (_("Check the links again"), _("Links checked again")),
    "reassemble": (_("Refresh content"), _("Content refreshed")),
    "create": (_("Create an issue"), _("Created by hand")),
    "slot_checked": (_("Check a time that may have been sent"), _("Time checked that may have been sent")),
    "change_time": (_("Change the time of an issue"), _("Time changed")),
    "subject_test": (_("Test subjects"), _("Subject test set")),
    "remove_subject_test": (_("Remove a subject test"), _("Subject test removed")),
    "ask": (_("Ask for approval"), _("Handed to review")),
    "close": (_("Skip or cancel an issue"), _("Skipped or cancelled")),
    "delete": (_("Delete a draft"), _("Draft deleted")),
    "restore": (_("Go back to an earlier version"), _("Earlier version restored")),
    "refuse_story": (_("Mark a story “Do not use”"), _("Marked “Do not use”")),
    "allow_story": (_("Use a story again"), _("Story can be used again")),
    "comment": (_("Comment"), _("Commented")),
    "comment_resolve": (_("Resolve a comment"), _("Comment resolved")),
    "comment_reopen": (_("Reopen a comment"), _("Comment reopened")),
    "block_saved": (_("Save a block or a template"), _("Saved to use again")),
    "block_inserted": (_("Insert a saved block"), _("Saved block inserted")),
    "saved_renamed": (_("Rename a saved block or template"), _("Renamed")),
    "saved_deleted": (_("Delete a saved block or template"), _("Saved block or template deleted")),
    "complete": (_("Correct an issue for those not reached"), _("Corrected issue made for those not reached")),
    "correct_mistake": (_("Correct a mistake in an issue"), _("Correction of a mistake drafted")),
    "translate": (_("Translate an issue"), _("Translation saved")),
    "proof": (_("Send a proof"), _("Proof sent")),
    "previewed_as": (_("Preview as a person"), _("Mail previewed as a person")),
    "saw_mail": (_("Look at a mail that a person got"), _("Mail of a person looked at")),
    "preview_as": (_("Search for a person"), _("Searched for a person to preview as")),
}

register_pages(
    path("issues/<int:pk>/overview/", IssueOverview.as_view(), name="newsletter_issue_overview"),
    path("issues/<int:pk>/mail/<str:mode>/", IssueMail.as_view(), name="newsletter_issue_mail"),
    re_path(rf"^issues/(?P<pk>\d+)/(?P<step>{'|'.join(ISSUE_STEPS)})/$", run_issue_step, name="newsletter_issue_step"),
    path("issues/<int:pk>/withdraw-to-edit/", withdraw_and_edit, name="newsletter_issue_withdraw_to_edit"),
    path("people/<int:pk>/issues/<int:issue>/", ExplainPage.as_view(), name="newsletter_person_issue"),
    path("people/<int:pk>/issues/<int:issue>/mail/", SentMailPage.as_view(), name="newsletter_person_mail"),
    path(
        "people/<int:pk>/issues/<int:issue>/mail/<str:part>/",
        SentMailPart.as_view(),
        name="newsletter_person_mail_part",
    ),
    path("issues/<int:pk>/audience/", IssueAudience.as_view(), name="newsletter_issue_audience"),
    path("issues/<int:pk>/languages/<slug:language>/", TranslateIssue.as_view(), name="newsletter_issue_translate"),
    path("issues/<int:pk>/checks/", ChecksPart.as_view(), name="newsletter_issue_checks"),
    path("issues/<int:pk>/watch/", WatchPage.as_view(), name="newsletter_issue_watch"),
    path("issues/<int:pk>/compare/", IssueCompare.as_view(), name="newsletter_issue_compare"),
    path("issues/<int:pk>/compare/<str:name>/<str:other>/", ComparedMail.as_view(), name="newsletter_issue_compared"),
    path("issues/times/<int:pk>/checked/", check_slot, name="newsletter_slot_checked"),
    path("issues/new/", NewIssue.as_view(), name="newsletter_issue_new"),
    path("issues/<int:pk>/assemble/", ReassemblePage.as_view(), name="newsletter_issue_reassemble"),
    path("issues/<int:pk>/subject-test/", SetSubjectTest.as_view(), name="newsletter_issue_subject_test"),
    path("issues/<int:pk>/time/", ChangeTime.as_view(), name="newsletter_issue_time"),
    path("issues/<int:pk>/close/", CloseIssue.as_view(), name="newsletter_issue_close"),
    path("issues/<int:pk>/delete/", DeleteIssue.as_view(), name="newsletter_issue_delete"),
    path("issues/<int:pk>/revisions/", IssueRevisions.as_view(), name="newsletter_issue_revisions"),
    path("issues/<int:pk>/revisions/<int:revision_id>/restore/", restore, name="newsletter_issue_restore"),
    path("issues/<int:pk>/comments/add/", AddComment.as_view(), name="newsletter_comment_add"),
    path(
        "issues/<int:pk>/comments/<int:comment>/answer/",
        AnswerComment.as_view(),
        name="newsletter_comment_answer",
    ),
    re_path(
        rf"^issues/(?P<pk>\d+)/comments/(?P<comment>\d+)/(?P<step>{'|'.join(COMMENT_STEPS)})/$",
        run_comment_step,
        name="newsletter_comment_step",
    ),
    path("issues/<int:pk>/blocks/save/", SaveBlock.as_view(), name="newsletter_block_save"),
    path("issues/<int:pk>/blocks/insert/", InsertBlock.as_view(), name="newsletter_block_insert"),
    path("issues/<int:pk>/complete/", CompleteSend.as_view(), name="newsletter_issue_complete"),
    path("issues/<int:pk>/correct/", CorrectMistake.as_view(), name="newsletter_issue_correct"),
    path("issues/<int:pk>/template/", SaveTemplate.as_view(), name="newsletter_template_save"),
    path("issues/saved/", SavedPage.as_view(), name="newsletter_saved"),
    re_path(rf"^issues/saved/{SAVED}/mail/$", SavedMail.as_view(), name="newsletter_saved_mail"),
    re_path(rf"^issues/saved/{SAVED}/rename/$", RenameSaved.as_view(), name="newsletter_saved_rename"),
    re_path(rf"^issues/saved/{SAVED}/delete/$", DeleteSaved.as_view(), name="newsletter_saved_delete"),
    path("stories/<int:pk>/use/", StoryUse.as_view(), name="newsletter_story_use"),
    path("issues/<int:pk>/proof/", send_proof, name="newsletter_issue_proof"),
    path("issues/<int:pk>/people/", search_people, name="newsletter_issue_people"),
    path("issues/<int:pk>/seen/", acknowledge_warnings, name="newsletter_issue_acknowledge"),
)
register_log_actions(LOG_ACTIONS)
