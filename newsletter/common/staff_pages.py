"""Parts that pages of staff share: the call of one service, and breadcrumbs.

They are here because both apps have such pages, and `subscribers` may import nothing else of `newsletter`.
"""

from collections.abc import Callable
from dataclasses import dataclass

from django.contrib import messages
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from wagtail.log_actions import log

from newsletter.common.errors import DomainError
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
    """

    call: Callable[[], str | Done]
    instance: Model
    log_action: str
    errors: tuple[type[Exception], ...] = (DomainError,)

    def respond(self, request: HttpRequest, *, back: str) -> HttpResponse:
        """Call the service, show its message or its error, and redirect to the URL ``back``."""
        try:
            result = self.call()
        except self.errors as error:
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
