"""The page of a publication's welcome: its mails, how many people got each, and who is in it now."""

from typing import TypedDict

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _

from newsletter.desk.issues.issue_page import DeskPage
from newsletter.desk.preview.person import can_preview_people
from newsletter.desk.welcome.mail_rows import MailRow, PersonRow, count_people_in, list_mail_rows, list_people_in
from newsletter.models import Issue, Publication


class WelcomeContext(TypedDict):
    """The context of desk/welcome.html. ``people`` are named only to those who may see subscribers.

    ``next_mail`` is the first one that waits for approval, or 0.
    """

    publication: Publication
    mails: list[MailRow]
    next_mail: int
    people_in: int
    people: list[PersonRow]
    can_edit: bool
    can_approve: bool
    can_see_people: bool


class WelcomePage(DeskPage):
    template_name = "desk/welcome.html"
    header_icon = "mail"
    publication: Publication

    def dispatch(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        self.publication = get_object_or_404(Publication.objects.select_related("mailing_list"), pk=kwargs["pk"])
        return super().dispatch(request, *args, **kwargs)

    def get_page_title(self) -> str:
        return _("Welcome: %(publication)s") % {"publication": self.publication}

    def list_parents(self) -> list[tuple[str, str]]:
        return [(_("Publications"), reverse("wagtailsnippets_newsletter_publication:list"))]

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        return {**super().get_context_data(**kwargs), **self._welcome_context()}

    def _welcome_context(self) -> WelcomeContext:
        mails = list_mail_rows(self.publication)
        user, can_see_people = self.request.user, can_preview_people(self.request.user)
        return {
            "publication": self.publication,
            "mails": mails,
            "next_mail": next((mail.issue.pk for mail in mails if mail.issue.state != Issue.State.APPROVED), 0),
            "people_in": count_people_in(self.publication),
            "people": list_people_in(self.publication) if can_see_people else [],
            "can_edit": user.has_perm("newsletter.change_issue"),
            "can_approve": user.has_perm("newsletter.approve_issue"),
            "can_see_people": can_see_people,
        }


def welcome_url(publication: Publication) -> str:
    return reverse("newsletter_welcome", args=[publication.pk])
