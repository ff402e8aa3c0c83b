"""Parts that pages of staff share: their bases, breadcrumbs, the call of one service, refused forms, and failures of the disk.

They are here because both apps have such pages, and `subscribers` may import nothing else of `newsletter`.
"""

import errno
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import ClassVar

from django.contrib import messages
from django.contrib.auth.models import AnonymousUser, User
from django.db import transaction
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.generic import TemplateView
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin
from wagtail.admin.views.generic.permissions import PermissionCheckedMixin
from wagtail.log_actions import log
from wagtail.permission_policies import ModelPermissionPolicy

from newsletter.common.errors import BadValue, DomainError
from newsletter.common.sealing import Sealer
from newsletter.common.translation import translate

_LOG = logging.getLogger(__name__)
_SEALER = Sealer(b"newsletter.refused-forms")
KEPT_SECONDS = 300
_IN_SESSION = "refused_form"
MAX_KEPT_LENGTH = 200_000
_NEVER_KEPT = ("csrfmiddlewaretoken", "password")
_OF_FILES = frozenset(
    {
        errno.EACCES,
        errno.EDQUOT,
        errno.EFBIG,
        errno.EIO,
        errno.EISDIR,
        errno.EMFILE,
        errno.ENFILE,
        errno.ENOENT,
        errno.ENOSPC,
        errno.ENOTDIR,
        errno.EPERM,
        errno.EROFS,
        errno.ESTALE,
    }
)
"""Other errors of the system are about a connection or a process."""


@dataclass(frozen=True)
class Done:
    """The result of a service call: the message to show, if any, and the data for the staff log."""

    message: str = ""
    log_data: dict[str, object] | None = None


@dataclass(frozen=True, kw_only=True)
class ServiceAction:
    """One call of a service for a member of staff.

    ``call`` returns the message to show. The call and its entry in the staff log, ``log_action`` of ``instance``, are one
    transaction. If the call waits for another system, or keeps a part of its work although it raises, ``log_action`` is None:
    it writes its entry itself, in the transaction of the change.
    ``keeps_form``: if it raises, keep the typed values, because the next page shows them again. After a BadValue, it can also
    mark the field.
    """

    call: Callable[[], str | Done]
    instance: Model
    log_action: str | None
    keeps_form: bool = False

    def respond(self, request: HttpRequest, *, back: str) -> HttpResponse:
        """Call the service, show its message or its error, and redirect to the URL ``back``."""
        try:
            done = self._run(request)
        except DomainError as error:
            if self.keeps_form and isinstance(error, BadValue):
                keep_refused_form(request, problem=translate(error), field=error.name)
            elif self.keeps_form:
                keep_refused_form(request)
            messages.error(request, translate(error))
            return redirect(back)
        except OSError as error:
            if not is_file_error(error):
                raise
            _LOG.error(
                "%s of %s failed: a file could not be read or written.", request.path, self.instance, exc_info=True
            )
            if self.keeps_form:
                keep_refused_form(request)
            messages.error(request, explain_undone(error))
            return redirect(back)
        if done.message:
            messages.success(request, done.message)
        return redirect(back)

    def _run(self, request: HttpRequest) -> Done:
        if self.log_action is None:
            return _make_done(self.call())
        with transaction.atomic():
            done = _make_done(self.call())
            log(instance=self.instance, action=self.log_action, user=request.user, data=done.log_data)
        return done


def _make_done(result: str | Done) -> Done:
    return Done(result) if isinstance(result, str) else result


def is_file_error(error: BaseException | None) -> bool:
    """Return True if the server could not read or write a file."""
    return isinstance(error, OSError) and error.errno in _OF_FILES


def explain_undone(error: OSError) -> str:
    """Return what to do after a step that could not be done because of a file."""
    return _(
        "The server could not read or write a file (%(reason)s), so this was not done. Try again in a minute. If it fails "
        "again, tell the person who looks after the server."
    ) % {"reason": error.strerror}


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


def keep_refused_form(request: HttpRequest, *, problem: str = "", field: str = "") -> None:
    """Keep the fields of this POST, sealed, for the page that shows the form again. Of a very long one, keep only the problem.

    The page gets the problem as one more field, `refusal`, and the name of the wrong one as `refused_field`.

    It is shown once, within five minutes. Later, the next page with such a form removes it, or the deletion of the session.
    """
    fields = request.POST.copy()
    for name in _NEVER_KEPT:
        fields.pop(name, None)
    if len(fields.urlencode()) > MAX_KEPT_LENGTH:
        fields.clear()
    if problem:
        fields["refusal"], fields["refused_field"] = problem, field
    if fields:
        sealed = _SEALER.seal(fields.urlencode())
        request.session[_IN_SESSION] = {"address": request.path, "fields": sealed, "at": time.time()}


def take_refused_form(request: HttpRequest, *, address: str) -> dict[str, str]:
    """Return the fields that were refused at this address a moment ago, the last value of each, and keep them no longer."""
    return {name: values[-1] for name, values in take_refused_values(request, address=address).items()}


def take_refused_values(request: HttpRequest, *, address: str) -> dict[str, list[str]]:
    """Return all values of each field that was refused at this address a moment ago, and keep them no longer."""
    refused_form = request.session.get(_IN_SESSION)
    if refused_form is None:
        return {}
    is_old = time.time() - refused_form["at"] > KEPT_SECONDS
    if refused_form["address"] != address and not is_old:
        return {}
    del request.session[_IN_SESSION]
    text = "" if is_old else _SEALER.unseal(refused_form["fields"])
    return {name: [str(value) for value in values] for name, values in QueryDict(text or "").lists()}
