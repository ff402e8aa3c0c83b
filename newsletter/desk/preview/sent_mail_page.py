"""The page “The mail as it was sent”: one person's mail of an issue, rebuilt from the stored data, with its outcome.

Its links cannot unsubscribe anybody and count no click. The page “Why this mail?” is here too: it explains why a person gets
an issue and each of its parts, or does not.
"""

from datetime import timedelta

from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic import View
from wagtail.log_actions import log

from newsletter.common.errors import DomainError
from newsletter.common.staff_pages import StaffTemplatePage
from newsletter.common.translation import translate
from newsletter.desk.issues.issue_page import ISSUES
from newsletter.desk.preview.mail_iframe import (
    PLACEHOLDER_LINK,
    apply_look,
    iframe_response,
    message_iframe_response,
    open_links_outside,
)
from newsletter.desk.preview.person import PREVIEW_ACTION, can_preview_people, mask_person
from newsletter.feedback.explaining.explain_issue import explain_issue
from newsletter.feedback.explaining.find_delivery import find_delivery
from newsletter.feedback.explaining.rebuild_mail import NOTES, Match, mask_links, rebuild_mail
from newsletter.feedback.sent_mails import describe_delivery
from newsletter.issues.variants.mail_links import untrack_links
from newsletter.models import AuditEntry, Issue
from newsletter.providers.registry import OUTBOX, name_provider
from subscribers.models import Subscriber

SAW_MAIL = "newsletter.saw_mail"
REPEAT_WINDOW = timedelta(minutes=10)
PARTS = (
    ("mail", gettext_lazy("Light mode")),
    ("dark", gettext_lazy("Dark mode")),
    ("text", gettext_lazy("Plain text")),
)


class SentMailPage(StaffTemplatePage):
    """The mail in an iframe, below the facts about its delivery. Each view is logged."""

    template_name = "desk/person_mail.html"
    header_icon = "mail"
    page_title = gettext_lazy("The mail as it was sent")

    def dispatch(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        _require_people(request)
        self.issue = get_object_or_404(ISSUES, pk=kwargs["issue"])
        pk = int(str(kwargs["pk"]))
        self.person = Subscriber.objects.select_related("place").filter(pk=pk).first()
        if self.person is None and find_delivery(self.issue, person=pk) is None:
            raise Http404("There is no such person.")
        return super().dispatch(request, *args, **kwargs)

    def list_parents(self) -> list[tuple[str, str]]:
        people = (_("Subscribers"), reverse("people:index"))
        if self.person is None:
            return [people]
        return [people, (str(self.person), reverse("subscribers_person", args=[self.person.pk]))]

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        context = {**super().get_context_data(**kwargs), "issue": self.issue, "person": self.person}
        if self.person is None:
            return {**context, "error": _("This person was erased. Their mail needs values that are gone with them.")}
        context["who"] = mask_person(self.person)
        try:
            rebuilt = rebuild_mail(self.issue, person=self.person)
        except DomainError as error:
            log(instance=self.person, action=SAW_MAIL, user=self.request.user, data=_describe_look(self.issue))
            return {**context, "error": translate(error)}
        sent = rebuilt.delivery.batch.send.issue
        log(instance=self.person, action=SAW_MAIL, user=self.request.user, data=_describe_look(sent))
        part = self.request.GET.get("part", "mail")
        return {
            **context,
            "mail": rebuilt,
            "sent_as": sent if sent != self.issue else None,
            "subject": mask_links(rebuilt, link=PLACEHOLDER_LINK).subject,
            "note": NOTES[rebuilt.match],
            "is_exact": rebuilt.match is Match.EXACT,
            "is_same_address": rebuilt.match is not Match.OTHER_ADDRESS,
            "outcome": describe_delivery(rebuilt.delivery),
            "bounce": getattr(rebuilt.delivery, "bounce", None),
            "batch": rebuilt.delivery.batch,
            "to_files": rebuilt.delivery.batch.send.provider == OUTBOX,
            "provider": name_provider(rebuilt.delivery.batch.send.provider),
            "parts": PARTS,
            "part": part if part in dict(PARTS) else "mail",
        }


class SentMailPart(View):
    """One part of the mail, for the iframe of the page."""

    def get(self, request: HttpRequest, pk: int, issue: int, part: str) -> HttpResponse:
        _require_people(request)
        if part not in dict(PARTS):
            raise Http404("There is no such part of the mail.")
        person = get_object_or_404(Subscriber, pk=pk)
        issue_row = get_object_or_404(ISSUES, pk=issue)
        _log_once(person, issue=issue_row, request=request)
        try:
            mail = mask_links(rebuild_mail(issue_row, person=person), link=PLACEHOLDER_LINK)
        except DomainError as error:
            return message_iframe_response(_("There is no mail to show"), lines=[translate(error)], request=request)
        if part == "text":
            return iframe_response(render_to_string("desk/iframes/text.html", {"text": mail.text}, request=request))
        return iframe_response(open_links_outside(apply_look(untrack_links(mail.html), look=part)))


def _require_people(request: HttpRequest) -> None:
    if not can_preview_people(request.user):
        raise Http404("You may not see people.")


def _describe_look(issue: Issue) -> dict[str, str]:
    return {"publication": issue.publication.slug, "issue": issue.reference}


def _log_once(person: Subscriber, *, issue: Issue, request: HttpRequest) -> None:
    """Log a look at a part, unless the page itself was logged just before."""
    data = _describe_look(issue)
    same = AuditEntry.objects.for_instance(person).filter(
        user=request.user,
        action=SAW_MAIL,
        timestamp__gt=timezone.now() - REPEAT_WINDOW,
        data__issue=data["issue"],
    )
    if not same.exists():
        log(instance=person, action=SAW_MAIL, user=request.user, data=data)


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
