"""The page for the people whom a cancelled send did not reach: it makes the issue that completes the send."""

from typing import TypedDict, cast

from django import forms
from django.contrib.auth.models import User
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from newsletter.desk.issues.issue_page import overview_url
from newsletter.desk.issues.planning.form_page import IssueFormPage
from newsletter.desk.shell.labels import label_issue_state, label_people
from newsletter.issues.assembly.stories_at_source import check_before_copy
from newsletter.issues.planning.complete_send import can_be_completed, complete_send, require_unreached
from newsletter.issues.variants.unreached import find_unreached
from newsletter.models import Issue


class UnreachedContext(TypedDict):
    """The context of desk/unreached.html. ``completions`` are (issue, URL, state in words)."""

    unreached: int
    completions: list[tuple[Issue, str, str]]
    completes: Issue | None
    completes_url: str
    can_complete: bool


def unreached_context(issue: Issue) -> UnreachedContext:
    """Return the people not reached and the issues that complete this one."""
    unreached = find_unreached(issue.pk).count() if can_be_completed(issue) else 0
    completions = list(issue.completions.select_related("publication").order_by("pk"))
    is_live = any(completion.state != Issue.State.CANCELLED for completion in completions)
    return {
        "unreached": unreached,
        "completions": [
            (completion, overview_url(completion), label_issue_state(completion).label) for completion in completions
        ],
        "completes": issue.completes,
        "completes_url": overview_url(issue.completes) if issue.completes else "",
        "can_complete": bool(unreached) and not is_live,
    }


class CompleteSend(IssueFormPage):
    form_class = forms.Form
    page_title = gettext_lazy("Correct and send to unreached recipients")
    button = gettext_lazy("Create corrected issue")

    def require_possible(self) -> None:
        require_unreached(self.issue)

    def list_sentences(self) -> list[str]:
        people = label_people(find_unreached(self.issue.pk).count())
        return [
            _("This makes a draft with the same content for those whom the send did not reach: %(people)s.")
            % {"people": people},
            _("Correct it, have it approved, then choose “Send now”. Each of them gets it once."),
            _("Those who got the issue or may have got it do not get it again, and nobody who joined since gets it."),
        ]

    def prepare(self, form: forms.Form) -> None:
        self.warn_of_gone_stories(check_before_copy(original=self.issue, now=timezone.now()))

    def run(self, form: forms.Form) -> str:
        made = complete_send(issue=self.issue, by=cast(User, self.request.user), now=timezone.now())
        message = _("%(issue)s was created for those not reached. Correct it now.") % {"issue": made}
        self.done("complete", instance=self.issue, message=message, made=made.pk)
        return reverse("wagtailsnippets_newsletter_issue:edit", args=[made.pk])
