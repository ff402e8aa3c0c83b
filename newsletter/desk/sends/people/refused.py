"""The people whom the provider refused: who, why, and the page that tries again for them."""

from dataclasses import dataclass
from datetime import datetime
from typing import TypedDict, cast

from django import forms
from django.contrib.auth.models import AnonymousUser, User
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from newsletter.common.errors import NotReady
from newsletter.desk.issues.planning.form_page import IssueFormPage
from newsletter.desk.preview.person import can_preview_people
from newsletter.desk.sends.progress import find_send
from newsletter.desk.shell.labels import format_reason, label_people
from newsletter.models import Send
from newsletter.sending.settling.refused_people import RefusedPeople, find_refused_people
from newsletter.sending.settling.retry_refused import Refusal, list_refusals, retry_refused

MAX_SHOWN = 10


@dataclass(frozen=True)
class RefusedGroup:
    """The people refused for one reason. ``who`` are (masked address, URL or ""), ``more`` the number of the others."""

    people: str
    reason: str
    who: list[tuple[str, str]]
    more: int


class RefusedContext(TypedDict):
    """The context of desk/refused.html. ``refused`` has the commonest reason first.

    ``can_retry`` is False if another attempt reaches nobody.
    """

    refused: list[RefusedGroup]
    refused_people: int
    refused_more: int
    can_retry: bool


def refused_context(send: Send | None, *, user: User | AnonymousUser, now: datetime) -> RefusedContext:
    refusals = list_refusals(send) if send else []
    found = find_refused_people(send, refusals, limit=MAX_SHOWN, now=now) if send and refusals else {}
    may_open = can_preview_people(user)
    return {
        "refused": [_make_group(refusal, found[refusal.key], may_open=may_open) for refusal in refusals[:MAX_SHOWN]],
        "refused_people": sum(refusal.people for refusal in refusals),
        "refused_more": sum(refusal.people for refusal in refusals[MAX_SHOWN:]),
        "can_retry": any(people.can_retry for people in found.values()),
    }


def _make_group(refusal: Refusal, people: RefusedPeople, *, may_open: bool) -> RefusedGroup:
    who = [
        (str(person), reverse("subscribers_person", args=[person.pk]) if may_open else "") for person in people.shown
    ]
    return RefusedGroup(*_describe(refusal), who, refusal.people - len(who))


def _list_retryable(send: Send | None, *, now: datetime) -> list[Refusal]:
    """Return the refusals that another attempt can change."""
    refusals = list_refusals(send) if send else []
    found = find_refused_people(send, refusals, limit=0, now=now) if send and refusals else {}
    return [refusal for refusal in refusals if found[refusal.key].can_retry]


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

    def require_possible(self) -> None:
        send = find_send(self.issue)
        if _list_retryable(send, now=timezone.now()):
            return
        if send and list_refusals(send):
            raise NotReady(
                "Trying again cannot reach anybody. Each of them may not be mailed now, for example because they unsubscribed "
                "or paused, or has an address that cannot be sent to. Correct an address on the person’s page first."
            )
        raise NotReady(
            "Nobody can be tried again now: the provider refused nobody, the send has not ended, or we no longer know who "
            "they are. Nothing was changed. The issue’s page shows who was refused."
        )

    def list_sentences(self) -> list[str]:
        return [
            _("The provider refused the mail of these people, so none of them has it. Nobody else gets it again."),
            _("They get the same mail as the others. Its stories and events are checked again first."),
            _("People who unsubscribed since are skipped."),
        ]

    def get_form_kwargs(self) -> dict[str, object]:
        return {**super().get_form_kwargs(), "refusals": _list_retryable(find_send(self.issue), now=timezone.now())}

    def run(self, form: forms.Form) -> str:
        send = self.issue.sends.filter(pk=getattr(find_send(self.issue), "pk", 0)).get()
        people = retry_refused(
            send=send, keys=form.cleaned_data["reasons"], by=cast(User, self.request.user), now=timezone.now()
        )
        message = _("Trying again for %(people)s. This page shows the progress.") % {"people": label_people(people)}
        self.done("retry", instance=self.issue, message=message, people=people)
        return self.back_url
