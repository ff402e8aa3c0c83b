"""The confirmation page before a step that cannot be undone, and the progress of a send as JSON."""

from dataclasses import dataclass
from functools import cached_property

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.generic import View

from newsletter.common.errors import DomainError
from newsletter.common.translation import translate
from newsletter.desk.issues.issue_page import IssuePage, IssuePermissionMixin, describe_time_left, overview_url
from newsletter.desk.sends.alarms import (
    AlarmsContext,
    alarms_context,
    describe_domain_error,
    describe_hold,
    describe_refusal,
    list_accounts_of_issue,
)
from newsletter.desk.sends.progress import (
    find_live_send,
    find_send,
    has_uncertain_batch,
    measure_progress,
    require_live_send,
)
from newsletter.desk.shell.labels import label_people
from newsletter.issues.approval.approval_rules import count_audience_for_send
from newsletter.issues.variants.exclusion_labels import explain_nobody
from newsletter.models import Batch, Issue, Publication, Send
from newsletter.sending.adapters import writes_to_files
from newsletter.sending.freezing.start import require_startable
from newsletter.sending.settling.receipt import make_receipt
from newsletter.sending.settling.send_controls import require_cancellable
from newsletter.sending.settling.uncertain_batches import (
    require_repeatable,
    require_uncertain,
)


@dataclass(frozen=True)
class Confirmation:
    """A question with its consequences, and the button that posts to ``action``; without ``action`` only what to know.

    ``people`` is the number that the person confirms, if the step depends on one. ``dangerous`` makes the button red.
    """

    title: str
    sentences: list[str]
    button: str
    action: str
    dangerous: bool = False
    people: int | None = None


class ConfirmationContext(AlarmsContext):
    """The context of desk/confirm_step.html."""

    issue: Issue
    confirmation: Confirmation


class SendProgress(IssuePermissionMixin, View):
    """Return the progress as JSON, for the script of the issue's page."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        issue = get_object_or_404(Issue, pk=pk)
        send = find_send(issue)
        if send is None:
            return JsonResponse({"version": "none", "moving": False})
        response = JsonResponse(measure_progress(send, now=timezone.now()).as_json())
        response["Cache-Control"] = "no-store"
        return response


class ConfirmStep(IssuePage):
    """Ask for confirmation of a step. The page itself changes nothing.

    If the issue does not allow the step, say why and go back: somebody may have withdrawn the approval or settled the batch.
    """

    template_name = "desk/confirm_step.html"
    header_icon = "mail"
    any_permission_required = ["send"]

    def get(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        try:
            self._require_allowed()
            return super().get(request, *args, **kwargs)
        except DomainError as error:
            messages.error(request, translate(error))
            return redirect(overview_url(self.issue))

    def _require_allowed(self) -> None:
        match self.kwargs["step"]:
            case "again":
                require_repeatable(self._batch)
            case "took" | "leave":
                require_uncertain(self._batch)
            case "cancel":
                require_cancellable(require_live_send(self.issue))
            case _:
                require_startable(self.issue, now=timezone.now())

    @cached_property
    def _batch(self) -> Batch:
        return get_object_or_404(Batch, pk=self.kwargs["batch"], send__issue=self.issue)

    def get_page_title(self) -> str:
        """Return the step and the issue: the title of the issue's own page is its name."""
        return f"{self._confirmation.button}: {self.issue}"

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        context: ConfirmationContext = {
            **alarms_context(self.request.user, accounts=self._list_accounts()),
            "issue": self.issue,
            "confirmation": self._confirmation,
        }
        return {**super().get_context_data(**kwargs), **context}

    def _list_accounts(self) -> list[str]:
        """Return the accounts that the step uses. A start that is refused gives the reason in place of the question."""
        if self.kwargs["step"] != "start":
            return list_accounts_of_issue(self.issue, find_live_send(self.issue))
        return [self.issue.publication.account] if self._confirmation.action else []

    @cached_property
    def _confirmation(self) -> Confirmation:
        match self.kwargs["step"]:
            case "again":
                return confirm_send_again(self.issue, self._batch)
            case "took":
                return confirm_accepted(self.issue, self._batch)
            case "leave":
                return confirm_left(self.issue, self._batch)
            case "cancel":
                return confirm_cancel(self.issue, require_live_send(self.issue))
            case _:
                return confirm_start(self.issue)


def confirm_start(issue: Issue) -> Confirmation:
    publication = issue.publication
    people, nobody = _count_people(issue)
    action = reverse("newsletter_send_step", args=[issue.pk, "start"])
    if (
        refusal := describe_hold()
        or describe_refusal(publication.account)
        or describe_domain_error(publication)
        or nobody
    ):
        return Confirmation(
            title=_("%(issue)s cannot be sent now") % {"issue": issue},
            sentences=[refusal, _("Nobody gets it before this is put right.")],
            button=_("Send now"),
            action="",
        )
    if writes_to_files(issue.publication.account):
        return _confirm_writing(issue, action=action, people=people)
    local = issue.publication.send_at == Publication.SendAt.LOCAL and issue.kind != Issue.Kind.CORRECTION
    time_left = describe_time_left(issue.due_at, now=timezone.now())
    return Confirmation(
        title=_("Send %(issue)s to %(people)s now?") % {"issue": issue, "people": label_people(people)},
        sentences=[
            _("Subject: “%(subject)s”.") % {"subject": issue.default_subject},
            *([_("Its planned time: %(time_left)s.") % {"time_left": time_left}] if time_left else []),
            _("We will lock the recipient list and start sending straight away."),
            *([_("Everybody gets it at once. Nobody waits for the hour of their own clock.")] if local else []),
            _("You can pause the send, but mails already sent cannot be recalled."),
        ],
        button=_("Send to %(people)s") % {"people": label_people(people)},
        action=action,
        people=people,
    )


