"""The pages around a send: its progress for a script that asks, and the question before a step that cannot be undone."""

from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.generic import TemplateView, View
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin

from newsletter.desk.issues.overview import ISSUES, IssuePermissionMixin, describe_time_left
from newsletter.desk.issues.recipient_counts import count_audience_for_page
from newsletter.desk.sends.progress import find_send, measure_progress
from newsletter.desk.shell.labels import label_people
from newsletter.models import Batch, Issue, Send


@dataclass(frozen=True)
class Confirmation:
    """What is asked before a step: what it does, in sentences, and where a yes goes. ``dangerous``: it harms if wrong.

    ``people`` is the number that a yes is for, if it is for a number.
    """

    title: str
    sentences: list[str] = field(default_factory=list)
    yes: str = ""
    action: str = ""
    dangerous: bool = False
    people: int | None = None


class SendProgress(IssuePermissionMixin, View):
    """Numbers for the page that watches; see ``Progress``."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        issue = get_object_or_404(Issue, pk=pk)
        send = find_send(issue)
        if send is None:
            return JsonResponse({"version": "none", "moving": False})
        response = JsonResponse(measure_progress(send, now=timezone.now()).as_json())
        response["Cache-Control"] = "no-store"
        return response


class ConfirmStep(IssuePermissionMixin, WagtailAdminTemplateMixin, TemplateView):
    """“Are you sure?”, with the numbers. Does nothing by itself."""

    template_name = "desk/ask_first.html"
    header_icon = "mail"
    any_permission_required = ["send"]

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        self.issue = get_object_or_404(ISSUES, pk=kwargs["pk"])
        return super().dispatch(request, *args, **kwargs)

    def get_page_title(self) -> str:
        return str(self.issue)

    def get_breadcrumbs_items(self) -> list[dict[str, str]]:
        return [
            {"url": reverse("wagtailadmin_home"), "label": _("Home")},
            {"url": reverse("newsletter_issue_overview", args=[self.issue.pk]), "label": str(self.issue)},
            {"url": "", "label": _("Are you sure?")},
        ]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        step = self.kwargs["step"]
        if step == "again":
            batch = get_object_or_404(Batch, pk=self.kwargs["batch"], send__issue=self.issue)
            question = confirm_send_again(self.issue, batch)
        elif step == "cancel":
            question = confirm_cancel(self.issue, get_object_or_404(self.issue.sends, pk=_find_send_id(self.issue)))
        else:
            question = confirm_start(self.issue)
        return {**context, "issue": self.issue, "question": question}


def confirm_start(issue: Issue) -> Confirmation:
    people = count_audience_for_page(issue).eligible
    due = (
        _("It was planned for its slot (%(issue)s).") % {"issue": describe_time_left(issue, now=timezone.now())}
        if issue.slot
        else _("It has no slot.")
    )
    return Confirmation(
        title=_("Send %(issue)s to %(people)s now?") % {"issue": issue, "people": label_people(people)},
        sentences=[
            _("Subject: “%(subject)s”.") % {"subject": issue.subject},
            due,
            _("The audience is fixed at this moment, and mail begins to go out at once."),
            _("You can pause it, but whoever has been handed to the provider cannot be called back."),
        ],
        yes=_("Send it to %(people)s") % {"people": label_people(people)},
        action=reverse("newsletter_send_step", args=[issue.pk, "start"]),
        people=people,
    )


def confirm_cancel(issue: Issue, send: Send) -> Confirmation:
    progress = measure_progress(send, now=timezone.now())
    left = (
        [
            _("%(left)s have not been handed over yet and will never get this issue.")
            % {"left": label_people(progress.left)},
            _("A cancelled send never goes on. To stop only for a while, pause it."),
        ]
        if progress.left
        else [_("Nobody is left to be handed over. The send ends here, and the issue is marked as cancelled.")]
    )
    return Confirmation(
        title=_("Cancel the send of %(issue)s for good?") % {"issue": issue},
        sentences=[
            _("%(done)s have been handed to the provider and cannot be called back.")
            % {"done": label_people(progress.done)},
            *left,
        ],
        yes=_("Cancel it for good"),
        action=reverse("newsletter_send_step", args=[issue.pk, "cancel"]),
        dangerous=True,
    )


def confirm_send_again(issue: Issue, batch: Batch) -> Confirmation:
    return Confirmation(
        title=_("Send batch %(seq)s again to %(size)s?") % {"seq": batch.seq, "size": label_people(batch.size)},
        sentences=[
            _("If the provider did take it the first time, %(size)s get %(issue)s twice.")
            % {"size": label_people(batch.size), "issue": issue},
            _(
                "Look into the provider's own log first. Where it shows the mails, choose “The provider took it” instead."
            ),
        ],
        yes=_("Send it again (risk: %(size)s may get it twice)") % {"size": label_people(batch.size)},
        action=reverse("newsletter_batch_step", args=[issue.pk, batch.pk, "again"]),
        dangerous=True,
    )


def _find_send_id(issue: Issue) -> int:
    send = issue.sends.exclude(state=Send.State.CANCELLED).first()
    return send.pk if send else 0
