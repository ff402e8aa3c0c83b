"""The page that announces a changed event: it shows who has old details, drafts a correction, or cancels an obsolete one."""

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from wagtail.log_actions import log
from wagtail.permission_policies import ModelPermissionPolicy

from newsletter.common.errors import DomainError
from newsletter.common.staff_pages import PermittedPage, make_breadcrumbs
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


class AnnounceChangePage(PermittedPage):
    """GET shows who received which details; POST drafts a correction and opens it, or cancels one. It sends nothing."""

    template_name = "desk/correction.html"
    header_icon = "calendar-alt"
    permission_policy = ModelPermissionPolicy(Issue)

    def dispatch(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        self.event = get_object_or_404(EventNotice, pk=kwargs["pk"])
        return super().dispatch(request, *args, **kwargs)

    def get_page_title(self) -> str:
        return self.event.title

    def get_breadcrumbs_items(self) -> list[dict[str, str]]:
        return make_breadcrumbs(
            (_("Events"), reverse("wagtailsnippets_newsletter_eventnotice:list")),
            (self.event.title, reverse(EDIT_URL_NAME, args=[self.event.pk])),
            (_("Announce the change"), ""),
        )

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        context: dict[str, object] = super().get_context_data(**kwargs)
        return {
            **context,
            "event": self.event,
            "misinformed": find_misinformed(self.event, now=timezone.now()),
            "obsolete": find_obsolete_corrections(self.event, now=timezone.now()),
            "edit_url": reverse(EDIT_URL_NAME, args=[self.event.pk]),
        }

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        if "take_back" in request.POST:
            return self._cancel_correction(request, request.POST["take_back"])
        misinformed = self._find_misinformed(request.POST.get("publication", ""))
        try:
            with transaction.atomic():
                issue = announce_change(
                    event=self.event, publication=misinformed.publication, by=request.user, now=timezone.now()
                )
                log(instance=issue, action="newsletter.announce_change", user=request.user)
        except DomainError as error:
            messages.error(request, translate(error))
            return redirect("newsletter_event_announce", pk)
        messages.success(
            request, _("%s is drafted. Nothing has been sent yet. Review it, get it approved, then send it.") % issue
        )
        return redirect("newsletter_issue_overview", issue.pk)

    def _cancel_correction(self, request: HttpRequest, pk: str) -> HttpResponse:
        obsolete = find_obsolete_corrections(self.event, now=timezone.now())
        correction = next((candidate for candidate in obsolete if str(candidate.pk) == pk), None)
        if correction is None:
            raise Http404("There is no obsolete correction with this number that can still be cancelled.")
        try:
            with transaction.atomic():
                cancel_correction(correction=correction, by=request.user, now=timezone.now())
                log(instance=correction.issue, action="newsletter.take_back_correction", user=request.user)
        except DomainError as error:
            messages.error(request, translate(error))
        else:
            messages.success(request, _("%s is cancelled. It will not be sent.") % correction.issue)
        return redirect("newsletter_event_announce", self.event.pk)

    def _find_misinformed(self, publication: str) -> MisinformedGroup:
        for group in find_misinformed(self.event, now=timezone.now()):
            if str(group.publication.pk) == publication:
                return group
        raise Http404("Everybody who received this event from this publication has its current details.")
