"""The pages that end an issue before it is sent: skip, cancel, delete. Each asks for a reason."""

from typing import cast

from django import forms
from django.contrib.auth.models import User
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from newsletter.common.fields.limited_text import LimitedTextField
from newsletter.desk.issues.planning.form_page import IssueFormPage
from newsletter.desk.publications.schedule_text import find_next_time
from newsletter.desk.publications.slot_text import format_due
from newsletter.issues.planning.close_issue import (
    MAX_REASON,
    can_be_deleted,
    close_issue,
    delete_issue,
    require_closable,
    require_deletable,
)
from newsletter.models import Issue


class ReasonForm(forms.Form):
    reason = LimitedTextField(
        label=gettext_lazy("Reason"),
        max_length=MAX_REASON,
        help_text=gettext_lazy("Other staff see it, with your name and the time."),
    )


class CloseIssue(IssueFormPage):
    """Skip an issue of the schedule, or cancel another."""

    form_class = ReasonForm
    dangerous = True

    def get_page_title(self) -> str:
        return _("Skip this issue") if self.issue.slot_id else _("Cancel this issue")

    @property
    def button(self) -> str:  # type: ignore[override]
        return self.get_page_title()

    def require_possible(self) -> None:
        require_closable(self.issue)

    def list_sentences(self) -> list[str]:
        sentences = [_("Nobody gets this issue, and this cannot be undone.")]
        if self.issue.slot_id:
            sentences.append(_("The next issue of the schedule is made as planned."))
        sentences += [
            _("It stays in the list of issues. Its stories can go into another issue."),
            _("To stop it only for a while, put it on hold instead."),
        ]
        if can_be_deleted(self.issue):
            sentences.append(_("To remove its text too, delete the draft instead."))
        return sentences

    def run(self, form: forms.Form) -> str:
        reason = form.cleaned_data["reason"]
        close_issue(issue=self.issue, reason=reason, by=cast(User, self.request.user), now=timezone.now())
        self.done(
            "close",
            instance=self.issue,
            message=_describe_closed(self.issue),
            reason=reason,
        )
        return self.back_url


def _describe_closed(issue: Issue) -> str:
    """Return that the issue is skipped and when the next is planned, or that it is cancelled."""
    if issue.slot_id is None:
        return _("%(issue)s is cancelled.") % {"issue": issue}
    text = _("%(issue)s is skipped.") % {"issue": issue}
    due = find_next_time(issue.publication, now=timezone.now())
    if due is None:
        return text
    day = format_due(due, zone=issue.publication.zone, form=_("j F"))
    return text + " " + _("The next is planned for %(day)s.") % {"day": day}


class DeleteIssue(IssueFormPage):
    form_class = ReasonForm
    dangerous = True
    page_title = gettext_lazy("Delete this draft")
    button = gettext_lazy("Delete this draft")

    def require_possible(self) -> None:
        require_deletable(self.issue)

    def list_sentences(self) -> list[str]:
        return [
            _("This deletes the draft and its texts. You cannot undo it."),
            _("The staff log keeps who deleted it, when and why. Its stories can go into another issue."),
            _("To keep its text, cancel it instead. To stop it only for a while, put it on hold instead."),
        ]

    def run(self, form: forms.Form) -> str:
        reason, name, publication = form.cleaned_data["reason"], str(self.issue), self.issue.publication
        delete_issue(issue=self.issue, reason=reason, by=cast(User, self.request.user))
        message = _("%(issue)s was deleted.") % {"issue": name}
        self.done("delete", instance=publication, message=message, issue=name, reason=reason)
        return reverse("wagtailsnippets_newsletter_issue:list")
