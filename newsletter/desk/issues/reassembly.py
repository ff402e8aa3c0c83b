"""“Assemble again” on an issue's page: one service call, and what came, went and was kept."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST
from wagtail.log_actions import log

from newsletter.common.errors import DomainError
from newsletter.common.translation import translate
from newsletter.issues.assembly.reassemble import Reassembly, reassemble_issue
from newsletter.issues.assembly.stories_at_source import check_before_assembly
from newsletter.models import Issue


@require_POST
def reassemble(request: HttpRequest, pk: int) -> HttpResponse:
    """Take in what is new since, and leave what was edited by hand."""
    issue = get_object_or_404(Issue, pk=pk)
    try:
        if issue.slot is not None and request.user.has_perm("newsletter.change_issue"):
            check_before_assembly(slot=issue.slot, now=timezone.now(), exclude_issue=issue)
        done = reassemble_issue(issue=issue, by=request.user, now=timezone.now())
    except DomainError as error:
        messages.error(request, translate(error))
    else:
        log(instance=issue, action="newsletter.reassemble", user=request.user, data={"changed": done.changed})
        messages.success(request, describe_reassembly(done))
    return redirect("newsletter_issue_overview", pk)


def describe_reassembly(done: Reassembly) -> str:
    """What became of the issue, in sentences."""
    said = [
        _("It was assembled again.") if done.changed else _("It was assembled again; nothing is different."),
        _("New: %(titles)s.") % {"titles": _quote(done.added)} if done.added else "",
        _("Gone: %(titles)s.") % {"titles": _quote(done.removed)} if done.removed else "",
        _("Kept as you made it: %(what)s.") % {"what": ", ".join(translate(one) for one in done.kept)}
        if done.kept
        else "",
    ]
    return " ".join(sentence for sentence in said if sentence)


def _quote(titles: list[str]) -> str:
    return ", ".join(f"“{title}”" for title in titles)
