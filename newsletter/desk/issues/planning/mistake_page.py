"""The page on which staff write what was wrong in an issue that was sent. It drafts a correction and sends nothing."""

from typing import cast

from django import forms
from django.contrib.auth.models import User
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from newsletter.common.fields.limited_text import LimitedTextField
from newsletter.common.translation import language_label, translate
from newsletter.desk.issues.issue_page import overview_url
from newsletter.desk.issues.planning.form_page import IssueFormPage
from newsletter.desk.shell.labels import label_people
from newsletter.issues.corrections.correct_mistake import correct_mistake, find_other_reached_parts, require_correctable
from newsletter.issues.variants.event_mentions import find_reached
from newsletter.rendering.errors import MergeError
from newsletter.rendering.merge import fill_defaults


class MistakeForm(forms.Form):
    text = LimitedTextField(
        label=gettext_lazy("What was wrong, and what is right?"),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text=gettext_lazy(
            "Readers get this text under the heading “Correction”. You can edit it before it is sent."
        ),
    )

    def clean_text(self) -> str:
        """Return the text. Raise ValidationError if it has a personal field that cannot be filled."""
        text: str = self.cleaned_data["text"]
        try:
            fill_defaults(text)
        except MergeError as error:
            raise forms.ValidationError(translate(error)) from error
        return text


class CorrectMistake(IssueFormPage):
    form_class = MistakeForm
    page_title = gettext_lazy("Correct a mistake")
    button = gettext_lazy("Draft a correction")

    def require_possible(self) -> None:
        require_correctable(self.issue)

    def list_sentences(self) -> list[str]:
        people = find_reached(self.issue).order_by().values("subscriber_id").distinct().count()
        return [
            _("The correction is for exactly those who got this issue or may have got it: %(people)s.")
            % {"people": label_people(people)},
            *(
                _("Those who got %(issue)s are not among them. If it has the mistake too, correct it as well.")
                % {"issue": part}
                for part in find_other_reached_parts(self.issue)
            ),
            _("Those who have unsubscribed since do not get it."),
            *self._list_languages(),
            _("Nothing is sent now. Read the draft, have it approved, then choose “Send now”."),
            _("Mails that were delivered cannot change."),
        ]

    def _list_languages(self) -> list[str]:
        languages = self.issue.publication.languages
        if not languages:
            return []
        labels = ", ".join(map(language_label, languages))
        return [
            _("Translate the draft before it is approved: this newsletter is also sent in %(languages)s.")
            % {"languages": labels}
        ]

    def run(self, form: forms.Form) -> str:
        made = correct_mistake(
            issue=self.issue, text=form.cleaned_data["text"], by=cast(User, self.request.user), now=timezone.now()
        )
        message = _("%(correction)s was drafted for those who got %(issue)s. Read it, then have it approved.")
        message %= {"correction": made, "issue": self.issue}
        self.done("correct_mistake", instance=self.issue, message=message, made=made.pk)
        return overview_url(made)
