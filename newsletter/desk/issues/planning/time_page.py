"""The page “Change time” of an issue."""

from typing import cast
from zoneinfo import ZoneInfo

from django import forms
from django.contrib.auth.models import User
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from newsletter.desk.content.wall_clock import label_zone, zone_or_default
from newsletter.desk.issues.planning.form_page import IssueFormPage
from newsletter.desk.issues.planning.new_issue import TimeInput
from newsletter.desk.publications.slot_text import format_slot
from newsletter.issues.planning.change_time import change_time, require_unsent


class TimeForm(forms.Form):
    due = forms.CharField(label=gettext_lazy("When to send it"), required=False, widget=TimeInput)


class ChangeTime(IssueFormPage):
    form_class = TimeForm
    button = gettext_lazy("Save time")
    any_permission_required = ["change", "send"]

    def get_page_title(self) -> str:
        return _("Change time") if self.issue.due_at else _("Schedule")

    def require_possible(self) -> None:
        require_unsent(self.issue)

    def get_initial(self) -> dict[str, object]:
        zone: ZoneInfo = zone_or_default(self.issue.publication.zone)
        return {"due": f"{self.issue.due_at.astimezone(zone):%Y-%m-%dT%H:%M}" if self.issue.due_at else ""}

    def get_form(self, form_class: type[forms.Form] | None = None) -> forms.Form:
        form: forms.Form = super().get_form(form_class)
        zone = label_zone(self.issue.publication.zone)
        help_text = _("%(zone)s time.") % {"zone": zone}
        if self.issue.slot_id is None:
            help_text += " " + _("Leave it empty to send it yourself with “Send now”.")
        form.fields["due"].required = self.issue.slot_id is not None
        form.fields["due"].help_text = help_text
        return form

    def list_sentences(self) -> list[str]:
        sentences = []
        if self.issue.approvals.filter(withdrawn_at__isnull=True).exists():
            sentences.append(_("It is approved. A new time withdraws the approval, because the mail names the day."))
        if self.issue.held:
            sentences.append(_("It is on hold. It stays on hold until somebody releases it."))
        return sentences

    def run(self, form: forms.Form) -> str:
        due = form.cleaned_data["due"]
        withdrawn = change_time(issue=self.issue, due=due, by=cast(User, self.request.user), now=timezone.now())
        if self.issue.due_at:
            message = _("%(issue)s will be sent on %(day)s.") % {"issue": self.issue, "day": format_slot(self.issue)}
        else:
            message = _("%(issue)s will be sent when somebody chooses “Send now”.") % {"issue": self.issue}
        if withdrawn:
            message += " " + _("Its approval was withdrawn. Approve it again.")
        self.done("change_time", instance=self.issue, message=message, due=due)
        return self.back_url
