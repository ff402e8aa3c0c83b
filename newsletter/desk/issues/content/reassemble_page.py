"""The page “Refresh content”: what assembling the issue again would change, and the button that does it."""

from typing import TypedDict, cast

from django.contrib import messages
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.log_actions import log

from newsletter.common.errors import DomainError
from newsletter.common.staff_pages import ServiceAction
from newsletter.common.translation import translate
from newsletter.desk.issues.issue_page import IssuePage, overview_url
from newsletter.issues.assembly.reassemble import Reassembly, is_made_by_rules, preview_reassembly, reassemble_issue
from newsletter.issues.assembly.stories_at_source import check_before_assembly, describe_left_out
from newsletter.models import Issue


class ReassembleContext(TypedDict):
    """The context of desk/reassemble.html. ``refusal`` says why there is no plan."""

    issue: Issue
    plan: Reassembly | None
    kept: list[str]
    refusal: str
    is_approved: bool


class ReassemblePage(IssuePage):
    template_name = "desk/reassemble.html"
    header_icon = "mail"
    page_title = gettext_lazy("Refresh content")
    any_permission_required = ["change"]

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        return {**super().get_context_data(**kwargs), **self._reassemble_context()}

    def _reassemble_context(self) -> ReassembleContext:
        issue = self.issue
        approved = issue.approvals.filter(withdrawn_at__isnull=True).exists()
        try:
            plan = preview_reassembly(issue=issue, now=timezone.now())
        except DomainError as error:
            return {"issue": issue, "plan": None, "kept": [], "refusal": translate(error), "is_approved": approved}
        kept_labels = [translate(label) for label in plan.kept]
        return {"issue": issue, "plan": plan, "kept": kept_labels, "refusal": "", "is_approved": approved}

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Apply the shown plan, and go back to the issue's page."""
        issue = self.issue

        def call() -> str:
            now = timezone.now()
            if is_made_by_rules(issue):
                gone_stories = check_before_assembly(issue=issue, now=now)
                if gone_stories:
                    messages.warning(request, translate(describe_left_out(gone_stories)))
            seen = request.POST.get("sha256", "")
            with transaction.atomic():
                result = reassemble_issue(issue=issue, by=cast(User, request.user), now=now, seen_sha256=seen)
                data = {"changed": result.changed}
                log(instance=issue, action="newsletter.reassemble", user=request.user, data=data)
            return describe_reassembly(result)

        action = ServiceAction(call=call, instance=issue, log_action=None)
        return action.respond(request, back=overview_url(issue))


def describe_reassembly(result: Reassembly) -> str:
    """Return sentences that list the added, removed and kept parts."""
    sentences = [
        _("The content was refreshed.") if result.changed else _("The content was refreshed. Nothing changed.")
    ]
    if result.added:
        sentences.append(_("Added: %(titles)s.") % {"titles": _quote(result.added)})
    if result.removed:
        sentences.append(_("Removed: %(titles)s.") % {"titles": _quote(result.removed)})
    if result.kept:
        sentences.append(_("Your edits are kept: %(what)s.") % {"what": ", ".join(map(translate, result.kept))})
    return " ".join(sentences)


def _quote(titles: list[str]) -> str:
    return ", ".join(f"“{title}”" for title in titles)
