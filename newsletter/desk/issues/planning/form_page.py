"""A page with one form that calls one service. If the service refuses, the form stays filled in and shows the reason."""

from abc import ABC, abstractmethod
from contextlib import nullcontext

from django.contrib import messages
from django.db import transaction
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.views.generic import FormView
from wagtail.log_actions import log

from newsletter.common.errors import BadValue, DomainError
from newsletter.common.staff_pages import PathMixin
from newsletter.common.translation import translate
from newsletter.desk.issues.issue_page import ISSUES, IssuePermissionMixin, overview_url
from newsletter.issues.assembly.stories_at_source import describe_left_out
from newsletter.models import Issue, Story


class ServiceFormPage(IssuePermissionMixin, PathMixin, FormView, ABC):  # type: ignore[type-arg]
    """``run`` calls the service with the valid form, logs it and returns where to go.

    It is one transaction, unless ``logs_itself``: then the service reads much before it changes something, and writes the entry
    in the transaction of the change.
    """

    template_name = "desk/issue_form.html"
    header_icon = "mail"
    any_permission_required = ["change"]
    button: object = ""
    dangerous = False
    logs_itself = False
    back_url = ""

    @property
    def is_possible(self) -> bool:
        """Return False if nobody could complete the form. The page then shows its sentences only."""
        return True

    def list_sentences(self) -> list[str]:
        """Return the facts that the person must know before they press the button."""
        return []

    def require_possible(self) -> None:
        """Raise DomainError if the present state does not allow the step. Then the page is not opened."""

    def get(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        try:
            self.require_possible()
        except DomainError as error:
            messages.error(request, translate(error))
            return redirect(self.back_url)
        response: HttpResponse = super().get(request, *args, **kwargs)
        return response

    def prepare(self, form: Form) -> None:
        """Do what waits for another system, before the transaction of ``run``."""

    @abstractmethod
    def run(self, form: Form) -> str:
        """Call the service and return the address of the next page."""

    def form_valid(self, form: Form) -> HttpResponse:
        try:
            return self.complete(form)
        except DomainError as error:
            field = error.name if isinstance(error, BadValue) and error.name in form.fields else None
            form.add_error(field, translate(error))
            return self.form_invalid(form)

    def complete(self, form: Form) -> HttpResponse:
        """Prepare and run the step, and go to the next page. Raise DomainError if it is refused: then nothing is changed."""
        self.prepare(form)
        with nullcontext() if self.logs_itself else transaction.atomic():
            address = self.run(form)
        return redirect(address)

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        page = {
            "button": self.button,
            "dangerous": self.dangerous,
            "sentences": self.list_sentences(),
            "back_url": self.back_url,
        }
        return {**super().get_context_data(**kwargs), **page}

    def warn_of_gone_stories(self, stories: list[Story]) -> None:
        """Name the stories that were left out because their source no longer shows them, on the next page."""
        if stories:
            messages.warning(self.request, translate(describe_left_out(stories)))

    def done(self, action: str, *, instance: object, message: str, **data: object) -> None:
        """Log the action with its data, and show the message on the next page."""
        log(instance=instance, action=f"newsletter.{action}", user=self.request.user, data=data or None)
        messages.success(self.request, message)


class IssueFormPage(ServiceFormPage):
    """A form about one issue, ``self.issue``."""

    issue: Issue

    def dispatch(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        self.issue = get_object_or_404(ISSUES, pk=kwargs["pk"])
        self.back_url = self.find_back_url()
        return super().dispatch(request, *args, **kwargs)

    def find_back_url(self) -> str:
        return overview_url(self.issue)

    def list_parents(self) -> list[tuple[str, str]]:
        return [(str(self.issue), self.back_url)]
