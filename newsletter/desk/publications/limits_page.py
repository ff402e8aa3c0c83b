"""The page of the limits for one person, which hold over all publications."""

from dataclasses import dataclass
from datetime import timedelta

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.admin.forms.models import WagtailAdminModelForm
from wagtail.log_actions import log
from wagtail.permission_policies import ModelPermissionPolicy

from newsletter.common.staff_pages import PermittedPage
from newsletter.issues.variants.mail_budget import find_planned_times
from newsletter.models import MailLimits, Publication
from subscribers.people.inactivity import SilenceCount, count_silence, subtract_months

POLICY = ModelPermissionPolicy(MailLimits)
COUNT = "count"
"""The name of the button that counts and saves nothing."""
LOOK_AHEAD = timedelta(days=28)
FIELDS = ["mails_in_7_days", "silent_months", "questions_per_day"]


class LimitsForm(WagtailAdminModelForm):
    class Meta:
        model = MailLimits
        fields = FIELDS


@dataclass(frozen=True)
class PublicationPriority:
    """A publication and the number of its issues in the next 28 days."""

    publication: Publication
    planned: int
    url: str


class LimitsPage(PermittedPage):
    template_name = "desk/limits.html"
    header_icon = "mail"
    page_title = gettext_lazy("Limits for one person")
    permission_policy = POLICY

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        context = {
            "form": self._make_form(),
            **super().get_context_data(**kwargs),
            "publications": _list_publications(),
        }
        form = context["form"]
        months = 0 if form.errors else form.instance.silent_months
        return {**context, "months": months, "counted": count_silent_people(months) if months else None}

    def post(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        form = self._make_form(request.POST)
        if not form.is_valid():
            refused: HttpResponse = self.render_to_response(self.get_context_data(form=form))
            return refused
        if COUNT in request.POST:
            response: HttpResponse = self.render_to_response(self.get_context_data(form=form))
            return response
        with transaction.atomic():
            row = form.save()
            log(
                instance=row,
                action="wagtail.edit",
                user=request.user,
                data={name: getattr(row, name) for name in FIELDS},
            )
        messages.success(request, _("Saved. It holds for every send that starts from now on."))
        return redirect("newsletter_limits")

    def _make_form(self, *data: object) -> LimitsForm:
        row = MailLimits.objects.first() or MailLimits(pk=1)
        return LimitsForm(*data, instance=row, for_user=self.request.user)


def count_silent_people(months: int) -> SilenceCount:
    now = timezone.now()
    return count_silence(since=subtract_months(now, months), now=now)


def _list_publications() -> list[PublicationPriority]:
    """Return the publications in use, those that come first at the top."""
    now = timezone.now()
    ranks = {priority: rank for rank, priority in enumerate(Publication.Priority.values)}
    rows = [
        PublicationPriority(
            publication,
            len(find_planned_times(publication, now=now, until=now + LOOK_AHEAD)),
            reverse(publication.snippet_viewset.get_url_name("edit"), args=[publication.pk]),
        )
        for publication in Publication.objects.filter(enabled=True)
    ]
    return sorted(rows, key=lambda row: (ranks[row.publication.priority], row.publication.name))
