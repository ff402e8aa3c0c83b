"""The page “Why this mail?”: whether one person gets an issue, and why they get each of its parts or do not."""

from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.log_actions import log

from newsletter.common.errors import DomainError
from newsletter.common.staff_pages import StaffTemplatePage
from newsletter.common.translation import translate
from newsletter.desk.issues.issue_page import ISSUES
from newsletter.desk.preview.person import PREVIEW_ACTION, can_preview_people, mask_person
from newsletter.feedback.explaining.explain_issue import explain_issue
from subscribers.models import Subscriber


class ExplainPage(StaffTemplatePage):
    template_name = "desk/person_issue.html"
    header_icon = "help"
    page_title = gettext_lazy("Why this mail?")

    def dispatch(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        if not can_preview_people(request.user):
            raise Http404("You may not see people.")
        self.person = get_object_or_404(Subscriber.objects.select_related("place"), pk=kwargs["pk"])
        self.issue = get_object_or_404(ISSUES, pk=kwargs["issue"])
        return super().dispatch(request, *args, **kwargs)

    def list_parents(self) -> list[tuple[str, str]]:
        page = reverse("subscribers_person", args=[self.person.pk])
        return [(_("Subscribers"), reverse("people:index")), (str(self.person), page)]

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        log(
            instance=self.person,
            action=PREVIEW_ACTION,
            user=self.request.user,
            data={"publication": self.issue.publication.slug},
        )
        context = {
            **super().get_context_data(**kwargs),
            "issue": self.issue,
            "person": self.person,
            "who": mask_person(self.person),
        }
        try:
            explained = explain_issue(self.issue, person=self.person, now=timezone.now())
        except DomainError as error:
            return {**context, "error": translate(error)}
        return {**context, "explained": explained, "has_mail": explained.was_handed_over}
