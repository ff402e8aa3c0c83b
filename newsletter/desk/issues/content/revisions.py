"""The page “Versions over time”: compare any two revisions of an issue's content, and go back to one."""

from datetime import datetime
from typing import TypedDict, cast

from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST
from wagtail.models import Revision

from newsletter.common.errors import DomainError
from newsletter.common.staff_pages import Done, ServiceAction
from newsletter.common.translation import translate
from newsletter.desk.issues.audience.compare_variants import Line, compare_lines
from newsletter.desk.issues.issue_page import ISSUES, IssuePage, overview_url
from newsletter.desk.preview.file_errors import explain_failure
from newsletter.desk.preview.mail_iframe import fill_personal_fields
from newsletter.issue_checks.variant_groups import EMPTY_GROUP, render_for_group
from newsletter.issues.approval.edits_of_approved_issues import find_open_approvals, name_approver
from newsletter.issues.planning.restore_revision import restore_revision
from newsletter.issues.snapshot.resolve import resolve_complete_content
from newsletter.models import Issue
from newsletter.rendering.merge import show_defaults

MAX_REVISIONS = 200


class RevisionsContext(TypedDict):
    """The context of desk/issue_revisions.html, each revision with its subject. ``left`` and ``right`` are None until chosen."""

    issue: Issue
    revisions: list[tuple[Revision, str]]
    left: Revision | None
    right: Revision | None
    lines: list[Line]
    can_restore: bool
    approvals: list[tuple[str, datetime]]


class IssueRevisions(IssuePage):
    template_name = "desk/issue_revisions.html"
    header_icon = "history"
    page_title = gettext_lazy("History")

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        return {**super().get_context_data(**kwargs), **self._revisions_context()}

    def _revisions_context(self) -> RevisionsContext:
        revisions = list(_find_revisions(self.issue).select_related("user")[:MAX_REVISIONS])
        chosen = {revision.pk: revision for revision in revisions}
        left, right = (chosen.get(_read_id(self.request, name)) for name in ("left", "right"))
        lines = compare_lines(_describe(left), _describe(right)) if left and right else []
        can_edit = self.request.user.has_perm("newsletter.change_issue")
        return {
            "issue": self.issue,
            "revisions": [(listed, show_defaults(str(listed.content.get("subject") or ""))) for listed in revisions],
            "left": left,
            "right": right,
            "lines": lines,
            "can_restore": can_edit and self.issue.state in Issue.UNSENT_STATES,
            "approvals": [
                (translate(name_approver(approval)), approval.at) for approval in find_open_approvals(self.issue)
            ],
        }


@require_POST
def restore(request: HttpRequest, pk: int, revision_id: int) -> HttpResponse:
    """Give the issue the content of the revision, and go back to its page."""
    issue = get_object_or_404(ISSUES, pk=pk)
    earlier = get_object_or_404(_find_revisions(issue), pk=revision_id)

    def call() -> Done:
        withdrawn = restore_revision(
            issue=issue,
            revision=earlier,
            by=cast(User, request.user),
            now=timezone.now(),
            may_withdraw="withdraw" in request.POST,
        )
        message = _("The issue has the content of the chosen version again.")
        if withdrawn:
            message += " " + _("Its approval was withdrawn. Approve it again.")
        return Done(message, {"revision": earlier.pk, "approval_withdrawn": withdrawn})

    action = ServiceAction(call=call, instance=issue, log_action="newsletter.restore")
    return action.respond(request, back=overview_url(issue))


def _find_revisions(issue: Issue) -> QuerySet[Revision]:
    revisions: QuerySet[Revision] = issue.revisions
    return revisions.order_by("-created_at", "-pk")


def _read_id(request: HttpRequest, name: str) -> int:
    text = request.GET.get(name, "")
    return int(text) if text.isdecimal() and len(text) <= 18 else 0


def _describe(revision: Revision) -> str:
    """Return the texts of a revision as lines: what inboxes show, the layout, and the plain text of the mail."""
    issue: Issue = revision.as_object()
    head = [
        _("Subject: %(text)s") % {"text": issue.subject},
        _("Preheader: %(text)s") % {"text": issue.preheader},
        _("Layout: %(text)s") % {"text": issue.get_layout_display()},
        _("Headline: %(text)s") % {"text": issue.headline},
        "",
    ]
    try:
        mail = render_for_group(resolve_complete_content(issue), group=EMPTY_GROUP)
    except (DomainError, OSError) as error:
        return "\n".join([*head, explain_failure(error)])
    return "\n".join([*head, fill_personal_fields(mail.text, mail=mail)])
