"""The page that the notification of a new issue links to: the content, what changed since, and the decision.

Viewing it decides nothing. Decisions are posted to `issues.actions`.
"""

from http import HTTPStatus
from typing import TypedDict

from django.contrib import messages
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _

from newsletter.common.errors import BadLink
from newsletter.common.staff_pages import make_breadcrumbs
from newsletter.common.translation import translate
from newsletter.desk.editor.check_panel import ChecksContext, checks_context
from newsletter.desk.editor.preview import MAX_MODES
from newsletter.desk.issues.approval import ApprovalContext, approval_context
from newsletter.desk.issues.issue_page import (
    ISSUES,
    DeskPage,
    IssueHeadContext,
    issue_head_context,
    overview_url,
)
from newsletter.desk.issues.languages.language_gaps import NO_LANGUAGES, LanguagesContext, languages_context
from newsletter.desk.notices.pages import mark_read
from newsletter.issues.approval.changes_since_approval import find_changes
from newsletter.issues.approval.decision_links import ExpiredDecisionLink, read_decision
from newsletter.issues.snapshot.resolve import hash_approved_content, resolve_content
from newsletter.models import Issue


class ChangesContext(TypedDict):
    """The context that desk/decision_page.html adds: the changes of the issue since the notification."""

    changed: bool
    changes: list[str]


class DecisionContext(IssueHeadContext, ChecksContext, ApprovalContext, ChangesContext, LanguagesContext):
    """The context of desk/decision_page.html."""


class DecisionPage(DeskPage):
    """Show the issue of a signed link of the notification, with the buttons to approve or hold it.

    A link that has expired leads to the page of the issue, which has the same buttons.
    """

    template_name = "desk/decision_page.html"
    header_icon = "mail"

    def dispatch(self, request: HttpRequest, *args: object, **kwargs: str) -> HttpResponseBase:
        try:
            self.decision = read_decision(kwargs["token"], person=request.user.pk or 0, now=timezone.now())
            expired = None
        except ExpiredDecisionLink as error:
            self.decision, expired = error.decision, error
        except BadLink as error:
            messages.error(request, translate(error))
            return redirect("wagtailadmin_home")
        issue = ISSUES.filter(public_id=self.decision.issue).first()
        if issue is None:
            messages.error(request, _("The issue of this link no longer exists."))
            return redirect("wagtailadmin_home")
        if expired is not None:
            messages.warning(request, translate(expired))
            return redirect(overview_url(issue))
        self.issue: Issue = issue
        response: HttpResponseBase = super().dispatch(request, *args, **kwargs)
        response["Cache-Control"] = "no-store"
        if response.status_code == HTTPStatus.OK:
            mark_read(request.user, issue=self.issue)
        return response

    def get_page_title(self) -> str:
        title = _("Approve or hold")
        return f"{title}: {self.issue}"

    def get_breadcrumbs_items(self) -> list[dict[str, str]]:
        return make_breadcrumbs((str(self.issue), overview_url(self.issue)), (_("Approve or hold"), ""))

    def get_context_data(self, **kwargs: str) -> dict[str, object]:
        return {**super().get_context_data(**kwargs), **self._decision_context()}

    def _decision_context(self) -> DecisionContext:
        issue, user, now = self.issue, self.request.user, timezone.now()
        head = issue_head_context(issue, user=user, now=now)
        checks = checks_context(issue, limit=MAX_MODES)
        sha256 = checks.get("sha256", "")
        # Content from rules and the day of a welcome change automatically, and nobody approves them.
        approved = hash_approved_content(resolve_content(issue)) if issue.is_welcome and sha256 else sha256
        changed = not approved.startswith(self.decision.sha256)
        return {
            **head,
            **checks,
            **(languages_context(issue, now=now) if head["is_open"] else NO_LANGUAGES),
            **approval_context(issue, user=user, sha256=sha256),
            "changed": changed,
            "changes": [translate(change) for change in find_changes(issue)] if changed else [],
        }
