"""Announcing a changed event from the desk: the question with the number of people, then the draft of a correction.

One that waits and was overtaken by the event is taken back here.
"""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.generic import TemplateView
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin
from wagtail.admin.views.generic.permissions import PermissionCheckedMixin
from wagtail.log_actions import log
from wagtail.permission_policies import ModelPermissionPolicy

from newsletter.common.errors import DomainError
from newsletter.common.translation import translate
from newsletter.issues.corrections.correct import (
    MisinformedGroup,
    announce_change,
    cancel_correction,
    find_misinformed,
    find_obsolete_corrections,
)
from newsletter.models import EventNotice, Issue

EDIT_URL_NAME = "wagtailsnippets_newsletter_eventnotice:edit"


class AnnounceChange(PermissionCheckedMixin, WagtailAdminTemplateMixin, TemplateView):
    """GET says who was told what; POST makes the draft and opens it, or takes one back. Nothing is sent from here."""

    template_name = "desk/correction.html"
    header_icon = "calendar-alt"
    permission_policy = ModelPermissionPolicy(Issue)
    permission_required = "change"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        self.event = get_object_or_404(EventNotice, pk=kwargs["pk"])
        return super().dispatch(request, *args, **kwargs)

    def get_page_title(self) -> str:
        return self.event.title

    def get_breadcrumbs_items(self) -> list[dict[str, str]]:
        return [
            {"url": reverse("wagtailadmin_home"), "label": _("Home")},
            {"url": reverse("wagtailsnippets_newsletter_eventnotice:list"), "label": _("Events")},
            {"url": reverse(EDIT_URL_NAME, args=[self.event.pk]), "label": self.event.title},
            {"url": "", "label": _("Announce the change")},
        ]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        return {
            **context,
            "event": self.event,
            "misinformed": find_misinformed(self.event, now=timezone.now()),
            "overtaken": find_obsolete_corrections(self.event),
            "edit_url": reverse(EDIT_URL_NAME, args=[self.event.pk]),
        }

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        if "take_back" in request.POST:
            return self._take_back(request, request.POST["take_back"])
        misinformed = self._find(request.POST.get("publication", ""))
        try:
            issue = announce_change(
                event=self.event, publication=misinformed.publication, by=request.user, now=timezone.now()
            )
        except DomainError as error:
            messages.error(request, translate(error))
            return redirect("newsletter_event_announce", pk)
        log(instance=issue, action="newsletter.announce_change", user=request.user)
        messages.success(
            request, _("%s is drafted. Read it, approve it, and send it: nothing has gone out yet.") % issue
        )
        return redirect("newsletter_issue_overview", issue.pk)

    def _take_back(self, request: HttpRequest, correction: str) -> HttpResponse:
        overtaken = next((one for one in find_obsolete_corrections(self.event) if str(one.pk) == correction), None)
        if overtaken is None:
            raise Http404("This correction is not there, or not overtaken, or on its way.")
        try:
            cancel_correction(correction=overtaken, by=request.user, now=timezone.now())
        except DomainError as error:
            messages.error(request, translate(error))
        else:
            log(instance=overtaken.issue, action="newsletter.take_back_correction", user=request.user)
            messages.success(request, _("%s is taken back. It goes to nobody.") % overtaken.issue)
        return redirect("newsletter_event_announce", self.event.pk)

    def _find(self, publication: str) -> MisinformedGroup:
        for misinformed in find_misinformed(self.event, now=timezone.now()):
            if str(misinformed.publication.pk) == publication:
                return misinformed
        raise Http404("This publication showed the event to nobody otherwise than it is.")
