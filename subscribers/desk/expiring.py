"""Those whose implied consent runs out within 60 days, so that staff can ask them while they may. It changes nothing."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic import TemplateView
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin

from subscribers.desk.decisions import require
from subscribers.desk.imports import MAY
from subscribers.implied import expiring_soon

SHOWN = 100


class ExpiringPage(WagtailAdminTemplateMixin, TemplateView):
    """The first hundred to run out."""

    template_name = "desk/expiring.html"
    page_title = gettext_lazy("Consent that runs out")
    header_icon = "time"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        require(request, MAY)
        return super().dispatch(request, *args, **kwargs)

    def get_breadcrumbs_items(self) -> list[dict[str, str]]:
        return [
            {"url": reverse("wagtailadmin_home"), "label": _("Home")},
            {"url": reverse("people:index"), "label": _("Subscribers")},
            {"url": "", "label": str(self.page_title)},
        ]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        soon = expiring_soon(now=timezone.now())
        return {**super().get_context_data(**kwargs), "soon": soon[:SHOWN], "all": soon.count()}
