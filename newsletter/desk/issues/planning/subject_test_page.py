"""The page “Test subjects” of an issue, and the step that removes the test."""

from typing import Any, cast

from django import forms
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from newsletter.common.errors import DomainError
from newsletter.common.translation import translate
from newsletter.desk.issues.planning.form_page import IssueFormPage
from newsletter.issues.planning.change_time import require_unsent
from newsletter.issues.planning.subject_test import remove_subject_test, set_subject_test
from newsletter.issues.snapshot.records.content import SubjectChoice
from newsletter.issues.variants.reader_zones import find_local_time
from newsletter.issues.variants.subject_test_rules import MIN_PEOPLE, BadSubject, find_obstacle
from newsletter.models import Issue, SubjectTest
from newsletter.models.variant_labels import LETTERS

_OTHERS = range(2, SubjectTest.MAX_SUBJECTS + 1)


class SubjectTestForm(forms.Form):
    """The further subjects to test, each with a preheader. Empty rows are left out."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for number in _OTHERS:
            letter = LETTERS[number - 1]
            self.fields[f"subject_{number}"] = forms.CharField(
                label=_("Subject %(letter)s") % {"letter": letter}, required=number == 2
            )
            self.fields[f"preheader_{number}"] = forms.CharField(
                label=_("Preheader of subject %(letter)s") % {"letter": letter},
                required=False,
                help_text=_("Leave it empty to use the issue’s own preheader."),
            )
        self.fields["share_percent"] = forms.IntegerField(
            label=_("Share of the recipients who are in the test"),
            min_value=SubjectTest.MIN_SHARE,
            max_value=SubjectTest.MAX_SHARE,
            help_text=_(
                "In percent, from 5 to 50. They get one of the subjects, in equal parts. Each subject needs at least %(people)s "
                "people."
            )
            % {"people": MIN_PEOPLE},
        )
        self.fields["wait_hours"] = forms.IntegerField(
            label=_("Hours to wait"),
            min_value=1,
            max_value=SubjectTest.MAX_HOURS,
            help_text=_("From 1 to 48. The others wait so long, then get the subject that did better."),
        )

    def list_subjects(self) -> dict[int, SubjectChoice]:
        """Return the subjects by the number of their row."""
        rows = {
            number: SubjectChoice(
                self.cleaned_data[f"subject_{number}"].strip(), self.cleaned_data[f"preheader_{number}"].strip()
            )
            for number in _OTHERS
        }
        return {number: choice for number, choice in rows.items() if choice.subject or choice.preheader}


class SetSubjectTest(IssueFormPage):
    form_class = SubjectTestForm
    page_title = gettext_lazy("Test subjects")
    button = gettext_lazy("Save test")

    def get_page_title(self) -> str:
        return str(self.page_title)

    def require_possible(self) -> None:
        require_unsent(self.issue)

    def get_initial(self) -> dict[str, object]:
        test = SubjectTest.objects.filter(issue=self.issue).first()
        if test is None:
            return {"share_percent": 20, "wait_hours": 4}
        texts = {
            f"{name}_{number}": text for number, choice in enumerate(test.subjects, 2) for name, text in choice.items()
        }
        return {**texts, "share_percent": test.share_percent, "wait_hours": test.wait_hours}

    def list_sentences(self) -> list[str]:
        obstacle = find_obstacle(self.issue, local_time=find_local_time(self.issue))
        sentences = [translate(obstacle)] if obstacle else []
        sentences.append(_("Subject A is the issue’s own: “%(subject)s”.") % {"subject": self.issue.shown_subject})
        if self.issue.approvals.filter(withdrawn_at__isnull=True).exists():
            sentences.append(
                _("It is approved. A changed test withdraws the approval, because people read its subjects.")
            )
        return sentences

    def form_valid(self, form: forms.Form) -> HttpResponse:
        """Show a subject that cannot be used at its field. Subject A has none: it is shown above the form."""
        try:
            return self.complete(form)
        except BadSubject as error:
            row = [None, *cast(SubjectTestForm, form).list_subjects()][error.number - 1]
            form.add_error(f"subject_{row}" if row else None, translate(error))
        except DomainError as error:
            form.add_error(None, translate(error))
        return self.form_invalid(form)

    def run(self, form: forms.Form) -> str:
        form = cast(SubjectTestForm, form)
        subjects = form.list_subjects()
        withdrawn = set_subject_test(
            issue=self.issue,
            subjects=list(subjects.values()),
            share_percent=form.cleaned_data["share_percent"],
            wait_hours=form.cleaned_data["wait_hours"],
            by=cast(User, self.request.user),
            now=timezone.now(),
        )
        message = _("%(issue)s tests %(count)s subjects.") % {"issue": self.issue, "count": 1 + len(subjects)}
        if withdrawn:
            message += " " + _("Its approval was withdrawn. Approve it again.")
        self.done("subject_test", instance=self.issue, message=message)
        return self.back_url


def remove_test_step(request: HttpRequest, issue: Issue) -> str:
    """Remove the subject test. Return the message."""
    withdrawn = remove_subject_test(issue=issue, by=request.user, now=timezone.now())
    message = _("%(issue)s has only its own subject now.") % {"issue": issue}
    return message + " " + _("Its approval was withdrawn. Approve it again.") if withdrawn else message
