"""Parts that pages of staff share: their bases, breadcrumbs, and the call of one service.

They are here because both apps have such pages, and `subscribers` may import nothing else of `newsletter`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import ClassVar

from django.contrib import messages
from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.generic import TemplateView
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin
from wagtail.admin.views.generic.permissions import PermissionCheckedMixin
from wagtail.log_actions import log
from wagtail.permission_policies import ModelPermissionPolicy

from newsletter.common.errors import DomainError
from newsletter.common.refused_form import keep_refused_form
from newsletter.common.translation import translate


@dataclass(frozen=True)
class Done:
    """The result of a service call: the message to show, if any, and the data for the staff log."""

    message: str = ""
    log_data: dict[str, object] | None = None


@dataclass(frozen=True, kw_only=True)
class ServiceAction:
    """One call of a service for a member of staff.

    ``call`` returns the message to show. The call is logged as ``log_action`` of ``instance``, unless it raises.
    ``keeps_form``: if it raises, keep what was typed, because the next page shows it again.
    """

    call: Callable[[], str | Done]
    instance: Model
    log_action: str
    errors: tuple[type[Exception], ...] = (DomainError,)
    keeps_form: bool = False

    def respond(self, request: HttpRequest, *, back: str) -> HttpResponse:
        """Call the service, show its message or its error, and redirect to the URL ``back``."""
        try:
            result = self.call()
        except self.errors as error:
            if self.keeps_form:
                keep_refused_form(request)
            messages.error(request, translate(error))
            return redirect(back)
        done = Done(result) if isinstance(result, str) else result
        log(instance=self.instance, action=self.log_action, user=request.user, data=done.log_data)
        if done.message:
            messages.success(request, done.message)
        return redirect(back)


def make_breadcrumbs(*steps: tuple[str, str]) -> list[dict[str, str]]:
    """Return the breadcrumbs of a page: Home, then each (label, URL). The page itself has the URL ""."""
    return [{"label": label, "url": url} for label, url in ((_("Home"), reverse("wagtailadmin_home")), *steps)]


class PathMixin(WagtailAdminTemplateMixin):
    """A page whose path is Home, the pages of `list_parents`, and the page itself."""

    def list_parents(self) -> list[tuple[str, str]]:
        """Return the label and the URL of each page above this one, but for Home."""
        return []

    def get_breadcrumbs_items(self) -> list[dict[str, str]]:
        return make_breadcrumbs(*self.list_parents(), (str(self.get_page_title()), ""))


class StaffTemplatePage(PathMixin, TemplateView):
    """A page of staff that a template makes."""

    def refuse(self, **context: object) -> HttpResponse:
        """Answer a form that cannot be used with the page again, in this context."""
        response: HttpResponse = self.render_to_response(
            self.get_context_data(**context), status=HTTPStatus.BAD_REQUEST
        )
        return response


class PermittedPage(PermissionCheckedMixin, StaffTemplatePage):
    """A page for staff who have `permission_required` on the model of `permission_policy`."""

    permission_policy: ClassVar[ModelPermissionPolicy]
    permission_required: ClassVar[str] = "change"

    @classmethod
    def admits(cls, user: User | AnonymousUser) -> bool:
        return bool(cls.permission_policy.user_has_permission(user, cls.permission_required))
