"""What staff decide about one person: no mail, mail again, or erasure. Each has a reason or a question first."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST
from django.views.generic import TemplateView
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin
from wagtail.log_actions import log

from newsletter.common.translation import translate
from subscribers.erasing.erasure import erase_person
from subscribers.models import MailingList, Reason, Subscriber, Suppression
from subscribers.unsubscribing.suppression import CannotRemoveSuppression, remove_suppression, suppress

LIFT_PERMISSION, SUPPRESS_PERMISSION, ERASE_PERMISSION = (
    "subscribers.change_suppression",
    "subscribers.add_suppression",
    "subscribers.delete_subscriber",
)
REVEAL = "subscribers.reveal"
"""Without it staff see addresses masked, and take none away as a file (V10)."""


def require_permission(request: HttpRequest, permission: str) -> str:
    """Who decides, by name, for the record. Refuses those without the right."""
    user: Any = request.user
    if not user.has_perm(permission):
        raise PermissionDenied
    return str(user.get_username())


def lift(request: HttpRequest, pk: int, suppression: int) -> HttpResponse:
    """Mail may start again, with a written reason."""
    by = require_permission(request, LIFT_PERMISSION)
    return _lift(request, pk=pk, suppression=suppression, by=by)


@require_POST
def _lift(request: HttpRequest, *, pk: int, suppression: int, by: str) -> HttpResponse:
    person = get_object_or_404(Subscriber, pk=pk)
    row = get_object_or_404(Suppression, pk=suppression, address_hash=bytes(person.address_hash))
    try:
        remove_suppression(suppression=row, by=by, reason=request.POST.get("why", ""), now=timezone.now())
    except CannotRemoveSuppression as error:
        messages.error(request, translate(error))
    else:
        log(instance=person, action="subscribers.lift", user=request.user)
        messages.success(request, _("Mail to this person may start again. Your reason is on record."))
    return redirect("subscribers_person", pk)


def bar(request: HttpRequest, pk: int) -> HttpResponse:
    """No mail to this person from now on, of one list or at all, with a written reason."""
    by = require_permission(request, SUPPRESS_PERMISSION)
    return _suppress_person(request, pk=pk, by=by)


@require_POST
def _suppress_person(request: HttpRequest, *, pk: int, by: str) -> HttpResponse:
    person = get_object_or_404(Subscriber, pk=pk)
    why = request.POST.get("why", "").strip()
    mailing_list = MailingList.objects.filter(slug=request.POST.get("list", "")).first()
    if not why:
        messages.error(request, _("Write why this person must not be mailed. The reason is kept as proof."))
        return redirect("subscribers_person", pk)
    suppress(
        address_hash=bytes(person.address_hash),
        reason=Reason.STAFF,
        now=timezone.now(),
        mailing_list=mailing_list,
        note=why,
        by=by,
    )
    log(instance=person, action="subscribers.bar", user=request.user)
    messages.success(request, _("This person gets no more of it, starting now."))
    return redirect("subscribers_person", pk)


class ErasePage(WagtailAdminTemplateMixin, TemplateView):
    """Asks first; on POST the person is erased."""

    template_name = "desk/erase_person.html"
    page_title = gettext_lazy("Erase a person")
    header_icon = "bin"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        self.by = require_permission(request, ERASE_PERMISSION)
        self.person = get_object_or_404(Subscriber, pk=kwargs["pk"])
        return super().dispatch(request, *args, **kwargs)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        log(instance=self.person, action="subscribers.erase", user=request.user)
        erase_person(subscriber=self.person, by=self.by, now=timezone.now())
        messages.success(
            request, _("This person is erased. A keyed hash of the address stays, so that nobody adds it again.")
        )
        return redirect("people:index")

    def get_breadcrumbs_items(self) -> list[dict[str, str]]:
        return [
            {"url": reverse("wagtailadmin_home"), "label": _("Home")},
            {"url": reverse("people:index"), "label": _("Subscribers")},
            {"url": reverse("subscribers_person", args=[self.person.pk]), "label": str(self.person)},
            {"url": "", "label": str(self.page_title)},
        ]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {**super().get_context_data(**kwargs), "person": self.person}
