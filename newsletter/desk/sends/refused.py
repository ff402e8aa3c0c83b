"""The people whom the provider refused: how many, why, and the page that tries again for them."""

from typing import TypedDict, cast

from django import forms
from django.contrib.auth.models import User
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from newsletter.desk.issues.planning.form_page import IssueFormPage
from newsletter.desk.sends.progress import find_send
from newsletter.desk.shell.labels import format_reason, label_people
from newsletter.models import Send
from newsletter.sending.settling.retry_refused import Refusal, list_refusals, retry_refused

MAX_SHOWN = 10


class RefusedContext(TypedDict):
    """The context of desk/refused.html. ``refused`` are (people, reason as a sentence), the commonest first."""

    refused: list[tuple[str, str]]
    refused_people: int
    refused_more: int


def refused_context(send: Send | None) -> RefusedContext:
    refusals = list_refusals(send) if send else []
    return {
        "refused": [_describe(refusal) for refusal in refusals[:MAX_SHOWN]],
        "refused_people": sum(refusal.people for refusal in refusals),
        "refused_more": sum(refusal.people for refusal in refusals[MAX_SHOWN:]),
    }


def _describe(refusal: Refusal) -> tuple[str, str]:
    return label_people(refusal.people), format_reason(refusal.reason)


class RefusalsForm(forms.Form):
    """One box for each reason. None is ticked: trying again helps only where its cause is gone."""

    reasons = forms.MultipleChoiceField(
        label=gettext_lazy("Which causes are gone?"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": gettext_lazy("Tick at least one reason.")},
    )

    def __init__(self, *args: object, refusals: list[Refusal], **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        choices = [(refusal.key, ": ".join(_describe(refusal))) for refusal in refusals]
        field = cast(forms.MultipleChoiceField, self.fields["reasons"])
        field.choices = choices


class RetryRefused(IssueFormPage):
    form_class = RefusalsForm
    any_permission_required = ["send"]
    page_title = gettext_lazy("Retry refused recipients")
    button = gettext_lazy("Try again")

    def list_sentences(self) -> list[str]:
        return [
            _("The provider refused the mail of these people, so none of them has it. Nobody else gets it again."),
            _("They get the same mail as the others. Its stories and events are checked again first."),
            _("People who unsubscribed since are skipped."),
        ]

    def get_form_kwargs(self) -> dict[str, object]:
        send = find_send(self.issue)
        return {**super().get_form_kwargs(), "refusals": list_refusals(send) if send else []}

    def run(self, form: forms.Form) -> str:
        send = self.issue.sends.filter(pk=getattr(find_send(self.issue), "pk", 0)).get()
        people = retry_refused(
            send=send, keys=form.cleaned_data["reasons"], by=cast(User, self.request.user), now=timezone.now()
        )
        message = _("Trying again for %(people)s. This page shows the progress.") % {"people": label_people(people)}
        self.done("retry", instance=self.issue, message=message, people=people)
        return self.back_url
