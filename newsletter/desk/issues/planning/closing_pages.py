"""The pages that end an issue before it is sent: skip, cancel, delete. Each asks for a reason."""

from typing import cast

from django import forms
from django.contrib.auth.models import User
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from newsletter.desk.issues.planning.form_page import IssueFormPage
from newsletter.issues.planning.close_issue import MAX_REASON, close_issue, delete_issue


class ReasonForm(forms.Form):
    reason = forms.CharField(
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

    def list_sentences(self) -> list[str]:
        sentences = [_("Nobody gets it, and this cannot be undone. To stop it for a while, put it on hold instead.")]
        if self.issue.slot_id:
            sentences.append(_("The next issue of the schedule is made as planned."))
        return [*sentences, _("Its stories can go into another issue.")]

    def run(self, form: forms.Form) -> str:
        reason = form.cleaned_data["reason"]
        close_issue(issue=self.issue, reason=reason, by=cast(User, self.request.user), now=timezone.now())
        self.done(
            "close",
            instance=self.issue,
            message=_("%(issue)s will not be sent.") % {"issue": self.issue},
            reason=reason,
        )
        return self.back_url


class DeleteIssue(IssueFormPage):
    form_class = ReasonForm
    dangerous = True
    page_title = gettext_lazy("Delete this draft")
    button = gettext_lazy("Delete this draft")

    def list_sentences(self) -> list[str]:
        return [
            _("Its texts are gone for good. The staff log keeps who deleted it, when and why."),
            _("Its stories can go into another issue."),
        ]

    def run(self, form: forms.Form) -> str:
        reason, name, publication = form.cleaned_data["reason"], str(self.issue), self.issue.publication
        delete_issue(issue=self.issue, reason=reason, by=cast(User, self.request.user))
        message = _("%(issue)s was deleted.") % {"issue": name}
        self.done("delete", instance=publication, message=message, issue=name, reason=reason)
        return reverse("wagtailsnippets_newsletter_issue:list")
