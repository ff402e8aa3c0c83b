"""Sign-ups that wait for staff, in the desk: let one in, drop one, or all of them at once."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic import TemplateView
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin

from subscribers.desk.decisions import require
from subscribers.held import AlreadyDecided, drop, let_in
from subscribers.models import HeldSignup

MAY = "subscribers.add_subscription"
SHOWN = 100


class HeldPage(WagtailAdminTemplateMixin, TemplateView):
    """The oldest hundred. POST `in` or `out` with an id, or `all`."""

    template_name = "desk/held_signups.html"
    page_title = gettext_lazy("Sign-ups that wait")
    header_icon = "time"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        require(request, MAY)
        return super().dispatch(request, *args, **kwargs)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        verb = "in" if "in" in request.POST else "out"
        which = request.POST.get(verb, "")
        rows = HeldSignup.objects.order_by("at").values_list("pk", flat=True)
        chosen = list(rows[:SHOWN]) if which == "all" else [int(which)] if which.isdecimal() else []
        decided = sum(_decide(pk, verb) for pk in chosen)
        words = _("asked by mail to confirm") if verb == "in" else _("dropped")
        messages.success(request, f"{decided} {words}.") if decided else messages.error(
            request, _("Somebody else decided this already. Nothing was changed.")
        )
        return redirect("subscribers_held")

    def get_breadcrumbs_items(self) -> list[dict[str, str]]:
        return [
            {"url": reverse("wagtailadmin_home"), "label": _("Home")},
            {"url": reverse("people:index"), "label": _("Subscribers")},
            {"url": "", "label": str(self.page_title)},
        ]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        waiting = HeldSignup.objects.select_related("mailing_list", "place").order_by("at")
        return {**super().get_context_data(**kwargs), "waiting": waiting[:SHOWN], "all": waiting.count()}


def _decide(pk: int, verb: str) -> bool:
    try:
        if verb == "in":
            let_in(held_id=pk, now=timezone.now())
        else:
            drop(held_id=pk)
    except AlreadyDecided:
        return False
    return True