def _count_people(issue: Issue) -> tuple[int, str]:
    """Return how many people would get the issue now. If there is nobody, say why."""
    counted = count_audience_for_send(issue, at_once=True)
    return counted.eligible, "" if counted.eligible else translate(explain_nobody(issue, counted=counted))


def _confirm_writing(issue: Issue, *, action: str, people: int) -> Confirmation:
    again = _("Once a mail provider is set up, its stories come again in your next issue.")
    stories_again = [] if issue.kind == Issue.Kind.CORRECTION else [again]
    return Confirmation(
        title=_("Write %(issue)s to files now?") % {"issue": issue},
        sentences=[
            _("Subject: “%(subject)s”.") % {"subject": issue.default_subject},
            _("No mail leaves this installation: we write what %(people)s would get.")
            % {"people": label_people(people)},
            *stories_again,
        ],
        button=_("Write to files"),
        action=action,
        people=people,
    )


def confirm_cancel(issue: Issue, send: Send) -> Confirmation:
    receipt = make_receipt(send)
    people = receipt.deliveries
    sentences = []
    if people["accepted"]:
        sent = label_people(people["accepted"])
        sentences.append(_("Already sent to %(done)s. These mails cannot be recalled.") % {"done": sent})
    if people["uncertain"]:
        sentences.append(_describe_uncertain(send, label_people(people["uncertain"])))
    if receipt.unanswered:
        waiting = label_people(receipt.unanswered)
        sentences.append(_("%(people)s may still get it: we wait for the provider’s answer.") % {"people": waiting})
    if left := people["pending"] - receipt.unanswered:
        sentences.append(_("Will not be sent to %(left)s.") % {"left": label_people(left)})
        if issue.kind != Issue.Kind.CORRECTION:
            sentences.append(
                _(
                    "You can correct the issue afterwards and send it to them. It needs a new approval, and nobody gets both."
                )
            )
        if send.state != Send.State.PAUSED:
            sentences.append(_("To stop for a while, pause the send instead."))
    elif not people["uncertain"] and not receipt.unanswered:
        sentences.append(_("Nobody is left to send to."))
    sentences.append(_("The send ends here, and the issue is marked as cancelled."))
    return Confirmation(
        title=_("Stop the send of %(issue)s permanently?") % {"issue": issue},
        sentences=sentences,
        button=_("Stop permanently"),
        action=reverse("newsletter_send_step", args=[issue.pk, "cancel"]),
        dangerous=True,
    )


def _describe_uncertain(send: Send, people: str) -> str:
    if not has_uncertain_batch(send):
        return _("%(people)s may have it: the provider gave no clear answer.") % {"people": people}
    return _(
        "%(people)s may have it: the provider gave no clear answer. You can still mark them as accepted afterwards, but "
        "not send to them again. Decide about them first if some must get it."
    ) % {"people": people}


def confirm_accepted(issue: Issue, batch: Batch) -> Confirmation:
    values = {"seq": batch.seq, "size": label_people(batch.size), "issue": issue}
    return Confirmation(
        title=_("Mark batch %(seq)s as accepted: %(size)s?") % values,
        sentences=[
            _("They count as sent and %(issue)s is not sent to them again. You cannot undo it.") % values,
            _("If the provider did not accept these mails, %(size)s will miss %(issue)s.") % values,
        ],
        button=_("Mark as accepted"),
        action=reverse("newsletter_batch_step", args=[issue.pk, batch.pk, "took"]),
        dangerous=True,
    )


def confirm_left(issue: Issue, batch: Batch) -> Confirmation:
    values = {"seq": batch.seq, "size": label_people(batch.size), "issue": issue}
    return Confirmation(
        title=_("Leave batch %(seq)s uncertain: %(size)s?") % values,
        sentences=[
            _(
                "%(issue)s is not sent to them again, and the delivery summary keeps them as uncertain. You cannot undo it."
            )
            % values,
            _("If the provider did not accept these mails, %(size)s will miss %(issue)s.") % values,
        ],
        button=_("Leave uncertain"),
        action=reverse("newsletter_batch_step", args=[issue.pk, batch.pk, "leave"]),
    )


def confirm_send_again(issue: Issue, batch: Batch) -> Confirmation:
    values = {"seq": batch.seq, "size": label_people(batch.size), "issue": issue}
    return Confirmation(
        title=_("Send batch %(seq)s again to %(size)s?") % values,
        sentences=[
            _("If the provider accepted it the first time, %(size)s will get %(issue)s twice.") % values,
            _("Check the provider’s own log first. If it shows the mails, choose “Mark as accepted” instead."),
        ],
        button=_("Send again (risk: %(size)s may get it twice)") % values,
        action=reverse("newsletter_batch_step", args=[issue.pk, batch.pk, "again"]),
        dangerous=True,
    )
